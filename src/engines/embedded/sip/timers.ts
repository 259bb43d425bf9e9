/** The clocks of RFC 3261 (section 17, table 4): all of them are multiples of T1. */

/** Milliseconds. */
export interface Timers {
  readonly t1: number;
  /** The longest gap between two repeats. */
  readonly t2: number;
  /** Timers B, F, H, J and L: how long a transaction waits for its other side. */
  readonly limit: number;
  /** Of our own: how long a connection without a call may be silent, and one message may take to come in. */
  readonly idle: number;
  readonly unfinished: number;
  /** How long a nonce of digest authentication is good. */
  readonly nonce: number;
}

/** T1 in ms. */
export function timersOf(t1: number): Timers {
  return { t1, t2: 8 * t1, limit: 64 * t1, idle: 240 * t1, unfinished: 30 * t1, nonce: 600 * t1 };
}

/**
 * Repeats a message after T1, 2 T1, 4 T1, … up to T2 (timers E and G, and the 2xx of section 13.3.1.4), until it is
 * stopped or the limit is over. `repeat` is null where the transport does not lose messages: then only the limit counts.
 */
export class Repetition {
  #gap: number;
  #next: NodeJS.Timeout | undefined;
  readonly #limit: NodeJS.Timeout;

  constructor(
    private readonly timers: Timers,
    private readonly repeat: (() => void) | null,
    expired: () => void,
  ) {
    this.#gap = timers.t1;
    this.#limit = setTimeout(() => {
      this.stop();
      expired();
    }, timers.limit);
    if (repeat) this.#schedule();
  }

  #schedule(): void {
    this.#next = setTimeout(() => {
      this.repeat?.();
      this.#gap = Math.min(this.#gap * 2, this.timers.t2);
      this.#schedule();
    }, this.#gap);
  }

  stop(): void {
    clearTimeout(this.#next);
    clearTimeout(this.#limit);
  }
}
