/** One file that the media server was given to play, once: where it is, and when it has ended. */
import type { Track } from "./playlist";

export class Sounding {
  /** It turned out that the media server could not read it; that may be told before it says that it took the file. */
  unreadable = false;
  /** Resolves when it has ended. */
  readonly over: Promise<void>;
  #end: () => void = () => undefined;
  /** Where in the file it begins. */
  readonly from_ms: number;
  /** Where it was at which monotonic millisecond; null: it has not begun to sound. */
  #mark: { readonly offset_ms: number; readonly at: number } | null = null;
  /** Where it ended; null while it sounds. */
  #ended_ms: number | null = null;

  /**
   * @param play its name for the media server
   * @param from_ms where in the file it begins
   */
  constructor(
    readonly play: number,
    readonly track: Track,
    from_ms: number,
    public paused: boolean,
  ) {
    this.from_ms = Math.min(from_ms, track.length_ms);
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get ended(): boolean {
    return this.#ended_ms !== null;
  }

  /** Where it is, in milliseconds: known where it ended or is paused, else by the time that has passed. */
  get offset_ms(): number {
    if (this.#ended_ms !== null) return this.#ended_ms;
    if (this.#mark === null) return this.from_ms;
    const { offset_ms, at } = this.#mark;
    const passed_ms = this.paused ? 0 : Math.floor(performance.now() - at);
    return Math.min(this.track.length_ms, offset_ms + passed_ms);
  }

  /** The media server has taken it, and may have said already where it is. */
  begun(): void {
    if (this.#mark === null) this.at(this.from_ms);
  }

  /** The media server says that it is here. */
  at(offset_ms: number): void {
    this.#mark = { offset_ms, at: performance.now() };
  }

  /** From here on its time runs, or stands still. */
  pause(paused: boolean): void {
    if (this.#mark !== null) this.at(this.offset_ms);
    this.paused = paused;
  }

  /** It ended here. Once; what comes later says nothing new. */
  end(offset_ms: number): void {
    this.#ended_ms ??= offset_ms;
    this.#end();
  }

  /** Nobody is to wait for it any more; where it is stays an estimate. */
  leave(): void {
    this.#end();
  }
}
