/** The files of one playback, fetched a little ahead of what sounds, so that one follows the other without a gap. */
import type { Log } from "../../log";
import { MediaError, type MediaFile, type MediaShare } from "../../media/files";
import type { MediaFailure } from "../engine";
import type { Sound } from "./media_server";

/** Fetches under way or waiting to sound. Four announcements of 0.3 s each hide a fetch of a second. */
const ahead = 4;
/**
 * Of the files of a list that begins again: what is short stays here, the rest is fetched anew in each round. So a round
 * that fetches anything lasts for ten minutes at least, and what a room holds stays small. 8 samples per millisecond.
 */
const keptSamples = 10 * 60 * 1000 * 8;

export interface Track {
  /** Its place among the URLs. */
  readonly index: number;
  readonly sound: Sound;
  readonly length_ms: number;
}

/** What a playback plays, one sound after the other. */
export interface Tracks {
  /** The next one; null when there is none, or it was closed. One call at a time. */
  next(): Promise<Track | null>;
  /** It has sounded. */
  release(track: Track): void;
  /** What is at this place cannot be played: it is told, once, and left out from now on. */
  fail(index: number, reason: MediaFailure): void;
  /** Gives back everything. Idempotent. */
  close(): void;
}

/** What is to be played: files, or nothing at all for a while. */
export interface Programme {
  readonly what: { readonly urls: readonly string[] } | { readonly silence_ms: number };
  /** Where in a file to begin; only a list of one file has such a place. */
  readonly from_ms?: number;
  /** Again and again, without the files that could not be played, until none is left. */
  readonly loop?: boolean;
  /** Steps of 3 dB. */
  readonly volume?: number;
}

/** What fetching needs. */
export interface TrackMeans {
  readonly media: MediaShare;
  readonly log: Log;
  /** Told of each file that cannot be played, in the order of the URLs and once. */
  missing(url: string, reason: MediaFailure): void;
}

export function tracksOf({ what, loop = false }: Programme, means: TrackMeans): Tracks {
  return "urls" in what ? new Playlist(what.urls, loop, means) : new Silence(what.silence_ms);
}

/** Nothing at all, for a while. */
class Silence implements Tracks {
  #track: Track | null;

  constructor(silence_ms: number) {
    this.#track = { index: 0, sound: { silence_ms }, length_ms: silence_ms };
  }

  async next(): Promise<Track | null> {
    const track = this.#track;
    this.#track = null;
    return track;
  }

  release(): void {
    // There is no file behind it.
  }

  fail(): void {
    // Nothing can be wrong with it.
  }

  close(): void {
    this.#track = null;
  }
}

interface Fetch {
  readonly index: number;
  readonly result: Promise<MediaFile | MediaFailure>;
}

class Playlist implements Tracks {
  readonly #urls: readonly string[];
  readonly #loop: boolean;
  readonly #means: TrackMeans;
  readonly #abort = new AbortController();
  readonly #fetches: Fetch[] = [];
  /** Files that wait or sound, and those that are kept: whatever happens, each is released once. */
  readonly #held = new Set<MediaFile>();
  readonly #files = new Map<Track, MediaFile>();
  /** For the next round, by their place among the URLs. */
  readonly #kept = new Map<number, MediaFile>();
  #keptSamples = 0;
  /** Places of files that cannot be played. */
  readonly #failed = new Set<number>();
  /** Fetches begun so far; in a loop they go round. */
  #begun = 0;

  constructor(urls: readonly string[], loop: boolean, means: TrackMeans) {
    this.#urls = urls;
    this.#loop = loop;
    this.#means = means;
  }

  async next(): Promise<Track | null> {
    while (!this.#abort.signal.aborted) {
      this.#fill();
      const fetch = this.#fetches.shift();
      if (!fetch) break;
      const result = await fetch.result;
      if (this.#abort.signal.aborted) break;
      if (typeof result === "string") this.fail(fetch.index, result);
      else if (this.#failed.has(fetch.index)) this.#drop(result);
      else return this.#track(fetch.index, result);
    }
    return null;
  }

  release(track: Track): void {
    const file = this.#files.get(track);
    this.#files.delete(track);
    if (file && this.#kept.get(track.index) !== file) this.#drop(file);
  }

  fail(index: number, reason: MediaFailure): void {
    if (this.#failed.has(index)) return;
    this.#failed.add(index);
    this.#kept.delete(index);
    this.#means.missing(this.#urls[index] ?? "", reason);
  }

  close(): void {
    this.#abort.abort();
    for (const file of this.#held) file.release();
    this.#held.clear();
    this.#files.clear();
    this.#kept.clear();
  }

  #drop(file: MediaFile): void {
    if (this.#held.delete(file)) file.release();
  }

  #track(index: number, file: MediaFile): Track {
    const { path, url, samples } = file;
    const track = { index, sound: { path, url, samples }, length_ms: Math.floor(samples / 8) };
    this.#files.set(track, file);
    if (this.#loop && !this.#kept.has(index) && this.#keptSamples + samples <= keptSamples) {
      this.#keptSamples += samples;
      this.#kept.set(index, file);
    }
    return track;
  }

  #fill(): void {
    const urls = this.#urls;
    const loop = this.#loop;
    // In a loop no file is fetched twice at a time: what there is of it then is what the next round plays.
    const wanted = loop ? Math.min(ahead, urls.length - this.#failed.size) : ahead;
    while (this.#fetches.length < wanted && (loop || this.#begun < urls.length)) {
      const index = this.#begun++ % urls.length;
      const url = urls[index];
      if (url === undefined || this.#failed.has(index)) continue;
      const kept = this.#kept.get(index);
      this.#fetches.push({ index, result: kept ? Promise.resolve(kept) : this.#open(url) });
    }
  }

  async #open(url: string): Promise<MediaFile | MediaFailure> {
    const { media, log } = this.#means;
    try {
      const file = await media.open(url, this.#abort.signal);
      if (this.#abort.signal.aborted) {
        file.release();
        return file;
      }
      this.#held.add(file);
      return file;
    } catch (err) {
      if (err instanceof MediaError) return err.reason;
      if (!this.#abort.signal.aborted) log.error({ err }, "media file failed");
      return "unreachable";
    }
  }
}
