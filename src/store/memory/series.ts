/** What can stand in a {@link Series}; whoever sets `gone` tells the series. */
export interface Listed {
  gone: boolean;
}

/** Fewer than these that are gone are not worth a copy of the others. */
const FEW = 32;

/**
 * Things in the ascending order of a number, found by it. Nearly always the oldest goes first: then nothing moves. One
 * that goes from the middle is skipped; once half of the list is of such ones it is copied without them, so that what
 * is kept takes no more than twice its room and each step is constant on average.
 */
export class Series<T extends Listed> {
  private items: T[] = [];
  /** Those before it are gone, or were taken out. */
  private head = 0;
  /** How many are gone from `head` on. */
  private holes = 0;

  constructor(private readonly numberOf: (item: T) => number) {}

  get size(): number {
    return this.items.length - this.head - this.holes;
  }

  get oldest(): T | undefined {
    return this.size === 0 ? undefined : this.items[this.head];
  }

  /** Its number must be higher than those of all others. */
  append(item: T): void {
    this.items.push(item);
  }

  /** One of these is gone now. */
  lost(): void {
    this.holes += 1;
    this.tidy();
  }

  /** Takes the oldest out, which others may keep. */
  shift(): T | undefined {
    const { oldest } = this;
    if (oldest === undefined) return undefined;
    this.head += 1;
    this.tidy();
    return oldest;
  }

  /** Those with a number higher than this, the oldest first. */
  after(number: number): IterableIterator<T> {
    return this.from((item) => this.numberOf(item) <= number);
  }

  /** Those behind the ones that this is true of, the oldest first: true of all up to some place, of none behind it. */
  *from(passed: (item: T) => boolean): IterableIterator<T> {
    for (let place = this.place(passed); place < this.items.length; place += 1) {
      const item = this.items[place];
      if (item !== undefined && !item.gone) yield item;
    }
  }

  /** Those with a number lower than this, the newest first. */
  *before(number: number): IterableIterator<T> {
    for (let place = this.place((item) => this.numberOf(item) < number) - 1; place >= this.head; place -= 1) {
      const item = this.items[place];
      if (item !== undefined && !item.gone) yield item;
    }
  }

  private place(passed: (item: T) => boolean): number {
    let low = this.head;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.items[middle];
      if (item !== undefined && passed(item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private tidy(): void {
    while (this.items[this.head]?.gone) {
      this.head += 1;
      this.holes -= 1;
    }
    const waste = this.head + this.holes;
    if (waste < FEW || waste * 2 < this.items.length) return;
    this.items = this.items.slice(this.head).filter((item) => !item.gone);
    this.head = 0;
    this.holes = 0;
  }
}
