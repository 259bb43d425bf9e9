/**
 * Which endpoints have stopped answering. They get one attempt at a time, with pauses, until one is answered: then
 * their connections and seconds belong to others. It only postpones: no attempt is counted that was not made.
 */

/** Attempts in a row without an answer. */
const threshold = 10;
const firstPauseMs = 500;
/** Short, because an endpoint that is back should learn of it soon. */
const longestPauseMs = 5000;
/** The least recently failed one is forgotten first, and has its ten attempts again. */
const remembered = 1000;

interface Silent {
  readonly failures: number;
  readonly pause_ms: number;
  /** Nothing is sent before; 0 = closed. Epoch milliseconds, as `now` of the callers. */
  readonly until: number;
}

export class Breaker {
  readonly #silent = new Map<string, Silent>();

  /** Milliseconds to wait, 0 = one attempt may be made now, null = as many as you like. */
  pause(endpoint: string, now: number): number | null {
    const silent = this.#silent.get(endpoint);
    if (!silent || silent.until === 0) return null;
    return Math.max(0, silent.until - now);
  }

  /** It answered, with whatever status. */
  answered(endpoint: string): void {
    this.#silent.delete(endpoint);
  }

  /** An attempt that began at `began` was not answered. */
  unanswered(endpoint: string, began: number, now: number): void {
    const silent = this.#silent.get(endpoint) ?? { failures: 0, pause_ms: firstPauseMs, until: 0 };
    // What was under way when the breaker opened says nothing new.
    if (began < silent.until) return;
    const failures = silent.failures + 1;
    const opens = failures >= threshold;
    this.#silent.delete(endpoint);
    this.#silent.set(endpoint, {
      failures,
      pause_ms: opens ? Math.min(silent.pause_ms * 2, longestPauseMs) : silent.pause_ms,
      until: opens ? now + silent.pause_ms : 0,
    });
    for (const oldest of this.#silent.keys()) {
      if (this.#silent.size <= remembered) return;
      this.#silent.delete(oldest);
    }
  }
}
