import { performance } from "node:perf_hooks";
import type { RedisConnection } from "./connection";
import type { Keys } from "./keys";
import { Script } from "./script";

/** For how long an app stays in the list without being marked again; much longer than `MARK_MS`. */
export const ACTIVE_MS = 60_000;
/** An instance marks an app once in this time, however often something of it begins. */
const MARK_MS = 20_000;

const mark = new Script("mark", { body: /* lua */ `return call('ZADD', A, now(), ARGV[1])` });

/**
 * The apps of which something is alive or waits: what is looked through several times a second. Marked before something
 * begins, and removed only when nothing of the app is left and nobody has marked it for `ACTIVE_MS`.
 */
export class ActiveApps {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  /** When this instance marked them, by its own clock. */
  readonly #marked = new Map<string, number>();

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Before something of this app begins to live or to wait. Null when there is nothing to wait for: the common case. */
  mark(app_id: string): Promise<unknown> | null {
    const now = performance.now();
    if (now - (this.#marked.get(app_id) ?? -MARK_MS) < MARK_MS) return null;
    return this.#mark(app_id, now);
  }

  async all(): Promise<readonly string[]> {
    const ids = await this.#connection.command("ZRANGE", this.#keys.active, 0, -1);
    return Array.isArray(ids) ? ids.map(String) : [];
  }

  async #mark(app_id: string, now: number): Promise<void> {
    await this.#connection.run(mark, this.#keys.active, app_id);
    this.#marked.set(app_id, now);
  }
}
