/** Files that have been decoded: those in use, and those that may be used again, by their URL. */
import { unlink } from "node:fs/promises";
import type { Log } from "../log";
import type { Room } from "./room";
import type { Terms } from "./terms";

/** A decoded file on the disk. */
export interface CachedFile {
  /** Of the file in its folder: nobody can guess it. */
  readonly name: string;
  readonly path: string;
  readonly samples: number;
  /** On the disk. */
  readonly bytes: number;
}

interface Entry {
  readonly file: CachedFile;
  /** Null: for those who hold it only. */
  kept: { readonly url: string; readonly terms: Terms } | null;
  holds: number;
}

export interface CacheOptions {
  /** What is in use is counted there. */
  readonly room: Room;
  /** Of all files that nobody uses. */
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly log: Log;
}

/** In characters, as many as those of a tenant have: a redirect may lead to longer ones, which are not remembered. */
const maxUrl = 2048;

/**
 * A file is held by whoever uses it, and lies where it is until the last one has released it. What nobody holds stays as
 * long as there is room, the one that was used last for the longest time. Since what is held again is only moved from one
 * account to the other, all together is never more than the room of those in use and `maxBytes`.
 */
export class Cache {
  readonly #options: CacheOptions;
  readonly #entries = new Map<CachedFile, Entry>();
  readonly #byUrl = new Map<string, Entry>();
  readonly #byName = new Map<string, Entry>();
  /** Those that nobody holds, in the order in which they were released. */
  readonly #idle = new Set<Entry>();
  #idleBytes = 0;
  #closed = false;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** What is kept under this URL, fresh or not. Who goes on to use it must `hold` it. */
  find(url: string): { readonly file: CachedFile; readonly terms: Terms } | null {
    const entry = this.#byUrl.get(url);
    return entry?.kept ? { file: entry.file, terms: entry.kept.terms } : null;
  }

  /** Makes a file known that lies there and is counted in the room. Whoever calls holds it. */
  add(file: CachedFile, url: string, terms: Terms): void {
    const entry: Entry = { file, kept: null, holds: 1 };
    this.#entries.set(file, entry);
    this.#byName.set(file.name, entry);
    this.#keep(entry, url, terms);
  }

  /** The server says that it still holds, on these terms. Whoever calls holds it. */
  renew(file: CachedFile, url: string, terms: Terms): void {
    const entry = this.#entries.get(file);
    if (entry) this.#keep(entry, url, terms);
  }

  /** It is not what lies at this URL any more. */
  forget(url: string): void {
    const entry = this.#byUrl.get(url);
    if (!entry) return;
    this.#byUrl.delete(url);
    entry.kept = null;
    if (entry.holds === 0) this.#discard(entry);
  }

  hold(file: CachedFile): void {
    const entry = this.#entries.get(file);
    if (!entry) throw new Error("a media file is held that is gone");
    entry.holds += 1;
    if (!this.#idle.delete(entry)) return;
    this.#idleBytes -= file.bytes;
    this.#options.room.claim(file.bytes);
  }

  release(file: CachedFile): void {
    const entry = this.#entries.get(file);
    if (!entry) return;
    entry.holds -= 1;
    if (entry.holds > 0) return;
    const { maxBytes, maxFiles, room } = this.#options;
    // One that is too large for all of it would only drive out the others.
    if (!entry.kept || file.bytes > maxBytes) {
      this.#remove(entry, () => room.give(file.bytes));
      return;
    }
    this.#idle.add(entry);
    this.#idleBytes += file.bytes;
    room.give(file.bytes);
    for (const oldest of this.#idle) {
      if (this.#idleBytes <= maxBytes && this.#idle.size <= maxFiles) break;
      this.#discard(oldest);
    }
  }

  /** Null: there is none of this name, or not any more. Who goes on to use it must `hold` it. */
  named(name: string): CachedFile | null {
    return this.#byName.get(name)?.file ?? null;
  }

  /** The folder goes with all that is in it. */
  close(): void {
    this.#closed = true;
  }

  #keep(entry: Entry, url: string, terms: Terms): void {
    this.forget(url);
    if (!terms.kept || url.length > maxUrl) return;
    entry.kept = { url, terms };
    this.#byUrl.set(url, entry);
  }

  /** One that nobody holds. */
  #discard(entry: Entry): void {
    this.#idle.delete(entry);
    this.#idleBytes -= entry.file.bytes;
    this.#remove(entry, () => undefined);
  }

  #remove(entry: Entry, removed: () => void): void {
    const { file, kept } = entry;
    if (kept && this.#byUrl.get(kept.url) === entry) this.#byUrl.delete(kept.url);
    this.#byName.delete(file.name);
    this.#entries.delete(file);
    unlink(file.path).then(removed, (err: unknown) => {
      // `close` removes what is held, too.
      if (!this.#closed) this.#options.log.error({ err }, "media file could not be removed");
    });
  }
}
