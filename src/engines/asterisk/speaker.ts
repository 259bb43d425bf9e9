/**
 * What plays on one call or in one room: one sound at a time. A sound that is paused, moved or taken to another channel is
 * taken down and begun again at its place: Asterisk keeps what is asked of a channel waiting while a prompt plays there,
 * even a paused one.
 */
import type { MediaListener, Position, Sound } from "../control/media_server";
import { Turns } from "../control/turns";
import { type Ari, at, unlessGone } from "./ari";
import { type Outlet, Run, type RunMeans } from "./run";

export interface SpeakerMeans extends RunMeans {
  readonly listener: Pick<MediaListener, "played" | "playFailed">;
}

/** Ids of the playbacks of one target, so few that whoever takes up a call can stop them without having heard of them. */
const playbackIds = 8;

const playbackId = (target: string, nth: number) => `${target}.${nth % playbackIds}`;

/** Stops whatever plays on a target, whoever began it. @throws Refused */
export async function stopAll(ari: Ari, target: string): Promise<void> {
  const ids = Array.from({ length: playbackIds }, (_, nth) => playbackId(target, nth));
  await Promise.all(ids.map((id) => unlessGone(ari.request("DELETE", at`/playbacks/${id}`))));
}

export class Speaker {
  readonly #target: string;
  readonly #outlet: Outlet;
  readonly #means: SpeakerMeans;
  readonly #turns = new Turns();
  #run: Run | null = null;
  #begins = 0;

  constructor(target: string, outlet: Outlet, means: SpeakerMeans) {
    this.#target = target;
    this.#outlet = outlet;
    this.#means = means;
  }

  play(play: number, sound: Sound, from_ms: number, paused: boolean, volume: number): Promise<void> {
    return this.#turns.take(async () => {
      await this.#run?.halt();
      this.#run?.dispose();
      const run = this.#newRun(play, sound, from_ms);
      run.paused = paused;
      this.#run = run;
      try {
        await this.#outlet.volume(volume);
        if (paused) await this.#outlet.check();
        else await run.begin();
      } catch (err) {
        this.#drop(run);
        throw err;
      }
    });
  }

  pause(paused: boolean): Promise<Position | null> {
    return this.#turns.take(async () => {
      const run = this.#run;
      if (run === null || run.paused === paused) await this.#outlet.check();
      else if (paused) {
        if (await run.halt()) run.paused = true;
        else this.#ended(run, false);
      } else {
        const position = this.#position();
        await run.begin();
        run.paused = false;
        // It may have turned out not to be playable.
        return this.#run === run ? position : null;
      }
      return this.#position();
    });
  }

  seek(offset_ms: number): Promise<Position | null> {
    return this.#turns.take(async () => {
      const run = this.#run;
      if (run === null || run.paused) await this.#outlet.check();
      if (run === null) return null;
      if (!(await run.halt())) {
        this.#ended(run, false);
        return null;
      }
      run.offset_ms = offset_ms;
      const position = this.#position();
      if (offset_ms >= run.length_ms) {
        this.#drop(run);
        // Only after it was told where it went: what is told of its end makes the next one begin.
        setImmediate(() => this.#means.listener.played(this.#target, run.play, run.length_ms));
      } else if (!run.paused) await this.#goOn(run);
      return position;
    });
  }

  volume(steps: number): Promise<Position | null> {
    return this.#turns.take(async () => {
      await (this.#run ? this.#outlet.volume(steps) : this.#outlet.check());
      return this.#position();
    });
  }

  stop(): Promise<Position | null> {
    return this.#turns.take(async () => {
      const run = this.#run;
      if (run === null || run.paused) await this.#outlet.check();
      if (run === null) return null;
      const position = (await run.halt()) ? this.#position() : null;
      this.#drop(run);
      return position;
    });
  }

  /** Work that would have to wait behind what plays, or that takes it to another channel: it goes on after it, at its place. */
  around<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      const run = this.#run;
      const sounds = run !== null && !run.paused;
      if (sounds && !(await run.halt())) this.#ended(run, false);
      try {
        return await work();
      } finally {
        if (sounds && this.#run === run) {
          const { log } = this.#means;
          await this.#goOn(run).catch((err: unknown) => log.warn({ target: this.#target, err }, "what played ended"));
        }
      }
    });
  }

  /** Events were lost: does it still play? @throws Refused */
  async verify(): Promise<void> {
    await this.#run?.verify();
  }

  /** Its target is about to go, and what plays with it. */
  leave(): void {
    this.#run?.leave();
  }

  /** Its target is gone. Nothing is told any more. */
  dispose(): void {
    this.#turns.end();
    this.#run?.dispose();
    this.#run = null;
  }

  #newRun(play: number, sound: Sound, from_ms: number): Run {
    const place = {
      target: this.#target,
      outlet: this.#outlet,
      nextId: () => playbackId(this.#target, this.#begins++),
      ended: (run: Run, failed: boolean) => this.#ended(run, failed),
    };
    return new Run(play, sound, from_ms, place, this.#means);
  }

  #position(): Position | null {
    return this.#run && { play: this.#run.play, offset_ms: this.#run.offset_ms };
  }

  /** For one that was told as begun: that it cannot go on is told, too. @throws Refused */
  async #goOn(run: Run): Promise<void> {
    try {
      await run.begin();
    } catch (err) {
      this.#ended(run, true);
      throw err;
    }
  }

  #ended(run: Run, failed: boolean): void {
    if (this.#run !== run) return;
    this.#drop(run);
    const { listener } = this.#means;
    if (failed) listener.playFailed(this.#target, run.play);
    else listener.played(this.#target, run.play, run.length_ms);
  }

  #drop(run: Run): void {
    run.dispose();
    if (this.#run !== run) return;
    this.#run = null;
    this.#outlet.idle();
  }
}
