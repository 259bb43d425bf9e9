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
import type { Ending, Hold, NodeLease } from "./port/node";
import type { DeadLetterPage, EventList, Feed, StoredEvent, Turn, TurnResult } from "./port/outbox";
import type {
  Commit,
  CommitOutcome,
  CreateRoomResult,
  Loaded,
  Member,
  Overdue,
  Page,
  PageMark,
  Room,
  RoomSummary,
  Session,
} from "./port/session";

export type * from "./port/admission";
export type * from "./port/app";
export type * from "./port/node";
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
   * Its calls and rooms can still end and its events are still delivered for `keep_ms`, beside those of an app that was made
   * anew under its id; then it goes with the next sweep, whatever has become of who asked for it.
   * Answers its live calls and rooms, a repeat as well; null: no such app.
   */
  closeApp(
    close: CloseApp,
  ): Promise<{ readonly sessions: readonly string[]; readonly rooms: readonly string[] } | null>;
  /** Who gets calls to this number: exact beats the longest prefix. */
  appForDid(did: string): Promise<App | null>;

  /** Is this the digest of that app's key? For the way to the body only; `admit` is the authority. */
  authenticate(app_id: string, digest: string): Promise<boolean>;
  /** Counts one admin request of an address. */
  countAdmin(address: string, limit: number): Promise<Quota>;
  /**
   * Key, quota, held refusal, session, room, owner, idempotency (also of an ended session or room), what is barred, guards,
   * cooldown, pending operation: one step, in this order. A repeat is known by its pending operation: admitted again, and
   * not counted.
   */
  admit(request: AdmissionRequest): Promise<Admission>;

  /** False when the app is gone. A uuid that this app has already is a repeat: true, and nothing is stored again. */
  createSession(session: Session, events: readonly StoredEvent[]): Promise<boolean>;
  /** A repeat is known by the room id. A room in state `opening` has its name, and is found by nobody but `load`. */
  createRoom(room: Room): Promise<CreateRoomResult>;
  loadSession(session_uuid: string): Promise<Loaded<Session> | null>;
  loadRoom(room_id: string): Promise<Loaded<Room> | null>;
  /** Live sessions of an app, newest first. */
  sessions(app_id: string, limit: number, after: PageMark | null): Promise<Page<Session>>;
  /** Open rooms of an app, newest first. */
  rooms(app_id: string, limit: number, after: PageMark | null): Promise<Page<RoomSummary>>;
  /** Of an open or closing room, in the order of their joining. */
  members(app_id: string, room_id: string): Promise<readonly Member[]>;
  /** Rooms without a member for so long, of all apps, and those that have been opening for so long; the longest first. */
  idleRooms(idle_ms: number, limit: number): Promise<readonly string[]>;
  /**
   * State and events, both or neither; no delivery without a `webhook_url`. A repeat is known by its nonce, after others too.
   * The checks in their order: is it there, is it a repeat, version and revision, fence.
   */
  commit(commit: Commit): Promise<CommitOutcome>;
  /** Of all apps, the longest overdue first; named again until a commit takes them out of their session or room. */
  overdue(limit: number): Promise<readonly Overdue[]>;

  /** Events of a session with a higher `sequence`, as far as they are kept. */
  sessionEvents(app_id: string, session_uuid: string, after: number, limit: number): Promise<EventList>;
  /** Events of a room and those of its members that name it, by a number of this list. */
  roomEvents(app_id: string, room_id: string, after: number, limit: number): Promise<EventList>;
  /**
   * Where the app's feed ends; where the event of this webhook id stands in it, or its beginning when that is not known (any
   * more): then `known` is false.
   */
  feedPosition(
    app_id: string,
    webhook_id: string | null,
  ): Promise<{ readonly position: string; readonly known: boolean }>;
  feed(app_id: string, position: string, limit: number): Promise<Feed>;
  /** Calls when the app's feed may have grown, also without cause; answers how to end that. Never rejects or throws. */
  watch(app_id: string, grown: () => void): () => void;

  /**
   * Takes or renews the lease on nodes: a node that nobody holds, or whose lease is over, goes to who asks first, with a
   * higher fence; one that it holds already keeps its fence, also when the lease was over meanwhile. Answers how all nodes
   * stand that anybody has ever held and nobody has forgotten.
   */
  hold(hold: Hold): Promise<readonly NodeLease[]>;
  /** Gives its leases up: others need not wait for their end. */
  release(owner: string): Promise<void>;
  /** From now on commits with a lower fence are refused, for all calls and rooms of this node that have not ended. */
  raiseFence(node: string, fence: number): Promise<void>;
  /** Calls and rooms of this node that have not ended, closing ones included: of all apps. */
  subjectsOf(node: string): Promise<readonly string[]>;
  /** Who holds the node is told with each `hold` until it is over; of what is not there nothing is to be done. */
  askToEnd(ending: Ending): Promise<void>;
  /** A lost node whose calls and rooms are over: whoever has its name from now on begins anew. */
  forgetNode(node: string): Promise<void>;

  /** Settle what was attempted and take what is due, per app: one event of a queue at a time, in order. */
  turn(turn: Turn): Promise<TurnResult>;
  /** Apps with something to deliver now or later. */
  appsWithEvents(): Promise<readonly string[]>;
  deadLetters(app_id: string, limit: number, before: number | null): Promise<DeadLetterPage>;
  /**
   * Queues dead letters once more, each by itself; null: all. Answers how many; null when one of the ids is not among them:
   * then nothing is queued. A repeat is known by its nonce, made up anew for each replay.
   */
  replayDeadLetters(app_id: string, webhook_ids: readonly string[] | null, nonce: string): Promise<number | null>;
  /** How many are kept, of all apps. */
  countDeadLetters(): Promise<number>;
  /** Deletes what has outlived its time, deleted apps as well. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}
