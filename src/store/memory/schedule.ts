/** Something with a time, in a {@link Schedule}. */
export interface Entry<T> {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly value: T;
  /** Tells equal times apart: first come, first served. */
  readonly order: number;
  /** Index in the heap; -1 once removed. */
  place: number;
}

function before<T>(one: Entry<T>, other: Entry<T>): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/**
 * Things with a time, the earliest first. A binary heap whose entries know their place, so that what is settled early
 * is removed at once: with marks instead, a thousand commands per second would leave half a minute of garbage behind.
 */
export class Schedule<T> {
  private readonly heap: Entry<T>[] = [];
  private added = 0;

  get first(): Entry<T> | undefined {
    return this.heap[0];
  }

  add(at: number, value: T): Entry<T> {
    const entry: Entry<T> = { at, value, order: this.added++, place: -1 };
    this.insert(entry);
    return entry;
  }

  /** Without effect on an entry that was removed before. */
  remove(entry: Entry<T>): void {
    if (entry.place < 0) return;
    const { place } = entry;
    entry.place = -1;
    const last = this.heap.pop();
    if (last === undefined || last === entry) return;
    const parent = this.heap[(place - 1) >> 1];
    if (parent !== undefined && before(last, parent)) this.rise(last, place);
    else this.sink(last, place);
  }

  /** Values whose time has come, the earliest first, at most `limit`. They stay until removed. */
  due(now: number, limit: number): T[] {
    const found: Entry<T>[] = [];
    for (let first = this.first; first !== undefined && first.at <= now && found.length < limit; first = this.first) {
      found.push(first);
      this.remove(first);
    }
    for (const entry of found) this.insert(entry);
    return found.map((entry) => entry.value);
  }

  private insert(entry: Entry<T>): void {
    this.heap.push(entry);
    this.rise(entry, this.heap.length - 1);
  }

  private rise(entry: Entry<T>, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.heap[above];
      if (parent === undefined || before(parent, entry)) break;
      this.put(parent, place);
      place = above;
    }
    this.put(entry, place);
  }

  private sink(entry: Entry<T>, from: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      let child = this.heap[below];
      if (child === undefined) break;
      const right = this.heap[below + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        below += 1;
      }
      if (before(entry, child)) break;
      this.put(child, place);
      place = below;
    }
    this.put(entry, place);
  }

  private put(entry: Entry<T>, place: number): void {
    this.heap[place] = entry;
    entry.place = place;
  }
}
