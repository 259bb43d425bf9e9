/** A piece of work that many wait for: it goes on as long as one of them does. */
import { MediaError } from "./error";
import { type Patience, within } from "./patience";
import type { Lease } from "./room";

/** Somebody who waits. */
export interface Waiter {
  readonly patience: Patience;
  /** What the outcome takes of the room that he has for it. */
  readonly lease: Lease;
}

/** What whoever does the work asks of those who wait. */
export interface Crew {
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
  /** The outcome is for one alone: who has waited longest keeps waiting, the others are sent away. */
  dismiss(): void;
  /** From now on who waits needs so much room of his own. Resolves once one of them has it. */
  charge(amount: number): Promise<void>;
}

/** What is said to those whom the outcome is not for: each must see for himself. */
export class Dismissed extends Error {
  override readonly name = "Dismissed";
}

interface Word<T> {
  readonly said: Promise<T>;
  /** What is said once stands. */
  say(value: T): void;
}

function word<T>(): Word<T> {
  let say: (value: T) => void = () => undefined;
  const said = new Promise<T>((resolve) => {
    say = resolve;
  });
  return { said, say };
}

export class Flight<T> {
  /** Settles when the work has ended, one way or the other. Never rejects. */
  readonly ended: Promise<void>;
  readonly #work: Promise<T>;
  readonly #left: (outcome: T) => void;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>();
  readonly #stop = new AbortController();
  readonly #over = new AbortController();
  /** The one whom the outcome is for; null: it is for all of them. */
  readonly #only = word<Waiter | null>();
  /** Null: nothing is charged. */
  readonly #price = word<number | null>();
  readonly #paid = word<void>();
  #outcome: { readonly value: T } | null = null;

  /**
   * @param work begins at once, and ends soon after its signal
   * @param over told when the work has ended or nobody waits for it: there is nothing to join any more
   * @param left gets the outcome when nobody waits any more
   */
  constructor(work: (crew: Crew) => Promise<T>, over: () => void, left: (outcome: T) => void) {
    this.#left = left;
    this.#stop.signal.addEventListener("abort", over, { once: true });
    this.#work = work({
      signal: this.#stop.signal,
      dismiss: () => this.#only.say(this.#waiting.values().next().value ?? null),
      charge: (amount) => {
        this.#only.say(null);
        this.#price.say(amount);
        return this.#paid.said;
      },
    });
    const end = (): void => {
      over();
      this.#only.say(null);
      this.#price.say(null);
      this.#over.abort();
    };
    // Before anybody who waits hears of it.
    this.ended = this.#work.then((value) => {
      end();
      this.#outcome = { value };
      if (this.#waiting.size === 0) left(value);
    }, end);
  }

  /**
   * Waits for the outcome. `take` gets it before anybody can put it away.
   * @throws Dismissed; what the work failed with; MediaError `timeout` or the reason of the signal of whoever waits
   */
  async join(waiter: Waiter, take: (outcome: T) => void): Promise<T> {
    const { patience } = waiter;
    this.#waiting.add(waiter);
    try {
      const only = await within(this.#only.said, patience);
      if (only !== null && only !== waiter) throw new Dismissed();
      const price = await within(this.#price.said, patience);
      if (price !== null) await this.#pay(waiter, price);
      const outcome = await within(this.#work, patience);
      take(outcome);
      return outcome;
    } finally {
      this.#waiting.delete(waiter);
      if (this.#waiting.size === 0) this.#leave();
    }
  }

  /** Ends the work. */
  stop(reason: Error): void {
    this.#stop.abort(reason);
  }

  #leave(): void {
    if (this.#outcome) this.#left(this.#outcome.value);
    else this.stop(new MediaError("timeout"));
  }

  async #pay({ lease, patience }: Waiter, price: number): Promise<void> {
    const signal = AbortSignal.any([patience.signal, this.#over.signal]);
    try {
      await lease.take(price, { ...patience, signal });
      this.#paid.say();
    } catch (error) {
      // Others had the room meanwhile, and it is done: what it takes in the end is less.
      if (patience.signal.aborted || !this.#over.signal.aborted) throw error;
    }
  }
}
