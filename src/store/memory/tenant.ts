import type { App, AppSettings, Overdue, StoredEvent } from "../store";
import type { OutboxBounds } from "./backlog";
import { type CallBounds, Calls } from "./calls";
import type { Outbox, Receiver, Sender } from "./outbox";
import { QuotaWindows } from "./quota";
import type { Schedule } from "./schedule";

/** What one app may fill, so that none can exhaust the process. */
export interface Bounds extends CallBounds, OutboxBounds {}

/** Old signing secrets of an app that sign at the same time, however often the secret is rotated. */
const OLD_SECRETS = 4;

/** An app with all that is its own. */
export class Tenant implements Sender {
  readonly quota = new QuotaWindows();
  readonly calls: Calls;
  private settings: App;
  private old_secrets: readonly { readonly secret: string; readonly until: number }[] = [];
  private revision = 1;
  private is_closing = false;

  constructor(
    settings: AppSettings,
    /** Keyed digest of app id and API key. */
    public digest: string,
    private secret: string,
    now: number,
    bounds: Bounds,
    /** Shared by all apps that had this id: what was deleted is delivered beside what is new. */
    readonly outbox: Outbox,
    deadlines: Schedule<Overdue>,
    forgotten: (session_uuid: string) => void,
  ) {
    this.settings = appOf(settings, now);
    this.calls = new Calls(bounds, deadlines, forgotten);
  }

  /** As it is now: replaced, never changed. */
  get app(): App {
    return this.settings;
  }

  get closing(): boolean {
    return this.is_closing;
  }

  replace(settings: AppSettings): void {
    this.settings = appOf(settings, this.settings.created_at);
    this.revision += 1;
  }

  /** Is this the secret that signs? It is made up anew for each call that would set it, so a repeat is known by it. */
  signsWith(secret: string): boolean {
    return this.secret === secret;
  }

  rotate(secret: string, keep_old_ms: number, now: number): void {
    if (this.signsWith(secret)) return;
    const old = [{ secret: this.secret, until: now + keep_old_ms }, ...this.old_secrets];
    this.old_secrets = old.filter((kept) => kept.until > now).slice(0, OLD_SECRETS);
    this.secret = secret;
  }

  /** From now on it is being deleted: what is queued is tried once more, at once. */
  close(now: number): void {
    this.is_closing = true;
    this.outbox.hurry(this, now);
  }

  disableWebhooks(now: number): void {
    if (this.settings.webhook_disabled_at !== null) return;
    this.settings = { ...this.settings, webhook_disabled_at: now };
    this.outbox.hurry(this, now);
  }

  receiver(now: number): Receiver {
    const { webhook_url, webhook_disabled_at } = this.settings;
    const signing = this.old_secrets.filter((old) => old.until > now).map((old) => old.secret);
    const mode = webhook_disabled_at !== null ? "disabled" : this.is_closing ? "closing" : "normal";
    return { revision: this.revision, webhook_url, secrets: [this.secret, ...signing], mode };
  }

  /** Queues events, unless the app wants none. */
  queue(session_uuid: string, events: readonly StoredEvent[], now: number): void {
    if (this.settings.webhook_url !== "") this.outbox.append(this, session_uuid, events, now);
  }

  /** Deletes all that is its own. */
  remove(): void {
    this.calls.clear();
    this.outbox.remove(this);
  }

  /** Deletes what has outlived its time. */
  expire(now: number): void {
    this.quota.expire(now);
    this.calls.expire(now);
    if (this.old_secrets.length > 0) this.old_secrets = this.old_secrets.filter((old) => old.until > now);
  }
}

function appOf(settings: AppSettings, created_at: number): App {
  const { app_id, webhook_url, rate_limit, events, dids } = settings;
  return { app_id, webhook_url, rate_limit, events, dids, created_at, webhook_disabled_at: null };
}
