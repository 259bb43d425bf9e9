/** Whom a caller dials: a sip URI, and the address behind its host. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { readUri } from "../engines/embedded/sip/grammar";

export interface Destination {
  /** As it stands in the start line and in To: without the transport, which is the way and no part of the name. */
  readonly uri: string;
  readonly host: string;
  /** IP literal. */
  readonly address: string;
  readonly port: number;
  readonly transport: "UDP" | "TCP";
}

/** The user part of a sip URI (RFC 3261 section 25.1): what may not stand there is escaped. */
export function userPart(text: string): string {
  return Array.from(Buffer.from(text, "utf8"), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9\-_.!~*'()&=+$,/]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** A host as it stands in a URI or a Via: an IPv6 address in brackets. */
export function hostPart(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/**
 * Reads `sip:number@host[:port][;transport=udp|tcp]` and looks the host up.
 * @throws Error that says what is wrong with the URI; the resolver's error for a host that nobody knows
 */
export async function destination(uri: string): Promise<Destination> {
  const read = readUri(uri);
  if (read?.scheme === "sips") throw new Error(`${uri}: SIP over TLS is not supported, only UDP and TCP`);
  if (read?.scheme !== "sip" || read.host === "") throw new Error(`${uri} is no SIP URI: write sip:number@host:port`);
  const transport = (read.params.get("transport") ?? "udp").toUpperCase();
  if (transport !== "UDP" && transport !== "TCP") throw new Error(`${uri}: transport must be udp or tcp`);
  if (read.user === "") throw new Error(`${uri} names no number: write sip:number@host:port`);
  const { host, port } = read;
  const addresses = await lookup(host, { all: true });
  // Of a name with both, such as localhost, most SIP servers listen on the older one alone.
  const { address } = addresses.find(({ family }) => family === 4) ?? addresses[0] ?? { address: host };
  const place = `${hostPart(host)}${port === null ? "" : `:${port}`}`;
  return { uri: `sip:${userPart(read.user)}@${place}`, host, address, port: port ?? 5060, transport };
}
