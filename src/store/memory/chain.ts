/** What can stand in a {@link Chain}; the chain alone writes these. */
export interface Linked<T> {
  older: T | null;
  newer: T | null;
}

/**
 * Things in the order in which they came, each removable in constant time. Not a Map or Set: asking one of those for
 * its oldest entry walks over every entry removed since its last rehash, which is quadratic in a queue.
 */
export class Chain<T extends Linked<T>> {
  private first: T | null = null;
  private last: T | null = null;
  private count = 0;

  get oldest(): T | null {
    return this.first;
  }

  get size(): number {
    return this.count;
  }

  append(item: T): void {
    item.older = this.last;
    item.newer = null;
    if (this.last === null) this.first = item;
    else this.last.newer = item;
    this.last = item;
    this.count += 1;
  }

  /** The item must stand in this chain. */
  remove(item: T): void {
    if (item.older === null) this.first = item.newer;
    else item.older.newer = item.newer;
    if (item.newer === null) this.last = item.older;
    else item.newer.older = item.older;
    item.older = null;
    item.newer = null;
    this.count -= 1;
  }
}
