/**
 * The store port: everything that must outlive one request, behind calls that each are one step, both or neither.
 *
 * Written so that Redis can implement each method with one script call on keys tagged by app. Two rules follow:
 * every call may run twice, or run without its caller learning it, so each carries an id and its second run answers
 * the same; and windows, cooldowns and lifetimes are counted by the store's clock, never by a gateway's.
 * A rejected promise means only "the store cannot be asked".
 */
import type { EventName } from "../contract";

/** A tenant as the admin API shows it. Never holds a key or a secret. */
export interface App {
  readonly app_id: string;
  /** "" sends nothing. */
  readonly webhook_url: string;
  /** Requests per second, per client address; 0 = the gateway's default. */
  readonly rate_limit: number;
  /** Canonical event names; empty = all. */
  readonly events: readonly EventName[];
  /** Numbers whose calls this app gets: exact, or ending in `*`. */
  readonly dids: readonly string[];
  /** Epoch milliseconds. */
  readonly created_at: number;
  /** Epoch milliseconds; set by a 410 of the receiver, cleared by the next `putApp`. */
  readonly webhook_disabled_at: number | null;
}

export type AppSettings = Pick<App, "app_id" | "webhook_url" | "rate_limit" | "events" | "dids">;

export interface PutApp {
  readonly settings: AppSettings;
  /** Keyed digest of app id and API key; null keeps the present one. */
  readonly digest: string | null;
  /** What a new app gets, the digest only where the other one is null. A repeat is known by the secret, new for each call. */
  readonly created: { readonly digest: string; readonly secret: string };
}

export type PutAppResult =
  | { readonly outcome: "created" | "replaced"; readonly app: App }
  | { readonly outcome: "did_taken"; readonly did: string };

/** What is left of a fixed window of one second. `reset_ms` is the time until it ends. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly reset_ms: number;
  readonly exceeded: boolean;
}

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
  /** Pending operations by id. `admit` adds one; only `commit` removes them. */
  readonly operations: Readonly<Record<string, Operation>>;
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

/** An event with its number, id and the exact bytes of its body: nothing is read again later. */
export interface StoredEvent {
  readonly sequence: number;
  /** `webhook-id`. */
  readonly id: string;
  readonly event: string;
  readonly body: string;
  /** Epoch milliseconds. */
  readonly created_at: number;
}

/** "Refuse with `refusal` unless session[field] = is (or ≠ is_not)". Data, so that the store needs no rule of the domain. */
export interface Guard {
  readonly field: "state";
  readonly is?: string;
  readonly is_not?: string;
  readonly refusal: string;
}

export interface CommandAdmission {
  readonly command: string;
  readonly operation_id: string;
  readonly command_uid: string;
  readonly uid_given: boolean;
  /** Digest of command and body after validation and defaults. */
  readonly fingerprint: string;
  readonly guards: readonly Guard[];
  readonly cooldown: { readonly group: string; readonly ms: number } | null;
  readonly timeout_ms: number;
}

export interface AdmissionRequest {
  readonly app_id: string;
  /** Keyed digest of app id and API key: the authority on the key is here, a cache elsewhere decides nothing. */
  readonly digest: string;
  /** Client address, for the quota. */
  readonly address: string;
  /** Applies to apps with `rate_limit` 0. */
  readonly default_rate_limit: number;
  /** An error of the body or parameters, found before the store was asked: answered once key and quota held. */
  readonly held: boolean;
  /** The session that the route names. */
  readonly session_uuid: string | null;
  readonly command: CommandAdmission | null;
}

/** Answers are in the order of the checks: the first that fails decides. */
export type Admission =
  | { readonly outcome: "key" }
  | { readonly outcome: "quota"; readonly quota: Quota }
  /** The held-back refusal may now be answered. */
  | { readonly outcome: "held"; readonly quota: Quota }
  | { readonly outcome: "gone" | "foreign"; readonly quota: Quota }
  | { readonly outcome: "uid_used" | "uid_busy"; readonly quota: Quota }
  /** Answered before: the same answer again. */
  | {
      readonly outcome: "replay";
      readonly quota: Quota;
      readonly status: 202 | 504;
      readonly operation_id: string;
      readonly timeout_ms: number;
    }
  | { readonly outcome: "guard"; readonly quota: Quota; readonly refusal: string }
  | { readonly outcome: "cooldown"; readonly quota: Quota; readonly retry_after_ms: number }
  | { readonly outcome: "admitted"; readonly quota: Quota; readonly app: App; readonly loaded: Loaded | null };

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

/** One event handed out for delivery, with everything an attempt needs. */
export interface Taken {
  readonly app_id: string;
  readonly session_uuid: string;
  readonly event: StoredEvent;
  /** Names this hand-out; a settle with another token is stale. */
  readonly token: number;
  /** Attempts made before this one. */
  readonly attempts: number;
  readonly webhook_url: string;
  /** Newest first; the others only while they still sign. */
  readonly secrets: readonly string[];
  /** "disabled": to the dead letters without an attempt; "closing": one attempt, then dropped (the app is being deleted). */
  readonly mode: "normal" | "disabled" | "closing";
}

export interface Settlement {
  readonly session_uuid: string;
  readonly token: number;
  readonly sequence: number;
  /** `dead` moves on like `delivered`; `disable` is `dead` and turns the app's webhooks off (410). */
  readonly verdict: "delivered" | "dead" | "disable" | { readonly retry_in_ms: number };
}

export interface Turn {
  readonly app_id: string;
  readonly settled: readonly Settlement[];
  /** How many to take at most. */
  readonly want: number;
  /** How many of this app may be under way at once, over all instances. */
  readonly limit: number;
  /** After this time an event that was not settled is handed out again. */
  readonly lease_ms: number;
}

export interface TurnResult {
  readonly taken: readonly Taken[];
  /** Settlements that came too late to count: another token, another sequence than the one under way, or no lease. */
  readonly stale: number;
  /** Events given up since the last turn because the queue of their session or app was full. */
  readonly dropped: number;
  /** Time until a turn may take more (while `limit` is reached: until a lease ends); null when all else is under way. */
  readonly next_due_ms: number | null;
}

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

export interface Store {
  /** The store's clock, epoch milliseconds; rejects when the store cannot be asked (health). */
  now(): Promise<number>;

  /** Create or replace. Takes the numbers only if no other app holds one of them in the same form. */
  putApp(put: PutApp): Promise<PutAppResult>;
  app(app_id: string): Promise<App | null>;
  apps(): Promise<readonly App[]>;
  /** A new signing secret; the old one signs as well for `keep_old_ms`. False: no such app. */
  rotateSecret(app_id: string, secret: string, keep_old_ms: number): Promise<boolean>;
  /**
   * First half of a deletion: the key and the numbers stop at once, the app is not found any more, and its queue is due.
   * Answers its live sessions, a repeat as well (who wants to tell a second deletion asks `app` first); null: no such app.
   */
  closeApp(app_id: string): Promise<readonly string[] | null>;
  /** Second half, once its calls have ended and its queue was tried. Without effect on an app that was made anew since. */
  removeApp(app_id: string): Promise<void>;
  /** Who gets calls to this number: exact beats the longest prefix. */
  appForDid(did: string): Promise<App | null>;

  /** Is this the digest of that app's key? For the way to the body only; `admit` is the authority. */
  authenticate(app_id: string, digest: string): Promise<boolean>;
  /** Counts one admin request of an address. */
  countAdmin(address: string, limit: number): Promise<Quota>;
  /**
   * Key, quota, held refusal, session, owner, idempotency (also of an ended session), guards, cooldown, pending operation:
   * one step, in this order. A repeat is known by its pending operation: admitted again, and not counted.
   */
  admit(request: AdmissionRequest): Promise<Admission>;

  /** False when the app is gone. A uuid that this app has already is a repeat: true, and nothing is stored again. */
  createSession(session: Session, events: readonly StoredEvent[]): Promise<boolean>;
  load(session_uuid: string): Promise<Loaded | null>;
  /** Live sessions of an app, newest first. */
  sessions(app_id: string, limit: number, after: PageMark | null): Promise<SessionPage>;
  /** State and events, both or neither; no event without a `webhook_url`. A repeat is known by its nonce, after others too. */
  commit(commit: Commit): Promise<CommitOutcome>;
  /** Of all apps, the longest overdue first; named again until a commit takes them out of their session. */
  overdue(limit: number): Promise<readonly Overdue[]>;

  /** Settle what was attempted and take what is due, per app: one event of a session at a time, in order. */
  turn(turn: Turn): Promise<TurnResult>;
  /** Apps with something to deliver now or later. */
  appsWithEvents(): Promise<readonly string[]>;
  /** Deletes what has outlived its time. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}
