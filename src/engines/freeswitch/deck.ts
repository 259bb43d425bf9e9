/**
 * What one call or one room hears of its own. FreeSWITCH says where a sound was when it is broken off, and not while it is
 * paused: so a pause breaks it off, and what was paused begins anew from there. That has no state over there that could be
 * another one than here, and a sound can go on elsewhere: on the call when it leaves its conference, and, where a room has
 * nobody in it and FreeSWITCH no conference, by the clock alone.
 */
import type { Log } from "../../log";
import type { MediaListener, Position, Sound } from "../control/media_server";
import { Refused } from "../engine";
import { Cue } from "./cue";
import type { Outlet, SoundEnd } from "./outlet";

export interface DeckMeans {
  readonly target: string;
  readonly listener: MediaListener;
  readonly log: Log;
  /** Asks FreeSWITCH whether it is there. */
  ping(): Promise<void>;
  /** A name for one sound, by which its events find this deck. */
  newTag(deck: Deck): string;
  /** No event of it matters any more. */
  forget(tag: string): void;
}

/** After its time a sound whose end was not told is taken for ended: the connection may have been away just then. */
const graceMs = 2000;
/** A file that ends so much earlier than its samples say could not be read to its end. */
const missingMs = 250;

export class Deck {
  readonly #means: DeckMeans;
  #outlet: Outlet | null;
  #cue: Cue | null = null;
  #line: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #over = false;

  /** @param outlet null: nobody can hear it, and it plays all the same */
  constructor(means: DeckMeans, outlet: Outlet | null) {
    this.#means = means;
    this.#outlet = outlet;
  }

  play(play: number, sound: Sound, from_ms: number, paused: boolean, volume: number): Promise<void> {
    return this.next(async () => {
      if (this.#cue) await this.#halt();
      const cue = new Cue(play, sound, from_ms, volume);
      this.#cue = cue;
      try {
        if (paused || !this.#outlet) await this.#means.ping();
        if (!paused) await this.#begin(cue);
      } catch (err) {
        if (this.#cue === cue) this.#clear();
        throw err;
      }
    });
  }

  pause(paused: boolean): Promise<Position | null> {
    return this.next(async () => {
      const cue = this.#cue;
      const runs = cue?.runs === true;
      if (!cue || paused !== runs || !this.#outlet) await this.#means.ping();
      if (cue && paused && runs) await this.#halt();
      else if (cue && !paused && !runs) await this.#begin(cue);
      return this.#position(cue);
    });
  }

  seek(offset_ms: number): Promise<Position | null> {
    return this.next(async () => {
      const cue = this.#cue;
      if (!cue?.runs || !this.#outlet) await this.#means.ping();
      if (!cue || this.#cue !== cue) return null;
      if (offset_ms >= cue.length_ms) {
        if (cue.runs) await this.#halt();
        if (this.#cue !== cue) return null;
        this.#clear();
        // After the answer: where it was moved to is told before its end.
        setImmediate(() => this.#means.listener.played(this.#means.target, cue.play, cue.length_ms));
        return { play: cue.play, offset_ms: cue.length_ms };
      }
      if (!cue.runs) cue.offset_ms = offset_ms;
      else await this.#move(cue, offset_ms);
      return this.#cue === cue ? { play: cue.play, offset_ms } : null;
    });
  }

  volume(volume: number): Promise<Position | null> {
    return this.next(async () => {
      const cue = this.#cue;
      if (cue?.runs && this.#outlet) await this.#outlet.volume(volume);
      else await this.#means.ping();
      if (cue) cue.volume = volume;
      return this.#position(cue);
    });
  }

  stop(): Promise<Position | null> {
    return this.next(async () => {
      const cue = this.#cue;
      try {
        await (cue?.runs && this.#outlet ? this.#halt() : this.#means.ping());
        return this.#position(cue);
      } finally {
        if (this.#cue === cue) this.#clear();
      }
    });
  }

  /**
   * What sounds goes on where `work` leads to, once it is done. When that fails, it goes on where it was.
   * @throws what `work` throws
   */
  relocate(work: () => Promise<Outlet | null>): Promise<void> {
    return this.next(async () => {
      const cue = this.#cue;
      const runs = cue?.runs === true;
      if (runs) await this.#halt();
      try {
        this.#outlet = await work();
      } finally {
        if (runs && this.#cue === cue) await this.#again(cue);
      }
    });
  }

  /** There is another outlet, or none: the old one is gone, and with it what sounded there. */
  moved(outlet: Outlet | null): void {
    const work = this.next(async () => {
      const cue = this.#cue;
      this.#outlet = outlet;
      outlet?.hush();
      if (!cue?.runs) return;
      this.#freeze(cue, null);
      await this.#again(cue);
    });
    work.catch((err) => this.#means.log.warn({ target: this.#means.target, err }, "a sound could not go on"));
  }

  /** Nothing of it was heard of for a while: what should have ended has, and what nobody knows of here is hushed. */
  caughtUp(): void {
    const cue = this.#cue;
    if (cue === null || !cue.runs) this.#outlet?.hush();
    else if (cue.at >= cue.length_ms) this.#played(cue, cue.length_ms);
  }

  /** A sound of this deck has ended, and nobody asked for it. */
  ended(tag: string, { how, offset_ms }: SoundEnd): void {
    const cue = this.#cue;
    if (cue?.tag !== tag) return;
    const { target, log } = this.#means;
    const at = cue.place(offset_ms) ?? cue.at;
    if (how === "done" && offset_ms !== null && at < cue.length_ms - missingMs) {
      log.warn({ target, at, length_ms: cue.length_ms }, "FreeSWITCH could not play a file to its end");
      this.#clear();
      this.#means.listener.playFailed(target, cue.play);
    } else {
      if (how === "broken") log.warn({ target, at }, "somebody else broke a sound off");
      this.#played(cue, how === "done" ? cue.length_ms : at);
    }
  }

  /** Nothing is told from now on; what sounds ends with the call or is hushed. */
  abandon(hush: boolean): void {
    if (hush && this.#cue?.runs) this.#outlet?.hush();
    this.#over = true;
    this.#clear();
  }

  /** One after the other: each finds what the one before it has left. @throws Refused("gone") when it is over by then */
  next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(() => {
      if (this.#over) throw new Refused("gone");
      return work();
    });
    this.#line = done.catch(() => undefined);
    return done;
  }

  /** From where it is. A file that cannot be played is told of, and is no reason to refuse the command. */
  async #begin(cue: Cue): Promise<void> {
    const { target, listener, log, newTag } = this.#means;
    if (cue.offset_ms >= cue.length_ms) {
      this.#clear();
      setImmediate(() => listener.played(target, cue.play, cue.length_ms));
      return;
    }
    if (!this.#outlet) {
      this.#run(cue);
      return;
    }
    const tag = newTag(this);
    cue.tag = tag;
    let sounds: boolean;
    try {
      sounds = await this.#outlet.start(tag, cue.sound, cue.offset_ms, cue.volume);
    } catch (err) {
      // What could still begin is taken back.
      this.#outlet.hush();
      throw err;
    }
    if (this.#cue !== cue) return;
    if (sounds) this.#run(cue);
    else {
      log.warn({ target }, "FreeSWITCH could not play a file");
      this.#clear();
      listener.playFailed(target, cue.play);
    }
  }

  #run(cue: Cue): void {
    cue.run();
    this.#arm(cue);
  }

  async #move(cue: Cue, offset_ms: number): Promise<void> {
    const moved = this.#outlet === null || (await this.#outlet.seek(cue.sound, offset_ms));
    if (this.#cue !== cue) return;
    if (moved) {
      cue.offset_ms = offset_ms;
      this.#run(cue);
      return;
    }
    await this.#halt();
    if (this.#cue !== cue) return;
    cue.offset_ms = offset_ms;
    await this.#begin(cue);
  }

  /** It stands still from here on; when it ended by itself meanwhile, that is told. */
  async #halt(): Promise<void> {
    const cue = this.#cue;
    const tag = cue?.tag;
    if (!cue?.runs) return;
    if (!this.#outlet || !tag) {
      this.#freeze(cue, null);
      return;
    }
    const { how, offset_ms } = await this.#outlet.stop(tag);
    if (this.#cue !== cue) return;
    if (how === "done") this.#played(cue, cue.length_ms);
    else this.#freeze(cue, cue.place(offset_ms));
  }

  async #again(cue: Cue): Promise<void> {
    try {
      await this.#begin(cue);
    } catch (err) {
      const { target, log, listener } = this.#means;
      log.warn({ target, err }, "a sound could not go on elsewhere");
      if (this.#cue === cue) this.#clear();
      listener.playFailed(target, cue.play);
    }
  }

  #freeze(cue: Cue, offset_ms: number | null): void {
    cue.halt(offset_ms);
    if (cue.tag) this.#means.forget(cue.tag);
    cue.tag = null;
    this.#disarm();
  }

  #position(cue: Cue | null): Position | null {
    return cue && this.#cue === cue ? { play: cue.play, offset_ms: cue.at } : null;
  }

  #played(cue: Cue, offset_ms: number): void {
    this.#clear();
    this.#means.listener.played(this.#means.target, cue.play, offset_ms);
  }

  #arm(cue: Cue): void {
    this.#disarm();
    const left = cue.length_ms - cue.offset_ms;
    this.#timer = setTimeout(() => this.#timeUp(cue), this.#outlet ? left + graceMs : left);
  }

  #timeUp(cue: Cue): void {
    if (this.#cue !== cue) return;
    if (this.#outlet) {
      this.#means.log.warn({ target: this.#means.target }, "the end of a sound was not told");
      this.#outlet.hush();
    }
    this.#played(cue, cue.length_ms);
  }

  #disarm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #clear(): void {
    this.#disarm();
    if (this.#cue?.tag) this.#means.forget(this.#cue.tag);
    this.#cue = null;
  }
}
