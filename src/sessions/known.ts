/**
 * Calls or rooms as they were seen last, so that a command that was just admitted need not be looked up again. A commit is
 * checked against the version: what is old here costs one more call of the store, and is never written.
 */
import type { Loaded, Subject } from "../store/store";

interface Entry<S extends Subject> {
  readonly loaded: Loaded<S>;
  readonly weight: number;
}

/** In units of about a quarter of a kilobyte. Beyond it those that were not seen for the longest go. */
const maxWeight = 100_000;
const unit = 256;

export class Known<S extends Subject> {
  readonly #entries = new Map<string, Entry<S>>();
  readonly #maxWeight: number;
  #weight = 0;

  constructor(max = maxWeight) {
    this.#maxWeight = max;
  }

  get(id: string): Loaded<S> | undefined {
    return this.#entries.get(id)?.loaded;
  }

  /** Of two the newer one is kept: they need not come in their order. */
  put(id: string, loaded: Loaded<S>): void {
    const known = this.#entries.get(id);
    if (known && isNewer(known.loaded, loaded)) return;
    this.#delete(id);
    const weight = weightOf(loaded);
    this.#entries.set(id, { loaded, weight });
    this.#weight += weight;
    // Not looked for in vain: behind those that were put anew a Map walks over every place that they have left.
    if (this.#weight <= this.#maxWeight) return;
    for (const oldest of this.#entries.keys()) {
      this.#delete(oldest);
      if (this.#weight <= this.#maxWeight) return;
    }
  }

  /** @param loaded only this one: what came in its place meanwhile stays */
  drop(id: string, loaded?: Loaded<S>): void {
    if (loaded === undefined || this.get(id) === loaded) this.#delete(id);
  }

  #delete(id: string): void {
    this.#weight -= this.#entries.get(id)?.weight ?? 0;
    this.#entries.delete(id);
  }
}

function isNewer(one: Loaded<Subject>, other: Loaded<Subject>): boolean {
  return one.version === other.version ? one.revision > other.revision : one.version > other.version;
}

/** What an app can make long: lists of addresses, and how much is pending. */
function weightOf({ state }: Loaded<Subject>): number {
  const { playback, operations } = state;
  let chars = 0;
  for (const url of playback?.urls ?? []) chars += url.length;
  const recordings = "unfinished" in state ? state.unfinished.length : 0;
  return 4 + operations.length + recordings + Math.ceil(chars / unit);
}
