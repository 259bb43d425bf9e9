import { Watchers } from "../memory/watchers";
import type { Context } from "./context";
import { grown } from "./lua/feed";

/** How soon is noticed what another instance has committed. */
const POLL_MS = 250;

/** Watchers of feeds that other instances write to as well: their ends are asked for, for all watched apps at once. */
export class FeedWatchers {
  readonly #context: Context;
  readonly #watchers = new Watchers();
  /** How many watch an app, and how far its feed was when it was asked for last. */
  readonly #watched = new Map<string, { count: number; end: string | null }>();
  #timer: NodeJS.Timeout | null = null;
  #asking = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Answers how to end it. */
  add(app_id: string, told: () => void): () => void {
    const end = this.#watchers.add(app_id, told);
    const watched = this.#watched.get(app_id) ?? { count: 0, end: null };
    watched.count += 1;
    this.#watched.set(app_id, watched);
    this.#timer ??= setInterval(() => void this.#poll(), POLL_MS);
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      end();
      watched.count -= 1;
      if (watched.count > 0) return;
      this.#watched.delete(app_id);
      if (this.#watched.size === 0) this.close();
    };
  }

  /** This instance has committed something. */
  tell(app_id: string): void {
    this.#watchers.tell(app_id);
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #poll(): Promise<void> {
    // A store that is slow to answer is not asked by several polls at once.
    if (this.#asking) return;
    this.#asking = true;
    const { connection, keys } = this.#context;
    const all = [...this.#watched];
    try {
      const ends = await connection.runBatch(all.map(([id]) => ({ script: grown, key: keys.app(id), args: [] })));
      all.forEach(([app_id, watched], i) => {
        const end = String(ends[i]);
        if (end !== watched.end) this.#watchers.tell(app_id);
        watched.end = end;
      });
    } catch {
      // The connection says that the store is away; what has grown meanwhile is told by the first poll that is answered.
    }
    this.#asking = false;
  }
}
