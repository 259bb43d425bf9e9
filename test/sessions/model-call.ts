/** A call of the engine: what it tells is what the port lets it tell, and in that order. */
import {
  type EndedBy,
  type EngineEvent,
  type LeaveReason,
  type OperationRef,
  type Outcome,
  Refused,
} from "../../src/engines/engine";
import { nothingPlays, Playing, type Wish } from "./model-playing";
import type { ModelRoom } from "./model-room";

export type { Wish } from "./model-playing";

type Event = EngineEvent extends infer E ? (E extends unknown ? Omit<E, "session_uuid"> : never) : never;
type StopReason = Extract<EngineEvent, { readonly type: "playback.stopped" }>["reason"];

/** What a call needs of its engine. */
export interface Means {
  room(room_id: string): ModelRoom | null;
  recorded(recording_id: string): void;
  ended(): void;
}

interface Stay {
  readonly room: ModelRoom;
  readonly joined_by: string;
  muted: boolean;
  last: { readonly operation_id: string; readonly muted: boolean } | null;
}

export class ModelCall {
  /** Before, nothing happens to it but by command. */
  accepted = false;
  answered = false;
  /** Nothing but its end, and that of a recording, is told from now on. */
  away = false;
  over = false;
  readonly playing: Playing;
  collecting: OperationRef | null = null;
  /** About to collect. */
  prompting: OperationRef | null = null;
  recording: { readonly recording_id: string; readonly operation_id: string } | null = null;
  stay: Stay | null = null;
  #joining: { readonly room: ModelRoom; readonly operation_id: string } | null = null;
  readonly #means: Means;

  constructor(
    readonly session_uuid: string,
    readonly emit: (event: Event) => void,
    means: Means,
  ) {
    this.#means = means;
    const position = { offset_ms: 10, duration_ms: 20 };
    this.playing = new Playing({
      started: ({ operation_id, command_uid, urls }) =>
        emit({ type: "playback.started", operation_id, command_uid, urls, index: 0, offset_ms: 0 }),
      moved: ({ command_uid, index, offset_ms, paused }) =>
        emit({ type: "playback.moved", command_uid, index, offset_ms, paused }),
      stopped: (command_uid, reason) =>
        emit({ type: "playback.stopped", command_uid, ...position, reason: reason as StopReason }),
      missing: (command_uid, url, reason) => emit({ type: "playback.file_not_found", command_uid, url, reason }),
      failed: (operation_id, error) => emit({ type: "failed", operation_id, error }),
    });
  }

  /** It has taken the command. */
  take(command: string, wish: Wish): Outcome {
    const { body, operation_id } = wish;
    if (this.away) throw new Refused("gone");
    switch (command) {
      case "answer":
        return this.#later(wish, () => {
          this.answered = true;
          this.emit({ type: "answered", operation_id });
        });
      case "hangup":
        wish.confirms(() => this.hangup("app"));
        return undefined;
      case "disconnect":
        wish.confirms(() => (wish.fails ? this.hangup("media_server") : this.#handBack()));
        return undefined;
      case "startPlayback":
      case "playSilence":
        this.#interrupt();
        this.playing.begin(wish, (body.urls ?? []) as readonly string[], "replaced");
        return undefined;
      case "playAndGetDigits":
        return this.#collect(wish);
      case "stopPlayback":
        return this.playing.end("stopped", "Stopped before it began") ? undefined : nothingPlays;
      case "startRecording":
        return this.#record(wish);
      case "stopRecording":
        wish.confirms(() => this.stopRecording());
        return undefined;
      case "joinRoom":
        return this.#join(wish);
      case "leaveRoom":
        return this.#later(wish, () => this.#leave(operation_id));
      case "mute":
      case "unmute":
        return this.#later(wish, () => this.#mute(operation_id, command === "mute"));
      case "pausePlayback":
        return this.playing.move({ paused: true });
      case "resumePlayback":
        return this.playing.move({ paused: false });
      default:
        return this.playing.move({ offset_ms: 0 });
    }
  }

  cancel(operation_id: string): void {
    this.playing.cancel(operation_id);
    if (this.prompting?.operation_id === operation_id) this.prompting = null;
    if (this.collecting?.operation_id === operation_id) this.collected("unknown");
    if (this.recording?.operation_id === operation_id) this.stopRecording();
    if (this.#joining?.operation_id === operation_id) this.#notJoining();
    if (this.stay?.joined_by === operation_id) this.out("left");
    else if (this.stay?.last?.operation_id === operation_id) {
      this.stay.muted = this.stay.last.muted;
      this.stay.last = null;
    }
  }

  hangup(by: EndedBy, cause = "NORMAL_CLEARING", lost = false): void {
    if (this.over) return;
    this.over = true;
    this.#means.ended();
    this.stay?.room.members.delete(this);
    this.#joining?.room.joining.delete(this);
    const digits = this.collecting ? { digits: "1" } : {};
    const playback = this.playing.sounds ? { playback: { offset_ms: 1, duration_ms: 2 } } : {};
    this.playing.drop();
    const sip_status = this.answered ? null : 480;
    this.emit({ type: "hangup", cause, q850_cause: 16, sip_status, by, lost, ...playback, ...digits });
    this.stopRecording();
  }

  collected(status: "success" | "timeout" | "failure" | "unknown"): void {
    const { collecting } = this;
    this.collecting = null;
    if (!collecting || this.over) return;
    const { command_uid } = collecting;
    this.emit({ type: "digits.collected", command_uid, digits: "12", terminator: null, status });
  }

  stopRecording(): void {
    const { recording } = this;
    this.recording = null;
    if (!recording) return;
    const { recording_id } = recording;
    // The file is closed a little later.
    setTimeout(() => this.emit({ type: "recording.stopped", recording_id, failure: null }), 30);
  }

  out(reason: LeaveReason, operation_id: string | null = null): void {
    const { stay } = this;
    if (!stay || this.over) return;
    this.stay = null;
    stay.room.members.delete(this);
    const { room_id } = stay.room;
    if (!this.away) this.emit({ type: "room.left", operation_id, room_id, reason });
  }

  /** The room that it was about to join is closed. */
  roomEnded(room: ModelRoom): void {
    const joining = this.#joining;
    if (joining?.room !== room) return;
    this.#notJoining();
    this.#failed(joining.operation_id);
  }

  #failed(operation_id: string): void {
    this.emit({ type: "failed", operation_id, error: "Room ended" });
  }

  #later(wish: Wish, work: () => void): undefined {
    wish.confirms(() => {
      if (!this.over && !this.away) work();
    });
  }

  #handBack(): void {
    if (this.over || this.away) return;
    this.playing.drop();
    this.collecting = null;
    this.prompting = null;
    this.stay?.room.members.delete(this);
    this.stay = null;
    this.#notJoining();
    this.away = true;
    this.emit({ type: "handed_back" });
  }

  /** Nothing is collected any more. */
  #interrupt(): void {
    const { prompting } = this;
    this.prompting = null;
    if (prompting) {
      const { operation_id } = prompting;
      this.emit({ type: "failed", operation_id, error: "Stopped before it began" });
    }
    this.collected("unknown");
  }

  #collect(wish: Wish): undefined {
    const { operation_id, command_uid } = wish;
    this.#interrupt();
    this.playing.end("replaced", "Stopped before it began");
    const prompting = { operation_id, command_uid };
    this.prompting = prompting;
    return this.#later(wish, () => {
      if (this.prompting !== prompting) return;
      this.prompting = null;
      this.collecting = prompting;
      this.emit({ type: "digits.started", ...prompting });
    });
  }

  #record({ operation_id, command_uid, body, fails }: Wish): Outcome {
    if (fails || this.recording || this.away) return { failure: "Recording could not be started" };
    const { recording_id } = body.file as { readonly recording_id: string };
    this.recording = { recording_id, operation_id };
    this.#means.recorded(recording_id);
    this.emit({ type: "recording.started", operation_id, command_uid, recording_id });
    return undefined;
  }

  #join(wish: Wish): undefined {
    const { operation_id, body } = wish;
    const room_id = String(body.room_id);
    const muted = body.muted === true;
    const room = this.#means.room(room_id);
    if (this.stay?.room === room && room) {
      const confirmed = this.stay.muted;
      this.emit({ type: "room.joined", operation_id, room_id, muted: confirmed });
      return;
    }
    this.#interrupt();
    this.playing.end("replaced", "Stopped before it began");
    if (!room) {
      this.#failed(operation_id);
      return;
    }
    if (this.#joining) this.roomEnded(this.#joining.room);
    const joining = { room, operation_id };
    this.#joining = joining;
    room.joining.add(this);
    return this.#later(wish, () => {
      if (this.#joining !== joining) return;
      this.#notJoining();
      this.out("left");
      this.stay = { room, joined_by: operation_id, muted, last: null };
      room.members.add(this);
      this.emit({ type: "room.joined", operation_id, room_id, muted });
    });
  }

  #notJoining(): void {
    this.#joining?.room.joining.delete(this);
    this.#joining = null;
  }

  #leave(operation_id: string): void {
    if (this.stay) this.out("left", operation_id);
    else this.#failed(operation_id);
  }

  #mute(operation_id: string, muted: boolean): void {
    const { stay } = this;
    if (!stay) {
      this.#failed(operation_id);
      return;
    }
    stay.last = { operation_id, muted: stay.muted };
    stay.muted = muted;
    const { room_id } = stay.room;
    this.emit({ type: "room.muted", operation_id, room_id, muted });
  }
}
