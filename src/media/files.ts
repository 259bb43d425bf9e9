/** Media files: fetched from a tenant's URL, checked, and decoded to what a call can play; kept as long as HTTP allows. */
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { performance } from "node:perf_hooks";
import type { Log } from "../log";
import { Outbound } from "../outbound/request";
import { Cache, type CachedFile } from "./cache";
import { Decoder } from "./decoder";
import { makeDirectory, removeDirectory } from "./directory";
import { MediaError } from "./error";
import { Fetches } from "./fetches";
import { Room } from "./room";
import { Share } from "./share";

export { MediaError } from "./error";

export interface MediaFile {
  /** WAV as `wav.ts` heads it, one channel. */
  readonly path: string;
  /** Where a media server finds the same, when it has not this folder; only with a `baseUrl`. */
  readonly url?: string | undefined;
  readonly samples: number;
  /** From now on it may be removed. Idempotent. */
  release(): void;
}

/** The files of one call, which can take up no more than its share of the room. */
export interface MediaShare {
  /**
   * Fetches and decodes a file, or finds it in the cache. Whoever gets it must `release` it.
   * @throws MediaError; the reason of `signal` once it aborts
   */
  open(url: string, signal?: AbortSignal): Promise<MediaFile>;
}

/** A file as others may read it. */
export interface ServedFile {
  readonly bytes: number;
  /** Offsets of the first and the last byte. Opened with the first read, and held until the last one. */
  read(first: number, last: number): AsyncIterable<Uint8Array>;
}

export interface MediaFilesOptions {
  /** Files may come from private and loopback addresses. */
  readonly allowLocalhost: boolean;
  /** In it a directory of this process is made; null: that of the system for temporary files. */
  readonly directory?: string | null;
  /** Where this gateway's API is found by media servers; null: they have the same folder. */
  readonly baseUrl?: string | null;
  readonly log: Log;
  /** For fetching, all redirects included, and for waiting until there is room. */
  readonly timeoutMs?: number;
  /** Of a file as it comes. */
  readonly maxBytes?: number;
  /** Of all files together that are being fetched, decoded or held; further ones wait. */
  readonly maxDiskBytes?: number;
  /** Of all files besides that are kept for those who ask again. */
  readonly maxCacheBytes?: number;
  /** As many they may be. */
  readonly maxCacheFiles?: number;
  /** Files that are being fetched or decoded; further ones wait. */
  readonly maxOpening?: number;
}

/**
 * How the room on the disk is divided. What is being fetched waits for room for its samples, samples wait for nothing: in
 * rooms of their own they cannot wait for each other. Of the samples' room a third is for one call at most: by default
 * that is enough for four files of the greatest length, which is what a playback fetches ahead.
 */
const sourcesPart = 1 / 4;
const sharePart = 1 / 3;

const defaults = {
  directory: null,
  baseUrl: null,
  timeoutMs: 10_000,
  maxBytes: 50 * 1024 * 1024,
  maxDiskBytes: 4 * 1024 ** 3,
  maxCacheBytes: 1024 ** 3,
  maxCacheFiles: 10_000,
  maxOpening: 1000,
};

export class MediaFiles {
  readonly #options: Required<MediaFilesOptions>;
  readonly #outbound: Outbound;
  readonly #decoder: Decoder;
  readonly #openings = new Set<AbortController>();
  readonly #samples: Room;
  readonly #cache: Cache;
  #directory: string | null = null;
  #fetches: Fetches | null = null;

  constructor(options: MediaFilesOptions) {
    this.#options = { ...defaults, ...options };
    const { log, maxDiskBytes, maxCacheBytes: maxBytes, maxCacheFiles: maxFiles } = this.#options;
    this.#samples = new Room(maxDiskBytes * (1 - sourcesPart));
    this.#cache = new Cache({ room: this.#samples, maxBytes, maxFiles, log });
    this.#outbound = new Outbound({ allowLocal: options.allowLocalhost });
    this.#decoder = new Decoder(log);
  }

  /** Makes the directory and removes those of runs that crashed. */
  async start(): Promise<void> {
    const { directory, log, timeoutMs, maxBytes, maxDiskBytes, maxOpening } = this.#options;
    this.#directory = await makeDirectory(directory ?? tmpdir(), log);
    this.#fetches = new Fetches({
      directory: this.#directory,
      outbound: this.#outbound,
      decoder: this.#decoder,
      cache: this.#cache,
      slots: new Room(maxOpening),
      sources: new Room(maxDiskBytes * sourcesPart),
      samples: this.#samples,
      timeoutMs,
      maxBytes,
      log,
    });
  }

  /** For one call. What it takes ends with its files: there is nothing to close. */
  share(): MediaShare {
    const share = new Share(this.#options.maxDiskBytes * (1 - sourcesPart) * sharePart);
    return { open: (url, signal) => this.#open(url, share, signal) };
  }

  /** A file by the name at the end of its `url`, while it is held or kept. Null also without a `baseUrl`. */
  find(name: string): ServedFile | null {
    const file = this.#options.baseUrl === null ? null : this.#cache.named(name);
    return file && { bytes: file.bytes, read: (first, last) => this.#read(file, first, last) };
  }

  /** Ends what is being opened and removes every file, those held too. Idempotent. */
  async close(): Promise<void> {
    this.#cache.close();
    for (const stop of this.#openings) stop.abort(new MediaError("timeout"));
    this.#outbound.close();
    const fetches = this.#fetches;
    this.#fetches = null;
    await Promise.all([fetches?.close(), this.#decoder.close()]);
    if (this.#directory !== null) await removeDirectory(this.#directory);
  }

  async #open(url: string, share: Share, signal?: AbortSignal): Promise<MediaFile> {
    const { log, timeoutMs } = this.#options;
    signal?.throwIfAborted();
    const fetches = this.#fetches;
    if (!fetches) throw new Error("media files are opened before the start or after the end");
    const fields = { host: URL.canParse(url) ? new URL(url).host : null };
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#openings.add(stop);
    const waits = (): void => log.debug(fields, "media file waits for room");
    const patience = { signal: stop.signal, until: performance.now() + timeoutMs, waits };
    const lease = share.lease();
    try {
      const file = await fetches.get(url, { patience, lease });
      await share.count(file, lease, patience).catch((error: unknown) => {
        this.#cache.release(file);
        throw error;
      });
      log.debug({ ...fields, samples: file.samples }, "media file opened");
      return this.#held(file, share);
    } catch (error) {
      lease.end();
      stop.signal.throwIfAborted();
      if (error instanceof MediaError) {
        log.info({ ...fields, reason: error.reason }, "media file cannot be played");
        throw error;
      }
      log.error({ ...fields, err: error }, "media file failed");
      throw new MediaError("unreachable");
    } finally {
      this.#openings.delete(stop);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async *#read(file: CachedFile, start: number, end: number): AsyncGenerator<Uint8Array> {
    this.#cache.hold(file);
    try {
      yield* createReadStream(file.path, { start, end });
    } finally {
      this.#cache.release(file);
    }
  }

  #held(file: CachedFile, share: Share): MediaFile {
    const { baseUrl } = this.#options;
    const { path, name, samples } = file;
    const url = baseUrl === null ? undefined : `${baseUrl}/media/${name}`;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      share.drop(file);
      this.#cache.release(file);
    };
    return { path, url, samples, release };
  }
}
