/**
 * Each key once. A phone may send a key as an RFC 4733 event, by SIP INFO, or both ways at once, and which of the two
 * arrives first differs from phone to phone and from key to key.
 *
 * The rule: a key that arrives one way is the twin of the same key that arrived the other way, when no more than
 * `twinMs` lie between the end of the first and the begin of the second, and is then dropped. Each key is the twin of at
 * most one other, so "11" sent both ways is two keys in whatever order the four messages come, and a phone that uses one
 * way only never loses a key.
 */
export type KeyWay = "rfc4733" | "info";

const twinMs = 2000;
/** An RFC 4733 event lasts at most 65535 timestamp units, 8.2 s: no twin is older than that and `twinMs`. */
const keptMs = 8192 + twinMs;
/** Keys that wait for a twin: more than anybody presses in `keptMs`. */
const keptMost = 64;

interface Arrival {
  readonly way: KeyWay;
  readonly key: string;
  readonly at: number;
}

export class Keypad {
  #single: Arrival[] = [];

  /**
   * @param duration_ms how long the key was held before it was told of
   * @param now monotonic milliseconds
   * @returns whether this is a key of its own, not the twin of one that has arrived
   */
  press(way: KeyWay, key: string, duration_ms: number, now = performance.now()): boolean {
    this.#single = this.#single.filter((other) => now - other.at <= keptMs);
    const begin = now - duration_ms;
    const twin = this.#single.findIndex((o) => o.way !== way && o.key === key && begin - o.at <= twinMs);
    if (twin >= 0) {
      this.#single.splice(twin, 1);
      return false;
    }
    if (this.#single.length >= keptMost) this.#single.shift();
    this.#single.push({ way, key, at: now });
    return true;
  }
}
