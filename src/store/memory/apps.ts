import type { App, Overdue, PutApp, PutAppResult } from "../store";
import { Numbers } from "./numbers";
import type { Schedule } from "./schedule";
import { type Bounds, Tenant } from "./tenant";

/** All apps, their numbers, and who owns which session. */
export class Apps {
  private readonly tenants = new Map<string, Tenant>();
  private readonly numbers = new Numbers();
  private readonly owners = new Map<string, Tenant>();
  private readonly forgotten = (session_uuid: string): void => {
    this.owners.delete(session_uuid);
  };

  constructor(
    private readonly bounds: Bounds,
    private readonly deadlines: Schedule<Overdue>,
  ) {}

  /** Those that are being deleted as well. */
  all(): IterableIterator<Tenant> {
    return this.tenants.values();
  }

  /** Also one that is being deleted. */
  get(app_id: string): Tenant | undefined {
    return this.tenants.get(app_id);
  }

  /** One that is not being deleted. */
  open(app_id: string): Tenant | undefined {
    const tenant = this.tenants.get(app_id);
    return tenant === undefined || tenant.closing ? undefined : tenant;
  }

  ownerOf(session_uuid: string): Tenant | undefined {
    return this.owners.get(session_uuid);
  }

  own(session_uuid: string, tenant: Tenant): void {
    this.owners.set(session_uuid, tenant);
  }

  put(put: PutApp, now: number): PutAppResult {
    const { settings, created } = put;
    const { app_id } = settings;
    const tenant = this.open(app_id);
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
    this.remove(app_id);
    const digest = put.digest ?? created.digest;
    const made = new Tenant(settings, digest, created.secret, now, this.bounds, this.deadlines, this.forgotten);
    this.tenants.set(app_id, made);
    this.numbers.take(app_id, settings.dids);
    return { outcome: "created", app: made.app };
  }

  forDid(did: string): App | null {
    const holder = this.numbers.holder(did);
    return holder === null ? null : (this.open(holder)?.app ?? null);
  }

  close(app_id: string, now: number): readonly string[] | null {
    const tenant = this.tenants.get(app_id);
    if (tenant === undefined) return null;
    if (!tenant.closing) this.numbers.release(tenant.app.dids);
    tenant.close(now);
    return tenant.calls.alive;
  }

  /** Only one that is being deleted: the same app may have been made anew since. */
  remove(app_id: string): void {
    const tenant = this.tenants.get(app_id);
    if (tenant === undefined || !tenant.closing) return;
    tenant.calls.clear();
    this.tenants.delete(app_id);
  }
}
