import { nodeOf } from "../../ids";
import type { Ending, Hold, NodeLease } from "../store";

/** Who looks less often than this is not looking: the store may have been away in between. */
export const LOOK_MS = 5000;

interface Lease {
  /** Null: given up, or lost. */
  owner: string | null;
  fence: number;
  until: number;
  /** Since when it has been seen to be held by nobody, and when that was seen last; null while somebody holds it. */
  away: { readonly since: number; seen: number } | null;
  lost: boolean;
  /** Cause by id. */
  readonly endings: Map<string, string>;
}

/** Which instance reads the events of which node. */
export class Leases {
  private readonly nodes = new Map<string, Lease>();

  hold({ owner, nodes, lease_ms, lost_ms }: Hold, now: number, isOver: (id: string) => boolean): readonly NodeLease[] {
    for (const node of nodes) {
      const lease = this.lease(node);
      if (lease.lost || (lease.owner !== owner && lease.owner !== null && lease.until > now)) continue;
      // By the clock: higher also than what was forgotten, or lost with the store's last moments.
      if (lease.owner !== owner) lease.fence = Math.max(lease.fence + 1, now);
      lease.owner = owner;
      lease.until = now + lease_ms;
      lease.away = null;
    }
    return Array.from(this.nodes, ([node, lease]) => {
      look(lease, now, lost_ms);
      const { fence, until, lost, endings } = lease;
      for (const id of endings.keys()) if (isOver(id)) endings.delete(id);
      const held = !lost && until > now;
      const own = held && lease.owner === owner;
      return {
        node,
        fence: own ? fence : null,
        state: lost ? "lost" : held ? "held" : "away",
        ending: own ? Array.from(endings, ([id, cause]) => ({ id, cause })) : [],
      };
    });
  }

  release(owner: string, now: number): void {
    for (const lease of this.nodes.values()) {
      if (lease.owner !== owner) continue;
      lease.owner = null;
      lease.until = now;
    }
  }

  askToEnd({ id, cause }: Ending): void {
    this.nodes.get(nodeOf(id))?.endings.set(id, cause);
  }

  forget(node: string): void {
    if (this.nodes.get(node)?.lost) this.nodes.delete(node);
  }

  private lease(node: string): Lease {
    const known = this.nodes.get(node);
    if (known !== undefined) return known;
    const lease: Lease = { owner: null, fence: 0, until: 0, away: null, lost: false, endings: new Map() };
    this.nodes.set(node, lease);
    return lease;
  }
}

/** Notes for how long nobody has held it. */
function look(lease: Lease, now: number, lost_ms: number): void {
  if (lease.lost || lease.until > now) return;
  if (lease.away === null || now - lease.away.seen > LOOK_MS) lease.away = { since: now, seen: now };
  lease.away.seen = now;
  if (now - lease.away.since < lost_ms) return;
  lease.lost = true;
  lease.owner = null;
}
