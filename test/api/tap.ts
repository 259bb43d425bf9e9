/** A source of a stream that a test holds in its hand. */

/** Gives what it is told to, and tells what becomes of it. */
export class Tap implements AsyncIterableIterator<string> {
  asked = 0;
  /** Resolves when nobody wants any more. */
  readonly returned: Promise<void>;
  /** Resolves when somebody waits for what comes next. */
  readonly waited: Promise<void>;
  private onReturned: () => void = () => undefined;
  private onWaited: () => void = () => undefined;
  private over = false;
  private wake: () => void = () => undefined;

  /** @param last what becomes of it after these */
  constructor(
    private readonly chunks: readonly string[],
    private readonly last: "ends" | "waits" | "fails",
  ) {
    this.returned = new Promise((resolve) => {
      this.onReturned = resolve;
    });
    this.waited = new Promise((resolve) => {
      this.onWaited = resolve;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    const value = this.chunks[this.asked];
    this.asked += 1;
    if (value !== undefined) return { done: false, value };
    if (this.last === "fails") throw new Error("the disk is gone");
    if (this.last === "waits" && !this.over) {
      this.onWaited();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    this.over = true;
    this.wake();
    this.onReturned();
    return { done: true, value: undefined };
  }
}
