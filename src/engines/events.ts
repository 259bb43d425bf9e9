/** What engines tell of calls and rooms, in the gateway's words: a part of the engine port. */
import type { CommandFailureCodes } from "../contract";

/** Who ended a call. */
export type EndedBy = "caller" | "app" | "gateway" | "media_server";

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
