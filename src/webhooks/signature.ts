/** Signatures of webhooks by the Standard Webhooks specification (symmetric, `v1`): standardwebhooks.com. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const prefix = "whsec_";
/** Between the clocks of sender and receiver, both ways. */
export const toleranceSeconds = 300;

/** `whsec_` and 32 random bytes in base64. */
export const newSecret = (): string => prefix + randomBytes(32).toString("base64");

function hmac(secret: string, id: string, timestamp: string | number, body: string): Buffer {
  const key = Buffer.from(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret, "base64");
  return createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
}

/**
 * The value of `webhook-signature`: one signature per secret, so that receivers with either of two verify it.
 * @param timestamp seconds since the epoch, as in `webhook-timestamp`
 */
export function sign(secrets: readonly string[], id: string, timestamp: number, body: string): string {
  return secrets.map((secret) => `v1,${hmac(secret, id, timestamp, body).toString("base64")}`).join(" ");
}

/**
 * Is the request by somebody who knows the secret, and not older (or newer) than five minutes? Takes the same time
 * wherever a signature differs. `body` as it came, before any parsing; `nowMs` is epoch milliseconds.
 */
export function verify(headers: IncomingHttpHeaders, body: string, secret: string, nowMs = Date.now()): boolean {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (typeof id !== "string" || typeof timestamp !== "string" || typeof signatures !== "string") return false;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  const expected = hmac(secret, id, timestamp, body);
  let genuine = false;
  for (const part of signatures.split(" ")) {
    const [version, value = ""] = part.split(",");
    const given = Buffer.from(value, "base64");
    if (version === "v1" && given.length === expected.length && timingSafeEqual(given, expected)) genuine = true;
  }
  return genuine;
}
