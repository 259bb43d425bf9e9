/** Times as they are written. */

let second = Number.NaN;
let start = "";

/**
 * `2026-01-31T12:00:00.000Z` (RFC 3339). What comes before the milliseconds is kept for a second: to make it anew each
 * time, as `Date` does, costs as much as the rest of a log line.
 * @param at epoch milliseconds, a whole number
 */
export function isoTime(at: number): string {
  const now = Math.floor(at / 1000);
  if (now !== second) {
    start = new Date(now * 1000).toISOString().slice(0, -4);
    second = now;
  }
  return `${start}${String(at - now * 1000).padStart(3, "0")}Z`;
}
