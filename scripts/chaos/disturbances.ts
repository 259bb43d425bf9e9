/** What happens to Redis: it is killed and started again, it is asleep, a connection to it breaks in the middle of an answer. */
import { setTimeout as delay } from "node:timers/promises";
import type { RedisServer } from "../../test/redis/server";
import type { Disk } from "./disk";
import type { Fleet } from "./fleet";
import type { Ledger } from "./ledger";
import type { Seed } from "./seed";

export const disturbances = ["kill", "pause", "cut"] as const;
export type Disturbance = (typeof disturbances)[number];

export interface DisturbancesOptions {
  readonly seed: Seed;
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly redis: RedisServer;
  /** Killed Redis has forgotten what was not yet safe; null: it keeps all that it has written. */
  readonly disk: Disk | null;
  readonly kinds: readonly Disturbance[];
  readonly count: number;
  /** Between two of them, on average. */
  readonly everyEvents: number;
  /** It is over, and took so long. */
  readonly done: (kind: Disturbance, ms: number) => void;
}

const pauseMs = 2000;
/** Between the death of Redis and its next start. */
const awayMs = [0, 1500] as const;
/** Of an answer, before the connection breaks. */
const cutBytes = [1, 40] as const;

export class Disturbances {
  readonly #options: DisturbancesOptions;
  readonly counts = new Map<Disturbance, number>();

  constructor(options: DisturbancesOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { seed, ledger, kinds, count, everyEvents, done } = this.#options;
    const first = seed.whole(0, kinds.length - 1, "first disturbance");
    for (let i = 1; i <= count && !ledger.givenUp; i++) {
      await ledger.reaches(ledger.events + Math.round(everyEvents * (0.4 + 1.2 * seed.share("disturbed", i))));
      // Each of them in its turn, so that a short run has all.
      const kind = kinds[(i + first) % kinds.length];
      if (!kind) throw new RangeError("nothing is to happen to Redis");
      const from = performance.now();
      await this.#happens(i, kind);
      done(kind, performance.now() - from);
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    }
  }

  async #happens(i: number, kind: Disturbance): Promise<void> {
    const { seed, redis, fleet, disk } = this.#options;
    switch (kind) {
      case "kill":
        await redis.kill();
        await disk?.forget();
        await delay(seed.whole(...awayMs, "gone", i));
        await redis.restart();
        return;
      case "pause":
        await redis.command("CLIENT", "PAUSE", pauseMs, "ALL");
        await delay(pauseMs);
        return;
      case "cut":
        await Promise.all(
          fleet.wires.map((wire, slot) => this.#cut(wire.cut(seed.whole(...cutBytes, "cut", i, slot)))),
        );
    }
  }

  /** A gateway that is not there asks for nothing. */
  async #cut(happened: Promise<void>): Promise<void> {
    await Promise.race([happened, delay(pauseMs)]);
  }
}
