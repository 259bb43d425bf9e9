/** Gateways that are asleep for longer than they may be: awake again, they have to notice that others have taken over. */
import { setTimeout as delay } from "node:timers/promises";
import type { Fleet } from "./fleet";
import type { Ledger } from "./ledger";
import type { Seed } from "./seed";

export interface NapsOptions {
  readonly seed: Seed;
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly count: number;
  /** Between two of them, on average. */
  readonly everyEvents: number;
  /** After so long without a sign its calls are given up. */
  readonly lostMs: number;
}

/** Of the time after which it is lost: from a short one that nobody notices to one that everybody does. */
const shares = [0.2, 2] as const;

export class Naps {
  /** How many woke up. */
  done = 0;
  readonly #options: NapsOptions;

  constructor(options: NapsOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { seed, fleet, ledger, count, everyEvents, lostMs } = this.#options;
    for (let i = 1; this.done < count && !ledger.givenUp; i++) {
      await ledger.reaches(ledger.events + Math.round(everyEvents * (0.4 + 1.2 * seed.share("nap", i))));
      // The others, of which one at least is awake, are to notice.
      const instance = seed.one(await fleet.several(2), "sleeper", i);
      instance.stop();
      await delay(lostMs * (shares[0] + (shares[1] - shares[0]) * seed.share("slept", i)));
      // Whoever was killed meanwhile does not count.
      if (instance.wake()) this.done += 1;
    }
  }
}
