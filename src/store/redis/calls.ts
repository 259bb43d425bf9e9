import { Command } from "ioredis";

/** How often is looked for what was not answered in time. */
const LOOK_MS = 25;
/** What was answered is let go of when there is this much of it. */
const SPENT = 256;

const asText = { replyEncoding: "utf8" } as const;

/** One command on its way. */
export class Call extends Command {
  /** The look at which it must have been answered. */
  due = 0;

  constructor(name: string, args: (string | number | Buffer)[]) {
    super(name, args, asText);
  }
}

/** Thrown when Redis has not answered in time. */
export class LateError extends Error {
  constructor() {
    super("Redis did not answer in time");
    this.name = "LateError";
  }
}

/**
 * The calls under way, in the order in which they were sent: the promise of one that was not answered in time is rejected, and a
 * later answer is nobody's. One clock for all of them, because a timer for each costs more than sending it. It counts looks, not
 * time: while this process could not run, it was not Redis that was late.
 */
export class Calls {
  /** How many a call lasts. */
  readonly #lasting: number;
  #calls: Call[] = [];
  /** All before it are answered. */
  #first = 0;
  #looks = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param wait_ms how long an answer is waited for at most: until the first look as well */
  constructor(wait_ms: number) {
    this.#lasting = Math.max(1, Math.floor(wait_ms / LOOK_MS) - 1);
  }

  add(call: Call): void {
    call.due = this.#looks + this.#lasting;
    this.#calls.push(call);
    this.#timer ??= setInterval(this.#look, LOOK_MS);
  }

  /** Rejects all. */
  clear(error: Error): void {
    for (const call of this.#calls.slice(this.#first)) if (!call.isSettled) call.reject(error);
    this.#calls = [];
    this.#first = 0;
    this.#stop();
  }

  readonly #look = (): void => {
    this.#looks += 1;
    // When what has arrived by now was read.
    setImmediate(this.#judge);
  };

  readonly #judge = (): void => {
    if (this.#first === this.#calls.length) this.#stop();
    for (let call = this.#calls[this.#first]; call !== undefined; call = this.#calls[this.#first]) {
      if (!call.isSettled && call.due > this.#looks) break;
      if (!call.isSettled) call.reject(new LateError());
      this.#first += 1;
    }
    if (this.#first < SPENT) return;
    this.#calls = this.#calls.slice(this.#first);
    this.#first = 0;
  };

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
