/** The caller's side of digest authentication (RFC 3261 section 22, RFC 7616): the answer to a 401 or a 407. */
import { randomBytes } from "node:crypto";
import { type DigestAlgorithm, digestResponse, readCredentials } from "../engines/embedded/sip/digest";
import type { SipResponse } from "../engines/embedded/sip/message";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** One header line, without its end. */
export type HeaderLine = string;

const algorithms: readonly DigestAlgorithm[] = ["SHA-256", "MD5"];

/** What a quoted string cannot hold as it is. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * The credentials for a request that was challenged, of the first challenge that can be answered.
 * @param uri what the request's start line names
 * @returns null when there is no challenge of an algorithm and a qop that this end has
 */
export function authorization(
  challenged: SipResponse,
  { username, password }: Credentials,
  method: string,
  uri: string,
): HeaderLine | null {
  const [asked, given] =
    challenged.status === 407
      ? (["proxy-authenticate", "Proxy-Authorization"] as const)
      : (["www-authenticate", "Authorization"] as const);
  for (const challenge of challenged.headers.all(asked)) {
    const fields = readCredentials(challenge);
    const name = (fields?.get("algorithm") ?? "MD5").toUpperCase();
    const algorithm = algorithms.find((each) => each === name);
    const qops = fields?.get("qop")?.split(/[ \t]*,[ \t]*/);
    const [realm, nonce] = [fields?.get("realm"), fields?.get("nonce")];
    if (!algorithm || realm === undefined || nonce === undefined || (qops && !qops.includes("auth"))) continue;
    const cnonce = randomBytes(8).toString("hex");
    const nc = "00000001";
    const latin1 = (text: string) => Buffer.from(text, "utf8").toString("latin1");
    const who = [latin1(username), realm, latin1(password)];
    const response = digestResponse(algorithm, who, qops ? [nonce, nc, cnonce, "auth"] : [nonce], [method, uri]);
    const opaque = fields?.get("opaque");
    return `${given}: Digest ${[
      `username=${quoted(latin1(username))}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(uri)}`,
      `response="${response}"`,
      // Left out where the challenge named none: some servers know only the oldest form.
      ...(fields?.has("algorithm") ? [`algorithm=${algorithm}`] : []),
      ...(qops ? ["qop=auth", `nc=${nc}`, `cnonce="${cnonce}"`] : []),
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ].join(", ")}`;
  }
  return null;
}
