/** Standard Webhooks signatures (symmetric, `v1`), written without a look at how the gateway does it: standardwebhooks.com. */
import { createHmac } from "node:crypto";

/**
 * @param secret `whsec_` and base64, or base64 alone
 * @param timestamp as it stands in `webhook-timestamp`
 * @param body as it goes over the wire
 * @returns `v1,<base64>`
 */
export function signatureOf(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}
