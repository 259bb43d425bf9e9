/** Calls and rooms as the store keeps them, and how their state changes. */
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
  /** Epoch milliseconds of the begin. */
  readonly started_at: number;
  readonly paused: boolean;
}

export interface RecordingFacts {
  /** Of the command that started it. */
  readonly command_uid: string;
  readonly recording_id: string;
  /** Epoch milliseconds. */
  readonly started_at: number;
}

/** The call's part in a conference. Which calls are in a room is known from this alone. */
export interface Membership {
  readonly room_id: string;
  readonly muted: boolean;
  /** Epoch milliseconds. */
  readonly joined_at: number;
}

/** What calls and rooms have in common for the store. */
interface SubjectFacts {
  readonly app_id: string;
  readonly node: string;
  /** Epoch milliseconds. */
  readonly created_at: number;
  /** Pending operations, oldest first. `admit` adds one; only `commit` removes them. */
  readonly operations: readonly Operation[];
  /** Number of the last event. */
  readonly sequence: number;
}

/** The state of one call. Plain data: the session core decides what it means, the store only keeps it. */
export interface Session extends SubjectFacts {
  readonly session_uuid: string;
  readonly state: "ringing" | "early" | "answered" | "handed_back" | "ended";
  readonly direction: "inbound";
  readonly caller_id: string;
  readonly did: string;
  readonly answered_at: number | null;
  readonly playback: PlaybackFacts | null;
  /** The collection under way, by the uid of its command. */
  readonly collecting: { readonly command_uid: string } | null;
  readonly room: Membership | null;
  /** The one under way. */
  readonly recording: RecordingFacts | null;
  /** Recordings that are over, and not yet told of as completed. */
  readonly unfinished: readonly RecordingFacts[];
}

export interface RoomPlaybackFacts extends PlaybackFacts {
  readonly loop: boolean;
  /** −4…4. */
  readonly volume: number;
}

/** The state of one conference room. */
export interface Room extends SubjectFacts {
  readonly room_id: string;
  readonly name: string;
  /** `opening`: its name is taken, and nobody sees it yet. `closing`: nobody sees it any more. */
  readonly state: "opening" | "open" | "closing" | "ended";
  readonly playback: RoomPlaybackFacts | null;
}

/** What has a sequence of events, commands and a state: a call or a room. */
export type Subject = Session | Room;

/** A call or a room with what a commit needs to be checked against, and the settings of its app as they are now. */
export interface Loaded<S extends Subject> {
  readonly state: S;
  /** From 1. Goes up with each `admit` that adds an operation and with each `commit`. */
  readonly version: number;
  readonly app: App;
  /** Of the settings of `app`: another one after each `putApp`. */
  readonly revision: number;
}

export interface Commit<S extends Subject = Subject> {
  /** Session uuid or room id. */
  readonly id: string;
  readonly app_id: string;
  /** The version that `state` was computed from; another one makes the outcome `conflict`. */
  readonly version: number;
  /** That of the settings by which `events` were chosen; another one makes the outcome `conflict`, too. */
  readonly revision: number;
  /**
   * For what a media node told: the fence under which its events were read. A lower one than the call or room has seen makes
   * the outcome `fenced`. Null for all else.
   */
  readonly fence: number | null;
  /** Made up anew for each commit, so that a second run of the same one is known. */
  readonly nonce: string;
  readonly state: S;
  /**
   * `closing`: gone for everybody who asks (not found, not listed, its name free), but it can still be loaded and committed.
   * `ended`: that, too, is over. Either way its remembered uids and its events stay for their time.
   */
  readonly life: "live" | "closing" | "ended";
  readonly events: readonly StoredEvent[];
  /** What became of operations: `free` forgets the uid and reopens the window of the group. */
  readonly decided: readonly { readonly operation: Operation; readonly status: 202 | 504 | "free" }[];
}

/** `fenced`: another instance reads the events of the node by now, and this is none of its events. */
export type CommitOutcome = "committed" | "conflict" | "fenced" | "gone";

/** A pending operation whose deadline has passed. */
export interface Overdue {
  /** Session uuid or room id. */
  readonly id: string;
  readonly app_id: string;
  readonly operation_id: string;
}

export interface PageMark {
  readonly created_at: number;
  readonly id: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Give as `after` for the next page; null at the end. */
  readonly next: PageMark | null;
}

export interface Member {
  readonly session_uuid: string;
  readonly caller_id: string;
  readonly muted: boolean;
  readonly joined_at: number;
}

export interface RoomSummary {
  readonly room: Room;
  readonly member_count: number;
}

/** Taking the name of a room is one step with making it known. */
export type CreateRoomResult =
  | { readonly outcome: "created" }
  | { readonly outcome: "name_taken"; readonly room_id: string }
  /** The app has as many rooms as it may. */
  | { readonly outcome: "full" }
  | { readonly outcome: "no_app" };
