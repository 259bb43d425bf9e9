import type { App, CloseApp, PutApp, PutAppResult, Room, Session, Store } from "../store";
import type { SourceKind } from "./log";
import { Numbers } from "./numbers";
import { Outbox } from "./outbox";
import type { Kept } from "./subjects";
import { type Shared, Tenant } from "./tenant";

type Alive = NonNullable<Awaited<ReturnType<Store["closeApp"]>>>;

/** All apps, their numbers, and who owns which call and room. */
export class Apps {
  private readonly present = new Map<string, Tenant>();
  /** Deleted ones that may still end their calls and deliver their events, by the nonce of the deletion. */
  private readonly deleted = new Map<string, { readonly tenant: Tenant; readonly until: number }>();
  /** By app id. */
  private readonly outboxes = new Map<string, Outbox>();
  private readonly numbers = new Numbers();
  private readonly owners = new Map<string, Tenant>();
  private readonly shared: Shared;
  private made = 0;

  constructor(shared: Omit<Shared, "forgotten">) {
    const forgotten = (id: string): void => {
      this.owners.delete(id);
    };
    this.shared = { ...shared, forgotten };
  }

  /** By id. */
  get all(): readonly App[] {
    const apps = [...this.present.values()].map((tenant) => tenant.app);
    return apps.sort((one, other) => (one.app_id < other.app_id ? -1 : 1));
  }

  get(app_id: string): Tenant | undefined {
    return this.present.get(app_id);
  }

  outbox(app_id: string): Outbox | undefined {
    return this.outboxes.get(app_id);
  }

  /** Ids of those with something to deliver. */
  get waiting(): readonly string[] {
    const ids: string[] = [];
    for (const [app_id, outbox] of this.outboxes) if (!outbox.empty) ids.push(app_id);
    return ids;
  }

  /** Also one that was deleted: its calls and rooms end under its settings. */
  ownerOf(id: string): Tenant | undefined {
    return this.owners.get(id);
  }

  own(id: string, tenant: Tenant): void {
    this.owners.set(id, tenant);
  }

  /** Does another app show such a call, or room? What is left of a deleted app of the same id is nobody's any more. */
  isForeign(app_id: string, id: string, kind: SourceKind): boolean {
    const owner = this.owners.get(id);
    return owner !== undefined && owner.app.app_id !== app_id && owner.shows(id, kind);
  }

  /** How many dead letters are kept. */
  get deadLetters(): number {
    let count = 0;
    for (const tenant of this.present.values()) count += tenant.letters.size;
    return count;
  }

  /** Calls and rooms of this node that have not ended. */
  *ofNode(node: string): IterableIterator<Kept<Session> | Kept<Room>> {
    for (const tenant of this.tenants()) {
      yield* tenant.sessions.ofNode(node);
      yield* tenant.rooms.ofNode(node);
    }
  }

  put(put: PutApp, now: number): PutAppResult {
    const { settings, created } = put;
    const { app_id } = settings;
    const tenant = this.present.get(app_id);
    if (tenant?.signsWith(created.secret)) return { outcome: "created", app: tenant.app };
    const did = this.numbers.takenFrom(app_id, settings.dids);
    if (did !== null) return { outcome: "did_taken", did };
    if (tenant !== undefined) {
      this.numbers.release(tenant.app.dids);
      this.numbers.take(app_id, settings.dids);
      tenant.replace(settings);
      if (put.digest !== null) tenant.digest = put.digest;
      return { outcome: "replaced", app: tenant.app };
    }
    const { shared } = this;
    const outbox = this.outboxes.get(app_id) ?? new Outbox(shared.bounds);
    const digest = put.digest ?? created.digest;
    this.made += 1;
    const made = new Tenant(settings, digest, created.secret, now, shared, this.made, outbox);
    this.outboxes.set(app_id, outbox);
    this.present.set(app_id, made);
    this.numbers.take(app_id, settings.dids);
    return { outcome: "created", app: made.app };
  }

  forDid(did: string): App | null {
    const holder = this.numbers.holder(did);
    return holder === null ? null : (this.present.get(holder)?.app ?? null);
  }

  close({ app_id, nonce, keep_ms }: CloseApp, now: number): Alive | null {
    const before = this.deleted.get(nonce);
    if (before !== undefined) return aliveOf(before.tenant);
    const tenant = this.present.get(app_id);
    if (tenant === undefined) return null;
    this.present.delete(app_id);
    this.numbers.release(tenant.app.dids);
    this.deleted.set(nonce, { tenant, until: now + keep_ms });
    tenant.close(now);
    return aliveOf(tenant);
  }

  /** Deletes what has outlived its time. */
  expire(now: number): void {
    for (const tenant of this.present.values()) tenant.expire(now);
    for (const [nonce, { tenant, until }] of this.deleted) {
      if (until > now) continue;
      tenant.remove(now);
      this.deleted.delete(nonce);
      const { app_id } = tenant.app;
      const others = [...this.deleted.values()].some((other) => other.tenant.app.app_id === app_id);
      if (!others && !this.present.has(app_id)) this.outboxes.delete(app_id);
    }
  }

  /** Deleted ones as well, as long as something is left of them. */
  private *tenants(): IterableIterator<Tenant> {
    yield* this.present.values();
    for (const { tenant } of this.deleted.values()) yield tenant;
  }
}

function aliveOf({ sessions, rooms }: Tenant): Alive {
  return { sessions: sessions.alive, rooms: rooms.alive };
}
