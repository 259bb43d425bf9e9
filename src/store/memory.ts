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
 * What one app may fill at most; beyond it the oldest goes. Apps are made by the operator alone, so their number needs
 * no bound. Measured: an event takes its body and 400 bytes, a remembered uid 280, an ended session 830.
 */
const BOUNDS: Bounds = {
  uids_per_session: 1000,
  uids_per_app: 100_000,
  ended_per_app: 100_000,
  events_per_session: 1000,
  events_per_app: 100_000,
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
    return this.tenants.open(app_id)?.app ?? null;
  }

  async apps(): Promise<readonly App[]> {
    const open: App[] = [];
    for (const tenant of this.tenants.all()) if (!tenant.closing) open.push(tenant.app);
    return open;
  }

  async rotateSecret(app_id: string, secret: string, keep_old_ms: number): Promise<boolean> {
    const tenant = this.tenants.open(app_id);
    tenant?.rotate(secret, keep_old_ms, this.clock());
    return tenant !== undefined;
  }

  async closeApp(app_id: string): Promise<readonly string[] | null> {
    return this.tenants.close(app_id, this.clock());
  }

  async removeApp(app_id: string): Promise<void> {
    this.tenants.remove(app_id);
  }

  async appForDid(did: string): Promise<App | null> {
    return this.tenants.forDid(did);
  }

  async authenticate(app_id: string, digest: string): Promise<boolean> {
    return this.tenants.open(app_id)?.digest === digest;
  }

  async countAdmin(address: string, limit: number): Promise<Quota> {
    return this.admins.count(address, limit, this.clock());
  }

  async admit(request: AdmissionRequest): Promise<Admission> {
    const tenant = this.tenants.open(request.app_id);
    const foreign = (): boolean => {
      const { session_uuid } = request;
      if (session_uuid === null) return false;
      const owner = this.tenants.ownerOf(session_uuid);
      return owner?.calls.get(session_uuid)?.session != null;
    };
    return admission(tenant, request, foreign, this.clock());
  }

  async createSession(session: Session, events: readonly StoredEvent[]): Promise<boolean> {
    const { app_id, session_uuid } = session;
    const owner = this.tenants.ownerOf(session_uuid);
    if (owner !== undefined) return owner.app.app_id === app_id;
    const tenant = this.tenants.open(app_id);
    if (tenant === undefined) return false;
    this.tenants.own(session_uuid, tenant);
    tenant.calls.create(session);
    if (tenant.app.webhook_url !== "") tenant.outbox.append(session_uuid, events, this.clock());
    return true;
  }

  async load(session_uuid: string): Promise<Loaded | null> {
    const tenant = this.tenants.ownerOf(session_uuid);
    const call = tenant?.calls.get(session_uuid);
    if (tenant === undefined || call === undefined || call.session === null) return null;
    return { session: call.session, version: call.version, app: tenant.app };
  }

  async sessions(app_id: string, limit: number, after: PageMark | null): Promise<SessionPage> {
    return this.tenants.open(app_id)?.calls.page(limit, after) ?? { sessions: [], next: null };
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const tenant = this.tenants.get(commit.app_id);
    if (tenant === undefined) return "gone";
    const now = this.clock();
    return tenant.calls.commit(commit, now, () => {
      if (tenant.app.webhook_url !== "") tenant.outbox.append(commit.session_uuid, commit.events, now);
    });
  }

  async overdue(limit: number): Promise<readonly Overdue[]> {
    return this.deadlines.due(this.clock(), limit);
  }

  async turn(turn: Turn): Promise<TurnResult> {
    const tenant = this.tenants.get(turn.app_id);
    if (tenant === undefined) return { taken: [], stale: turn.settled.length, dropped: 0, next_due_ms: null };
    const now = this.clock();
    let receiver = tenant.receiver(now);
    let stale = 0;
    for (const settlement of turn.settled) {
      if (!tenant.outbox.settle(settlement, now, receiver)) {
        stale += 1;
      } else if (settlement.verdict === "disable") {
        tenant.disableWebhooks(now);
        receiver = tenant.receiver(now);
      }
    }
    return { ...tenant.outbox.take(turn, now, receiver), stale };
  }

  async appsWithEvents(): Promise<readonly string[]> {
    const waiting: string[] = [];
    for (const tenant of this.tenants.all()) if (!tenant.outbox.empty) waiting.push(tenant.app.app_id);
    return waiting;
  }

  async sweep(): Promise<void> {
    const now = this.clock();
    this.admins.expire(now);
    for (const tenant of this.tenants.all()) tenant.expire(now);
  }

  /** Nothing to release: the state goes with the process. */
  async close(): Promise<void> {}
}

/** Epoch milliseconds that never step back: a corrected system clock must not stretch a window or a lease. */
function steadyClock(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
