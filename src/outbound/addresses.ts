/**
 * Which addresses the gateway may open a connection to on behalf of a tenant, and the matching of addresses against
 * configured networks.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ReturnType<typeof ipaddr.parse>;
export type Network = readonly [Address, number];

/**
 * `public`: anybody may be sent there. `local`: loopback, private, link-local, shared and unique local addresses, only
 * for those who allow it. `never`: no single host stands behind it, or what stands there is hidden in the address.
 */
export type AddressKind = "public" | "local" | "never";

const networks = (...texts: string[]): Network[] => texts.map((text) => ipaddr.parseCIDR(text));

/** IANA special-purpose registries (RFC 6890, RFC 8190); what is in neither list is public for IPv4. */
const localV4 = networks(
  "10.0.0.0/8", // RFC 1918
  "100.64.0.0/10", // carrier-grade NAT, RFC 6598
  "127.0.0.0/8",
  "169.254.0.0/16", // link-local, where clouds keep their metadata
  "172.16.0.0/12",
  "192.168.0.0/16",
);
const neverV4 = networks(
  "0.0.0.0/8", // "this host": Linux connects to loopback
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // 6to4 relays
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved and broadcast
);

const localV6 = networks("::1/128", "fc00::/7", "fe80::/10");
/** All of IPv6 that is given out for single hosts; everything outside is refused, so that what is new is, too. */
const globalV6 = networks("2000::/3");
const neverV6 = networks(
  "2001::/23", // protocol assignments, Teredo among them: an IPv4 address is hidden in it
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4 hides an IPv4 address
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation, RFC 9637
);
/** NAT64 (RFC 6052): the last four bytes are the IPv4 address that is reached in the end. */
const nat64 = networks("64:ff9b::/96");

const inside = (address: Address, list: readonly Network[]): boolean =>
  list.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));

/**
 * Null for everything but the usual spelling: no octal or hexadecimal parts, no numbers alone. And for `::10.0.0.1`
 * (RFC 4291, 2.5.5.1: deprecated), which ipaddr.js takes for `::ffff:10.0.0.1`.
 */
function parse(text: string): Address | null {
  if (isIP(text) === 0 || /^::\d+\./.test(text)) return null;
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function kind(address: Address): AddressKind {
  if (address instanceof ipaddr.IPv4) {
    if (inside(address, neverV4)) return "never";
    return inside(address, localV4) ? "local" : "public";
  }
  if (inside(address, nat64)) return kind(new ipaddr.IPv4(address.toByteArray().slice(12)));
  if (inside(address, localV6)) return "local";
  return inside(address, globalV6) && !inside(address, neverV6) ? "public" : "never";
}

/** `address` as sockets and resolvers write it; what is not an address is `never`. */
export function kindOf(address: string): AddressKind {
  const parsed = parse(address);
  return parsed ? kind(parsed) : "never";
}

/** May a tenant's URL not lead to this address? `allowLocal` lets local ones through, never the rest. */
export function isForbidden(address: string, allowLocal = false): boolean {
  const found = kindOf(address);
  return found === "never" || (found === "local" && !allowLocal);
}

/**
 * What can be told of a URL's `hostname` without asking DNS: an address (IPv6 in brackets) or a name for this host.
 * Other names can only be judged when a connection is made.
 */
export function isForbiddenHost(hostname: string, allowLocal = false): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return isForbidden(host, allowLocal);
  return !allowLocal && /^(?:.*\.)?localhost\.?$/i.test(host);
}

const loopback = networks("127.0.0.0/8", "::1/128");

/** Does only this machine get there? */
export function isLoopback(address: string): boolean {
  return inNetworks(address, loopback);
}

/** One spelling for each address, that of IPv4 for `::ffff:192.0.2.1` too; null for what is none. */
export function canonical(address: string): string | null {
  return parse(address)?.toString() ?? null;
}

/** An address or a network (`10.0.0.0/8`, `2001:db8::/32`); null when it is neither. */
export function parseNetwork(text: string): Network | null {
  const [base = "", bits, ...rest] = text.split("/");
  const address = parse(base);
  if (!address || rest.length > 0) return null;
  const width = address.kind() === "ipv4" ? 32 : 128;
  if (bits === undefined) return [address, width];
  const mapped = isIP(base) === 6 && width === 32 ? 96 : 0;
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) - mapped : -1;
  return length >= 0 && length <= width ? [address, length] : null;
}

/** Is the address in one of the networks? `::ffff:10.0.0.1` is in `10.0.0.0/8`: sockets of both families say so. */
export function inNetworks(address: string, list: readonly Network[]): boolean {
  const parsed = parse(address);
  return parsed !== null && inside(parsed, list);
}
