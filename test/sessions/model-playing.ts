/** What sounds on a call or in a room of the engine: one thing at a time, be it begun or about to begin. */
import type { CommandFailure, MediaFailure, OperationRef, Outcome } from "../../src/engines/engine";

/** A command that the engine has taken. */
export interface Wish extends OperationRef {
  readonly body: Readonly<Record<string, unknown>>;
  readonly fails: boolean;
  /** Does this once it confirms, unless the command is given up before, or at once, or never. */
  confirms(work: () => void): void;
}

/** What it tells; the names differ for calls and rooms. */
export interface Teller {
  started(play: Play): void;
  moved(play: Play): void;
  stopped(command_uid: string, reason: string): void;
  missing(command_uid: string, url: string, reason: MediaFailure): void;
  failed(operation_id: string, error: CommandFailure): void;
}

export interface Play extends OperationRef {
  readonly urls: readonly string[];
  index: number;
  offset_ms: number;
  paused: boolean;
}

export const nothingPlays: Outcome = { failure: "No active playback" };

export class Playing {
  readonly #teller: Teller;
  #sounds: Play | null = null;
  #next: OperationRef | null = null;

  constructor(teller: Teller) {
    this.#teller = teller;
  }

  get sounds(): Play | null {
    return this.#sounds;
  }

  /** Stops what there is, and begins once it is confirmed, if nothing else came. */
  begin(wish: Wish, urls: readonly string[], ended: string): void {
    this.end(ended, "Stopped before it began");
    const { operation_id, command_uid, fails } = wish;
    const next = { operation_id, command_uid };
    this.#next = next;
    wish.confirms(() => {
      if (this.#next !== next) return;
      this.#next = null;
      if (fails) {
        for (const url of urls) this.#teller.missing(command_uid, url, "not_found");
        this.#teller.failed(operation_id, "No file could be played");
        return;
      }
      this.#sounds = { ...next, urls, index: 0, offset_ms: 0, paused: false };
      this.#teller.started(this.#sounds);
    });
  }

  /** @returns was there anything? */
  end(reason: string, unbegun: CommandFailure): boolean {
    const [sounds, next] = [this.#sounds, this.#next];
    this.#sounds = null;
    this.#next = null;
    if (next) this.#teller.failed(next.operation_id, unbegun);
    if (sounds) this.#teller.stopped(sounds.command_uid, reason);
    return sounds !== null || next !== null;
  }

  move(changes: Partial<Pick<Play, "index" | "offset_ms" | "paused">>): Outcome {
    if (!this.#sounds) return nothingPlays;
    Object.assign(this.#sounds, changes);
    this.#teller.moved(this.#sounds);
    return undefined;
  }

  cancel(operation_id: string): void {
    if (this.#next?.operation_id === operation_id) this.#next = null;
    if (this.#sounds?.operation_id === operation_id) this.end("stopped", "Stopped before it began");
  }

  /** It ends, and nobody is told. */
  drop(): void {
    this.#sounds = null;
    this.#next = null;
  }
}
