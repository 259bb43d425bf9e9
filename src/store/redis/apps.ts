import type { App, CloseApp, PutApp, PutAppResult, Store } from "../store";
import type { Context } from "./context";
import { authenticate, close, put, read, rotate } from "./lua/app";
import { Numbers, WRITE_MS } from "./numbers";
import { Script } from "./script";

type Alive = NonNullable<Awaited<ReturnType<Store["closeApp"]>>>;

/** app id → ms: from now on it is looked for */
const register = new Script("register", {
  body: /* lua */ `
call('ZADD', A, now(), ARGV[1])
return now()`,
});

/** The apps: settings, keys, secrets, numbers. */
export class Apps {
  readonly #context: Context;
  readonly #numbers: Numbers;

  constructor(context: Context) {
    this.#context = context;
    this.#numbers = new Numbers(
      context,
      async (app_id, form) => (await this.get(app_id))?.dids.includes(form) === true,
    );
  }

  async get(app_id: string): Promise<App | null> {
    return (await this.#read(app_id))?.app ?? null;
  }

  /** By id. */
  async all(): Promise<readonly App[]> {
    const { connection, keys } = this.#context;
    const ids = await this.ids();
    const answers = await connection.runBatch(ids.map((id) => ({ script: read, key: keys.app(id), args: [] })));
    const apps = answers.flatMap((answer) => this.#form(answer)?.app ?? []);
    return apps.sort((one, other) => (one.app_id < other.app_id ? -1 : 1));
  }

  /** Of all of which anything is left. */
  async ids(): Promise<readonly string[]> {
    const ids = await this.#context.connection.command("ZRANGE", this.#context.keys.apps, 0, -1);
    return Array.isArray(ids) ? ids.map(String) : [];
  }

  /**
   * The numbers are claimed, the app is written, the claim is confirmed, and what it has no more is released. A claim that is
   * left over when this stops in between is stale: see `Numbers`.
   */
  async put(put_app: PutApp): Promise<PutAppResult> {
    const { connection, keys, forms, secrets } = this.#context;
    const { settings, digest, created } = put_app;
    const { app_id, webhook_url, rate_limit, events, dids } = settings;
    const sid = secrets.name(created.secret);
    const before = await this.#read(app_id);
    if (before?.sid === sid) return { outcome: "created", app: before.app };
    const claimed = await this.#numbers.claim(app_id, dids);
    if ("taken" in claimed) return { outcome: "did_taken", did: claimed.taken };
    await connection.run(register, keys.apps, app_id);
    const text = JSON.stringify({ app_id, webhook_url, rate_limit, events, dids });
    const sealed = secrets.seal(created.secret);
    const args = [text, webhook_url, rate_limit, digest ?? "", created.digest, sealed, sid, claimed.at + WRITE_MS];
    const answer = await connection.run(put, keys.app(app_id), ...args);
    const [outcome, j, disabled = ""] = Array.isArray(answer) ? answer.map(String) : [];
    if (j === undefined) throw new Error("the app was not written: Redis was too slow");
    await this.#numbers.claim(app_id, dids);
    await this.#numbers.release(app_id, await this.#dropped(app_id, before?.app.dids ?? []), claimed.number);
    return { outcome: outcome === "replaced" ? "replaced" : "created", app: forms.of(j, disabled) };
  }

  async rotate(app_id: string, secret: string, keep_old_ms: number): Promise<boolean> {
    const { connection, keys, secrets } = this.#context;
    const args = [secrets.seal(secret), secrets.name(secret), keep_old_ms];
    return (await connection.run(rotate, keys.app(app_id), ...args)) === 1;
  }

  async close({ app_id, nonce, keep_ms }: CloseApp): Promise<Alive | null> {
    const { connection, keys, forms, active } = this.#context;
    await active.mark(app_id);
    const answer = await connection.run(close, keys.app(app_id), nonce, keep_ms, await this.#numbers.mark());
    if (!Array.isArray(answer)) return null;
    const [j, mark, count, ...ids] = answer.map(String);
    await this.#numbers.release(app_id, forms.of(j ?? "", "").dids, Number(mark));
    return { sessions: ids.slice(0, Number(count)), rooms: ids.slice(Number(count)) };
  }

  async forDid(did: string): Promise<App | null> {
    for (const { form, holder } of await this.#numbers.holders(did)) {
      const app = await this.get(holder);
      if (app?.dids.includes(form)) return app;
    }
    return null;
  }

  async authenticate(app_id: string, digest: string): Promise<boolean> {
    const { connection, keys } = this.#context;
    return (await connection.run(authenticate, keys.app(app_id), digest)) === 1;
  }

  /** Those of these numbers that the app does not list now. */
  async #dropped(app_id: string, dids: readonly string[]): Promise<readonly string[]> {
    if (dids.length === 0) return [];
    const listed = new Set((await this.get(app_id))?.dids);
    return dids.filter((did) => !listed.has(did));
  }

  async #read(app_id: string): Promise<{ readonly app: App; readonly sid: string; readonly epoch: string } | null> {
    return this.#form(await this.#context.connection.run(read, this.#context.keys.app(app_id)));
  }

  #form(answer: unknown): { readonly app: App; readonly sid: string; readonly epoch: string } | null {
    if (!Array.isArray(answer)) return null;
    const [j = "", disabled = "", sid = "", epoch = ""] = answer.map(String);
    return { app: this.#context.forms.of(j, disabled), sid, epoch };
  }
}
