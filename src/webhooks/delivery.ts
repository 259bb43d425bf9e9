/**
 * Delivery of webhooks: in order per call and room, at least once, and no app at the expense of another. The store knows
 * what is due and what is under way; here it is only taken, attempted and settled.
 */
import { performance } from "node:perf_hooks";
import type { ContractCheck } from "../contract_check";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Store } from "../store/store";
import { Attempts, attemptMs } from "./attempt";
import { Breaker } from "./breaker";
import { type Common, Lane } from "./lane";
import { Slots } from "./slots";

/** How long an event waits at most whose `wake` was lost with the process that committed it. */
const sweepMs = 1000;
/** What was committed just before `close` is still sent for so long. */
const lastCallMs = 2000;

export interface WebhookOptions {
  readonly store: Store;
  /** Webhooks may go to private and loopback addresses. */
  readonly allowLocalhost: boolean;
  /** For how long after its creation an event is tried again. */
  readonly retrySeconds: number;
  readonly log: Log;
  readonly meter: Pick<Meter, "attempt">;
  readonly check: Pick<ContractCheck, "webhook">;
  /** Epoch milliseconds: for signatures, ages and pauses. */
  readonly now?: () => number;
  /** Attempts under way at once, over all apps. */
  readonly concurrency?: number;
  /** Attempts of one app under way at once, over all instances. */
  readonly concurrencyPerApp?: number;
}

export class Webhooks {
  readonly #lanes = new Map<string, Lane>();
  readonly #common: Common;
  #sweep: NodeJS.Timeout | null = null;
  #sweeping = false;
  #closing: Promise<void> | null = null;
  /** By the monotonic clock. */
  #takeUntil = Number.POSITIVE_INFINITY;
  #onQuiet: (() => void) | null = null;

  constructor(options: WebhookOptions) {
    const now = options.now ?? Date.now;
    this.#common = {
      store: options.store,
      attempts: new Attempts({ allowLocalhost: options.allowLocalhost, now }),
      breaker: new Breaker(),
      slots: new Slots(options.concurrency ?? 1024),
      log: options.log,
      meter: options.meter,
      check: options.check,
      now,
      retryMs: options.retrySeconds * 1000,
      perApp: options.concurrencyPerApp ?? 64,
      taking: () => performance.now() < this.#takeUntil,
      quiet: (lane) => {
        if (lane.idle) this.#lanes.delete(lane.app_id);
        this.#onQuiet?.();
      },
    };
  }

  /** Begins to sweep: from now on everything that is due is delivered, whoever committed it. */
  start(): void {
    this.#sweep ??= setInterval(() => void this.#look(), sweepMs);
  }

  /** Something was committed for this app: it is delivered at once and not by the next sweep. */
  wake(app_id: string): void {
    if (!this.#closing) this.#lane(app_id).wake();
  }

  /**
   * Sends what is due at this moment, lets attempts under way end and settles them, in at most the time of one
   * attempt; ends what is still under way then, unsettled. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#sweep) clearInterval(this.#sweep);
    this.#takeUntil = performance.now() + lastCallMs;
    const lanes = this.#lanes;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, attemptMs);
      this.#onQuiet = () => {
        for (const lane of lanes.values()) if (!lane.quiet) return;
        clearTimeout(timer);
        resolve();
      };
      for (const lane of lanes.values()) lane.wake();
      this.#onQuiet();
    });
    this.#onQuiet = null;
    this.#takeUntil = 0;
    for (const lane of lanes.values()) lane.close();
    this.#common.attempts.close();
  }

  async #look(): Promise<void> {
    // A store that is slow to answer is not asked by several sweeps at once.
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      for (const app_id of await this.#common.store.appsWithEvents()) this.wake(app_id);
    } catch (err) {
      this.#common.log.error({ err }, "webhooks: the store cannot be asked");
    }
    this.#sweeping = false;
  }

  #lane(app_id: string): Lane {
    const known = this.#lanes.get(app_id);
    if (known) return known;
    const lane = new Lane(app_id, this.#common);
    this.#lanes.set(app_id, lane);
    return lane;
  }
}
