import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "../../log";

/** Between two probes. */
const PROBE_MS = 50;
/** A connection over which nothing was answered for so long is given up. */
const RENEW_MS = 1000;

/** Thrown at once while Redis is away. */
export class AwayError extends Error {
  constructor(reason: string) {
    super(`Redis is away: ${reason}`);
    this.name = "AwayError";
  }
}

export interface PresenceOptions {
  /** Resolves when it can be asked, and written to. */
  readonly probe: () => Promise<void>;
  /** Gives the connection up, and makes a new one. */
  readonly renew: () => void;
  readonly log: Log;
  /** As it may stand in the log. */
  readonly redis: string;
}

/**
 * Whether a Redis can be asked. Once it has not answered, nobody waits for it but one probe after the other: so what waits is
 * bounded, and each who asks meanwhile is told at once. One line in the log when it goes, one when it is back.
 */
export class Presence {
  readonly #options: PresenceOptions;
  /** Why it is away. */
  #reason: string | null = null;
  #closed = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Null: it is there, as far as known. */
  get away(): string | null {
    return this.#reason;
  }

  /** It was asked, and did not answer. */
  lost(reason: string): void {
    if (this.#reason !== null || this.#closed) return;
    const { log, redis } = this.#options;
    this.#reason = reason;
    log.error({ redis, reason }, "redis is away");
    this.#probe().catch((err) => log.error({ redis, err }, "redis cannot be probed"));
  }

  close(): void {
    this.#closed = true;
    this.#reason ??= "it was closed";
  }

  async #probe(): Promise<void> {
    const { log, redis, probe, renew } = this.#options;
    const since = performance.now();
    for (let renewed = since; !this.#closed; ) {
      try {
        await probe();
        break;
      } catch (error) {
        this.#reason = error instanceof Error ? error.message : String(error);
      }
      if (performance.now() - renewed >= RENEW_MS) {
        renew();
        renewed = performance.now();
      }
      await pause(PROBE_MS);
    }
    if (this.#closed) return;
    this.#reason = null;
    log.info({ redis, away_ms: Math.round(performance.now() - since) }, "redis is back");
  }
}
