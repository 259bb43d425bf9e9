/** Guessing keys: an address that fails to authenticate too often is shut out for the rest of the running second. */
import type { Context } from "koa";
import ratelimit from "koa-ratelimit";
import { BoundedMap } from "./bounded_map";
import { fault } from "./envelope";

const namespace = "failed";
const window_ms = 1000;
const addresses = 100_000;

/**
 * Counts failures only: valid requests cost no window. What the limiter keeps per address goes from its maximum (its
 * first call) down to 0 (refused). That maximum is one more than `max`, so 1 left means that more than `max` failures
 * have passed and everything that follows is refused.
 */
export class FrontDoor {
  /** Bounded, because koa-ratelimit's memory driver never evicts. */
  private readonly windows = new BoundedMap<{ readonly remaining: number }>(addresses);
  private readonly limiter;
  /**
   * One after another: the limiter looks at what is left only after it has counted, and what it looks at is what all have
   * counted down. At once each would see what the last one has left.
   */
  private counting: Promise<void> = Promise.resolve();
  /** By `performance.now()`: from here on every window has ended. */
  private quietFrom = 0;

  /** @param max failures of one address per second that do it no harm; one more is still answered as what it is */
  constructor(max: number) {
    this.limiter = ratelimit({
      driver: "memory",
      db: this.windows,
      namespace,
      duration: window_ms,
      max: max + 1,
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

  /** True while nobody has failed within the last second: then there is no need to ask. */
  get quiet(): boolean {
    return performance.now() >= this.quietFrom;
  }

  /**
   * Counts a failure.
   *
   * @throws the declared 429, when the address had used its window up already
   */
  failed(ctx: Context, address: string): Promise<void> {
    if (this.quiet) this.windows.clear();
    return this.count(ctx, address);
  }

  private async count(ctx: Context, address: string): Promise<void> {
    let passed = false;
    ctx.state.address = address;
    const counted = this.counting.then(() => {
      const counting = this.limiter(ctx, async () => {
        passed = true;
      });
      // The limiter has read its clock by now: no window ends later than this.
      this.quietFrom = performance.now() + window_ms;
      return counting;
    });
    // Whoever counts is told of an error; the next one is counted all the same.
    this.counting = counted.catch(() => undefined);
    await counted;
    if (passed) return;
    // It has written an answer of its own into the response.
    for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name);
    throw fault("429 Rate limit exceeded");
  }
}
