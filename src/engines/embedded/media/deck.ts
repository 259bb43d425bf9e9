/** What is played to one call or one room: one sound at a time, that can be paused, taken elsewhere, made louder and stopped. */
import type { Position, Sound } from "../../control/media_server";
import type { Report } from "./messages";
import { FilePlayer, type Player, SilencePlayer } from "./player";

/** A step of volume is 3 dB. */
const decibelsPerStep = 3;
/** Gains are whole numbers of this many parts. */
const unity = 4096;

interface Playing {
  readonly play: number;
  readonly player: Player;
  paused: boolean;
  gain: number;
}

export class Deck {
  #playing: Playing | null = null;
  readonly #target: string;
  readonly #report: (report: Report) => void;

  /** `target`: the name under which the ends of plays are told. */
  constructor(target: string, report: (report: Report) => void) {
    this.#target = target;
    this.#report = report;
  }

  get idle(): boolean {
    return this.#playing === null;
  }

  play(play: number, sound: Sound, from_ms: number, paused: boolean, volume: number): void {
    this.close();
    const player =
      "path" in sound
        ? new FilePlayer(sound, from_ms, (reason) => {
            if (this.#playing?.player === player) this.#playing = null;
            this.#report({ tell: "play_failed", target: this.#target, play, reason });
          })
        : new SilencePlayer(sound.silence_ms, from_ms);
    this.#playing = { play, player, paused, gain: gain(volume) };
  }

  pause(paused: boolean): Position | null {
    if (this.#playing !== null) this.#playing.paused = paused;
    return this.#position();
  }

  seek(offset_ms: number): Position | null {
    this.#playing?.player.seek(offset_ms);
    return this.#position();
  }

  volume(volume: number): Position | null {
    if (this.#playing !== null) this.#playing.gain = gain(volume);
    return this.#position();
  }

  /** `only`: nothing but this play. */
  stop(only: number | null): Position | null {
    if (only !== null && this.#playing?.play !== only) return null;
    const position = this.#position();
    this.close();
    return position;
  }

  close(): void {
    this.#playing?.player.close();
    this.#playing = null;
  }

  /** Copies what sounds next to the beginning of `target`, silence included, and tells the end. False: nothing sounds, and `target` is as it was. */
  take(target: Int16Array, count: number): boolean {
    const playing = this.#playing;
    if (playing === null) return false;
    const { player } = playing;
    const taken = playing.paused ? 0 : player.take(target, count);
    if (playing.gain !== unity) amplify(target, taken, playing.gain);
    if (player.done) {
      const position = this.#position();
      this.close();
      if (position !== null) this.#report({ tell: "played", target: this.#target, ...position });
    }
    if (taken === 0) return false;
    target.fill(0, taken, count);
    return true;
  }

  #position(): Position | null {
    const playing = this.#playing;
    return playing && { play: playing.play, offset_ms: playing.player.offset_ms };
  }
}

function gain(volume: number): number {
  return Math.round(unity * 10 ** ((volume * decibelsPerStep) / 20));
}

function amplify(samples: Int16Array, count: number, gain: number): void {
  for (let at = 0; at < count; at++) {
    const sample = Math.round(((samples[at] ?? 0) * gain) / unity);
    samples[at] = sample > 0x7fff ? 0x7fff : sample < -0x8000 ? -0x8000 : sample;
  }
}
