/** So many in a second, the others wait. */
import { setTimeout as delay } from "node:timers/promises";

/** What may lie between the clocks of both sides, and between sending and counting. */
const marginMs = 150;

export class Pace {
  #free = 0;
  readonly #gapMs: number;

  /** @param perSecond what the other side allows in any of its seconds */
  constructor(perSecond: number) {
    // Evenly, and one less than is allowed: so many fit into no second, wherever it begins.
    this.#gapMs = perSecond > 1000 ? 0 : (1000 + marginMs) / Math.max(1, perSecond - 1);
  }

  /** Resolves when it is one's turn, in the order of asking. */
  async turn(): Promise<void> {
    if (this.#gapMs === 0) return;
    const now = performance.now();
    const mine = Math.max(now, this.#free);
    this.#free = mine + this.#gapMs;
    if (mine > now) await delay(mine - now);
  }
}
