/** What has arrived and who waits for it: tests await events, not time. */

/** Longer than anything that a test waits for: only a failure takes as long. */
const patience = 8000;

interface Waiting<T> {
  readonly fits: (item: T) => boolean;
  take(item: T): void;
}

export class Inbox<T extends object | string> {
  readonly all: T[] = [];
  readonly #unread: T[] = [];
  readonly #waiting = new Set<Waiting<T>>();

  constructor(private readonly show: (item: T) => string) {}

  put(item: T): void {
    this.all.push(item);
    for (const waiting of this.#waiting) {
      if (waiting.fits(item)) {
        waiting.take(item);
        return;
      }
    }
    this.#unread.push(item);
  }

  /** Takes the first unread item that fits; those before it stay. Rejects when none comes. */
  next(fits: (item: T) => boolean = () => true, what = "an item"): Promise<T> {
    const at = this.#unread.findIndex(fits);
    const [item] = at < 0 ? [] : this.#unread.splice(at, 1);
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(new Error(`Waited for ${what}; got:\n${this.all.slice(-50).map(this.show).join("\n")}`));
      }, patience);
      const waiting: Waiting<T> = {
        fits,
        take: (found) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          resolve(found);
        },
      };
      this.#waiting.add(waiting);
    });
  }
}
