/** Who is killed when: after so many events, and as often as can be in the middle of something. */
import { setTimeout as delay } from "node:timers/promises";
import type { Fleet } from "./fleet";
import type { Instance } from "./instance";
import type { Ledger } from "./ledger";
import { portsTo } from "./processes";
import type { Receiver } from "./receiver";
import type { Seed } from "./seed";
import { Stroke, scripts, type UnderWay } from "./stroke";

/**
 * What a kill is to hit; `whenever`: whatever there is; `start`: a gateway, and then the one that is begun for it, before it is
 * ready; `all`: every gateway there is. But for that, one is always left.
 */
type Aim = "admission" | "commit" | "delivery" | "settlement" | "whenever" | "start" | "all";

const aims: readonly (readonly [share: number, Aim])[] = [
  [0.2, "admission"],
  [0.25, "commit"],
  [0.2, "delivery"],
  [0.15, "settlement"],
  [0.05, "start"],
  [0.02, "all"],
  [1, "whenever"],
];
/** How long what is aimed at is waited for: then the gateway is killed all the same. */
const patienceMs = 2000;
/** Until the gateway is started again, and until one that has just been started is killed. */
const awayMs = [0, 2500] as const;
const startMs = [50, 900] as const;

export interface Kill {
  readonly instance: Instance;
  readonly aim: Aim;
  readonly underWay: UnderWay;
}

/** Of the kills that are wanted so many must hit something that is under way. */
export const underWayShare = 0.5;
/** So many more are made where too few did: of three kills chance alone can make two miss. */
const moreAtMost = 10;

/** A settlement alone does not count. */
export const isHit = ({ underWay: { admission, commit, delivery } }: Kill): boolean => admission || commit || delivery;

export interface KillsOptions {
  readonly seed: Seed;
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly receiver: Receiver;
  readonly count: number;
  /** Between two of them, on average. */
  readonly everyEvents: number;
  /** It has happened. */
  readonly killed: (kill: Kill) => void;
}

export class Kills {
  readonly done: Kill[] = [];
  readonly #options: KillsOptions;
  readonly #begun: Promise<unknown>[] = [];

  constructor(options: KillsOptions) {
    this.#options = options;
  }

  /** Resolves after the last one, when all are alive again. */
  async run(): Promise<void> {
    const { seed, ledger, fleet, everyEvents } = this.#options;
    for (let i = 1; !this.#isEnough() && !ledger.givenUp; i++) {
      await ledger.reaches(ledger.events + Math.round(everyEvents * (0.4 + 1.2 * seed.share("when", i))));
      const serving = await fleet.several(2);
      const aim = seed.weighted(aims, "aim", i);
      const victims = aim === "all" ? serving : [seed.one(serving, "victim", i)];
      await Promise.all(victims.map((victim) => this.#kill(i, victim, aim)));
      for (const { slot } of victims) {
        const again = this.#again(i, aim, slot);
        // One that fails before the last kill is heard of below, and not by the process.
        again.catch(() => undefined);
        this.#begun.push(again);
      }
    }
    await Promise.all(this.#begun);
  }

  #isEnough(): boolean {
    const { count } = this.#options;
    const { length } = this.done;
    if (length < count) return false;
    return this.done.filter(isHit).length >= count * underWayShare || length >= count + moreAtMost;
  }

  /** After a while somebody else takes the place. */
  async #again(i: number, aim: Aim, slot: number): Promise<void> {
    const { seed, fleet } = this.#options;
    await delay(seed.whole(...awayMs, "away", i));
    if (aim === "start") {
      const next = fleet.begin(slot);
      await delay(seed.whole(...startMs, "start", i));
      await this.#kill(i, next, aim);
    }
    await fleet.revive(slot);
  }

  async #kill(i: number, instance: Instance, aim: Aim): Promise<void> {
    const { fleet, receiver, killed } = this.#options;
    const stroke = new Stroke(instance, { wire: fleet.wireOf(instance), receiver });
    const giveUp = this.#ambush(i, aim, stroke);
    if (giveUp) {
      const waiting = new AbortController();
      const late = delay(patienceMs, undefined, { signal: waiting.signal }).catch(() => undefined);
      await Promise.race([instance.exit, late]);
      waiting.abort();
      giveUp();
    }
    stroke.kill();
    const underWay = await stroke.hit();
    if (!underWay) return;
    const kill = { instance, aim, underWay };
    this.done.push(kill);
    killed(kill);
  }

  /** @returns gives the waiting up; null: nothing is waited for */
  #ambush(i: number, aim: Aim, stroke: Stroke): (() => void) | null {
    const { seed, fleet, receiver } = this.#options;
    const { instance, kill } = stroke;
    if (aim === "whenever" || aim === "start" || aim === "all") return null;
    if (aim === "delivery") {
      return receiver.ambush((port) => {
        if (!portsTo(receiver.port, instance.pid).has(port)) return false;
        kill();
        return true;
      });
    }
    return fleet.wireOf(instance).ambush(scripts[aim], seed.share("reaches", i) < 0.5, kill);
  }
}
