/** Faults of the delivery of webhooks: repeats, order, what the receiver answers. What lists and streams tell stays right. */
import { setTimeout as delay } from "node:timers/promises";
import { type Delivery, eventOf, type Receipt, taken } from "./delivery";
import { shown } from "./events_seen";
import type { Fault } from "./fault";
import { type Field, field, isObject, type Json, jsonOf, withField } from "./message";
import { deliveries } from "./strokes";

const order = "contract §7, order";
const attempts = "contract §7, attempts";
/** What makes the gateway try again. */
const refused: Receipt = { status: 503, fields: [], body: null };

/** What the receiver answers is taken for another status. */
function settled(name: string, about: string, status: (of: Receipt) => number | undefined): Fault {
  return deliveries([`deliveries/${name}`, about, attempts], (place) => async (delivery, deliver) => {
    const receipt = await deliver(delivery);
    const other = status(receipt);
    if (other === undefined) return receipt;
    place.strike();
    receipt.body?.resume();
    return { status: other, fields: [], body: null };
  });
}

const idOf = (delivery: Delivery) => field(delivery, "webhook-id") ?? "";

/** Whether this event was tried before. */
function seen(): (delivery: Delivery) => boolean {
  const ids = new Set<string>();
  return (delivery) => {
    const before = ids.has(idOf(delivery));
    ids.add(idOf(delivery));
    return before;
  };
}

export const delivered: readonly Fault[] = [
  deliveries(
    ["deliveries/signed-once", "a repeat has the timestamp and the signature of the first attempt", attempts],
    (place) => {
      const first = new Map<string, readonly Field[]>();
      return (delivery, deliver) => {
        const fields = first.get(idOf(delivery));
        first.set(idOf(delivery), fields ?? delivery.fields);
        if (!fields) return deliver(delivery);
        place.strike();
        return deliver({ ...delivery, fields });
      };
    },
  ),
  deliveries(["deliveries/id-changes", "a repeat has another id", attempts], (place) => {
    const before = seen();
    let n = 0;
    return (delivery, deliver) => {
      if (!before(delivery)) return deliver(delivery);
      place.strike();
      return deliver(place.resigned(withField(delivery, "webhook-id", `${idOf(delivery)}-${++n}`), delivery.body));
    };
  }),
  deliveries(["deliveries/body-changes", "a repeat has another timestamp in its body", attempts], (place) => {
    const before = seen();
    return (delivery, deliver) => {
      const json = jsonOf(delivery);
      if (!before(delivery) || !json) return deliver(delivery);
      place.strike();
      return deliver(
        place.resigned(delivery, Buffer.from(JSON.stringify({ ...json, timestamp: new Date().toISOString() }))),
      );
    };
  }),
  deliveries(["deliveries/lost-after-first", "the fifth webhook of a call is never sent", order], (place) => {
    return (delivery, deliver) => {
      if (eventOf(delivery)?.sequence !== 5) return deliver(delivery);
      place.strike();
      return Promise.resolve(taken);
    };
  }),
  deliveries(
    [
      "deliveries/doubled",
      "each answer to a call is sent twice, the second time with another id",
      "contract §7, webhook-id",
    ],
    (place) => {
      return async (delivery, deliver) => {
        const receipt = await deliver(delivery);
        if (eventOf(delivery)?.event !== "call.answered" || receipt.status >= 300) return receipt;
        place.strike();
        return deliver(place.resigned(withField(delivery, "webhook-id", `${idOf(delivery)}-again`), delivery.body));
      };
    },
  ),
  deliveries(["deliveries/same-id", "all webhooks of a call have one id", "contract §7, webhook-id"], (place) => {
    return (delivery, deliver) => {
      place.strike();
      const source = eventOf(delivery)?.source ?? "";
      return deliver(place.resigned(withField(delivery, "webhook-id", source), delivery.body));
    };
  }),
  deliveries(["deliveries/reordered", "the second webhook of a call comes after the third", order], (place) => {
    const held = new Map<string, Delivery>();
    return async (delivery, deliver) => {
      const { source = "", sequence = 0 } = eventOf(delivery) ?? {};
      const before = held.get(source);
      if (sequence === 2 && !before) {
        held.set(source, delivery);
        return taken;
      }
      const receipt = await deliver(delivery);
      if (sequence === 3 && before && receipt.status < 300) {
        held.delete(source);
        place.strike();
        return deliver(before);
      }
      return receipt;
    };
  }),
  deliveries(
    ["deliveries/not-waiting", "the next webhook is sent although the one before was refused", order],
    (place) => {
      return async (delivery, deliver) => {
        const receipt = await deliver(delivery);
        if (receipt.status < 500) return receipt;
        place.strike();
        receipt.body?.resume();
        // Tried again on the side, while the gateway goes on.
        void delay(1500).then(() =>
          deliver(delivery).then(
            (late) => late.body?.resume(),
            () => undefined,
          ),
        );
        return taken;
      };
    },
  ),
  {
    name: "deliveries/result-late",
    about: "the result of seek comes long after its deadline",
    clause: "contract §4, a result before timeout_ms",
    start: (place) => {
      const lateMs = 10_000;
      const is = ({ data }: { readonly data: Json }) => data.command === "playback/seek";
      // It says itself when it was made.
      const hooks = shown(place, (event, json) => {
        if (!is(event)) return undefined;
        return { ...json, timestamp: new Date(Date.parse(String(json.timestamp)) + lateMs).toISOString() };
      });
      const first = new Map<string, number>();
      return {
        ...hooks,
        delivery: (delivery, deliver) => {
          const event = eventOf(delivery);
          const begun = first.get(idOf(delivery)) ?? Date.now();
          first.set(idOf(delivery), begun);
          const due = !event || !is(event) || Date.now() - begun > lateMs;
          return due ? (hooks.delivery?.(delivery, deliver) ?? deliver(delivery)) : Promise.resolve(refused);
        },
      };
    },
  },
  deliveries(
    [
      "deliveries/wrong-app",
      "the beginning of a call is told to the app of the call before, too",
      "contract §1, a session belongs to one app",
    ],
    (place) => {
      let last: { readonly url: string; readonly app_id: string } | null = null;
      return async (delivery, deliver) => {
        const json = jsonOf(delivery);
        const { event, app_id = "" } = eventOf(delivery) ?? {};
        const other = last;
        if (event === "call.new" && isObject(json)) last = { url: delivery.url, app_id };
        if (event !== "call.new" || !other || other.app_id === app_id || !json) return deliver(delivery);
        place.strike();
        const body = Buffer.from(JSON.stringify({ ...json, app_id: other.app_id }));
        const strange = { ...withField(delivery, "Host", new URL(other.url).host), url: other.url };
        await deliver(place.resigned(strange, body)).then(
          (receipt) => receipt.body?.resume(),
          () => undefined,
        );
        return deliver(delivery);
      };
    },
  ),
  settled("no-retry-500", "what is answered 500 is not tried again", ({ status }) => (status >= 500 ? 204 : undefined)),
  settled("no-retry-404", "what is answered 404 is not tried again", ({ status }) =>
    status === 404 ? 204 : undefined,
  ),
  deliveries(["deliveries/retry-204", "every tenth event is tried again although it was taken", attempts], (place) => {
    const before = seen();
    let n = 0;
    return async (delivery, deliver) => {
      const again = before(delivery);
      const receipt = await deliver(delivery);
      if (again || receipt.status !== 204 || ++n % 10 !== 0) return receipt;
      place.strike();
      return refused;
    };
  }),
  settled("redirect-taken", "a redirect counts as delivered", ({ status }) =>
    status >= 300 && status < 400 ? 204 : undefined,
  ),
  settled("410-ignored", "410 does not turn the webhooks off", ({ status }) => (status === 410 ? 500 : undefined)),
  settled("404-turns-off", "404 turns the webhooks off like 410", ({ status }) => (status === 404 ? 410 : undefined)),
  deliveries(
    ["deliveries/redirect-followed", "redirects are followed", attempts],
    (place) => async (delivery, deliver) => {
      const receipt = await deliver(delivery);
      const location = receipt.status >= 300 && receipt.status < 400 ? field(receipt, "Location") : undefined;
      if (location === undefined) return receipt;
      place.strike();
      receipt.body?.resume();
      return deliver({ ...delivery, url: new URL(location, delivery.url).href });
    },
  ),
  deliveries(
    ["deliveries/impatient", "a receiver that takes a second is asked again at once", attempts],
    (place) => async (delivery, deliver) => {
      const first = deliver(delivery);
      const late = await Promise.race([first.then(() => false), delay(900, true)]);
      if (!late) return first;
      place.strike();
      void first.then(
        (receipt) => receipt.body?.resume(),
        () => undefined,
      );
      return { status: 500, fields: [], body: null };
    },
  ),
];
