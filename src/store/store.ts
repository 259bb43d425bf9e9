/**
 * The store port: everything that must outlive one request, behind calls that each are one step, both or neither.
 *
 * Written so that Redis can implement each method with one script call on keys tagged by app. Two rules follow:
 * every call may run twice, or run without its caller learning it, so each carries an id and its second run answers
 * the same; and windows, cooldowns and lifetimes are counted by the store's clock, never by a gateway's.
 * A rejected promise means only "the store cannot be asked".
 */
import type { Admission, AdmissionRequest, Quota } from "./port/admission";
import type { App, CloseApp, PutApp, PutAppResult } from "./port/app";
import type { StoredEvent, Turn, TurnResult } from "./port/outbox";
import type { Commit, CommitOutcome, Loaded, Overdue, PageMark, Session, SessionPage } from "./port/session";

export type * from "./port/admission";
export type * from "./port/app";
export type * from "./port/outbox";
export type * from "./port/session";

export interface Store {
  /** The store's clock, epoch milliseconds; rejects when the store cannot be asked (health). */
  now(): Promise<number>;

  /** Create or replace. Takes the numbers only if no other app holds one of them in the same form. */
  putApp(put: PutApp): Promise<PutAppResult>;
  app(app_id: string): Promise<App | null>;
  /** All, by id. */
  apps(): Promise<readonly App[]>;
  /** A new signing secret; the old one signs as well for `keep_old_ms`. False: no such app. */
  rotateSecret(app_id: string, secret: string, keep_old_ms: number): Promise<boolean>;
  /**
   * Deletes an app: its key and its numbers stop at once, it is not found any more, its id is free, and its queue is due.
   * Its calls can still end and its events are still delivered for `keep_ms`, beside those of an app that was made anew
   * under its id; then it goes with the next sweep, whatever has become of who asked for it.
   * Answers its live sessions, a repeat as well; null: no such app.
   */
  closeApp(close: CloseApp): Promise<readonly string[] | null>;
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
  /** Deletes what has outlived its time, deleted apps as well. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}
