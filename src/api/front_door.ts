/** Guessing keys: an address that fails to authenticate too often is shut out for the rest of the running second. */
import type { Context } from "koa";
import ratelimit from "koa-ratelimit";
import { fault } from "./envelope";

/** koa-ratelimit's memory driver never evicts: here the window that began longest ago makes room. */
class BoundedMap<V> extends Map<string, V> {
  constructor(private readonly bound: number) {
    super();
  }

  override set(key: string, value: V): this {
    this.delete(key);
    if (this.size >= this.bound) {
      const oldest = this.keys().next();
      if (!oldest.done) this.delete(oldest.value);
    }
    return super.set(key, value);
  }
}

const namespace = "failed";
const window_ms = 1000;
const addresses = 100_000;

/**
 * Counts failures only: valid requests cost no window. What the limiter keeps per address goes from `max` (its first
 * call) down to 0 (refused), so 1 left means that `max` failures have passed and everything that follows is refused.
 */
export class FrontDoor {
  private readonly windows = new BoundedMap<{ readonly remaining: number }>(addresses);
  private readonly limiter;

  /** @param max failures of one address that are answered as what they are, per second */
  constructor(max: number) {
    this.limiter = ratelimit({
      driver: "memory",
      db: this.windows,
      namespace,
      duration: window_ms,
      max,
      id: (ctx: Context) => String(ctx.state.address),
      disableHeader: true,
    });
  }

  /**
   * Before a key is looked at. Whether the window still runs is the limiter's to say, by its own clock; it is asked
   * only when the window is used up. When it has ended, the limiter opened a new one for this request, which is taken back.
   *
   * @throws the declared 429
   */
  async enter(ctx: Context, address: string): Promise<void> {
    const key = `${namespace}:${address}`;
    const found = this.windows.get(key);
    if (found === undefined || found.remaining > 1) return;
    await this.count(ctx, address);
    this.windows.delete(key);
  }

  /** True while nobody failed lately: then there is no need to ask. */
  get empty(): boolean {
    return this.windows.size === 0;
  }

  /**
   * Counts a failure.
   *
   * @throws the declared 429, when the address had used its window up already
   */
  failed(ctx: Context, address: string): Promise<void> {
    return this.count(ctx, address);
  }

  private async count(ctx: Context, address: string): Promise<void> {
    let passed = false;
    ctx.state.address = address;
    await this.limiter(ctx, async () => {
      passed = true;
    });
    if (passed) return;
    // It has written an answer of its own into the response.
    for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name);
    throw fault("429 Rate limit exceeded");
  }
}
