/** One sound that plays on a target: it is begun at its place and taken down again, on whatever channel, as often as need be. */
import type { Log } from "../../log";
import type { Sound } from "../control/media_server";
import { Refused } from "../engine";
import { type Ari, at, unlessGone } from "./ari";

/** Where a target is played to. */
export interface Outlet {
  /** The channel to play to, made if need be. Rejects with `Refused`. */
  channel(): Promise<string>;
  /** Nothing at all sounds from now on (true), or something may again. Rejects with `Refused`. */
  silence(on: boolean): Promise<void>;
  /** For what is played next, and for what plays. Rejects with `Refused`. */
  volume(steps: number): Promise<void>;
  /** Is it still there? Rejects with `Refused`. */
  check(): Promise<void>;
  /** Nothing plays any more. */
  idle(): void;
}

export interface RunMeans {
  readonly ari: Ari;
  /** By the id of what plays: to be told what Asterisk says of it. */
  readonly runs: Map<string, Run>;
  /** Until a sound begins. */
  readonly timeoutMs: number;
  readonly log: Log;
}

/** Where it goes, and who is told of its end. */
export interface RunPlace {
  readonly target: string;
  readonly outlet: Outlet;
  /** For each begin another one. */
  nextId(): string;
  /** By itself, or because it could not be played. Once, and not after `dispose`. */
  ended(run: Run, failed: boolean): void;
}

/** A file that ends so much before its time was cut short. */
const shortMs = 300;
/** The longest time of a timer in Node. */
const longestMs = 2 ** 31 - 1;

export class Run {
  readonly length_ms: number;
  paused = false;
  readonly #sound: Sound;
  readonly #place: RunPlace;
  readonly #means: RunMeans;
  /** Where it was at `since`, or where it stands. */
  #offset_ms: number;
  /** Monotonic milliseconds; null: it stands still, or has not begun. */
  #since: number | null = null;
  /** What Asterisk calls it while it plays there. */
  #playback: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Told when it begins, or cannot. */
  #begun: (() => void) | null = null;
  /** It is being taken down: its end is no news. */
  #halting = false;
  #over = false;

  /** @param play its name for call control */
  constructor(
    readonly play: number,
    sound: Sound,
    from_ms: number,
    place: RunPlace,
    means: RunMeans,
  ) {
    this.#sound = sound;
    this.length_ms = "silence_ms" in sound ? sound.silence_ms : Math.floor(sound.samples / 8);
    this.#offset_ms = Math.min(from_ms, this.length_ms);
    this.#place = place;
    this.#means = means;
  }

  get offset_ms(): number {
    if (this.#since === null) return this.#offset_ms;
    return Math.min(this.length_ms, this.#offset_ms + Math.round(performance.now() - this.#since));
  }

  /** Only while it stands still. */
  set offset_ms(offset_ms: number) {
    this.#offset_ms = Math.min(offset_ms, this.length_ms);
  }

  /**
   * From its place on. Resolves once it sounds, or has turned out not to be playable, which is told.
   * @throws Refused; it stands still then
   */
  async begin(): Promise<void> {
    const { outlet } = this.#place;
    if ("silence_ms" in this.#sound) {
      await outlet.silence(true);
      this.#since = performance.now();
      this.#await();
      return;
    }
    const { url, path } = this.#sound;
    const { ari, runs, timeoutMs, log } = this.#means;
    const id = this.#place.nextId();
    let timer: NodeJS.Timeout | undefined;
    const begun = new Promise<void>((resolve, reject) => {
      this.#begun = resolve;
      timer = setTimeout(() => reject(new Refused("late")), timeoutMs);
    });
    // Nobody waits for it when the request fails.
    begun.catch(() => undefined);
    this.#playback = id;
    // Before the request: what it brings about may be told before it is answered.
    runs.set(id, this);
    try {
      const channel = await outlet.channel();
      const media = [`sound:${url ?? path.replace(/\.wav$/, "")}`];
      await ari.request("POST", at`/channels/${channel}/play/${id}`, { media, offsetms: Math.round(this.#offset_ms) });
      await begun;
    } catch (err) {
      // It may begin all the same.
      unlessGone(ari.request("DELETE", at`/playbacks/${id}`)).catch((reason: unknown) =>
        log.debug({ id, err: reason }, "a playback that was late could not be taken back"),
      );
      this.#stand();
      throw err;
    } finally {
      clearTimeout(timer);
      this.#begun = null;
    }
  }

  /**
   * Takes it down; it stands where it was.
   * @returns false when it had come to its end before, which is not told
   * @throws Refused; it goes on then
   */
  async halt(): Promise<boolean> {
    const id = this.#playback;
    if (this.#since === null) return true;
    this.#halting = true;
    try {
      const taken =
        id === null ? this.#place.outlet.silence(false) : this.#means.ari.request("DELETE", at`/playbacks/${id}`);
      const there = await unlessGone(taken);
      this.#offset_ms = this.offset_ms;
      this.#stand();
      // Without a playback it is the timer that says when it ends.
      return id === null || there;
    } finally {
      this.#halting = false;
    }
  }

  onStarted(): void {
    this.#since ??= performance.now();
    this.#begun?.();
  }

  onFinished(failed: boolean): void {
    if (this.#halting || this.#playback === null) return;
    const missing_ms = this.length_ms - this.offset_ms;
    const short = this.#since !== null && missing_ms > shortMs;
    if (failed || short) {
      const { target } = this.#place;
      this.#means.log.warn({ target, failed, missing_ms }, "Asterisk could not play a file to its end");
    }
    this.#end(failed || short);
  }

  /** Events were lost: does it still play? @throws Refused */
  async verify(): Promise<void> {
    const id = this.#playback;
    if (id === null || this.#begun) return;
    if (!(await unlessGone(this.#means.ari.request("GET", at`/playbacks/${id}`))) && this.#playback === id)
      this.#end(false);
  }

  /** Its channel is about to end: what becomes of it is no news, and where it is stays known. */
  leave(): void {
    this.#over = true;
    this.#begun?.();
  }

  /** Nobody wants to hear of it any more. */
  dispose(): void {
    this.#over = true;
    this.#stand();
    this.#begun?.();
  }

  #await(): void {
    const left = this.length_ms - this.offset_ms;
    const rung = () => {
      if (left > longestMs) this.#await();
      else if (!this.#halting) this.#endSilence();
    };
    this.#timer = setTimeout(rung, Math.min(left, longestMs));
  }

  #endSilence(): void {
    const { target, outlet } = this.#place;
    outlet.silence(false).catch((err: unknown) => this.#means.log.debug({ target, err }, "silence could not be ended"));
    this.#end(false);
  }

  #end(failed: boolean): void {
    if (this.#over) return;
    const begun = this.#begun;
    this.#over = true;
    this.#stand();
    this.#place.ended(this, failed);
    begun?.();
  }

  #stand(): void {
    const { runs } = this.#means;
    clearTimeout(this.#timer);
    if (this.#playback !== null && runs.get(this.#playback) === this) runs.delete(this.#playback);
    this.#playback = null;
    this.#since = null;
  }
}
