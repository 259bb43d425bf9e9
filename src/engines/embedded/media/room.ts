/**
 * A conference: mix-minus. Once in 20 ms the room adds up what all members say and what it plays; each member hears the sum
 * without his own part. Members have rhythms of their own (another ptime, another beat of the frame), so the last sums and
 * parts lie in rings, and each member reads as many samples as he needs, where he is.
 */
import { beatMs } from "./clock";
import { Deck } from "./deck";
import type { JitterBuffer } from "./jitter";
import type { Report } from "./messages";
import { samplesPerMs } from "./rtp";

const frameMs = 20;
const frameSamples = frameMs * samplesPerMs;
const frameBeats = frameMs / beatMs;
/** Three for the longest packet, and what its rhythm and the room's can be apart. */
const ringFrames = 8;
const ringSamples = ringFrames * frameSamples;
/** Who reads other than in whole frames finds now a frame more, now one less: he is behind by the most that they can differ. */
const wobbleSamples = frameSamples - beatMs * samplesPerMs;

export class Room {
  readonly deck: Deck;
  /** The sums, without limits: only what a member hears has 16 bits. */
  readonly total = new Int32Array(ringSamples);
  /** Samples since the room was opened. */
  mixed = 0;
  readonly #seats = new Set<Seat>();
  readonly #playback = new Int16Array(frameSamples);
  readonly #phase: number;

  /** `phase`: the first beat of the clock that is the room's. */
  constructor(name: string, phase: number, report: (report: Report) => void) {
    this.deck = new Deck(name, report);
    this.#phase = phase;
  }

  get unused(): boolean {
    return this.#seats.size === 0 && this.deck.idle;
  }

  /** `closed` is called when the room is closed; `voice` is heard, and read by the room alone, until the seat is left. */
  take(voice: JitterBuffer, muted: boolean, closed: () => void): Seat {
    const seat = new Seat(this, voice, muted, closed);
    this.#seats.add(seat);
    return seat;
  }

  leave(seat: Seat): void {
    this.#seats.delete(seat);
  }

  beat(number: number): void {
    if (number < this.#phase || (number - this.#phase) % frameBeats !== 0) return;
    const at = this.mixed % ringSamples;
    this.total.fill(0, at, at + frameSamples);
    for (const seat of this.#seats) seat.speak(this.total, at);
    if (this.deck.take(this.#playback, frameSamples)) add(this.total, at, this.#playback, 0);
    this.mixed += frameSamples;
  }

  close(): void {
    this.deck.close();
    for (const seat of this.#seats) seat.closed();
  }
}

/** A member's place in a room. */
export class Seat {
  muted: boolean;
  readonly closed: () => void;
  readonly #room: Room;
  readonly #voice: JitterBuffer;
  /** What the member said, under the same places as the room's sums. */
  readonly #own = new Int16Array(ringSamples);
  /** 1 where his part is in the sum. */
  readonly #inSum = new Uint8Array(ringFrames);
  /** The next sample that he hears, counted as `Room.mixed`. Null: to be found. */
  #next: number | null = null;
  /** Before this he was not here: he may have been, in another seat, and would hear himself. */
  readonly #since: number;

  constructor(room: Room, voice: JitterBuffer, muted: boolean, closed: () => void) {
    this.#room = room;
    this.#voice = voice;
    this.#since = room.mixed;
    this.muted = muted;
    this.closed = closed;
  }

  /** The room's beat: the member's next frame, and his part of the sum. */
  speak(total: Int32Array, at: number): void {
    const sounds = this.#voice.take(this.#own, at, frameSamples);
    const heard = sounds && !this.muted;
    this.#inSum[at / frameSamples] = heard ? 1 : 0;
    if (heard) add(total, at, this.#own, at);
  }

  /** Adds the next samples of the others to `heard`, and writes what the member said meanwhile into `said`. */
  read(heard: Int16Array, said: Int16Array, count: number): void {
    let next = this.#next ?? 0;
    const ready = this.#room.mixed - next;
    // Also when time was skipped, the member's or the room's.
    if (this.#next === null || ready < count || ready > count + 2 * frameSamples) {
      next = this.#room.mixed - count - (count % frameSamples === 0 ? 0 : wobbleSamples);
    }
    this.#next = next + count;
    let done = 0;
    if (next < this.#since) {
      done = Math.min(count, this.#since - next);
      said.fill(0, 0, done);
    }
    while (done < count) {
      const place = (next + done) % ringSamples;
      const frame = Math.floor(place / frameSamples);
      const part = Math.min(count - done, (frame + 1) * frameSamples - place);
      this.#hear(heard, said, done, place, part, this.#inSum[frame] === 1);
      done += part;
    }
  }

  /** Time was skipped. */
  resync(): void {
    this.#next = null;
  }

  #hear(heard: Int16Array, said: Int16Array, done: number, place: number, part: number, minus: boolean): void {
    const { total } = this.#room;
    const own = this.#own;
    for (let at = 0; at < part; at++) {
      const mine = own[place + at] ?? 0;
      said[done + at] = mine;
      const sum = (heard[done + at] ?? 0) + (total[place + at] ?? 0) - (minus ? mine : 0);
      heard[done + at] = sum > 0x7fff ? 0x7fff : sum < -0x8000 ? -0x8000 : sum;
    }
  }
}

function add(total: Int32Array, at: number, samples: Int16Array, from: number): void {
  for (let index = 0; index < frameSamples; index++) {
    total[at + index] = (total[at + index] ?? 0) + (samples[from + index] ?? 0);
  }
}
