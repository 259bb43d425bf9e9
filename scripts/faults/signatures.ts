/** Faults of the head of a webhook: who signed it, what, and when. */
import { type Delivery, eventOf, signature } from "./delivery";
import type { Fault } from "./fault";
import { field, withField } from "./message";
import { deliveries } from "./strokes";

const signed = "contract §7, signed by the Standard Webhooks rules";

/** Each delivery is sent otherwise; undefined: this one is left alone. */
function sent(
  name: string,
  about: string,
  clause: string,
  change: (delivery: Delivery, secrets: readonly string[]) => Delivery | undefined,
): Fault {
  return deliveries([`signatures/${name}`, about, clause], (place) => (delivery, deliver) => {
    const other = change(delivery, place.secrets(eventOf(delivery)?.app_id ?? ""));
    if (!other) return deliver(delivery);
    place.strike();
    return deliver(other);
  });
}

const idOf = (delivery: Delivery) => field(delivery, "webhook-id") ?? "";
const signatureOf = (delivery: Delivery) => field(delivery, "webhook-signature") ?? "";
const withSignature = (delivery: Delivery, value: string) => withField(delivery, "webhook-signature", value);

/** Signed for another moment. */
function at(delivery: Delivery, secrets: readonly string[], timestamp: string): Delivery {
  const many = signatureOf(delivery).split(" ").length;
  const all = secrets.slice(0, many).map((secret) => signature(secret, idOf(delivery), timestamp, delivery.body));
  return withSignature(withField(delivery, "webhook-timestamp", timestamp), all.join(" "));
}

const secondsAgo = (seconds: number) => String(Math.floor(Date.now() / 1000) - seconds);

export const signatures: readonly Fault[] = [
  sent("unsigned", "webhooks have no signature", signed, (delivery) => withField(delivery, "webhook-signature", null)),
  sent("no-id", "webhooks have no id", signed, (delivery) => withField(delivery, "webhook-id", null)),
  sent("no-timestamp", "webhooks have no timestamp", signed, (delivery) =>
    withField(delivery, "webhook-timestamp", null),
  ),
  sent("wrong-signature", "the signature of dtmf is of no secret", signed, (delivery) =>
    eventOf(delivery)?.event === "dtmf"
      ? withSignature(delivery, `v1,${Buffer.alloc(32, 7).toString("base64")}`)
      : undefined,
  ),
  sent("signed-without-id", "the id is not part of what is signed", signed, (delivery, secrets) => {
    const timestamp = field(delivery, "webhook-timestamp") ?? "";
    return withSignature(
      delivery,
      secrets
        .slice(0, 1)
        .map((secret) => signature(secret, "", timestamp, delivery.body))
        .join(" "),
    );
  }),
  sent("signed-other-body", "what is signed has a line feed at its end", signed, (delivery, secrets) => {
    const timestamp = field(delivery, "webhook-timestamp") ?? "";
    const body = Buffer.concat([delivery.body, Buffer.from("\n")]);
    return withSignature(
      delivery,
      secrets
        .slice(0, 1)
        .map((secret) => signature(secret, idOf(delivery), timestamp, body))
        .join(" "),
    );
  }),
  sent("signature-version", "signatures are of version v2", signed, (delivery) =>
    withSignature(delivery, signatureOf(delivery).replaceAll("v1,", "v2,")),
  ),
  sent("signature-hex", "signatures are in hexadecimal", signed, (delivery) =>
    withSignature(
      delivery,
      signatureOf(delivery).replaceAll(
        /v1,(\S+)/g,
        (_, text: string) => `v1,${Buffer.from(text, "base64").toString("hex")}`,
      ),
    ),
  ),
  sent("old-secret-only", "after a rotation the old secret alone signs", signed, (delivery) => {
    const [, ...old] = signatureOf(delivery).split(" ");
    return old.length > 0 ? withSignature(delivery, old.join(" ")) : undefined;
  }),
  sent("new-secret-only", "after a rotation the old secret signs no more", signed, (delivery) => {
    const [own = "", ...old] = signatureOf(delivery).split(" ");
    return old.length > 0 ? withSignature(delivery, own) : undefined;
  }),
  sent("timestamp-ms", "the timestamp is in milliseconds", signed, (delivery, secrets) =>
    at(delivery, secrets, String(Date.now())),
  ),
  sent("timestamp-stale", "the timestamp is ten minutes old", signed, (delivery, secrets) =>
    at(delivery, secrets, secondsAgo(600)),
  ),
  sent("timestamp-future", "the timestamp is ten minutes ahead", signed, (delivery, secrets) =>
    at(delivery, secrets, secondsAgo(-600)),
  ),
  sent("text-plain", "webhooks are text/plain", "contract §7, webhooks", (delivery) =>
    withField(delivery, "Content-Type", "text/plain"),
  ),
  sent("by-put", "webhooks are sent by PUT", "contract §7, webhooks", (delivery) => ({ ...delivery, method: "PUT" })),
  sent(
    "other-path",
    "webhooks are sent to the path in lower case, without its query",
    "contract §7, POST <webhook_url>",
    (delivery) => {
      const url = delivery.url.split("?")[0] ?? "";
      return { ...delivery, url: url.endsWith("/") ? `${url}x` : `${url}/` };
    },
  ),
];
