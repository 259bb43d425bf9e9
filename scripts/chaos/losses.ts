/** Whether the calls and rooms of a gateway that was killed end in time, and in the way of those whose media server is lost. */
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "./asking";
import type { Fleet } from "./fleet";
import type { Instance } from "./instance";
import type { Ledger } from "./ledger";
import type { Source } from "./source";

export interface LossesOptions {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  /** How long after the kill they may end. */
  readonly boundMs: number;
  /** For how many milliseconds since then nobody was there who could look, or nothing to look at: they are not counted. */
  readonly awaySince: (at: number) => number;
}

/** What was told before the kill may have been written down just after it. */
const toleranceMs = 100;
/** How long it may take to be told that a call is over. */
const patienceMs = 5000;
const lookMs = 50;

export class Losses {
  readonly #options: LossesOptions;
  readonly #checks: Promise<void>[] = [];
  readonly #boundsMs = new Map<Instance, number>();
  /** Calls that were ended because their gateway was killed: after how many milliseconds they were written down, and told of. */
  readonly ended: { readonly afterMs: number; readonly toldMs: number }[] = [];
  /** How many calls and rooms had to be asked for, because nothing was told of their ends in time. */
  asked = 0;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /** It was killed: when time is up, its calls and rooms are looked at. */
  expect(instance: Instance): void {
    this.#checks.push(this.#check(instance));
  }

  /** Resolves when all were looked at that were to be. */
  async settled(): Promise<void> {
    await Promise.all(this.#checks);
  }

  /** When everything was told. @returns calls that were given up though their gateway was alive */
  judge(): number {
    const { fleet, ledger } = this.#options;
    let givenUp = 0;
    for (const instance of fleet.instances) {
      if (instance.node === null) continue;
      for (const source of ledger.of(instance.node)) if (this.#judge(instance, source)) givenUp += 1;
    }
    return givenUp;
  }

  async #check(instance: Instance): Promise<void> {
    const { ledger, boundMs, awaySince } = this.#options;
    const { killed, node } = instance;
    if (!killed || node === null) return;
    let bound = boundMs;
    for (;;) {
      bound = boundMs + awaySince(killed.at);
      const left = killed.at + bound - performance.now();
      if (left <= 0) break;
      await delay(left);
    }
    this.#boundsMs.set(instance, bound);
    const open = ledger.of(node).filter(({ end }) => end === null);
    this.asked += open.length;
    await Promise.all(open.map((source) => this.#over(source, instance)));
  }

  /** Asks the gateways: what was told of it may still be on its way to a receiver that fails. */
  async #over(source: Source, { name }: Instance): Promise<void> {
    const { fleet, ledger, awaySince } = this.#options;
    const { id, kind, app_id } = source;
    const [list, last] = kind === "call" ? ["sessions", "call.hangup"] : ["conferences", "conference.destroyed"];
    const begun = performance.now();
    while (performance.now() - begun - awaySince(begun) < patienceMs) {
      const route = `/api/v1/${list}/${id}/events?limit=1000`;
      const answered = await ask(await fleet.anyone(), { app: app_id }, "events", "GET", route);
      const events = answered?.status === 200 ? answered.body.events : null;
      if (Array.isArray(events)) {
        if (events.some(({ event }) => event === last)) return;
        break;
      }
      await delay(lookMs);
    }
    ledger.fault("late", `${id}: not over in time, after ${name} was killed`);
  }

  /** @returns whether it was given up alive */
  #judge(instance: Instance, { id, kind, end }: Source): boolean {
    if (!end) return false;
    const { killed, name } = instance;
    const { by, cause } = end.data;
    const lost = kind === "room" || (by === "gateway" && cause === "MEDIA_SERVER_LOST");
    if (!killed || end.happened <= killed.date + toleranceMs) return kind === "call" && lost;
    const { ledger } = this.#options;
    const afterMs = end.happened - killed.date;
    const place = `${id}: ended ${afterMs} ms after ${name} was killed`;
    if (!lost) ledger.fault("late", `${place}, by ${by} (${cause})`);
    if (afterMs > (this.#boundsMs.get(instance) ?? Number.POSITIVE_INFINITY)) ledger.fault("late", place);
    if (kind === "call") this.ended.push({ afterMs, toldMs: end.came - killed.at });
    return false;
  }
}
