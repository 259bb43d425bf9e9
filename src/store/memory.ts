import { performance } from "node:perf_hooks";
import { admission } from "./memory/admission";
import { Apps } from "./memory/apps";
import { QuotaWindows } from "./memory/quota";
import { Schedule } from "./memory/schedule";
import type { Bounds } from "./memory/tenant";
import type {
  Admission,
  AdmissionRequest,
  App,
  CloseApp,
  Commit,
  CommitOutcome,
  Loaded,
  Overdue,
  PageMark,
  PutApp,
  PutAppResult,
  Quota,
  Session,
  SessionPage,
  Store,
  StoredEvent,
  Turn,
  TurnResult,
} from "./store";

/**
 * What one app may fill at most; beyond it the oldest goes, of events digits first. Apps are made by the operator alone,
 * so their number needs no bound. Measured: an event takes its body and 400 bytes, a remembered uid 280, an ended session 830.
 */
const BOUNDS: Bounds = {
  uids_per_session: 1000,
  uids_per_app: 100_000,
  ended_per_app: 100_000,
  events_per_session: 1000,
  events_per_app: 100_000,
  needed_per_app: 200_000,
};

export interface MemoryStoreOptions {
  /** The clock, epoch milliseconds. */
  readonly now?: () => number;
  readonly bounds?: Partial<Bounds>;
}

/**
 * The store in the memory of this process, for one gateway instance: a restart forgets the apps, the calls and every
 * event that was not delivered.
 *
 * Each method does its work before it returns its promise, without waiting in between: that alone makes it one step.
 * Values are shared, not copied: what was handed in or out must not be changed.
 */
export class MemoryStore implements Store {
  private readonly clock: () => number;
  private readonly deadlines = new Schedule<Overdue>();
  private readonly tenants: Apps;
  private readonly admins = new QuotaWindows();

  constructor(options: MemoryStoreOptions = {}) {
    this.clock = options.now ?? steadyClock;
    this.tenants = new Apps({ ...BOUNDS, ...options.bounds }, this.deadlines);
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

  async closeApp(close: CloseApp): Promise<readonly string[] | null> {
    return this.tenants.close(close, this.clock());
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
    const tenant = this.tenants.get(request.app_id);
    const foreign = (): boolean => {
      const { session_uuid } = request;
      if (session_uuid === null) return false;
      const owner = this.tenants.ownerOf(session_uuid);
      // What is left of a deleted app of this id is nobody's any more.
      return owner?.app.app_id !== request.app_id && owner?.calls.get(session_uuid)?.session != null;
    };
    return admission(tenant, request, foreign, this.clock());
  }

  async createSession(session: Session, events: readonly StoredEvent[]): Promise<boolean> {
    const { app_id, session_uuid } = session;
    const owner = this.tenants.ownerOf(session_uuid);
    if (owner !== undefined) return owner.app.app_id === app_id;
    const tenant = this.tenants.get(app_id);
    if (tenant === undefined) return false;
    this.tenants.own(session_uuid, tenant);
    tenant.calls.create(session);
    tenant.queue(session_uuid, events, this.clock());
    return true;
  }

  async load(session_uuid: string): Promise<Loaded | null> {
    const tenant = this.tenants.ownerOf(session_uuid);
    const call = tenant?.calls.get(session_uuid);
    if (tenant === undefined || call === undefined || call.session === null) return null;
    return { session: call.session, version: call.version, app: tenant.app };
  }

  async sessions(app_id: string, limit: number, after: PageMark | null): Promise<SessionPage> {
    return this.tenants.get(app_id)?.calls.page(limit, after) ?? { sessions: [], next: null };
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const { app_id, session_uuid, events } = commit;
    const tenant = this.tenants.ownerOf(session_uuid);
    if (tenant === undefined || tenant.app.app_id !== app_id) return "gone";
    const now = this.clock();
    return tenant.calls.commit(commit, now, () => tenant.queue(session_uuid, events, now));
  }

  async overdue(limit: number): Promise<readonly Overdue[]> {
    return this.deadlines.due(this.clock(), limit);
  }

  async turn(turn: Turn): Promise<TurnResult> {
    const outbox = this.tenants.outbox(turn.app_id);
    if (outbox !== undefined) return outbox.turn(turn, this.clock());
    return { taken: [], stale: turn.settled.length, dropped: 0, closing: false, next_due_ms: null };
  }

  async appsWithEvents(): Promise<readonly string[]> {
    return this.tenants.waiting;
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
