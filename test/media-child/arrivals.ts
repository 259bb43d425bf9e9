/** Things that arrive one by one, kept, and to be awaited: bounded by the test's own time-out only. */
export class Arrivals<T> {
  readonly all: T[] = [];
  private readonly waiting = new Set<() => void>();

  push(item: T): void {
    this.all.push(item);
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  /** Resolves at the next arrival. */
  more(): Promise<void> {
    return new Promise((resolve) => this.waiting.add(resolve));
  }

  /** The first that fits, among those from number `from` on: there already or still to come. */
  async find(fits: (item: T) => boolean, from = 0): Promise<T> {
    for (let at = from; ; at++) {
      while (at >= this.all.length) await this.more();
      const item = this.all[at];
      if (item !== undefined && fits(item)) return item;
    }
  }
}
