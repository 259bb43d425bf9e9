/** Calls or rooms of this instance that have not ended, how many each node has, and who waits for their end. */
import { nodeOf } from "../ids";

export class Live {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #nodes = new Map<string, number>();
  readonly #emptied = new Set<() => void>();

  get size(): number {
    return this.#waiting.size;
  }

  get ids(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** How many of them this node has. */
  count(node: string): number {
    return this.#nodes.get(node) ?? 0;
  }

  add(id: string): void {
    if (this.#waiting.has(id)) return;
    const node = nodeOf(id);
    this.#waiting.set(id, new Set());
    this.#nodes.set(node, this.count(node) + 1);
  }

  /** Those who wait for its end go on. */
  delete(id: string): void {
    const waiters = this.#waiting.get(id);
    if (!waiters) return;
    this.#waiting.delete(id);
    const node = nodeOf(id);
    const left = this.count(node) - 1;
    if (left > 0) this.#nodes.set(node, left);
    else this.#nodes.delete(node);
    for (const ended of waiters) ended();
    for (const look of this.#emptied) look();
  }

  /** Resolves once it has ended. */
  async ended(id: string): Promise<void> {
    const waiters = this.#waiting.get(id);
    if (waiters) await new Promise<void>((resolve) => waiters.add(resolve));
  }

  /** Resolves once none is left of those for which this holds. */
  async emptied(which: (id: string) => boolean): Promise<void> {
    if (!this.ids.some(which)) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.ids.some(which)) return;
        this.#emptied.delete(look);
        resolve();
      };
      this.#emptied.add(look);
    });
  }
}
