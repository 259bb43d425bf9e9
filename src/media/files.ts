/** Media files: fetched from a tenant's URL, checked, and decoded to what a call can play. */
import { rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import type { Log } from "../log";
import { Outbound } from "../outbound/request";
import { Decoder } from "./decoder";
import { makeDirectory, removeDirectory } from "./directory";
import { download } from "./download";
import { MediaError } from "./error";
import { Lease, type Patience, Room } from "./room";

export { MediaError } from "./error";

export interface MediaFile {
  /** Signed 16-bit little-endian samples, one channel, 8 kHz, no header. */
  readonly path: string;
  /** Where a media server finds the same, when it has not this folder. */
  readonly url?: string;
  readonly samples: number;
  /** Deletes the file. Idempotent. */
  release(): void;
}

/** The files of one call, which can take up no more than its share of the room. */
export interface MediaShare {
  /**
   * Fetches and decodes a file. Whoever gets it must `release` it.
   * @throws MediaError; the reason of `signal` once it aborts
   */
  open(url: string, signal?: AbortSignal): Promise<MediaFile>;
}

/** A file as it came, and where its samples go. */
interface Fetched {
  readonly source: string;
  readonly target: string;
  /** Bytes. */
  readonly size: number;
}

export interface MediaFilesOptions {
  /** Files may come from private and loopback addresses. */
  readonly allowLocalhost: boolean;
  /** In it a directory of this process is made; default: that of the system for temporary files. */
  readonly directory?: string;
  readonly log: Log;
  /** For fetching, all redirects included, and for waiting until there is room. */
  readonly timeoutMs?: number;
  /** Of a file as it comes. */
  readonly maxBytes?: number;
  /** Of all files together that are being fetched, decoded or held; further ones wait. */
  readonly maxDiskBytes?: number;
  /** Files that are being fetched or decoded; further ones wait. */
  readonly maxOpening?: number;
}

/** Of a decoded file: four hours. */
const maxSamples = 4 * 3600 * 8000;
/** The lowest bitrate of MP3, 8 kbit/s, makes 8 samples of a byte, and a little more by rounding; no file makes more. */
const samplesPerByte = 9;
const bytesPerSample = 2;
/**
 * How the room on the disk is divided. What is being fetched waits for room for its samples, samples wait for nothing: in
 * rooms of their own they cannot wait for each other. Of the samples' room a third is for one call at most: by default
 * that is enough for four files of the greatest length, which is what a playback fetches ahead.
 */
const sourcesPart = 1 / 4;
const sharePart = 1 / 3;

export class MediaFiles {
  readonly #options: Required<MediaFilesOptions>;
  readonly #outbound: Outbound;
  readonly #decoder: Decoder;
  readonly #openings = new Set<AbortController>();
  readonly #slots: Room;
  readonly #sources: Room;
  readonly #samples: Room;
  #directory: string | null = null;
  #closed = false;
  #names = 0;

  constructor(options: MediaFilesOptions) {
    this.#options = {
      directory: tmpdir(),
      timeoutMs: 10_000,
      maxBytes: 50 * 1024 * 1024,
      maxDiskBytes: 4 * 1024 ** 3,
      maxOpening: 1000,
      ...options,
    };
    const { maxDiskBytes, maxOpening } = this.#options;
    this.#slots = new Room(maxOpening);
    this.#sources = new Room(maxDiskBytes * sourcesPart);
    this.#samples = new Room(maxDiskBytes * (1 - sourcesPart));
    this.#outbound = new Outbound({ allowLocal: options.allowLocalhost });
    this.#decoder = new Decoder(options.log);
  }

  /** Makes the temporary directory and removes those of runs that crashed. */
  async start(): Promise<void> {
    this.#directory = await makeDirectory(this.#options.directory, this.#options.log);
  }

  /** For one call. What it takes ends with its files: there is nothing to close. */
  share(): MediaShare {
    const room = new Room(this.#options.maxDiskBytes * (1 - sourcesPart) * sharePart, this.#samples);
    return { open: (url, signal) => this.#open(url, room, signal) };
  }

  /** Ends what is being opened and removes every file, those held too. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#openings) stop.abort(new MediaError("timeout"));
    this.#outbound.close();
    await this.#decoder.close();
    if (this.#directory !== null) await removeDirectory(this.#directory);
  }

  async #open(url: string, share: Room, signal?: AbortSignal): Promise<MediaFile> {
    const { log } = this.#options;
    signal?.throwIfAborted();
    const directory = this.#directory;
    if (directory === null || this.#closed) throw new Error("media files are opened before the start or after the end");
    const fields = { host: URL.canParse(url) ? new URL(url).host : null };
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#openings.add(stop);
    this.#names += 1;
    try {
      const waits = (): void => log.debug(fields, "media file waits for room");
      const patience = { signal: stop.signal, until: performance.now() + this.#options.timeoutMs, waits };
      const file = await this.#inSlot(url, path.join(directory, String(this.#names)), share, patience);
      log.debug({ ...fields, samples: file.samples }, "media file opened");
      return file;
    } catch (error) {
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

  async #inSlot(url: string, base: string, share: Room, patience: Patience): Promise<MediaFile> {
    await this.#slots.take(1, patience);
    try {
      return await this.#fetch(url, base, share, patience);
    } finally {
      this.#slots.give(1);
    }
  }

  async #fetch(url: string, base: string, share: Room, patience: Patience): Promise<MediaFile> {
    const source = `${base}.in`;
    const target = `${base}.pcm`;
    const { maxBytes } = this.#options;
    const sources = new Lease(this.#sources);
    try {
      const size = await download(this.#outbound, { url, target: source, maxBytes, room: sources, patience });
      return await this.#decode({ source, target, size }, share, patience);
    } finally {
      await rm(source, { force: true });
      sources.end();
    }
  }

  /** Samples are counted for the worst that can come out, because the thread that writes them counts nobody else's. */
  async #decode({ source, target, size }: Fetched, share: Room, patience: Patience): Promise<MediaFile> {
    const most = Math.min(maxSamples, size * samplesPerByte);
    const lease = new Lease(share);
    try {
      await lease.take(most * bytesPerSample, patience);
      const samples = await this.#decoder.decode({ source, target, maxSamples: most }, patience.signal);
      lease.keep(samples * bytesPerSample);
      return { path: target, samples, release: this.#releaser(target, lease) };
    } catch (error) {
      await rm(target, { force: true });
      lease.keep(0);
      throw error;
    }
  }

  #releaser(file: string, lease: Lease): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      unlink(file).then(
        () => lease.keep(0),
        (err: unknown) => {
          // `close` removes what is held, too.
          if (!this.#closed) this.#options.log.error({ err }, "media file could not be removed");
        },
      );
    };
  }
}
