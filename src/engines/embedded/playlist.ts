/** The files of one playback, fetched a little ahead of what sounds, so that one follows the other without a gap. */
import type { Log } from "../../log";
import { MediaError, type MediaFile, type MediaShare } from "../../media/files";
import type { MediaFailure } from "../engine";

/** Fetches under way or waiting to sound. Four announcements of 0.3 s each hide a fetch of a second. */
const ahead = 4;

export interface Track {
  /** Its place among the URLs. */
  readonly index: number;
  readonly file: MediaFile;
}

interface Fetch {
  readonly index: number;
  readonly url: string;
  readonly result: Promise<MediaFile | MediaFailure>;
}

export class Playlist {
  readonly #media: MediaShare;
  readonly #urls: readonly string[];
  readonly #log: Log;
  readonly #missing: (url: string, reason: MediaFailure) => void;
  readonly #abort = new AbortController();
  readonly #fetches: Fetch[] = [];
  /** Every file that is held, sounding or not: whatever happens, each is released once. */
  readonly #held = new Set<MediaFile>();
  /** Fetches begun so far. */
  #begun = 0;

  /** @param missing told of each file that cannot be played, in the order of the URLs */
  constructor(
    media: MediaShare,
    urls: readonly string[],
    missing: (url: string, reason: MediaFailure) => void,
    log: Log,
  ) {
    this.#media = media;
    this.#urls = urls;
    this.#missing = missing;
    this.#log = log;
  }

  /** The next file that can be played; null when there is none, or the list was closed. One call at a time. */
  async next(): Promise<Track | null> {
    while (!this.#abort.signal.aborted) {
      this.#fill();
      const fetch = this.#fetches.shift();
      if (!fetch) break;
      const result = await fetch.result;
      if (this.#abort.signal.aborted) break;
      if (typeof result !== "string") return { index: fetch.index, file: result };
      this.#missing(fetch.url, result);
    }
    return null;
  }

  /** It has sounded. */
  release(track: Track): void {
    if (this.#held.delete(track.file)) track.file.release();
  }

  /** Stops what is being fetched and releases everything. Idempotent. */
  close(): void {
    this.#abort.abort();
    for (const file of this.#held) file.release();
    this.#held.clear();
  }

  #fill(): void {
    for (const url of this.#urls.slice(this.#begun, this.#begun + ahead - this.#fetches.length)) {
      this.#fetches.push({ index: this.#begun, url, result: this.#open(url) });
      this.#begun += 1;
    }
  }

  async #open(url: string): Promise<MediaFile | MediaFailure> {
    try {
      const file = await this.#media.open(url, this.#abort.signal);
      if (this.#abort.signal.aborted) file.release();
      else this.#held.add(file);
      return file;
    } catch (err) {
      if (err instanceof MediaError) return err.reason;
      if (!this.#abort.signal.aborted) this.#log.error({ err }, "media file failed");
      return "unreachable";
    }
  }
}
