/**
 * The engine port: what a media server must do for the gateway, in the gateway's words. Each engine is a folder that
 * turns its own dialect into this, and nothing of the dialect passes it.
 */
import type { Body, CommandId, RoomCommandId } from "../contract";
import type { CommandFailure, EngineEvent, EngineRoomEvent } from "./events";

export type * from "./events";

/** Why a media server did not take a command. `gone`: it does not know the call any more. */
export type Refusal = "gone" | "unreachable" | "late" | "unsupported";

/** Thrown by an engine command that was not taken. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal);
    this.name = "Refused";
  }
}

/** The operation under which a command was admitted. */
export interface OperationRef {
  readonly operation_id: string;
  readonly command_uid: string;
}

/** A call that wants in. */
export interface Offer {
  readonly session_uuid: string;
  readonly caller_id: string;
  readonly did: string;
  /** The app that the media server names for it; null: it goes by its number. */
  readonly app_id: string | null;
}
export type Verdict = "accepted" | "no_app" | "overloaded" | "unavailable";

/** What plays by the store, and where it is by now as far as one can tell who does not hear it. Milliseconds. */
export interface Unheard {
  readonly command_uid: string;
  readonly offset_ms: number;
  readonly duration_ms: number;
}

/** A call of a node that has not ended by the store. */
export interface Survivor {
  readonly session_uuid: string;
  readonly state: "ringing" | "early" | "answered" | "handed_back";
  readonly caller_id: string;
  readonly did: string;
  readonly playback: Unheard | null;
  readonly collecting: { readonly command_uid: string } | null;
  readonly room: { readonly room_id: string; readonly muted: boolean } | null;
  readonly recording: { readonly recording_id: string } | null;
}

/** What a node has by the store. */
export interface Survivors {
  readonly calls: readonly Survivor[];
  readonly rooms: readonly { readonly room_id: string; readonly playback: Unheard | null }[];
}

/**
 * Where an engine takes its calls and events to. They count only while this instance has its node: what it hears while
 * another one does is dropped here, and told there.
 */
export interface Sink {
  /** Events of the call may be emitted once the answer is "accepted". */
  offer(call: Offer): Promise<Verdict>;
  emit(event: EngineEvent): void;
  emitRoom(event: EngineRoomEvent): void;
  /**
   * For an engine whose media server may have calls from before. Nobody else tells anything of them any more by then.
   * Rejects when the store cannot be asked, or when this instance does not have the node.
   */
  survivors(node: string): Promise<Survivors>;
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
  /**
   * Whether what this node says is this instance's to tell: from now on, or not any more. Told before `start`, and at each
   * change. With it an engine takes up what its media server has; without it, it leaves all of that to another instance.
   */
  reads(own: boolean): void;
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
