/**
 * The engine port: what a media server must do for the gateway, in the gateway's words. Each engine is a folder that
 * turns its own dialect into this, and nothing of the dialect passes it.
 */
import type { Body, CommandFailureCodes, CommandId } from "../contract";

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
  /** The next file of a list began to sound. */
  | { readonly type: "playback.advanced"; readonly command_uid: string; readonly index: number }
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
  /** A deferred command that was taken came to nothing. */
  | { readonly type: "failed"; readonly operation_id: string; readonly error: CommandFailure }
  /** The last event of a call. What was playing or collecting ends with it: the core tells of that, the engine only adds what it knows. */
  | {
      readonly type: "hangup";
      readonly cause: string;
      readonly q850_cause: number;
      /** Final status of an unanswered call; null once it was answered. */
      readonly sip_status: number | null;
      readonly by: EndedBy;
      readonly playback?: { readonly offset_ms: number; readonly duration_ms: number };
      readonly digits?: string;
    }
);

/** A call that wants in. */
export interface Offer {
  readonly session_uuid: string;
  readonly caller_id: string;
  readonly did: string;
}
export type Verdict = "accepted" | "no_app" | "overloaded" | "unavailable";

/** Where an engine takes its calls and events to. */
export interface Sink {
  /** Events of the call may be emitted once the answer is "accepted". */
  offer(call: Offer): Promise<Verdict>;
  emit(event: EngineEvent): void;
}

/** An immediate command that was taken and had nothing to act on says so here. */
export type Outcome = { readonly failure: CommandFailure } | undefined;

/** Resolves once the media server has taken the command; rejects with `Refused`. */
export type EngineCommand<C extends CommandId> = (
  session_uuid: string,
  body: Body<C>,
  operation: OperationRef,
) => Promise<Outcome>;

/** Each command, or the word for what this engine cannot do. */
export type EngineCommands = { readonly [C in CommandId]: EngineCommand<C> | "unsupported" };

export interface Engine {
  readonly kind: "embedded" | "freeswitch" | "asterisk";
  /** The prefix of its sessions. */
  readonly node: string;
  readonly commands: EngineCommands;
  start(sink: Sink): Promise<void>;
  /** Can it be reached now? */
  connected(): boolean;
  /** Undo a deferred command that timed out: what it would have started never begins to sound. */
  cancel(session_uuid: string, operation_id: string): void;
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
