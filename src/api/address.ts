/** Whose request it is: the peer's address, or what a trusted proxy says about it. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

function network(text: string): Network {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

/** `::ffff:192.0.2.1` is how a dual-stack socket names an IPv4 peer: both forms must be one address to every counter. */
export function normalAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** Reads `X-Forwarded-For` as far as it can be believed. */
export class Proxies {
  private readonly networks: readonly Network[];

  /** @param trusted addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` counts */
  constructor(trusted: readonly string[]) {
    this.networks = trusted.map(network);
  }

  trusts(address: string): boolean {
    if (this.networks.length === 0 || isIP(address) === 0) return false;
    const parsed = ipaddr.process(address);
    return this.networks.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
  }

  /**
   * The right-most address that no trusted proxy has. Each proxy appends whom it talked to, so from the right the list
   * is credible up to the first one that is not ours, and a value that is no address ends what can be believed.
   *
   * @param peer address of a trusted peer
   * @param forwarded value of `X-Forwarded-For`, several fields joined by commas
   */
  client(peer: string, forwarded: string): string {
    let believed = peer;
    let end = forwarded.length;
    while (end >= 0) {
      const comma = end === 0 ? -1 : forwarded.lastIndexOf(",", end - 1);
      const value = forwarded.slice(comma + 1, end).trim();
      if (isIP(value) === 0) return believed;
      believed = ipaddr.process(value).toString();
      if (!this.trusts(believed)) return believed;
      end = comma;
    }
    return believed;
  }
}
