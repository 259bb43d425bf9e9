/** Media files: fetched from a tenant's URL, checked, and decoded to what a call can play. */
import { rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Log } from "../log";
import { Outbound } from "../outbound/request";
import { Decoder } from "./decoder";
import { makeDirectory, removeDirectory } from "./directory";
import { download } from "./download";
import { MediaError } from "./error";

export { MediaError } from "./error";

export interface MediaFile {
  /** Signed 16-bit little-endian samples, one channel, 8 kHz, no header. */
  readonly path: string;
  readonly samples: number;
  /** Deletes the file. Idempotent. */
  release(): void;
}

export interface MediaFilesOptions {
  /** Files may come from private and loopback addresses. */
  readonly allowLocalhost: boolean;
  /** In it a directory of this process is made; default: that of the system for temporary files. */
  readonly directory?: string;
  readonly log: Log;
  /** For fetching, all redirects included. */
  readonly timeoutMs?: number;
  /** Of a file as it comes. */
  readonly maxBytes?: number;
  /** Of all files together that are being fetched, decoded or held. */
  readonly maxDiskBytes?: number;
  readonly maxOpening?: number;
}

/** Of a decoded file: four hours. */
const maxSamples = 4 * 3600 * 8000;
/** The lowest bitrate of MP3, 8 kbit/s, makes 8 samples of a byte, and a little more by rounding; no file makes more. */
const samplesPerByte = 9;
const bytesPerSample = 2;

export class MediaFiles {
  readonly #options: Required<MediaFilesOptions>;
  readonly #outbound: Outbound;
  readonly #decoder: Decoder;
  readonly #openings = new Set<AbortController>();
  #directory: string | null = null;
  #diskBytes = 0;
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
    this.#outbound = new Outbound({ allowLocal: options.allowLocalhost });
    this.#decoder = new Decoder(options.log);
  }

  /** Makes the temporary directory and removes those of runs that crashed. */
  async start(): Promise<void> {
    this.#directory = await makeDirectory(this.#options.directory, this.#options.log);
  }

  /**
   * Fetches and decodes a file. Whoever gets it must `release` it.
   * @throws MediaError; the reason of `signal` once it aborts
   */
  async open(url: string, signal?: AbortSignal): Promise<MediaFile> {
    const { log, maxOpening } = this.#options;
    signal?.throwIfAborted();
    const directory = this.#directory;
    if (directory === null || this.#closed) throw new Error("media files are opened before the start or after the end");
    const fields = { host: URL.canParse(url) ? new URL(url).host : null };
    if (this.#openings.size >= maxOpening) {
      log.warn({ ...fields, opening: this.#openings.size }, "too many media files are being opened");
      throw new MediaError("timeout");
    }
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#openings.add(stop);
    this.#names += 1;
    try {
      const file = await this.#open(url, path.join(directory, String(this.#names)), stop.signal);
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

  /** Ends what is being opened and removes every file, those held too. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#openings) stop.abort(new MediaError("timeout"));
    this.#outbound.close();
    await this.#decoder.close();
    if (this.#directory !== null) await removeDirectory(this.#directory);
  }

  async #open(url: string, base: string, signal: AbortSignal): Promise<MediaFile> {
    const source = `${base}.in`;
    const target = `${base}.pcm`;
    const { timeoutMs, maxBytes } = this.#options;
    let held = 0;
    const reserve = (bytes: number): boolean => {
      if (!this.#reserve(bytes)) return false;
      held += bytes;
      return true;
    };
    try {
      const size = await download(this.#outbound, { url, target: source, timeoutMs, maxBytes, reserve, signal });
      // For the worst that can come out, because the thread that writes it counts nobody else's.
      const most = Math.min(maxSamples, size * samplesPerByte);
      if (!reserve(most * bytesPerSample)) throw new MediaError("too_large");
      const samples = await this.#decoder.decode({ source, target, maxSamples: most }, signal);
      const bytes = samples * bytesPerSample;
      this.#diskBytes += bytes;
      return { path: target, samples, release: this.#releaser(target, bytes) };
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    } finally {
      await rm(source, { force: true });
      this.#diskBytes -= held;
    }
  }

  #reserve(bytes: number): boolean {
    const { log, maxDiskBytes } = this.#options;
    if (this.#diskBytes + bytes > maxDiskBytes) {
      log.warn({ held: this.#diskBytes, wanted: bytes }, "no room for another media file");
      return false;
    }
    this.#diskBytes += bytes;
    return true;
  }

  #releaser(file: string, bytes: number): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      unlink(file).then(
        () => {
          this.#diskBytes -= bytes;
        },
        (err: unknown) => {
          // `close` removes what is held, too.
          if (!this.#closed) this.#options.log.error({ err }, "media file could not be removed");
        },
      );
    };
  }
}
