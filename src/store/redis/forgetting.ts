import type { Context } from "./context";
import { clear, forget, overdone, whoever } from "./lua/forgetting";
import type { Script } from "./script";

/** Calls and rooms in one call of a script: none keeps Redis busy for long. */
const AT_ONCE = 100;

/**
 * Forgets calls and rooms. Who owned them first, so that a stop in between leaves nothing that nobody looks at: what is left is
 * still in the lists of its app, and goes the next time.
 */
export class Forgetting {
  readonly #context: Context;
  /** Apps that have more ended calls and rooms than they may. */
  readonly #full = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** This app has more ended calls and rooms than it may. */
  full(app_id: string): void {
    this.#full.add(app_id);
  }

  /** The apps that must not wait for their turn; they are to be swept then. */
  takeFull(): readonly string[] {
    const app_ids = [...this.#full];
    this.#full.clear();
    return app_ids;
  }

  /** Those of an app whose time is over. */
  async sweep(app_id: string, epoch: string): Promise<void> {
    while ((await this.#some(overdone, app_id, epoch)) > 0);
  }

  /** All of an app that is over, live ones included, and what is about all of them. */
  async clear(app_id: string, epoch: string): Promise<void> {
    const { connection, keys } = this.#context;
    do {
      while ((await this.#some(whoever, app_id, epoch)) > 0);
    } while ((await connection.run(clear, keys.app(app_id), epoch)) !== 1);
  }

  /** How many of those that the script names were forgotten. */
  async #some(names: Script, app_id: string, epoch: string): Promise<number> {
    const { connection, keys, owners, retention_ms } = this.#context;
    const answer = await connection.run(names, keys.app(app_id), epoch, AT_ONCE);
    const ids = Array.isArray(answer) ? answer.map(String) : [];
    if (ids.length === 0) return 0;
    await owners.forget(ids);
    await connection.run(forget, keys.app(app_id), epoch, retention_ms, ...ids);
    return ids.length;
  }
}
