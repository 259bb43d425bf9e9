/** What is expected of events: told apart by keys, and settled once. */
import { Refused } from "../engine";
import type { FreeswitchEvent } from "./event";

export interface Expected {
  readonly event: Promise<FreeswitchEvent>;
  /** It is not waited for any more. */
  drop(): void;
}

interface Waiting {
  readonly channel: string | null;
  resolve(event: FreeswitchEvent): void;
  refuse(refusal: Refused): void;
}

export class Expectations {
  /** Of one key the later one counts: two commands for one thing are given one after the other. */
  readonly #waiting = new Map<string, Waiting>();

  /**
   * @param channel the call without which it cannot come
   * @param withinMs refused as late after that
   */
  expect(channel: string | null, key: string, withinMs: number): Expected {
    this.#waiting.get(key)?.refuse(new Refused("late"));
    let drop = (): void => undefined;
    const event = new Promise<FreeswitchEvent>((resolve, reject) => {
      const over = () => {
        clearTimeout(timer);
        if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
      };
      const refuse = (refusal: Refused) => {
        over();
        reject(refusal);
      };
      const timer = setTimeout(() => refuse(new Refused("late")), withinMs);
      const waiting: Waiting = {
        channel,
        resolve: (came) => {
          over();
          resolve(came);
        },
        refuse,
      };
      this.#waiting.set(key, waiting);
      drop = over;
    });
    // Whoever waits for it hears of it; a command that was refused does not wait any more.
    event.catch(() => undefined);
    return { event, drop: () => drop() };
  }

  /** Says whether it was expected. */
  meet(key: string, event: FreeswitchEvent): boolean {
    const waiting = this.#waiting.get(key);
    waiting?.resolve(event);
    return waiting !== undefined;
  }

  /** What was expected of this call does not come. */
  refuse(channel: string, refusal: Refused): void {
    for (const waiting of [...this.#waiting.values()]) if (waiting.channel === channel) waiting.refuse(refusal);
  }

  refuseAll(refusal: Refused): void {
    for (const waiting of [...this.#waiting.values()]) waiting.refuse(refusal);
  }
}
