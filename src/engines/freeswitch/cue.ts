/** What was given to play to one call or room, and where in it it is. */
import type { Sound } from "../control/media_server";

export class Cue {
  readonly length_ms: number;
  /** Its name over there; null while it does not sound there. */
  tag: string | null = null;
  /** Where it was begun, moved to or halted. */
  offset_ms: number;
  /** Monotonic milliseconds since which its time runs; null while it stands still. */
  #since: number | null = null;

  constructor(
    readonly play: number,
    readonly sound: Sound,
    from_ms: number,
    public volume: number,
  ) {
    this.length_ms = "samples" in sound ? Math.floor(sound.samples / 8) : sound.silence_ms;
    this.offset_ms = Math.min(from_ms, this.length_ms);
  }

  get runs(): boolean {
    return this.#since !== null;
  }

  /** Where it is now, in milliseconds: by the time that has passed. */
  get at(): number {
    if (this.#since === null) return this.offset_ms;
    return Math.min(this.length_ms, Math.floor(this.offset_ms + performance.now() - this.#since));
  }

  run(): void {
    this.#since = performance.now();
  }

  /** @param offset_ms where, if that is known better than by the time */
  halt(offset_ms: number | null): void {
    this.offset_ms = Math.min(offset_ms ?? this.at, this.length_ms);
    this.#since = null;
  }

  /** Where in it FreeSWITCH says that it is: of silence that counts from where it was begun. */
  place(offset_ms: number | null): number | null {
    if (offset_ms === null || "samples" in this.sound) return offset_ms;
    return this.offset_ms + offset_ms;
  }
}
