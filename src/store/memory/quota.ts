import type { Quota } from "../store";
import { Chain, type Linked } from "./chain";

const WINDOW_MS = 1000;

interface Window extends Linked<Window> {
  readonly address: string;
  readonly ends_at: number;
  count: number;
}

/**
 * Requests per address in fixed windows of one second, each opened by its first request. A window that is over goes
 * when the next one opens, so there are never more of them than addresses in the last busy second.
 */
export class QuotaWindows {
  private readonly windows = new Map<string, Window>();
  private readonly order = new Chain<Window>();

  /** Counts one request; those over the limit count as well. */
  count(address: string, limit: number, now: number): Quota {
    let window = this.open(address, now);
    if (window === undefined) {
      this.expire(now);
      window = { address, ends_at: now + WINDOW_MS, count: 0, older: null, newer: null };
      this.windows.set(address, window);
      this.order.append(window);
    }
    window.count += 1;
    return quota(window.count, limit, window.ends_at - now);
  }

  /** What `count` last told, without counting. */
  peek(address: string, limit: number, now: number): Quota {
    const window = this.open(address, now);
    return window === undefined ? quota(0, limit, 0) : quota(window.count, limit, window.ends_at - now);
  }

  expire(now: number): void {
    for (let first = this.order.oldest; first !== null && first.ends_at <= now; first = this.order.oldest) {
      this.order.remove(first);
      this.windows.delete(first.address);
    }
  }

  private open(address: string, now: number): Window | undefined {
    const window = this.windows.get(address);
    return window !== undefined && window.ends_at > now ? window : undefined;
  }
}

function quota(count: number, limit: number, reset_ms: number): Quota {
  return { limit, remaining: Math.max(0, limit - count), reset_ms, exceeded: count > limit };
}
