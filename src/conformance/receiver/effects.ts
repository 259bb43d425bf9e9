/** What only a probe can see: that each genuine event took effect once, and nothing else did. */
import type { Check } from "../check";
import { strangeSecret } from "./forged";
import { kinds } from "./samples";
import { lifeOfCall, type Told } from "./story";
import type { ReceiverWorld } from "./world";

const once = "webhooks: at least once; drop a webhook-id that was seen";
const signed = "webhooks: signed by the Standard Webhooks rules";

const effect = (
  id: string,
  title: string,
  clause: string,
  tell: (world: ReceiverWorld) => Promise<readonly Told[]>,
): Check<ReceiverWorld> => ({
  id: `effects/${id}`,
  title,
  clause,
  profile: "full",
  async run(world) {
    world.watched();
    const all = await tell(world);
    await world.settled(all.map(({ id }) => id));
  },
});

export const effects: readonly Check<ReceiverWorld>[] = [
  effect("life_of_a_call", "Each event of a call takes effect once", once, async (world) => {
    const call = world.call();
    const all = lifeOfCall.map((name) => call.next(name));
    for (const told of all) await world.taken(told);
    return all;
  }),
  effect("every_kind", "An event of each kind takes effect once", once, async (world) => {
    const all: Told[] = [];
    for (const kind of kinds()) {
      const story = await world.scene(kind);
      const told = story.next(kind.name);
      all.push(told);
      await world.taken(told);
    }
    return all;
  }),
  effect("forged", "What is forged, stale or unsigned takes no effect", signed, async (world) => {
    const call = world.call();
    const first = call.next("call.new");
    await world.taken(first);
    const all = ["dtmf", "dtmf", "dtmf"].map((name) => call.next(name));
    const [wrong, stale, unsigned] = all;
    if (!wrong || !stale || !unsigned) return [first];
    await world.refused(wrong, world.signed(wrong, { secrets: [strangeSecret] }), "a wrong signature");
    await world.refused(stale, world.signed(stale, { clock: -400 }), "an event that is stale");
    const { "webhook-signature": _, ...headers } = world.signed(unsigned).headers;
    await world.refused(unsigned, { method: "POST", headers, body: unsigned.body }, "an event without a signature");
    const last = call.next("call.hangup");
    await world.taken(last);
    // The last one took effect: so would have what came before.
    return [last, first, ...all];
  }),
  effect("forged_before", "A forged event does not take the place of the genuine one", signed, async (world) => {
    const call = world.call();
    const all = [call.next("call.new"), call.next("dtmf"), call.next("call.hangup")];
    for (const told of all) {
      const other = call.at(told.sequence, "call.hangup", { cause: "FORGED" });
      const body = { ...told, body: other.body };
      await world.refused(told, world.signed(body, { secrets: [strangeSecret] }), "a wrong signature");
      await world.refused(told, world.signed(told, { clock: -400 }), "an event that is stale");
      await world.taken(told);
    }
    return all;
  }),
  effect("forged_sequence", "A forged high sequence does not shut out what follows", signed, async (world) => {
    const call = world.call();
    const first = call.next("call.new");
    await world.taken(first);
    const far = call.at(1_000_000, "dtmf", { digit: "1", duration_ms: 100 });
    await world.refused(far, world.signed(far, { secrets: [strangeSecret] }), "a wrong signature");
    const next = call.next("dtmf");
    await world.taken(next);
    return [first, next, far];
  }),
  effect(
    "other_methods",
    "A webhook is a POST: what comes by another method takes no effect",
    "webhooks: POST",
    async (world) => {
      const call = await world.ringing();
      const all: Told[] = [];
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH"]) {
        const told = call.next("dtmf");
        world.expect(told.id, "never");
        await world.send(world.signed(told, { method }));
        all.push(told);
      }
      const last = call.next("call.hangup");
      await world.taken(last);
      return [last, ...all];
    },
  ),
  effect(
    "crossed",
    "Calls that are told of at the same time do not mix",
    "webhooks: sessions and apps do not wait for each other",
    async (world) => {
      const calls = Array.from({ length: 6 }, () => world.call());
      const all: Told[] = [];
      await Promise.all(
        calls.map(async (call) => {
          for (const name of lifeOfCall) {
            const told = call.next(name);
            all.push(told);
            await world.taken(told);
          }
        }),
      );
      return all;
    },
  ),
];

/** Asked once everything was sent: also what was doubled late comes to light. */
export const ledger: Check<ReceiverWorld> = {
  id: "effects/ledger",
  title: "In the end each genuine event of the whole run took effect once, and nothing else did",
  clause: once,
  profile: "minimal",
  last: true,
  async run(world) {
    world.watched();
    await world.settled([...world.ledger.keys()].slice(-9000));
  },
};

/** The first event of the run comes once more when everything else is over. */
export const lastRepeat: Check<ReceiverWorld> = {
  id: "repeats/at_the_end",
  title: "An event of the beginning is known at the end",
  clause: once,
  profile: "full",
  last: true,
  async run(world) {
    for (const told of world.early) await world.taken(told);
  },
};
