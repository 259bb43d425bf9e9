/**
 * What a call hears, and what is collected from it: one playback or one collection of digits at a time. The last
 * command wins; what it replaces ends before it begins.
 */
import type { Body } from "../../contract";
import { Collection, type Prompt, type PromptListener } from "../digits";
import {
  type CommandFailure,
  type EngineEvent,
  type OperationRef,
  type Outcome,
  type PlaybackStopReason,
  Refused,
} from "../engine";
import { Playback, type PlaybackMeans } from "./playback";

/** What an engine tells of one call. */
export type CallEvent = EngineEvent extends infer E ? (E extends unknown ? Omit<E, "session_uuid"> : never) : never;

export interface AudioCall {
  emit(event: CallEvent): void;
  /** Something is about to sound: before the answer, that is early media. */
  opening(): void;
}

interface PlaybackActivity {
  readonly kind: "playback";
  readonly operation: OperationRef;
  readonly playback: Playback;
  started: boolean;
}
interface CollectionActivity {
  readonly kind: "collection";
  readonly operation: OperationRef;
  readonly collection: Collection;
}

/** What was going on when a call ended, for its `hangup`. */
export type Unfinished = Pick<Extract<EngineEvent, { type: "hangup" }>, "playback" | "digits">;

export class Audio {
  readonly #means: PlaybackMeans;
  readonly #call: AudioCall;
  #activity: PlaybackActivity | CollectionActivity | null = null;
  /** The playback of the activity that sounds or is fetched: the list itself, or a prompt. */
  #playback: Playback | null = null;
  /** Commands that wait to begin, by operation: taken out, they never do. */
  readonly #waiting = new Set<string>();
  /** One command after the other: each finds what the one before has left. */
  #line: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(means: PlaybackMeans, call: AudioCall) {
    this.#means = means;
    this.#call = call;
  }

  startPlayback(body: Body<"startPlayback">, operation: OperationRef): Promise<void> {
    return this.#replace(operation, () => {
      const { urls, offset_sec } = body;
      const { command_uid, operation_id } = operation;
      const offset_ms = (offset_sec ?? 0) * 1000;
      const playback = new Playback(this.#means, urls, offset_ms, {
        opening: () => this.#call.opening(),
        started: (index) => {
          activity.started = true;
          this.#call.emit({ type: "playback.started", operation_id, command_uid, urls, index, offset_ms });
        },
        advanced: (index) => this.#call.emit({ type: "playback.advanced", command_uid, index }),
        missing: (url, reason) => this.#call.emit({ type: "playback.file_not_found", command_uid, url, reason }),
        ended: (failure) => {
          this.#activity = null;
          if (activity.started) this.#tellStopped(activity, failure === null ? "completed" : "stopped");
          else this.#tellFailed(operation, failure ?? "No file could be played");
        },
      });
      const activity: PlaybackActivity = { kind: "playback", operation, playback, started: false };
      this.#activity = activity;
      this.#playback = playback;
      playback.start();
    });
  }

  /**
   * Prompts of a collection are no playback of their own: there is nothing to stop then.
   * @throws Refused when the media process did not take the command, also when there was nothing to stop
   */
  stopPlayback(): Promise<Outcome> {
    return this.#inLine(async () => {
      if (this.#activity?.kind !== "playback") {
        await this.#means.link.ping();
        if (this.#ended) throw new Refused("gone");
        return { failure: "No active playback" };
      }
      await this.#silence("stopped");
      return undefined;
    });
  }

  playAndGetDigits(body: Body<"playAndGetDigits">, operation: OperationRef): Promise<void> {
    const { command_uid, operation_id } = operation;
    const over = () => {
      this.#activity = null;
    };
    // Before anything is stopped for it, so that an expression that RE2 refuses stops nothing.
    const collection = new Collection(body, (urls, listener) => this.#prompt(operation, urls, listener), {
      started: () => this.#call.emit({ type: "digits.started", operation_id, command_uid }),
      collected: (result) => {
        over();
        this.#call.emit({ type: "digits.collected", command_uid, ...result });
      },
      failed: (error) => {
        over();
        this.#tellFailed(operation, error);
      },
    });
    return this.#replace(operation, () => {
      this.#activity = { kind: "collection", operation, collection };
      collection.start();
    });
  }

  /** A key of the caller, after it was told. */
  key(key: string): void {
    if (this.#activity?.kind === "collection") this.#activity.collection.key(key);
  }

  played(play: number, offset_ms: number): void {
    this.#playback?.played(play, offset_ms);
  }

  playFailed(play: number): void {
    this.#playback?.unreadable(play);
  }

  /** What this operation began, or would begin, ends; its outcome was told already. */
  cancel(operation_id: string): void {
    this.#waiting.delete(operation_id);
    const activity = this.#activity;
    if (activity?.operation.operation_id !== operation_id) return;
    this.#activity = null;
    this.#playback?.halt();
    if (activity.kind === "collection") activity.collection.interrupt();
    else if (activity.started) this.#tellStopped(activity, "stopped");
  }

  /** The call is over, and its media will be closed: nothing is told from now on. */
  end(): Unfinished {
    const activity = this.#activity;
    const unfinished =
      activity?.kind === "playback"
        ? activity.started
          ? { playback: activity.playback.position() }
          : {}
        : activity?.collection.begun
          ? { digits: activity.collection.digits }
          : {};
    this.#ended = true;
    this.#activity = null;
    this.#playback?.abandon();
    if (activity?.kind === "collection") activity.collection.end();
    return unfinished;
  }

  #prompt(operation: OperationRef, urls: readonly string[], listener: PromptListener): Prompt {
    const { command_uid } = operation;
    const playback = new Playback(this.#means, urls, 0, {
      opening: () => this.#call.opening(),
      started: () => listener.started(),
      advanced: () => undefined,
      missing: (url, reason) => this.#call.emit({ type: "playback.file_not_found", command_uid, url, reason }),
      ended: (failure) => listener.ended(failure),
    });
    this.#playback = playback;
    playback.start();
    return { stop: () => playback.halt() };
  }

  /** @throws Refused when the media process did not take the command; what was going on is over all the same */
  #replace(operation: OperationRef, begin: () => void): Promise<void> {
    const { operation_id } = operation;
    this.#waiting.add(operation_id);
    return this.#inLine(async () => {
      try {
        await this.#silence("replaced");
        if (this.#ended) throw new Refused("gone");
        if (this.#waiting.has(operation_id)) begin();
      } finally {
        this.#waiting.delete(operation_id);
      }
    });
  }

  /** Ends what is going on, and asks the media process in any case: a command that it cannot take must not be taken. */
  async #silence(reason: PlaybackStopReason): Promise<void> {
    const activity = this.#activity;
    if (activity?.kind === "collection") activity.collection.interrupt();
    try {
      if (this.#playback) await this.#playback.stop();
      else await this.#means.link.ping();
    } finally {
      // Only now: the media process has said where it stopped. The call, or a cancel, may have ended it meanwhile.
      if (activity?.kind === "playback" && this.#activity === activity) {
        this.#activity = null;
        if (activity.started) this.#tellStopped(activity, reason);
        else this.#tellFailed(activity.operation, "Stopped before it began");
      }
    }
  }

  #tellStopped({ operation, playback }: PlaybackActivity, reason: PlaybackStopReason): void {
    const { command_uid } = operation;
    this.#call.emit({ type: "playback.stopped", command_uid, ...playback.position(), reason });
  }

  #tellFailed({ operation_id }: OperationRef, error: CommandFailure): void {
    this.#call.emit({ type: "failed", operation_id, error });
  }

  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work);
    const next = () => undefined;
    // Whoever gave the command hears of its failure; the next one in line only waits for its end.
    this.#line = done.then(next, next);
    return done;
  }
}
