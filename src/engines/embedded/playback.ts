/** A list of files that sounds on one call: fetched ahead, played one after the other, stopped at any time. */
import type { Log } from "../../log";
import type { MediaShare } from "../../media/files";
import { type CommandFailure, type MediaFailure, Refused } from "../engine";
import type { MediaLink } from "./media/link";
import { Playlist, type Track } from "./playlist";

/** What a playback tells; nothing after `stop`, and never from within `start`. */
export interface PlaybackListener {
  /** The first file was fetched and is about to sound. */
  opening(): void;
  /** The media process plays it. */
  started(index: number): void;
  /** The next file of the list sounds. */
  advanced(index: number): void;
  missing(url: string, reason: MediaFailure): void;
  /** It sounded to its end (null), or could not go on. The last it tells. */
  ended(failure: CommandFailure | null): void;
}

export interface Position {
  /** In the file that sounds, or sounded last. */
  readonly offset_ms: number;
  /** Since the first file began to sound. */
  readonly duration_ms: number;
}

/** What playing needs. */
export interface PlaybackMeans {
  readonly media: MediaShare;
  readonly link: MediaLink;
  readonly log: Log;
  /** The call, as the media process knows it. */
  readonly call: string;
  /** Names one play of one file: each number is used once in a call. */
  nextPlay(): number;
}

/** A file that the media process was given to play. */
interface Sounding {
  readonly play: number;
  readonly track: Track;
  /** Monotonic milliseconds of its begin. */
  readonly since: number;
  /** Where it ended; null while it sounds. */
  offset_ms: number | null;
  /** It turned out that the media process could not read it; that may be told before it says that it took the file. */
  unreadable: boolean;
  /** Resolves when it has ended. */
  readonly over: Promise<void>;
  readonly end: () => void;
}

/** G.711: 8 samples per millisecond. */
const samplesPerMs = 8;

export class Playback {
  readonly #means: PlaybackMeans;
  readonly #list: Playlist;
  readonly #listener: PlaybackListener;
  readonly #urls: readonly string[];
  readonly #from_ms: number;
  #sounding: Sounding | null = null;
  /** Monotonic milliseconds of the begin of the first file. */
  #started: number | null = null;
  #over = false;

  /** @param from_ms where to begin in a file; only a list of one file has such a place */
  constructor(means: PlaybackMeans, urls: readonly string[], from_ms: number, listener: PlaybackListener) {
    this.#means = means;
    this.#listener = listener;
    this.#urls = urls;
    this.#from_ms = from_ms;
    this.#list = new Playlist(means.media, urls, (url, reason) => listener.missing(url, reason), means.log);
  }

  start(): void {
    this.#run().then(
      (failure) => this.#finish(failure),
      (err) => {
        const { call, log } = this.#means;
        if (!(err instanceof Refused)) log.error({ call, err }, "playback failed");
        const late = err instanceof Refused && err.refusal === "late";
        this.#finish(late ? "Media server timed out" : "Media server unavailable");
      },
    );
  }

  /**
   * Ends it; nothing is told of it from now on. Resolves once the media process has answered, and `position` is exact.
   * @throws Refused when it does not answer; the playback is over all the same
   */
  async stop(): Promise<void> {
    const { call, link } = this.#means;
    const sounding = this.#sounding;
    const sounds = !this.#over && sounding !== null && sounding.offset_ms === null;
    this.#over = true;
    try {
      if (!sounds) {
        await link.ping();
        return;
      }
      const stopped = await link.stop(call);
      // Its end may have come first: then nothing was left to stop.
      if (stopped?.play === sounding.play) sounding.offset_ms = stopped.offset_ms;
    } finally {
      this.#close();
    }
  }

  /** Ends it without waiting for the media process. */
  halt(): void {
    const { call, log } = this.#means;
    this.stop().catch((err) => log.warn({ call, err }, "stop of a playback was not confirmed"));
  }

  /** Ends it on a call whose media is closed anyway. */
  abandon(): void {
    this.#over = true;
    this.#close();
  }

  position(): Position {
    if (!this.#sounding) return { offset_ms: this.#from_ms, duration_ms: 0 };
    const from_ms = this.#from_ms;
    const { offset_ms, since, track } = this.#sounding;
    const now = performance.now();
    const length_ms = Math.max(from_ms, Math.floor(track.file.samples / samplesPerMs));
    const estimate = Math.min(length_ms, from_ms + Math.floor(now - since));
    return { offset_ms: offset_ms ?? estimate, duration_ms: Math.round(now - (this.#started ?? now)) };
  }

  /** The media process has played a file to `offset_ms`, its end. */
  played(play: number, offset_ms: number): void {
    const sounding = this.#sounding;
    if (sounding?.play !== play || sounding.offset_ms !== null) return;
    sounding.offset_ms = offset_ms;
    sounding.end();
  }

  /** The media process could not read a file that was fetched: it counts as one that could not be. */
  unreadable(play: number): void {
    const sounding = this.#sounding;
    if (this.#over || sounding?.play !== play) return;
    sounding.unreadable = true;
    this.#listener.missing(this.#urls[sounding.track.index] ?? "", "unreachable");
    this.played(play, this.position().offset_ms);
  }

  /** @throws Refused when the media process does not take a file */
  async #run(): Promise<CommandFailure | null> {
    const { call, link } = this.#means;
    let track = await this.#list.next();
    while (track && !this.#over) {
      if (this.#started === null) this.#listener.opening();
      const sounding = this.#begin(track);
      const { path, samples } = track.file;
      await link.play(call, sounding.play, { path, samples }, this.#from_ms);
      if (this.#over) break;
      if (!sounding.unreadable) this.#tellBegin(track.index);
      const next = this.#list.next();
      await sounding.over;
      this.#list.release(track);
      track = await next;
    }
    return this.#started === null ? "No file could be played" : null;
  }

  #tellBegin(index: number): void {
    const first = this.#started === null;
    this.#started ??= performance.now();
    if (first) this.#listener.started(index);
    else this.#listener.advanced(index);
  }

  #begin(track: Track): Sounding {
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const play = this.#means.nextPlay();
    this.#sounding = { play, track, since: performance.now(), offset_ms: null, unreadable: false, over, end };
    return this.#sounding;
  }

  #finish(failure: CommandFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#close();
    this.#listener.ended(failure);
  }

  #close(): void {
    this.#list.close();
    this.#sounding?.end();
  }
}
