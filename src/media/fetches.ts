/** How files come: from the cache as long as its terms hold, else from their server and through the decoder. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { performance } from "node:perf_hooks";
import type { Log } from "../log";
import type { Outbound } from "../outbound/request";
import { wavHeaderBytes } from "../wav";
import type { Cache, CachedFile } from "./cache";
import type { Decoder } from "./decoder";
import { download } from "./download";
import { MediaError } from "./error";
import { type Crew, Dismissed, Flight, type Waiter } from "./flight";
import { type Patience, within } from "./patience";
import { Lease, type Room } from "./room";
import type { Terms } from "./terms";

export interface FetchesOptions {
  /** Where files are written. */
  readonly directory: string;
  readonly outbound: Outbound;
  readonly decoder: Decoder;
  readonly cache: Cache;
  /** One for each file on its way. */
  readonly slots: Room;
  /** Bytes of files as they come. */
  readonly sources: Room;
  /** Bytes of decoded files that are in use. */
  readonly samples: Room;
  readonly timeoutMs: number;
  /** Of a file as it comes. */
  readonly maxBytes: number;
  readonly log: Log;
}

/** A file on its way. */
interface Passage {
  readonly crew: Crew;
  readonly patience: Patience;
  /** The file as it comes. */
  readonly source: string;
  /** What it becomes. */
  readonly name: string;
  readonly sources: Lease;
  /** Told of every head. */
  readonly head: (terms: Terms) => void;
}

const maxRedirects = 3;
/** Of a decoded file: four hours. */
const maxSamples = 4 * 3600 * 8000;
/** The lowest bitrate of MP3, 8 kbit/s, makes 8 samples of a byte, and a little more by rounding; no file makes more. */
const samplesPerByte = 9;
const bytesPerSample = 2;
/** Nobody can guess the name of a file. */
const nameBytes = 16;

const isFresh = (terms: Terms): boolean => terms.isFresh(performance.now());

/**
 * What is fetched: the URL without its fragment, which no server gets to see.
 * @throws MediaError
 */
function parse(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw new MediaError("unreachable");
  const url = new URL(text, base);
  url.hash = "";
  return url;
}

export class Fetches {
  readonly #options: FetchesOptions;
  /** Those that can be joined, by their URL. */
  readonly #open = new Map<string, Flight<CachedFile>>();
  readonly #all = new Set<Flight<CachedFile>>();
  #closed = false;

  constructor(options: FetchesOptions) {
    this.#options = options;
  }

  /**
   * Resolves with a file that whoever asked holds now. Those who ask for the same one while it is on its way share it, as
   * far as its server allows.
   * @throws MediaError; the reason of the signal of whoever waits
   */
  async get(text: string, waiter: Waiter): Promise<CachedFile> {
    const { cache } = this.#options;
    const { signal, until } = waiter.patience;
    const url = parse(text);
    let alone = false;
    for (;;) {
      const known = cache.find(url.href);
      if (known && isFresh(known.terms)) {
        cache.hold(known.file);
        return known.file;
      }
      const joined = alone ? undefined : this.#open.get(url.href);
      const flight = joined ?? this.#begin(url, alone);
      try {
        return await flight.join(waiter, (file) => cache.hold(file));
      } catch (error) {
        // Who came late has not had his time yet when that of the others is up.
        const early = joined && error instanceof MediaError && error.reason === "timeout" && performance.now() < until;
        if (error instanceof Dismissed) alone = true;
        else if (!early || signal.aborted || this.#closed) throw error;
      }
    }
  }

  /** Ends what is on its way. Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const flight of this.#all) flight.stop(new MediaError("timeout"));
    await Promise.all([...this.#all].map(({ ended }) => ended));
  }

  #begin(url: URL, alone: boolean): Flight<CachedFile> {
    const { cache } = this.#options;
    const shut = (): void => {
      if (this.#open.get(url.href) === flight) this.#open.delete(url.href);
    };
    const flight: Flight<CachedFile> = new Flight(
      (crew) => this.#fly(url, crew, shut),
      shut,
      (file) => cache.release(file),
    );
    if (!alone) this.#open.set(url.href, flight);
    this.#all.add(flight);
    void flight.ended.then(() => this.#all.delete(flight));
    return flight;
  }

  async #fly(url: URL, crew: Crew, shut: () => void): Promise<CachedFile> {
    const { log, timeoutMs, slots, directory, sources: room } = this.#options;
    const fields = { host: url.host };
    const waits = (): void => log.debug(fields, "media file waits for room");
    const patience = { signal: crew.signal, until: performance.now() + timeoutMs, waits };
    const head = ({ serves }: Terms): void => {
      log.debug({ ...fields, serves }, "media file begins to come");
      if (serves !== "all") shut();
      if (serves === "none") crew.dismiss();
    };
    const name = `${randomBytes(nameBytes).toString("hex")}.wav`;
    const source = path.join(directory, `${name}.in`);
    const sources = new Lease(room);
    try {
      await slots.take(1, patience);
      try {
        return await this.#fetch(url, { crew, patience, source, name, sources, head });
      } finally {
        await rm(source, { force: true });
        sources.end();
        slots.give(1);
      }
    } catch (err) {
      crew.signal.throwIfAborted();
      if (err instanceof MediaError) throw err;
      log.error({ ...fields, err }, "media file failed");
      throw new MediaError("unreachable");
    }
  }

  /** Redirects are asked for each time, what they lead to is kept under its own URL. Each hop is checked like the first. */
  async #fetch(first: URL, passage: Passage): Promise<CachedFile> {
    const { cache } = this.#options;
    let url = first;
    for (let hops = 0; hops <= maxRedirects; ) {
      const known = cache.find(url.href);
      if (known) cache.hold(known.file);
      if (known && isFresh(known.terms)) return known.file;
      let held = known?.file ?? null;
      try {
        const found = await this.#ask(url, known?.terms.conditions ?? {}, passage);
        if ("location" in found) {
          url = parse(found.location, url);
          hops += 1;
        } else if ("bytes" in found) {
          // Also when it cannot be played: what was there before is there no more.
          cache.forget(url.href);
          return await this.#decode(url, found.terms, found.bytes, passage);
        } else {
          const terms = known?.terms.renewed(found.unchanged);
          if (known && terms) {
            passage.head(terms);
            cache.renew(known.file, url.href, terms);
            held = null;
            return known.file;
          }
          // Asked again without conditions.
          cache.forget(url.href);
        }
      } finally {
        if (held) cache.release(held);
      }
    }
    throw new MediaError("unreachable");
  }

  #ask(url: URL, conditions: Readonly<Record<string, string>>, passage: Passage) {
    const { outbound, maxBytes } = this.#options;
    const { source: target, sources: room, patience, head } = passage;
    return download(outbound, { url, conditions, target, maxBytes, room, patience, head });
  }

  /** Samples are counted for the worst that can come out, because the thread that writes them counts nobody else's. */
  async #decode(url: URL, terms: Terms, size: number, passage: Passage): Promise<CachedFile> {
    const { directory, decoder, cache, samples: room } = this.#options;
    const { crew, patience, source, name } = passage;
    const most = Math.min(maxSamples, size * samplesPerByte);
    const worst = wavHeaderBytes + most * bytesPerSample;
    const target = path.join(directory, name);
    const lease = new Lease(room);
    try {
      await within(crew.charge(worst), patience);
      await lease.take(worst, patience);
      const samples = await decoder.decode({ source, target, maxSamples: most }, patience.signal);
      const file = { name, path: target, samples, bytes: wavHeaderBytes + samples * bytesPerSample };
      lease.pass(file.bytes);
      cache.add(file, url.href, terms);
      return file;
    } catch (error) {
      await rm(target, { force: true });
      lease.end();
      throw error;
    }
  }
}
