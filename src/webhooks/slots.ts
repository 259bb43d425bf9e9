/** The attempts that may be under way at once, over all apps, and who waits for one. */
export class Slots {
  #free: number;
  readonly #hungry = new Set<() => void>();

  constructor(total: number) {
    this.#free = total;
  }

  /**
   * Takes up to `wanted` for somebody who holds `held`. Nobody gets more than what is left for all others: so whoever
   * comes last finds some free, however many hold theirs for as long as an attempt may last.
   */
  take(wanted: number, held: number): number {
    const granted = Math.max(Math.min(wanted, this.#free, Math.floor((this.#free - held) / 2)), 0);
    const least = held === 0 && this.#free > 0 ? Math.min(wanted, 1) : 0;
    const count = Math.max(granted, least);
    this.#free -= count;
    return count;
  }

  give(count: number): void {
    this.#free += count;
    for (const next of this.#hungry) {
      if (this.#free <= 0) return;
      this.#hungry.delete(next);
      next();
    }
  }

  /** `next` is called once when a slot is free again: first come, first served. */
  wait(next: () => void): void {
    this.#hungry.add(next);
  }
}
