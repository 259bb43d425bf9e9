/**
 * Signatures of webhooks by the Standard Webhooks specification (symmetric, `v1`), with nothing but the Web Cryptography
 * API: for Node, Deno, workers and the like.
 */
import { parseEvent, type WebhookEvent } from "./event";

/** Headers of a request: of `fetch`, or of Node (names in any case). */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Why a request is not taken for one of the gateway.
 * `missing_header`: one of the three is not there, or is there twice. `malformed_header`: a time that is none.
 * `too_old`, `too_new`: signed more than five minutes ago, or ahead. `wrong_signature`: none of its signatures is by one of
 * the secrets. `malformed_body`: genuine, and no event.
 */
export type WebhookVerificationReason =
  | "missing_header"
  | "malformed_header"
  | "too_old"
  | "too_new"
  | "wrong_signature"
  | "malformed_body";

/** Not a request that the application may act upon. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly reason: WebhookVerificationReason;
  /** What to answer: 400 where the signature is good and the body is not, else 401. */
  readonly status: 400 | 401;

  constructor(reason: WebhookVerificationReason, message: string) {
    super(message);
    this.reason = reason;
    this.status = reason === "malformed_body" ? 400 : 401;
  }
}

/** Between the clocks of sender and receiver, both ways. */
const tolerance_s = 300;
/** In one header; the gateway sends one for each secret that has not run out, at most five. */
const most_signatures = 16;
const prefix = "whsec_";

/**
 * The event of a webhook, once it is certain that the gateway has sent it.
 *
 * @param body the bytes or the text as they came, before any parsing
 * @param secret `whsec_…`; several while one takes the place of another
 * @param nowMs epoch milliseconds, in place of the clock
 * @throws WebhookVerificationError somebody else's request, or an old one
 * @throws TypeError a secret that is none, a body that was parsed before: a mistake of the receiver, to be answered 500
 */
export async function verifyWebhook(
  headers: WebhookHeaders,
  body: string | Uint8Array,
  secret: string | readonly string[],
  nowMs: number = Date.now(),
): Promise<WebhookEvent> {
  const keys = (typeof secret === "string" ? [secret] : secret).map(keyBytes);
  if (keys.length === 0) throw new TypeError("there is no secret to verify with");
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (!ArrayBuffer.isView(bytes)) throw new TypeError("body must be the text or the bytes as they came, not parsed");
  const id = only(headers, "webhook-id");
  const timestamp = only(headers, "webhook-timestamp");
  const signatures = only(headers, "webhook-signature");
  if (!/^\d{1,12}$/.test(timestamp))
    throw new WebhookVerificationError("malformed_header", "webhook-timestamp has no seconds");
  const age = nowMs / 1000 - Number(timestamp);
  if (age > tolerance_s) throw new WebhookVerificationError("too_old", `signed ${Math.round(age)} s ago`);
  if (age < -tolerance_s) throw new WebhookVerificationError("too_new", `signed ${Math.round(-age)} s ahead`);
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  if (!(await isGenuine(keys, signatures, signed)))
    throw new WebhookVerificationError("wrong_signature", "no signature is by a secret of the app");
  const event = parseEvent(text(bytes), id);
  if (event === null) throw new WebhookVerificationError("malformed_body", "the body is no event");
  return event;
}

/** Compared by the platform, whose time tells nothing of where two signatures differ. */
async function isGenuine(keys: readonly Bytes[], signatures: string, signed: Bytes): Promise<boolean> {
  const given = signatures.split(" ").slice(0, most_signatures);
  const values = given.flatMap((part) => (part.startsWith("v1,") ? (decoded(part.slice(3)) ?? []) : []));
  let genuine = false;
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    for (const value of values) if (await crypto.subtle.verify("HMAC", key, value, signed)) genuine = true;
  }
  return genuine;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** An empty key would verify whatever anybody signs with nothing. */
function keyBytes(secret: string): Bytes {
  const bytes = decoded(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret);
  if (bytes === null || bytes.length === 0)
    throw new TypeError("the secret must be whsec_ and base64, as the gateway shows it");
  return bytes;
}

/** Null: it is no base64. */
function decoded(base64: string): Bytes | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    // A secret is refused, a signature is passed over.
    return null;
  }
}

function joined(head: Uint8Array, body: Uint8Array): Bytes {
  const all = new Uint8Array(head.length + body.length);
  all.set(head);
  all.set(body, head.length);
  return all;
}

/** With no sign put in the place of what is no UTF-8: that is no JSON either. */
function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new WebhookVerificationError("malformed_body", "the body is not UTF-8");
  }
}

function only(headers: WebhookHeaders, name: string): string {
  const values = isHeaders(headers) ? [headers.get(name)] : byName(headers, name);
  const [value] = values;
  if (values.length !== 1 || typeof value !== "string" || value === "")
    throw new WebhookVerificationError("missing_header", `${name} must be there once`);
  return value;
}

/** Those of another realm are no instances of ours. */
function isHeaders(headers: WebhookHeaders): headers is Headers {
  return typeof headers.get === "function";
}

function byName(headers: Exclude<WebhookHeaders, Headers>, name: string): unknown[] {
  return Object.entries(headers).flatMap(([key, value]) =>
    key.toLowerCase() === name && value !== undefined ? value : [],
  );
}
