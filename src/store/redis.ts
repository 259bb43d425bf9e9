import type { Log } from "../log";
import { ActiveApps } from "./redis/active";
import { Admissions } from "./redis/admission";
import { Apps } from "./redis/apps";
import { Connection } from "./redis/connection";
import type { Context } from "./redis/context";
import { Forgetting } from "./redis/forgetting";
import { AppForms } from "./redis/forms";
import { Keys } from "./redis/keys";
import { Leases } from "./redis/leases";
import { Letters } from "./redis/letters";
import { Listing } from "./redis/listing";
import { Living } from "./redis/living";
import { Log as EventLog } from "./redis/log";
import { serverClock } from "./redis/lua/prelude";
import { Outbox } from "./redis/outbox";
import { Owners } from "./redis/owners";
import { countAdmin } from "./redis/quota";
import { Removal } from "./redis/removal";
import { Secrets } from "./redis/secrets";
import { KnownSettings } from "./redis/settings";
import { StoredSubjects } from "./redis/subjects";
import { FeedWatchers } from "./redis/watchers";
import type {
  Admission,
  AdmissionRequest,
  App,
  CloseApp,
  Commit,
  CommitOutcome,
  CreateRoomResult,
  DeadLetterPage,
  Ending,
  EventList,
  Feed,
  Hold,
  Loaded,
  Member,
  NodeLease,
  Overdue,
  Page,
  PageMark,
  PutApp,
  PutAppResult,
  Quota,
  Room,
  RoomSummary,
  Session,
  Store,
  StoredEvent,
  Turn,
  TurnResult,
} from "./store";

const RETENTION_MS = 86_400_000;
const WAIT_MS = 250;

export interface RedisStoreOptions {
  /** `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`: see `redis/url.ts`. */
  readonly url: string;
  /** Under which signing secrets are sealed: all instances have the same. */
  readonly secretsKey: Buffer;
  readonly log: Log;
  /** For how long events are kept for those who missed them: of a call or room from its end on. */
  readonly eventRetentionMs?: number;
  /** What all keys begin with: `vg:`. */
  readonly prefix?: string;
  /** The clock, as a Lua expression: microseconds since the epoch. That of the Redis server when not given. */
  readonly clock?: string;
  /** How long an answer of Redis is waited for: 250. Longer where it is not about that, and the machine is busy. */
  readonly waitMs?: number;
}

/**
 * The store in a Redis, for any number of gateway instances: what was answered as done is done, for all of them.
 *
 * Each method is one step: one script in the slot of its app. Where more than one slot is touched, the order is such that a stop
 * in between harms nobody, and a repeat ends it.
 */
export class RedisStore implements Store {
  readonly #context: Context;
  readonly #connection: Connection;
  readonly #apps: Apps;
  readonly #admissions: Admissions;
  readonly #subjects: StoredSubjects;
  readonly #listing: Listing;
  readonly #living: Living;
  readonly #leases: Leases;
  readonly #outbox: Outbox;
  readonly #letters: Letters;
  readonly #events: EventLog;
  readonly #watchers: FeedWatchers;
  readonly #removal: Removal;

  constructor({ url, secretsKey, log, eventRetentionMs, prefix, clock, waitMs }: RedisStoreOptions) {
    this.#connection = new Connection({ url, clock: clock ?? serverClock, wait_ms: waitMs ?? WAIT_MS, log });
    const connection = this.#connection;
    const keys = new Keys(prefix ?? "vg:");
    const forms = new AppForms();
    const context: Context = {
      connection,
      keys,
      owners: new Owners(connection, keys),
      active: new ActiveApps(connection, keys),
      forms,
      secrets: new Secrets(secretsKey),
      retention_ms: eventRetentionMs ?? RETENTION_MS,
    };
    const settings = new KnownSettings(forms);
    const forgetting = new Forgetting(context);
    this.#context = context;
    this.#apps = new Apps(context);
    this.#living = new Living(context);
    this.#admissions = new Admissions(context, this.#living, settings);
    this.#subjects = new StoredSubjects(context, settings, forgetting);
    this.#listing = new Listing(context);
    this.#leases = new Leases(context, this.#living);
    this.#outbox = new Outbox(context);
    this.#letters = new Letters(context);
    this.#events = new EventLog(context);
    this.#watchers = new FeedWatchers(context);
    this.#removal = new Removal(context, forgetting, this.#events);
  }

  now(): Promise<number> {
    return this.#removal.now();
  }

  putApp(put: PutApp): Promise<PutAppResult> {
    return this.#apps.put(put);
  }

  app(app_id: string): Promise<App | null> {
    return this.#apps.get(app_id);
  }

  apps(): Promise<readonly App[]> {
    return this.#apps.all();
  }

  rotateSecret(app_id: string, secret: string, keep_old_ms: number): Promise<boolean> {
    return this.#apps.rotate(app_id, secret, keep_old_ms);
  }

  async closeApp(close: CloseApp): ReturnType<Store["closeApp"]> {
    const alive = await this.#apps.close(close);
    this.#watchers.tell(close.app_id);
    return alive;
  }

  appForDid(did: string): Promise<App | null> {
    return this.#apps.forDid(did);
  }

  authenticate(app_id: string, digest: string): Promise<boolean> {
    return this.#apps.authenticate(app_id, digest);
  }

  countAdmin(address: string, limit: number): Promise<Quota> {
    return countAdmin(this.#context, address, limit);
  }

  admit(request: AdmissionRequest): Promise<Admission> {
    return this.#admissions.admit(request);
  }

  async createSession(session: Session, events: readonly StoredEvent[]): Promise<boolean> {
    const is_made = await this.#subjects.createSession(session, events);
    if (is_made && events.length > 0) this.#watchers.tell(session.app_id);
    return is_made;
  }

  createRoom(room: Room): Promise<CreateRoomResult> {
    return this.#subjects.createRoom(room);
  }

  loadSession(session_uuid: string): Promise<Loaded<Session> | null> {
    return this.#subjects.loadSession(session_uuid);
  }

  loadRoom(room_id: string): Promise<Loaded<Room> | null> {
    return this.#subjects.loadRoom(room_id);
  }

  sessions(app_id: string, limit: number, after: PageMark | null): Promise<Page<Session>> {
    return this.#listing.sessions(app_id, limit, after);
  }

  rooms(app_id: string, limit: number, after: PageMark | null): Promise<Page<RoomSummary>> {
    return this.#listing.rooms(app_id, limit, after);
  }

  members(app_id: string, room_id: string): Promise<readonly Member[]> {
    return this.#listing.members(app_id, room_id);
  }

  idleRooms(idle_ms: number, limit: number): Promise<readonly string[]> {
    return this.#listing.idleRooms(idle_ms, limit);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const outcome = await this.#subjects.commit(commit);
    if (outcome === "committed" && commit.events.length > 0) this.#watchers.tell(commit.app_id);
    return outcome;
  }

  overdue(limit: number): Promise<readonly Overdue[]> {
    return this.#listing.overdue(limit);
  }

  sessionEvents(app_id: string, session_uuid: string, after: number, limit: number): Promise<EventList> {
    return this.#events.session(app_id, session_uuid, after, limit);
  }

  roomEvents(app_id: string, room_id: string, after: number, limit: number): Promise<EventList> {
    return this.#events.room(app_id, room_id, after, limit);
  }

  feedPosition(app_id: string, webhook_id: string | null): ReturnType<Store["feedPosition"]> {
    return this.#events.position(app_id, webhook_id);
  }

  feed(app_id: string, position: string, limit: number): Promise<Feed> {
    return this.#events.feed(app_id, position, limit);
  }

  watch(app_id: string, grown: () => void): () => void {
    return this.#watchers.add(app_id, grown);
  }

  hold(hold: Hold): Promise<readonly NodeLease[]> {
    return this.#leases.hold(hold);
  }

  release(owner: string): Promise<void> {
    return this.#leases.release(owner);
  }

  raiseFence(node: string, fence: number): Promise<void> {
    return this.#living.raiseFence(node, fence);
  }

  subjectsOf(node: string): Promise<readonly string[]> {
    return this.#living.of(node);
  }

  askToEnd(ending: Ending): Promise<void> {
    return this.#leases.askToEnd(ending);
  }

  forgetNode(node: string): Promise<void> {
    return this.#leases.forget(node);
  }

  turn(turn: Turn): Promise<TurnResult> {
    return this.#outbox.turn(turn);
  }

  appsWithEvents(): Promise<readonly string[]> {
    return this.#outbox.appsWithEvents();
  }

  deadLetters(app_id: string, limit: number, before: number | null): Promise<DeadLetterPage> {
    return this.#letters.page(app_id, limit, before);
  }

  replayDeadLetters(app_id: string, webhook_ids: readonly string[] | null, nonce: string): Promise<number | null> {
    return this.#letters.replay(app_id, webhook_ids, nonce);
  }

  async countDeadLetters(): Promise<number> {
    return this.#letters.count(await this.#apps.ids());
  }

  sweep(): Promise<void> {
    return this.#removal.sweep();
  }

  async close(): Promise<void> {
    this.#watchers.close();
    await this.#connection.close();
  }
}
