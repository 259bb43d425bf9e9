import { ACTIVE_MS } from "./active";
import type { Context } from "./context";
import { dropApp, dropOutbox, survey, unlist } from "./lua/survey";
import { Script } from "./script";

/** How often those apps are looked through as well of which nothing is alive and nothing waits. */
const ALL_MS = 60_000;
/** Apps that are swept at the same time. */
const AT_ONCE = 16;
/** Sources of events that are removed in one step. */
const STEP = 200;

/** A part of the store that keeps what does not last. Each in steps that keep Redis busy for no longer than others wait. */
export interface Keeper {
  /** Deletes what has outlived its time. */
  sweep(app_id: string, epoch: string): Promise<void>;
}

/** The keeper of calls and rooms. */
export interface SubjectKeeper extends Keeper {
  /** Deletes all of them, whatever their state. */
  clear(app_id: string, epoch: string): Promise<void>;
  /** Apps that keep more than they may. */
  takeFull(): readonly string[];
}

const clock = new Script("clock", { body: "return now()" });

/** Deletes what has outlived its time: of all apps, deleted apps themselves. Any instance may, several at once. */
export class Removal {
  readonly #context: Context;
  readonly #subjects: SubjectKeeper;
  readonly #keepers: readonly Keeper[];
  /** When all apps were last looked through, ms by the store's clock. */
  #all_at = 0;

  /** @param others that keep something beside the calls and rooms */
  constructor(context: Context, subjects: SubjectKeeper, ...others: readonly Keeper[]) {
    this.#context = context;
    this.#subjects = subjects;
    this.#keepers = [subjects, ...others];
  }

  /** The store's clock, epoch milliseconds. */
  async now(): Promise<number> {
    return Number(await this.#context.connection.run(clock, this.#context.keys.active));
  }

  async sweep(): Promise<void> {
    const { active, connection, keys } = this.#context;
    const now = await this.now();
    const full = new Set(this.#subjects.takeFull());
    const ids = new Set([...(await active.all()), ...full]);
    const is_all = now - this.#all_at >= ALL_MS;
    if (is_all) for (const id of list(await connection.command("ZRANGE", keys.apps, 0, -1))) ids.add(id);
    await this.#sweepApps([...ids], (app_id) => is_all || full.has(app_id));
    if (is_all) this.#all_at = now;
  }

  /** @param thoroughly whether all of an app is looked at: else that of which an end is known, and has come */
  async #sweepApps(ids: readonly string[], thoroughly: (app_id: string) => boolean): Promise<void> {
    const { connection, keys } = this.#context;
    const answers = await connection.runBatch(ids.map((id) => ({ script: survey, key: keys.app(id), args: [] })));
    const found = ids.map((app_id, i) => ({ app_id, states: list(answers[i]) }));
    const quiet = found.filter(({ states }) => states[0] !== "1").map(({ app_id }) => app_id);
    if (quiet.length > 0) await connection.run(unlist, keys.active, ACTIVE_MS, ...quiet);
    const gone = found.filter(({ states }) => states.length === 1).map(({ app_id }) => app_id);
    if (gone.length > 0) await connection.run(unlist, keys.apps, ACTIVE_MS, ...gone);
    const work = found.flatMap(({ app_id, states }) => epochsOf(states).map((each) => ({ app_id, ...each })));
    const waiting = work.filter(({ app_id, state }) => state !== "kept" || thoroughly(app_id)).values();
    const sweeper = async (): Promise<void> => {
      for (const { app_id, epoch, state } of waiting) {
        if (state === "over") await this.#remove(app_id, epoch);
        else for (const keeper of this.#keepers) await keeper.sweep(app_id, epoch);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sweeper));
  }

  /** All that is left of a deleted app: its settings last, by which the next sweep finds it when this one does not get so far. */
  async #remove(app_id: string, epoch: string): Promise<void> {
    const { connection, keys } = this.#context;
    await this.#subjects.clear(app_id, epoch);
    while ((await connection.run(dropOutbox, keys.app(app_id), epoch, STEP)) !== 1);
    await connection.run(dropApp, keys.app(app_id), epoch);
  }
}

function list(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : [];
}

function epochsOf([, ...states]: readonly string[]): readonly { readonly epoch: string; readonly state: string }[] {
  const epochs: { epoch: string; state: string }[] = [];
  for (let i = 0; i + 1 < states.length; i += 2) epochs.push({ epoch: states[i] ?? "", state: states[i + 1] ?? "" });
  return epochs;
}
