/** Deliveries of one app: settle what was attempted, take what is due, attempt it; over and over while there is any. */

import type { ContractCheck } from "../contract_check";
import { isRoom } from "../ids";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Settlement, Store, Taken } from "../store/store";
import { type Attempts, attemptMs } from "./attempt";
import type { Breaker } from "./breaker";
import type { Slots } from "./slots";
import { type Outcome, verdict } from "./verdict";

/** Longer than an attempt and its settlement take: what is handed out again before would be sent twice. */
const leaseMs = attemptMs + 5000;
const firstBackoffMs = 100;
const longestBackoffMs = 5000;

/** What all lanes share. */
export interface Common {
  readonly store: Store;
  readonly attempts: Attempts;
  readonly breaker: Breaker;
  readonly slots: Slots;
  readonly log: Log;
  readonly meter: Pick<Meter, "attempt">;
  readonly check: Pick<ContractCheck, "webhook">;
  readonly now: () => number;
  readonly retryMs: number;
  readonly perApp: number;
  /** False once the gateway closes: then only what is under way is settled. */
  readonly taking: () => boolean;
  /** Nothing is under way in this lane. */
  readonly quiet: (lane: Lane) => void;
}

export class Lane {
  #settled: Settlement[] = [];
  #flying = 0;
  #scheduled = false;
  #turning = false;
  #again = false;
  #timer: NodeJS.Timeout | null = null;
  /** While the store does not answer; only the end of the pause may ask it again. */
  #paused: NodeJS.Timeout | null = null;
  #closed = false;
  #failures = 0;
  /** Where the last event went: it tells how the endpoint does. */
  #endpoint: string | null = null;
  /** Something waits in the store for a later time. */
  #waiting = false;
  /** Events of a deleted app are left: they have no time for pauses. */
  #closing = false;
  /** Has asked to be called when a slot is free. */
  #hungry = false;

  constructor(
    readonly app_id: string,
    readonly common: Common,
  ) {}

  /** Nothing is under way and nothing is left to settle. */
  get quiet(): boolean {
    if (this.#scheduled || this.#turning || this.#hungry || this.#paused !== null) return false;
    return this.#flying === 0 && this.#settled.length === 0;
  }

  /** Nothing waits either. */
  get idle(): boolean {
    return this.quiet && !this.#waiting;
  }

  /** There may be something to do. All calls of one round of the event loop make one turn. */
  readonly wake = (): void => {
    if (this.#closed || this.#paused !== null || this.#scheduled) return;
    if (this.#turning) {
      this.#again = true;
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#turns();
    });
  };

  /** A slot is free. */
  readonly #feed = (): void => {
    this.#hungry = false;
    this.wake();
  };

  close(): void {
    this.#closed = true;
    this.#later(null);
    if (this.#paused) clearTimeout(this.#paused);
  }

  async #turns(): Promise<void> {
    this.#turning = true;
    do {
      this.#again = false;
      await this.#turn();
    } while (this.#again && this.#paused === null);
    this.#turning = false;
    this.#tellQuiet();
  }

  async #turn(): Promise<void> {
    const { store, slots, log, perApp } = this.common;
    const { app_id } = this;
    const want = this.#want();
    const settled = this.#settled;
    if (want === 0 && settled.length === 0) return;
    this.#settled = [];
    try {
      const turn = { app_id, settled, want, limit: perApp, lease_ms: leaseMs };
      const { taken, stale, dropped, closing, next_due_ms } = await store.turn(turn);
      this.#failures = 0;
      this.#flying += taken.length;
      slots.give(want - taken.length);
      if (stale > 0) log.info({ app_id, stale }, "webhooks settled too late, or twice");
      if (dropped > 0) log.warn({ app_id, dropped }, "too many webhooks wait: some were dropped");
      this.#waiting = next_due_ms !== null;
      this.#closing = closing;
      // When all that was wanted came, the end of an attempt asks for more.
      if (taken.length < want) this.#later(next_due_ms);
      for (const each of taken) void this.#deliver(each);
    } catch (err) {
      // The store may have done it all the same: settling twice is harmless, and what it handed out comes back in time.
      slots.give(want);
      this.#settled = settled.concat(this.#settled);
      this.#failures += 1;
      log.error({ err, app_id, failures: this.#failures }, "webhooks: the store cannot be asked");
      const backoff = Math.min(firstBackoffMs * 2 ** Math.min(this.#failures - 1, 10), longestBackoffMs);
      if (this.#closed) return;
      this.#paused = setTimeout(() => {
        this.#paused = null;
        this.wake();
      }, backoff);
    }
  }

  /** How many may be taken now; they are held until an attempt ends or the store has fewer. */
  #want(): number {
    const { slots, breaker, perApp, taking, now } = this.common;
    if (!taking()) return 0;
    let wanted = perApp - this.#flying;
    const postponed = this.#endpoint !== null && !this.#closing ? breaker.pause(this.#endpoint, now()) : null;
    if (postponed !== null) {
      if (postponed > 0) {
        this.#later(postponed);
        return 0;
      }
      wanted = this.#flying === 0 ? 1 : 0;
    }
    if (wanted <= 0) return 0;
    const granted = slots.take(wanted, this.#flying);
    if (granted === 0 && this.#flying === 0) {
      this.#hungry = true;
      slots.wait(this.#feed);
    }
    return granted;
  }

  async #deliver(taken: Taken): Promise<void> {
    const began = this.common.now();
    const settlement = await this.#attempt(taken, began);
    const { queue, token, event } = taken;
    if (settlement !== null) this.#settled.push({ queue, token, sequence: event.sequence, verdict: settlement });
    this.#flying -= 1;
    this.common.slots.give(1);
    this.wake();
  }

  /** Null: not known, somebody will try again when the lease ends. */
  async #attempt(taken: Taken, began: number): Promise<Settlement["verdict"] | null> {
    const { attempts, breaker, now, log, meter, check, retryMs } = this.common;
    if (taken.mode === "disabled") {
      meter.attempt("dead", lagOf(taken, began));
      return "dead";
    }
    if (taken.webhook_url === "") return "delivered";
    this.#endpoint = taken.webhook_url;
    // A replay is not the first attempt.
    if (taken.attempts === 0 && taken.since === taken.event.created_at)
      check.webhook(taken.event.event, taken.event.body);
    let outcome: Outcome | null;
    try {
      outcome = await attempts.make(taken);
    } catch (err) {
      log.error({ err, app_id: this.app_id, webhook_id: taken.event.id }, "webhook attempt broke");
      outcome = { failure: "unreachable", code: null };
    }
    if (outcome === null) return null;
    const ended = now();
    if ("status" in outcome) breaker.answered(taken.webhook_url);
    else breaker.unanswered(taken.webhook_url, began, ended);
    const decided = verdict({
      outcome,
      mode: taken.mode,
      attempts: taken.attempts + 1,
      age_ms: ended - taken.since,
      retry_ms: retryMs,
      now: ended,
      random: Math.random(),
    });
    meter.attempt(
      decided === "delivered" ? decided : typeof decided === "object" ? "retry" : "dead",
      lagOf(taken, ended),
    );
    this.#report(taken, outcome, decided, ended - began);
    return decided;
  }

  #report(taken: Taken, outcome: Outcome, decided: Settlement["verdict"], duration_ms: number): void {
    const { log } = this.common;
    const delivered = decided === "delivered";
    if (delivered && !log.isLevelEnabled("debug")) return;
    const { event, source, app_id } = taken;
    const fields = {
      app_id,
      [isRoom(source) ? "room_id" : "session_uuid"]: source,
      event: event.event,
      sequence: event.sequence,
      webhook_id: event.id,
      attempt: taken.attempts + 1,
      ...("status" in outcome ? { status: outcome.status } : { failure: outcome.failure, code: outcome.code }),
      duration_ms,
      ...(typeof decided === "object" ? decided : { verdict: decided }),
    };
    if (delivered) log.debug(fields, "webhook delivered");
    else log.warn(fields, "webhook failed");
  }

  /** Asks again in so many milliseconds; null = no need to. */
  #later(ms: number | null): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = ms === null ? null : setTimeout(this.wake, Math.min(Math.max(ms, 1), 60_000));
  }

  #tellQuiet(): void {
    if (this.quiet) this.common.quiet(this);
  }
}

/** Seconds since the event's creation, for a replayed one since the replay; clocks of two machines may differ. */
function lagOf({ since }: Taken, now: number): number {
  return Math.max(0, now - since) / 1000;
}
