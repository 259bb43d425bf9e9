import { performance } from "node:perf_hooks";
import { admission } from "./memory/admission";
import { Apps } from "./memory/apps";
import { Chain } from "./memory/chain";
import type { Attendance } from "./memory/conferences";
import { Leases } from "./memory/leases";
import { QuotaWindows } from "./memory/quota";
import { Schedule } from "./memory/schedule";
import { BOUNDS, type Bounds } from "./memory/tenant";
import { Watchers } from "./memory/watchers";
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

export interface MemoryStoreOptions {
  /** The clock, epoch milliseconds. */
  readonly now?: () => number;
  /** For how long events are kept for those who missed them: of a call or room from its end on. */
  readonly eventRetentionMs?: number;
  readonly bounds?: Partial<Bounds>;
}

/**
 * The store in the memory of this process, for one gateway instance: a restart forgets the apps, the calls, the rooms
 * and every event.
 *
 * Each method does its work before it returns its promise, without waiting in between: that alone makes it one step.
 * Values are shared, not copied: what was handed in or out must not be changed.
 */
export class MemoryStore implements Store {
  private readonly clock: () => number;
  private readonly deadlines = new Schedule<Overdue>();
  private readonly idle = new Chain<Attendance>();
  private readonly watchers = new Watchers();
  private readonly bounds: Bounds;
  private readonly tenants: Apps;
  private readonly admins = new QuotaWindows();
  private readonly leases = new Leases();

  constructor(options: MemoryStoreOptions = {}) {
    this.clock = options.now ?? steadyClock;
    const { deadlines, idle } = this;
    const retention_ms = options.eventRetentionMs ?? RETENTION_MS;
    this.bounds = { ...BOUNDS, ...options.bounds };
    this.tenants = new Apps({ bounds: this.bounds, retention_ms, deadlines, idle });
  }

  async now(): Promise<number> {
    return this.clock();
  }

  async putApp(put: PutApp): Promise<PutAppResult> {
    return this.tenants.put(put, this.clock());
  }

  async app(app_id: string): Promise<App | null> {
    return this.tenants.get(app_id)?.app ?? null;
  }

  async apps(): Promise<readonly App[]> {
    return this.tenants.all;
  }

  async rotateSecret(app_id: string, secret: string, keep_old_ms: number): Promise<boolean> {
    const tenant = this.tenants.get(app_id);
    tenant?.rotate(secret, keep_old_ms, this.clock());
    return tenant !== undefined;
  }

  async closeApp(close: CloseApp): ReturnType<Store["closeApp"]> {
    const alive = this.tenants.close(close, this.clock());
    this.watchers.tell(close.app_id);
    return alive;
  }

  async appForDid(did: string): Promise<App | null> {
    return this.tenants.forDid(did);
  }

  async authenticate(app_id: string, digest: string): Promise<boolean> {
    return this.tenants.get(app_id)?.digest === digest;
  }

  async countAdmin(address: string, limit: number): Promise<Quota> {
    return this.admins.count(address, limit, this.clock());
  }

  async admit(request: AdmissionRequest): Promise<Admission> {
    return admission(this.tenants, request, this.clock());
  }

  async createSession(session: Session, events: readonly StoredEvent[]): Promise<boolean> {
    const { app_id, session_uuid } = session;
    const owner = this.tenants.ownerOf(session_uuid);
    if (owner !== undefined) return owner.app.app_id === app_id;
    const tenant = this.tenants.get(app_id);
    if (tenant === undefined) return false;
    this.tenants.own(session_uuid, tenant);
    tenant.createSession(session, events, this.clock());
    if (events.length > 0) this.watchers.tell(app_id);
    return true;
  }

  async createRoom(room: Room): Promise<CreateRoomResult> {
    const tenant = this.tenants.get(room.app_id);
    const owner = this.tenants.ownerOf(room.room_id);
    if (owner !== undefined) return { outcome: owner.app.app_id === room.app_id ? "created" : "no_app" };
    if (tenant === undefined) return { outcome: "no_app" };
    const room_id = tenant.conferences.named(room.name);
    if (room_id !== null) return { outcome: "name_taken", room_id };
    if (tenant.rooms.size >= this.bounds.rooms_per_app) return { outcome: "full" };
    this.tenants.own(room.room_id, tenant);
    tenant.createRoom(room, this.clock());
    return { outcome: "created" };
  }

  async loadSession(session_uuid: string): Promise<Loaded<Session> | null> {
    const tenant = this.tenants.ownerOf(session_uuid);
    return tenant?.loaded(tenant.sessions.get(session_uuid)) ?? null;
  }

  async loadRoom(room_id: string): Promise<Loaded<Room> | null> {
    const tenant = this.tenants.ownerOf(room_id);
    return tenant?.loaded(tenant.rooms.get(room_id)) ?? null;
  }

  async sessions(app_id: string, limit: number, after: PageMark | null): Promise<Page<Session>> {
    return this.tenants.get(app_id)?.sessions.page(limit, after) ?? { items: [], next: null };
  }

  async rooms(app_id: string, limit: number, after: PageMark | null): Promise<Page<RoomSummary>> {
    const tenant = this.tenants.get(app_id);
    if (tenant === undefined) return { items: [], next: null };
    const { items, next } = tenant.rooms.page(limit, after);
    return { items: items.map((room) => ({ room, member_count: tenant.conferences.count(room.room_id) })), next };
  }

  async members(app_id: string, room_id: string): Promise<readonly Member[]> {
    const tenant = this.tenants.ownerOf(room_id);
    if (tenant?.app.app_id !== app_id || !tenant.rooms.get(room_id)?.state) return [];
    return tenant.conferences.members(room_id);
  }

  async idleRooms(idle_ms: number, limit: number): Promise<readonly string[]> {
    const last = this.clock() - idle_ms;
    const ids: string[] = [];
    for (let room = this.idle.oldest; room !== null && room.since <= last && ids.length < limit; room = room.newer) {
      ids.push(room.room_id);
    }
    return ids;
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const { app_id, id, state, events } = commit;
    const tenant = this.tenants.ownerOf(id);
    if (tenant === undefined || tenant.app.app_id !== app_id) return "gone";
    const now = this.clock();
    const outcome =
      "session_uuid" in state ? tenant.commitSession(commit, state, now) : tenant.commitRoom(commit, state, now);
    if (outcome === "committed" && events.length > 0) this.watchers.tell(app_id);
    return outcome;
  }

  async overdue(limit: number): Promise<readonly Overdue[]> {
    return this.deadlines.due(this.clock(), limit);
  }

  async sessionEvents(app_id: string, session_uuid: string, after: number, limit: number): Promise<EventList> {
    return this.tenants.get(app_id)?.log.session(session_uuid, after, limit) ?? { events: [] };
  }

  async roomEvents(app_id: string, room_id: string, after: number, limit: number): Promise<EventList> {
    return this.tenants.get(app_id)?.log.room(room_id, after, limit) ?? { events: [] };
  }

  async feedPosition(app_id: string, webhook_id: string | null): ReturnType<Store["feedPosition"]> {
    const log = this.tenants.get(app_id)?.log;
    return log?.position(webhook_id, this.clock()) ?? { position: "", known: webhook_id === null };
  }

  async feed(app_id: string, position: string, limit: number): Promise<Feed> {
    return this.tenants.get(app_id)?.log.feed(position, limit, this.clock()) ?? { events: [], position, gap: false };
  }

  watch(app_id: string, grown: () => void): () => void {
    return this.watchers.add(app_id, grown);
  }

  async hold(hold: Hold): Promise<readonly NodeLease[]> {
    const isOver = (id: string): boolean => this.tenants.ownerOf(id)?.lives(id) !== true;
    return this.leases.hold(hold, this.clock(), isOver);
  }

  async release(owner: string): Promise<void> {
    this.leases.release(owner, this.clock());
  }

  async raiseFence(node: string, fence: number): Promise<void> {
    for (const kept of this.tenants.ofNode(node)) kept.fence = Math.max(kept.fence, fence);
  }

  async subjectsOf(node: string): Promise<readonly string[]> {
    return Array.from(this.tenants.ofNode(node), ({ id }) => id);
  }

  async askToEnd(ending: Ending): Promise<void> {
    if (this.tenants.ownerOf(ending.id)?.lives(ending.id)) this.leases.askToEnd(ending);
  }

  async forgetNode(node: string): Promise<void> {
    this.leases.forget(node);
  }

  async turn(turn: Turn): Promise<TurnResult> {
    const outbox = this.tenants.outbox(turn.app_id);
    if (outbox !== undefined) return outbox.turn(turn, this.clock());
    return { taken: [], stale: turn.settled.length, dropped: 0, closing: false, next_due_ms: null };
  }

  async appsWithEvents(): Promise<readonly string[]> {
    return this.tenants.waiting;
  }

  async deadLetters(app_id: string, limit: number, before: number | null): Promise<DeadLetterPage> {
    return this.tenants.get(app_id)?.letters.page(limit, before, this.clock()) ?? { letters: [], next: null };
  }

  async replayDeadLetters(
    app_id: string,
    webhook_ids: readonly string[] | null,
    nonce: string,
  ): Promise<number | null> {
    const tenant = this.tenants.get(app_id);
    if (tenant !== undefined) return tenant.replay(nonce, webhook_ids, this.clock());
    return webhook_ids === null || webhook_ids.length === 0 ? 0 : null;
  }

  async countDeadLetters(): Promise<number> {
    return this.tenants.deadLetters;
  }

  async sweep(): Promise<void> {
    const now = this.clock();
    this.admins.expire(now);
    this.tenants.expire(now);
  }

  /** Nothing to release: the state goes with the process. */
  async close(): Promise<void> {}
}

/** Epoch milliseconds that never step back: a corrected system clock must not stretch a window or a lease. */
function steadyClock(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
