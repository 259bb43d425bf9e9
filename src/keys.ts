/** Digests of API keys: the only form in which a key is kept. */
import { createHmac } from "node:crypto";

/**
 * HMAC-SHA256 (RFC 2104) of app id and API key under the deployment's key, as 43 characters of base64url.
 * The app id is part of it, so that one key used by two apps has two digests; NUL stands in neither of them.
 */
export function keyDigest(secretsKey: Buffer, app_id: string, api_key: string): string {
  return createHmac("sha256", secretsKey).update(`${app_id}\0${api_key}`).digest("base64url");
}
