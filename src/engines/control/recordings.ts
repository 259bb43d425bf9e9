/** The recordings that the media server writes: each is told of as started and as stopped once, whatever becomes of its call. */
import type { Log } from "../../log";
import { type EngineEvent, type OperationRef, type Outcome, type RecordingFile, Refused } from "../engine";
import type { MediaServer } from "./media_server";

export interface RecordingMeans {
  readonly server: MediaServer;
  readonly log: Log;
  /** Of one recording, in milliseconds. */
  readonly maxMs: number;
  /** Also after the end of the call. */
  emit(event: EngineEvent): void;
}

interface Recording {
  readonly session_uuid: string;
  /** Null: another process's. */
  readonly operation_id: string | null;
  /** It was told of as started. */
  started: boolean;
  /** How it ended, when that came first. */
  ended: { readonly failure: string | null } | null;
}

const notStarted: Outcome = { failure: "Recording could not be started" };

export class Recordings {
  readonly #means: RecordingMeans;
  /** Those that begin or run, by their id. */
  readonly #running = new Map<string, Recording>();

  constructor(means: RecordingMeans) {
    this.#means = means;
  }

  /**
   * @param alive is the call still there?
   * @throws Refused; then there is no recording, and none is told of
   */
  async start(
    session_uuid: string,
    { recording_id, path }: RecordingFile,
    { operation_id, command_uid }: OperationRef,
    alive: () => boolean,
  ): Promise<Outcome> {
    const { server, maxMs, emit } = this.#means;
    // A second one would end the first, of whose file somebody else is told.
    if (this.#of(session_uuid)) {
      await server.ping();
      return notStarted;
    }
    const recording: Recording = { session_uuid, operation_id, started: false, ended: null };
    this.#running.set(recording_id, recording);
    let taken = false;
    try {
      const { failure } = await server.record(session_uuid, recording_id, path, maxMs);
      if (failure !== null) return notStarted;
      if (!alive()) throw new Refused("gone");
      taken = this.#running.has(recording_id);
      if (!taken) {
        this.#end(session_uuid);
        throw new Refused("late");
      }
    } finally {
      if (!taken) this.#running.delete(recording_id);
    }
    recording.started = true;
    emit({ session_uuid, type: "recording.started", operation_id, command_uid, recording_id });
    if (recording.ended) this.recorded(recording_id, recording.ended.failure);
    return undefined;
  }

  /**
   * It ends; that its file is closed is told later. One that has just ended by itself is none the worse for it.
   * @throws Refused
   */
  stop(session_uuid: string): Promise<void> {
    return this.#means.server.stopRecording(session_uuid);
  }

  /** The file is closed. */
  recorded(recording_id: string, failure: string | null): void {
    const recording = this.#running.get(recording_id);
    if (!recording) return;
    if (!recording.started) {
      recording.ended = { failure };
      return;
    }
    this.#running.delete(recording_id);
    const { session_uuid } = recording;
    const told = failure === null ? null : "The file could not be written";
    this.#means.emit({ session_uuid, type: "recording.stopped", recording_id, failure: told });
  }

  /**
   * One that another process has begun, and told of. It ends here: its file is that process's to finish, or is finished
   * already as one that was left behind.
   */
  adopted(session_uuid: string, recording_id: string): void {
    this.#running.set(recording_id, { session_uuid, operation_id: null, started: true, ended: null });
    this.#end(session_uuid);
  }

  /** Another process has the calls from now on, and ends these. It does not have their files: what they hold is told here. */
  abandon(): void {
    this.lost();
    this.#running.clear();
  }

  /** What this operation began ends, and what it would begin as soon as it has; its outcome was told already. */
  cancel(operation_id: string): void {
    for (const [recording_id, recording] of this.#running) {
      if (recording.operation_id !== operation_id) continue;
      if (recording.started) this.#end(recording.session_uuid);
      else this.#running.delete(recording_id);
    }
  }

  /** The media server is gone, or only this call: the files end where they are. */
  lost(session_uuid?: string): void {
    for (const [recording_id, recording] of this.#running) {
      const named = session_uuid === undefined || recording.session_uuid === session_uuid;
      if (named && recording.started) this.recorded(recording_id, null);
    }
  }

  #end(session_uuid: string): void {
    const { server, log } = this.#means;
    server.stopRecording(session_uuid).catch((err) => log.warn({ session_uuid, err }, "recording could not be ended"));
  }

  #of(session_uuid: string): Recording | undefined {
    for (const recording of this.#running.values()) if (recording.session_uuid === session_uuid) return recording;
    return undefined;
  }
}
