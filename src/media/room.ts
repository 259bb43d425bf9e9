/** Room that many share, in bytes or in places: who finds none waits until somebody has left. */
import { performance } from "node:perf_hooks";
import { MediaError } from "./error";
import type { Patience } from "./patience";

export class Room {
  readonly #size: number;
  #free: number;
  /** In the order in which they came: each looks whether there is room for it now. */
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  /**
   * Resolves once it is taken; whoever took it gives it back.
   * @throws MediaError `too_large` when there can never be so much, `timeout`; the reason of `signal` once it aborts
   */
  async take(amount: number, patience: Patience): Promise<void> {
    patience.signal.throwIfAborted();
    if (amount > this.#size) throw new MediaError("too_large");
    if (!this.#fits(amount)) await this.#wait(amount, patience);
  }

  /** Takes what is there already, whether there is room for it or not: others wait until there is again. */
  claim(amount: number): void {
    this.#free -= amount;
  }

  give(amount: number): void {
    this.#free += amount;
    // Who does not fit yet lets pass who does: one large file must not hold up everybody's announcements.
    for (const look of [...this.#waiting]) look();
  }

  #fits(amount: number): boolean {
    if (amount > this.#free) return false;
    this.#free -= amount;
    return true;
  }

  #wait(amount: number, { signal, until, waits }: Patience): Promise<void> {
    waits();
    return new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!this.#fits(amount)) return;
        settle();
        resolve();
      };
      const onAbort = (): void => {
        settle();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        settle();
        reject(new MediaError("timeout"));
      }, until - performance.now());
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(look);
    });
  }
}

/** What one file has taken of a room, bit by bit. */
export class Lease {
  readonly #room: Room;
  #held = 0;
  #over = false;

  constructor(room: Room) {
    this.#room = room;
  }

  /** @throws as `Room.take` */
  async take(amount: number, patience: Patience): Promise<void> {
    await this.#room.take(amount, patience);
    this.#held += amount;
    // Whoever waited for it has given up meanwhile.
    if (this.#over) this.keep(0);
  }

  /**
   * Takes or gives back until it is this much.
   * @throws as `Room.take`
   */
  async settle(amount: number, patience: Patience): Promise<void> {
    if (this.#held < amount) await this.take(amount - this.#held, patience);
    else this.keep(amount);
  }

  /** Gives back all but this. */
  keep(amount: number): void {
    this.#room.give(this.#held - amount);
    this.#held = amount;
  }

  /** From now on somebody else counts this much of it, and gives it back. */
  pass(amount: number): void {
    this.keep(amount);
    this.#held = 0;
  }

  /** Gives back all, and what is still being waited for as soon as it is there. */
  end(): void {
    this.#over = true;
    this.keep(0);
  }
}
