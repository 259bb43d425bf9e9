/** What sounds on one call or in one room: fetched ahead, played piece by piece, paused, moved and stopped at any time. */
import type { Log } from "../../log";
import type { MediaShare } from "../../media/files";
import { type CommandFailure, type MediaFailure, Refused } from "../engine";
import type { MediaServer } from "./media_server";
import { type Programme, type Track, type Tracks, tracksOf } from "./playlist";
import { Sounding } from "./sounding";

/** What a playback tells; nothing after `stop`, and never from within `start`. */
export interface PlaybackListener {
  /** The first file was fetched and is about to sound. */
  opening(): void;
  /** The media server plays it. */
  started(index: number): void;
  /** The next file of the list sounds. */
  advanced(): void;
  /** It was paused, resumed, taken elsewhere, or made louder or lower, at this place. */
  moved(place: Place): void;
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

/** Where a playback is, and how it sounds. */
export interface Place {
  readonly index: number;
  readonly offset_ms: number;
  readonly paused: boolean;
  readonly volume: number;
}

/** What playing needs. */
export interface PlaybackMeans {
  readonly media: MediaShare;
  readonly server: MediaServer;
  readonly log: Log;
  /** The call or room, as the media server knows it. */
  readonly target: string;
  /** Names one play of one file: each number is used once for a target. */
  nextPlay(): number;
}

export class Playback {
  readonly #means: PlaybackMeans;
  readonly #tracks: Tracks;
  readonly #listener: PlaybackListener;
  readonly #from_ms: number;
  readonly #loop: boolean;
  #sounding: Sounding | null = null;
  /** Monotonic milliseconds of the begin of the first file. */
  #started: number | null = null;
  #paused = false;
  #volume: number;
  #over = false;

  constructor(means: PlaybackMeans, programme: Programme, listener: PlaybackListener) {
    this.#means = means;
    this.#listener = listener;
    const { media, log } = means;
    this.#tracks = tracksOf(programme, { media, log, missing: (url, reason) => listener.missing(url, reason) });
    this.#from_ms = programme.from_ms ?? 0;
    this.#loop = programme.loop ?? false;
    this.#volume = programme.volume ?? 0;
  }

  /** Has its first file begun to sound? */
  get started(): boolean {
    return this.#started !== null;
  }

  start(): void {
    this.#run().then(
      (failure) => this.#finish(failure),
      (err) => {
        const { target, log } = this.#means;
        if (!(err instanceof Refused)) log.error({ target, err }, "playback failed");
        const late = err instanceof Refused && err.refusal === "late";
        this.#finish(late ? "Media server timed out" : "Media server unavailable");
      },
    );
  }

  /**
   * Pauses or resumes it. Between two files the next one begins so.
   * @returns false when it was over before
   * @throws Refused when the media server does not answer; then it is as it was
   */
  async pause(paused: boolean): Promise<boolean> {
    const { server, target } = this.#means;
    const before = this.#paused;
    // Before the media server knows: a file that is given to it meanwhile must not begin the other way.
    this.#setPaused(paused);
    try {
      return this.#moved(await server.pause(target, paused));
    } catch (err) {
      this.#setPaused(before);
      this.#undo(err, () => server.pause(target, before));
      throw err;
    }
  }

  /** Sets the volume, for this playback to its end. Returns and throws as `pause` does. */
  async setVolume(volume: number): Promise<boolean> {
    const { server, target } = this.#means;
    const before = this.#volume;
    this.#volume = volume;
    try {
      return this.#moved(await server.volume(target, volume));
    } catch (err) {
      this.#volume = before;
      this.#undo(err, () => server.volume(target, before));
      throw err;
    }
  }

  /**
   * Goes elsewhere in the file that sounds; a place behind its end ends it. While the next one is still being fetched, the
   * one that sounded last is taken up again.
   * @returns false when it was over before
   * @throws Refused when the media server does not answer
   */
  async seek(offset_ms: number): Promise<boolean> {
    const { server, target } = this.#means;
    while (!this.#over && this.#sounding) {
      const sounding = this.#sounding;
      if (sounding.ended) return this.#again(sounding.track, offset_ms);
      const position = await server.seek(target, offset_ms);
      if (position?.play === sounding.play) return this.#moved(position);
      // It ended while it was asked for: what sounds now is another file, or none.
    }
    return false;
  }

  /**
   * Ends it; nothing is told of it from now on. Resolves once the media server has answered, and `position` is exact.
   * @throws Refused when it does not answer; the playback is over all the same
   */
  async stop(): Promise<void> {
    const { target, server } = this.#means;
    const sounding = this.#sounding;
    const sounds = !this.#over && sounding !== null && !sounding.ended;
    this.#over = true;
    try {
      if (!sounds) {
        await server.ping();
        return;
      }
      const stopped = await server.stop(target);
      // Its end may have come first: then nothing was left to stop.
      if (stopped?.play === sounding.play) sounding.end(stopped.offset_ms);
    } finally {
      this.#close();
    }
  }

  /** Ends it without waiting for the media server. */
  halt(): void {
    const { target, log } = this.#means;
    this.stop().catch((err) => log.warn({ target, err }, "stop of a playback was not confirmed"));
  }

  /** Ends it where the media server forgets the target anyway. */
  abandon(): void {
    this.#over = true;
    this.#close();
  }

  position(): Position {
    const started = this.#started;
    const { offset_ms } = this.place();
    return { offset_ms, duration_ms: started === null ? 0 : Math.round(performance.now() - started) };
  }

  place(): Place {
    const sounding = this.#sounding;
    return {
      index: sounding?.track.index ?? 0,
      offset_ms: sounding?.offset_ms ?? this.#from_ms,
      paused: this.#paused,
      volume: this.#volume,
    };
  }

  /** The media server has played a file to `offset_ms`, its end. */
  played(play: number, offset_ms: number): void {
    if (this.#sounding?.play === play) this.#sounding.end(offset_ms);
  }

  /** The media server could not read a file that was fetched: it counts as one that could not be. */
  unreadable(play: number): void {
    const sounding = this.#sounding;
    if (this.#over || sounding?.play !== play) return;
    sounding.unreadable = true;
    this.#tracks.fail(sounding.track.index, "unreachable");
    sounding.end(sounding.offset_ms);
  }

  /** @throws Refused when the media server does not take a file */
  async #run(): Promise<CommandFailure | null> {
    let track = await this.#tracks.next();
    while (track && !this.#over) {
      if (!this.started) this.#listener.opening();
      const sounding = this.#begin(track, this.#from_ms);
      await this.#give(sounding);
      if (this.#over) break;
      if (!sounding.unreadable) this.#tellBegin(track.index);
      const following = this.#tracks.next();
      let heard: Sounding | null;
      let next: Track | null;
      // Until the next one is there, this one may be taken up again.
      do {
        heard = this.#sounding;
        await heard?.over;
        next = await following;
      } while (heard !== this.#sounding);
      this.#tracks.release(track);
      track = next;
    }
    return this.started && !this.#loop ? null : "No file could be played";
  }

  #tellBegin(index: number): void {
    const first = this.#started === null;
    this.#started ??= performance.now();
    if (first) this.#listener.started(index);
    else this.#listener.advanced();
  }

  #begin(track: Track, from_ms: number): Sounding {
    this.#sounding = new Sounding(this.#means.nextPlay(), track, from_ms, this.#paused);
    return this.#sounding;
  }

  /** From its begin, not from where it would be by now: a moment that this process could not run must not cost a syllable. */
  async #give(sounding: Sounding): Promise<void> {
    const { target, server } = this.#means;
    const { play, track, from_ms } = sounding;
    await server.play(target, play, track.sound, from_ms, this.#paused, this.#volume);
    sounding.begun();
  }

  /** A file that has ended sounds again, from here. */
  async #again(track: Track, offset_ms: number): Promise<boolean> {
    if (offset_ms >= track.length_ms) return true;
    const sounding = this.#begin(track, offset_ms);
    try {
      await this.#give(sounding);
    } catch (err) {
      sounding.end(offset_ms);
      throw err;
    }
    return this.#moved(null);
  }

  /**
   * @param position of what the media server had when it was asked; null: nothing, or it is known
   * @returns whether there was something to act on
   */
  #moved(position: { readonly play: number; readonly offset_ms: number } | null): boolean {
    const known = position?.play === this.#sounding?.play ? position : null;
    if (known) this.#sounding?.at(known.offset_ms);
    // What was done to it may have been its end already.
    if (this.#over) return position !== null;
    // Where it was said to be, not where it would be by now.
    this.#listener.moved({ ...this.place(), ...(known && { offset_ms: known.offset_ms }) });
    return true;
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#sounding?.pause(paused);
  }

  /** What was late is taken back by what is sent right behind it; what was refused otherwise has not happened. */
  #undo(err: unknown, undo: () => Promise<unknown>): void {
    const { target, log } = this.#means;
    if (!(err instanceof Refused) || err.refusal !== "late") return;
    undo().catch((failure) => log.warn({ target, err: failure }, "playback could not be set back"));
  }

  #finish(failure: CommandFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#close();
    this.#listener.ended(failure);
  }

  #close(): void {
    this.#tracks.close();
    this.#sounding?.leave();
  }
}
