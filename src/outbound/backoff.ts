/** When a request that failed is sent again: pure functions, no clock and no chance of their own. */

export interface Failed {
  /** Made so far, the one that failed included. */
  readonly attempts: number;
  /** Since what is to be sent came into being, at the end of that attempt. */
  readonly age_ms: number;
  /** How long after that it is tried again. */
  readonly retry_ms: number;
  /** `Retry-After` of the answer; null when there was no answer, or none in it. */
  readonly retry_after: string | null;
  /** Epoch milliseconds, for a `Retry-After` that is a date. */
  readonly now: number;
  /** 0 ≤ random < 1 */
  readonly random: number;
}

/**
 * What the wait after the first, second, … attempt takes of the whole time: with 300 s these are 1, 2, 5, 12, 30, 75
 * and 150 s. There is no wait after the eighth.
 */
const waits = [1 / 300, 2 / 300, 5 / 300, 12 / 300, 30 / 300, 75 / 300, 150 / 300];
const jitter = 0.2;

/** Milliseconds that a `Retry-After` (RFC 9110, 10.2.3) asks for; null when it says nothing that can be read. */
export function retryAfterMs(value: string | null, now: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = /GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * Whole milliseconds until the next attempt, at least 1; null when it is given up. It is tried again as long as
 * attempts and time are left, the last time just before time is up: what is older than that has one attempt.
 */
export function retryInMs(failed: Failed): number | null {
  const { attempts, age_ms, retry_ms, retry_after, now, random } = failed;
  const share = waits[attempts - 1];
  const left = retry_ms - age_ms;
  if (share === undefined || left <= 0) return null;
  const wait = share * retry_ms * (1 - jitter + 2 * jitter * random);
  const asked = retryAfterMs(retry_after, now);
  // A receiver that asks for no wait at all still gets the shortest one.
  const chosen = asked === null ? wait : Math.max(asked, (waits[0] ?? 0) * retry_ms);
  return Math.max(1, Math.round(Math.min(chosen, left)));
}
