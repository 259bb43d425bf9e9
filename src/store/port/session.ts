/** Calls as the store keeps them, and how their state changes. */
import type { App } from "./app";
import type { StoredEvent } from "./outbox";

/** A command that was admitted and has not had its `command.result`. */
export interface Operation {
  readonly operation_id: string;
  /** As in `command.result`: `playback/start`. */
  readonly command: string;
  readonly command_uid: string;
  /** True when the caller chose the uid: only then is it remembered for repeats. */
  readonly uid_given: boolean;
  /** Epoch milliseconds by the store's clock. */
  readonly deadline: number;
  readonly timeout_ms: number;
  /** The window this operation opened, given back when the media server refuses. */
  readonly group: string | null;
  /** The media server has accepted it; what is awaited is its confirmation. */
  readonly taken: boolean;
}

export interface PlaybackFacts {
  readonly command_uid: string;
  readonly urls: readonly string[];
  /** Which of `urls` sounds now. */
  readonly index: number;
  /** Position in that file at `at`. */
  readonly offset_ms: number;
  /** Epoch milliseconds at which `offset_ms` held. */
  readonly at: number;
  /** Epoch milliseconds of `playback.started`. */
  readonly started_at: number;
  readonly paused: boolean;
}

/** The state of one call. Plain data: the session core decides what it means, the store only keeps it. */
export interface Session {
  readonly session_uuid: string;
  readonly app_id: string;
  readonly node: string;
  readonly state: "ringing" | "early" | "answered" | "ended";
  readonly direction: "inbound";
  readonly caller_id: string;
  readonly did: string;
  /** Epoch milliseconds. */
  readonly created_at: number;
  readonly answered_at: number | null;
  readonly playback: PlaybackFacts | null;
  /** The collection under way, by the uid of its command. */
  readonly collecting: { readonly command_uid: string } | null;
  /** Pending operations, oldest first. `admit` adds one; only `commit` removes them. */
  readonly operations: readonly Operation[];
  /** Number of the last event. */
  readonly sequence: number;
}

/** A session together with what a commit needs to be checked against, and the settings of its app as they are now. */
export interface Loaded {
  readonly session: Session;
  /** From 1. Goes up with each `admit` that adds an operation and with each `commit`. */
  readonly version: number;
  readonly app: App;
}

export interface Commit {
  readonly session_uuid: string;
  readonly app_id: string;
  /** The version that `session` was computed from; another one makes the outcome `conflict`. */
  readonly version: number;
  /** Made up anew for each commit, so that a second run of the same one is known. */
  readonly nonce: string;
  /** State "ended" ends the session: from then on it is not found, but its remembered uids are, for 24 h. */
  readonly session: Session;
  readonly events: readonly StoredEvent[];
  /** What became of operations: `free` forgets the uid and reopens the window of the group. */
  readonly decided: readonly { readonly operation: Operation; readonly status: 202 | 504 | "free" }[];
}

export type CommitOutcome = "committed" | "conflict" | "gone";

/** A pending operation whose deadline has passed. */
export interface Overdue {
  readonly session_uuid: string;
  readonly app_id: string;
  readonly operation_id: string;
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  /** Give as `after` for the next page; null at the end. */
  readonly next: PageMark | null;
}

export interface PageMark {
  readonly created_at: number;
  readonly session_uuid: string;
}
