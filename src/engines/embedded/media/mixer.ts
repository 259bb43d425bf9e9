/** What one call hears: what is played to it, over its room. And what becomes of what its caller says: the room and a recording get it. */
import { Deck } from "./deck";
import { JitterBuffer } from "./jitter";
import type { Report } from "./messages";
import type { Recording } from "./recording";
import type { Room, Seat } from "./room";
import type { Packet } from "./rtp";

export class Mixer {
  readonly deck: Deck;
  /** Only where somebody wants to hear the caller: other calls do without. */
  #voice: JitterBuffer | null = null;
  #place: { readonly room: Room; readonly seat: Seat } | null = null;
  #recording: Recording | null = null;
  readonly #heard: Int16Array;
  readonly #said: Int16Array;
  readonly #silence: Int16Array;

  /** `longest`: the most samples that are asked for at a time. */
  constructor(call: string, longest: number, report: (report: Report) => void) {
    this.deck = new Deck(call, report);
    this.#heard = new Int16Array(longest);
    this.#said = new Int16Array(longest);
    this.#silence = new Int16Array(longest);
  }

  /** Audio of the caller, payload type 0 or 8. */
  hear(datagram: Buffer, packet: Packet, payload: 0 | 8): void {
    this.#voice?.put(datagram, packet, payload);
  }

  /** The next `count` samples for the caller; they are valid until the next call. Null: silence. `audible`: does he hear them? */
  next(count: number, audible: boolean): Int16Array | null {
    const heard = this.#heard;
    const sounds = this.deck.take(heard, count);
    if (this.#voice === null) return sounds ? heard : null;
    if (!sounds) heard.fill(0, 0, count);
    if (this.#place !== null) this.#place.seat.read(heard, this.#said, count);
    else this.#voice.take(this.#said, 0, count);
    this.#keep(audible ? heard : this.#silence, count);
    return heard;
  }

  /** Time was skipped, as much as so many samples take. */
  skip(count: number): void {
    this.#voice?.reset();
    this.#place?.seat.resync();
    this.#recording?.skip(count);
  }

  enter(room: Room, muted: boolean): void {
    if (this.#place?.room === room) {
      this.mute(muted);
      return;
    }
    this.leave();
    this.#voice ??= new JitterBuffer();
    this.#place = { room, seat: room.take(this.#voice, muted, () => this.leave()) };
  }

  mute(muted: boolean): void {
    if (this.#place !== null) this.#place.seat.muted = muted;
  }

  leave(): void {
    this.#place?.room.leave(this.#place.seat);
    this.#place = null;
    this.#rest();
  }

  isIn(room: Room | undefined): boolean {
    return room !== undefined && this.#place?.room === room;
  }

  /** In place of the recording that runs. */
  record(recording: Recording): void {
    this.#recording?.end();
    this.#recording = recording;
    this.#voice ??= new JitterBuffer();
  }

  stopRecording(): void {
    this.#recording?.end();
    this.#recording = null;
    this.#rest();
  }

  close(): void {
    this.deck.close();
    this.leave();
    this.stopRecording();
  }

  #keep(heard: Int16Array, count: number): void {
    const recording = this.#recording;
    if (recording === null) return;
    recording.write(this.#said, heard, count);
    if (recording.over) this.stopRecording();
  }

  #rest(): void {
    if (this.#place === null && this.#recording === null) this.#voice = null;
  }
}
