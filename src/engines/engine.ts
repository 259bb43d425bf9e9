/**
 * The engine port: what a media server must do for the gateway, in the gateway's words. Each engine is a folder that
 * turns its own dialect into this, and nothing of the dialect passes it.
 */
import type { Body, CommandFailureCodes, CommandId, RoomCommandId } from "../contract";

/** Who ended a call. */
export type EndedBy = "caller" | "app" | "gateway" | "media_server";

/** Why a media server did not take a command. `gone`: it does not know the call any more. */
export type Refusal = "gone" | "unreachable" | "late" | "unsupported";

/** Thrown by an engine command that was not taken. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal);
    this.name = "Refused";
  }
}

/** Texts of `command.result` when the media server took a command and could not do it. */
export type CommandFailure = keyof CommandFailureCodes;

/** Why a file could not be played. */
export type MediaFailure =
  | "not_found"
  | "forbidden_address"
  | "timeout"
  | "too_large"
  | "unsupported_format"
  | "unreachable";

export type PlaybackStopReason = "completed" | "stopped" | "replaced" | "hangup";
export type RoomStopReason = "completed" | "stopped" | "replaced" | "destroyed";
/** Why a call is not in its room any more: it left, the room was closed, or the media server lost the one or the other. */
export type LeaveReason = "left" | "removed" | "orphan";
export type DigitsStatus = "success" | "timeout" | "failure" | "unknown";

/** The operation under which a command was admitted. */
export interface OperationRef {
  readonly operation_id: string;
  readonly command_uid: string;
}

/** What an engine tells. In order per session; `session_uuid` names the call. */
export type EngineEvent = { readonly session_uuid: string } & (
  | { readonly type: "early" }
  /** Also for an `answer` on a call that is answered already: then it only confirms the operation. */
  | { readonly type: "answered"; readonly operation_id: string | null }
  | { readonly type: "dtmf"; readonly digit: string; readonly duration_ms: number }
  | {
      readonly type: "playback.started";
      readonly operation_id: string;
      readonly command_uid: string;
      readonly urls: readonly string[];
      readonly index: number;
      readonly offset_ms: number;
    }
  /** The next file of a list sounds, or it was paused, resumed, or taken elsewhere: where it is from now on. */
  | {
      readonly type: "playback.moved";
      readonly command_uid: string;
      readonly index: number;
      readonly offset_ms: number;
      readonly paused: boolean;
    }
  | {
      readonly type: "playback.stopped";
      readonly command_uid: string;
      readonly offset_ms: number;
      readonly duration_ms: number;
      readonly reason: PlaybackStopReason;
    }
  | {
      readonly type: "playback.file_not_found";
      readonly command_uid: string;
      readonly url: string;
      readonly reason: MediaFailure;
    }
  /** Collecting began: the first prompt sounds. */
  | { readonly type: "digits.started"; readonly operation_id: string; readonly command_uid: string }
  | {
      readonly type: "digits.collected";
      readonly command_uid: string;
      readonly digits: string;
      readonly terminator: string | null;
      readonly status: DigitsStatus;
    }
  /** Also for a join of the room that the call is in: then it only confirms the operation. */
  | {
      readonly type: "room.joined";
      readonly operation_id: string;
      readonly room_id: string;
      readonly muted: boolean;
    }
  /** Before the call's `hangup` only when the call goes on, or was lost. */
  | {
      readonly type: "room.left";
      /** Of the command that caused it. */
      readonly operation_id: string | null;
      readonly room_id: string;
      readonly reason: LeaveReason;
    }
  | { readonly type: "room.muted"; readonly operation_id: string; readonly room_id: string; readonly muted: boolean }
  | {
      readonly type: "recording.started";
      readonly operation_id: string;
      readonly command_uid: string;
      readonly recording_id: string;
    }
  /**
   * The file is closed: by command, at its longest, by the end of the call, or because it could not be written. Exactly
   * once for each `recording.started`, also after the call's `hangup`.
   */
  | {
      readonly type: "recording.stopped";
      readonly recording_id: string;
      readonly failure: "The file could not be written" | null;
    }
  /** The dialplan of the media server has the call: of it only `hangup` is told from now on. */
  | { readonly type: "handed_back" }
  /** A deferred command that was taken came to nothing. */
  | { readonly type: "failed"; readonly operation_id: string; readonly error: CommandFailure }
  /**
   * The last event of a call, but for `recording.stopped`. What was playing or collecting and the membership in a room end
   * with it: the core tells of that, the engine only adds what it knows.
   */
  | {
      readonly type: "hangup";
      readonly cause: string;
      readonly q850_cause: number;
      /** Final status of an unanswered call; null once it was answered. */
      readonly sip_status: number | null;
      readonly by: EndedBy;
      /** The media server lost the call. */
      readonly lost?: boolean;
      readonly playback?: { readonly offset_ms: number; readonly duration_ms: number };
      readonly digits?: string;
    }
);

/** What an engine tells of a room. In order per room. */
export type EngineRoomEvent = { readonly room_id: string } & (
  | {
      readonly type: "play.started";
      readonly operation_id: string;
      readonly command_uid: string;
      readonly urls: readonly string[];
      readonly index: number;
      readonly loop: boolean;
      readonly volume: number;
    }
  /** The next file sounds (the first one again in a loop), or it was paused, resumed, or its volume changed. */
  | {
      readonly type: "play.moved";
      readonly command_uid: string;
      readonly index: number;
      readonly offset_ms: number;
      readonly paused: boolean;
      readonly volume: number;
    }
  | {
      readonly type: "play.stopped";
      readonly command_uid: string;
      readonly offset_ms: number;
      readonly duration_ms: number;
      readonly reason: RoomStopReason;
    }
  | {
      readonly type: "play.file_not_found";
      readonly command_uid: string;
      readonly url: string;
      readonly reason: MediaFailure;
    }
  | { readonly type: "failed"; readonly operation_id: string; readonly error: CommandFailure }
  /** The media server lost the room: its members have left it already. The last event of a room. */
  | { readonly type: "lost" }
);

/** A call that wants in. */
export interface Offer {
  readonly session_uuid: string;
  readonly caller_id: string;
  readonly did: string;
}
export type Verdict = "accepted" | "no_app" | "overloaded" | "unavailable";

/**
 * Where an engine takes its calls and events to. They count only while this instance has its node: what it hears while
 * another one does is dropped here, and told there.
 */
export interface Sink {
  /** Events of the call may be emitted once the answer is "accepted". */
  offer(call: Offer): Promise<Verdict>;
  emit(event: EngineEvent): void;
  emitRoom(event: EngineRoomEvent): void;
}

/** An immediate command that was taken and had nothing to act on says so here. */
export type Outcome = { readonly failure: CommandFailure } | undefined;

/**
 * Where a recording goes: WAV, stereo (the caller left, what he hears right), 8 kHz, 16 bit. When the command is not taken,
 * what there is of it is removed once the engine has said so: nothing is made of it any more then.
 */
export interface RecordingFile {
  readonly recording_id: string;
  /** Does not exist yet; its folder does. */
  readonly path: string;
}

/** What an engine is given of a command: the body after validation and defaults, and for a recording its file. */
export type EngineBody<C extends CommandId> = C extends "startRecording"
  ? Body<C> & { readonly file: RecordingFile }
  : Body<C>;

/** Resolves once the media server has taken the command; rejects with `Refused`. */
export type EngineCommand<C extends CommandId> = (
  session_uuid: string,
  body: EngineBody<C>,
  operation: OperationRef,
) => Promise<Outcome>;
export type EngineRoomCommand<C extends RoomCommandId> = (
  room_id: string,
  body: Body<C>,
  operation: OperationRef,
) => Promise<Outcome>;

/** Each command, or the word for what this engine cannot do. */
export type EngineCommands = { readonly [C in CommandId]: EngineCommand<C> | "unsupported" };
export type EngineRoomCommands = { readonly [C in RoomCommandId]: EngineRoomCommand<C> | "unsupported" };

export interface Engine {
  readonly kind: "embedded" | "freeswitch" | "asterisk";
  /** The prefix of its sessions and rooms. */
  readonly node: string;
  readonly commands: EngineCommands;
  readonly roomCommands: EngineRoomCommands;
  start(sink: Sink): Promise<void>;
  /** Can it be reached now? */
  connected(): boolean;
  /** Undo a deferred command of a call or a room that timed out: what it would have started never begins to sound. */
  cancel(id: string, operation_id: string): void;
  /** Makes a room known: from now on calls can join it. A repeat is no mistake. Rejects with `Refused`. */
  openRoom(room_id: string): Promise<void>;
  /**
   * Its playback is stopped (`destroyed`), its members leave (`removed`), joins under way fail with "Room ended". Resolves
   * once all of that was told; unknown rooms are ignored. From then on joins of it fail, too.
   */
  closeRoom(room_id: string): Promise<void>;
  /** Ends a call for the gateway's own reasons. Unknown calls are ignored. */
  end(session_uuid: string, cause: string): void;
  /** No new calls from now on. */
  drain(): void;
  /** Ends what is left and releases every socket and process. Idempotent. */
  close(): Promise<void>;
}

/** Steps of a simulated caller. */
export type ScriptStep =
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "wait_for"; readonly event: string }
  | { readonly do: "press"; readonly digits: string; readonly gap_ms?: number }
  | { readonly do: "tone"; readonly hz: number; readonly ms: number }
  | { readonly do: "hangup" };

/** An engine that can play the caller, too. */
export interface Sandbox {
  call(call: {
    readonly did: string;
    readonly caller_id: string;
    readonly script: readonly ScriptStep[];
  }): Promise<{ readonly session_uuid: string } | Exclude<Verdict, "accepted">>;
}
