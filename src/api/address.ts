/** Whose request it is: the peer's address, or what a trusted proxy says about it. */
import { canonical, inNetworks, type Network } from "../outbound/addresses";

/**
 * `::ffff:192.0.2.1` is how a dual-stack socket names an IPv4 peer: both forms must be one address to every counter.
 *
 * @param address undefined: the peer was gone before anybody could ask for it
 */
export function peerAddress(address: string | undefined): string {
  if (address === undefined) return "unknown";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** Reads `X-Forwarded-For` as far as it can be believed. */
export class Proxies {
  /** @param trusted whose `X-Forwarded-For` counts */
  constructor(private readonly trusted: readonly Network[]) {}

  trusts(address: string): boolean {
    return this.trusted.length > 0 && inNetworks(address, this.trusted);
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
      const value = canonical(forwarded.slice(comma + 1, end).trim());
      if (value === null) return believed;
      believed = value;
      if (!this.trusts(believed)) return believed;
      end = comma;
    }
    return believed;
  }
}
