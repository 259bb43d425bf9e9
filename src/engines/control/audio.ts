/**
 * What a call hears of its own, and what is collected from it: one playback or one collection of digits at a time. The
 * last command wins; what it replaces ends before it begins.
 */
import type { Body } from "../../contract";
import { Collection, type Prompt, type PromptListener } from "../digits";
import type { CommandFailure, EngineEvent, OperationRef, Outcome, PlaybackStopReason } from "../engine";
import { type Place, Playback, type PlaybackMeans } from "./playback";
import type { Programme } from "./playlist";
import type { Turns } from "./turns";

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
}
interface CollectionActivity {
  readonly kind: "collection";
  readonly operation: OperationRef;
  readonly collection: Collection;
}

/** What was going on when a call ended, for its `hangup`. */
export type Unfinished = Pick<Extract<EngineEvent, { type: "hangup" }>, "playback" | "digits">;

const nothingPlays: Outcome = { failure: "No active playback" };

export class Audio {
  readonly #means: PlaybackMeans;
  readonly #turns: Turns;
  readonly #call: AudioCall;
  #activity: PlaybackActivity | CollectionActivity | null = null;
  /** The playback of the activity that sounds or is fetched: the list itself, or a prompt. */
  #playback: Playback | null = null;

  constructor(means: PlaybackMeans, turns: Turns, call: AudioCall) {
    this.#means = means;
    this.#turns = turns;
    this.#call = call;
  }

  startPlayback({ urls, offset_sec }: Body<"startPlayback">, operation: OperationRef): Promise<void> {
    return this.#replace(operation, () =>
      this.#play(urls, { what: { urls }, from_ms: (offset_sec ?? 0) * 1000 }, operation),
    );
  }

  playSilence({ duration_ms }: Body<"playSilence">, operation: OperationRef): Promise<void> {
    return this.#replace(operation, () => this.#play([], { what: { silence_ms: duration_ms } }, operation));
  }

  /**
   * Prompts of a collection are no playback of their own: there is nothing to stop then.
   * @throws Refused when the media server did not take the command, also when there was nothing to stop
   */
  stopPlayback(): Promise<Outcome> {
    return this.#turns.take(async () => {
      const plays = this.#activity?.kind === "playback";
      if (plays) await this.silence("stopped");
      else await this.#means.server.ping();
      this.#turns.check();
      return plays ? undefined : nothingPlays;
    });
  }

  pausePlayback(paused: boolean): Promise<Outcome> {
    return this.#control((playback) => playback.pause(paused));
  }

  seekPlayback(offset_ms: number): Promise<Outcome> {
    return this.#control((playback) => playback.seek(offset_ms));
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

  /**
   * Ends what is going on, and asks the media server in any case: a command that it cannot take must not be taken. Only
   * for commands whose turn it is.
   * @throws Refused when it does not answer; what was going on is over all the same
   */
  async silence(reason: PlaybackStopReason): Promise<void> {
    const activity = this.#activity;
    if (activity?.kind === "collection") activity.collection.interrupt();
    try {
      if (this.#playback) await this.#playback.stop();
      else await this.#means.server.ping();
    } finally {
      // Only now: the media server has said where it stopped. The call, or a cancel, may have ended it meanwhile.
      if (activity?.kind === "playback" && this.#activity === activity) {
        this.#activity = null;
        if (activity.playback.started) this.#tellStopped(activity, reason);
        else this.#tellFailed(activity.operation, "Stopped before it began");
      }
    }
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

  /** What this operation began ends; its outcome was told already. */
  cancel(operation_id: string): void {
    const activity = this.#activity;
    if (activity?.operation.operation_id !== operation_id) return;
    this.#activity = null;
    this.#playback?.halt();
    if (activity.kind === "collection") activity.collection.interrupt();
    else if (activity.playback.started) this.#tellStopped(activity, "stopped");
  }

  /** The call is over, and its media will be closed: nothing is told from now on. */
  end(): Unfinished {
    const activity = this.#activity;
    const unfinished = activity === null ? {} : unfinishedOf(activity);
    this.#activity = null;
    this.#playback?.abandon();
    if (activity?.kind === "collection") activity.collection.end();
    return unfinished;
  }

  #play(urls: readonly string[], programme: Programme, operation: OperationRef): void {
    const { command_uid, operation_id } = operation;
    const playback = new Playback(this.#means, programme, {
      opening: () => this.#call.opening(),
      started: (index) => {
        const offset_ms = programme.from_ms ?? 0;
        this.#call.emit({ type: "playback.started", operation_id, command_uid, urls, index, offset_ms });
      },
      advanced: () => this.#tellMoved(operation, playback.place()),
      moved: (place) => this.#tellMoved(operation, place),
      missing: (url, reason) => this.#call.emit({ type: "playback.file_not_found", command_uid, url, reason }),
      ended: (failure) => {
        this.#activity = null;
        if (playback.started) this.#tellStopped(activity, failure === null ? "completed" : "stopped");
        else this.#tellFailed(operation, failure ?? "No file could be played");
      },
    });
    const activity: PlaybackActivity = { kind: "playback", operation, playback };
    this.#activity = activity;
    this.#playback = playback;
    playback.start();
  }

  #prompt(operation: OperationRef, urls: readonly string[], listener: PromptListener): Prompt {
    const { command_uid } = operation;
    const playback = new Playback(
      this.#means,
      { what: { urls } },
      {
        opening: () => this.#call.opening(),
        started: () => listener.started(),
        advanced: () => undefined,
        moved: () => undefined,
        missing: (url, reason) => this.#call.emit({ type: "playback.file_not_found", command_uid, url, reason }),
        ended: (failure) => listener.ended(failure),
      },
    );
    this.#playback = playback;
    playback.start();
    return { stop: () => playback.halt() };
  }

  /** For a playback that sounds: not while its files are fetched, and not for prompts. */
  #control(act: (playback: Playback) => Promise<boolean>): Promise<Outcome> {
    return this.#turns.take(async () => {
      const activity = this.#activity;
      const plays = activity?.kind === "playback" && activity.playback.started;
      const done = plays && (await act(activity.playback));
      if (!plays) await this.#means.server.ping();
      this.#turns.check();
      return done ? undefined : nothingPlays;
    });
  }

  /** @throws Refused when the media server did not take the command; what was going on is over all the same */
  #replace({ operation_id }: OperationRef, begin: () => void): Promise<void> {
    return this.#turns.defer(operation_id, async (wanted) => {
      await this.silence("replaced");
      this.#turns.check();
      if (wanted()) begin();
    });
  }

  #tellMoved({ command_uid }: OperationRef, { index, offset_ms, paused }: Place): void {
    this.#call.emit({ type: "playback.moved", command_uid, index, offset_ms, paused });
  }

  #tellStopped({ operation, playback }: PlaybackActivity, reason: PlaybackStopReason): void {
    const { command_uid } = operation;
    this.#call.emit({ type: "playback.stopped", command_uid, ...playback.position(), reason });
  }

  #tellFailed({ operation_id }: OperationRef, error: CommandFailure): void {
    this.#call.emit({ type: "failed", operation_id, error });
  }
}

function unfinishedOf(activity: PlaybackActivity | CollectionActivity): Unfinished {
  if (activity.kind === "playback") return activity.playback.started ? { playback: activity.playback.position() } : {};
  return activity.collection.begun ? { digits: activity.collection.digits } : {};
}
