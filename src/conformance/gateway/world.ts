/** What the checks of a gateway stand on: its address, who asks, who calls, and where its webhooks come to. */
import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Broken, Skipped, Unreachable } from "../check";
import { KitApp } from "./ground/app";
import type { Caller } from "./ground/caller";
import { openCaller } from "./ground/callers";
import { type Answer, KitClient, type KitRequest, type RequestHeaders } from "./ground/client";
import { Endpoint } from "./ground/endpoint";
import { Feed } from "./ground/feed";
import { Pace } from "./ground/pace";
import { KitServer } from "./ground/server";
import type { Settings, Stage } from "./ground/stage";
import { Laws } from "./laws/laws";

export type { Settings } from "./ground/stage";

/** For what is so in a moment, and told by no webhook. */
const settleMs = 5000;
const askMs = 100;
/** Nothing comes any more, when nothing came for so long. */
const quietMs = 300;

export interface AppOptions {
  readonly rate_limit?: number;
  readonly events?: readonly string[];
  readonly api_key?: string;
  /** In place of a number of its own. */
  readonly dids?: readonly string[];
  /** "": none. */
  readonly webhook_url?: string;
}

export class World implements Stage {
  readonly laws: Laws;
  /** Of this run: nothing that it makes has the name of something that was there. */
  readonly run = randomBytes(4).toString("hex");
  readonly #apps: KitApp[] = [];
  readonly #shared = new Map<string, Promise<unknown>>();
  readonly #closers: (() => void | Promise<void>)[] = [];
  #caller: Caller | null = null;
  #made = 0;
  /** Numbers of this run: digits, for every media server takes those. */
  readonly #prefix = `77${randomInt(10 ** 5, 10 ** 6)}`;

  private constructor(
    readonly settings: Settings,
    readonly client: KitClient,
    readonly server: KitServer,
    laws: Laws,
  ) {
    this.laws = laws;
  }

  /** @throws Unreachable when there is nothing to be tested, or nobody may */
  static async open(settings: Settings): Promise<World> {
    const client = new KitClient(settings.url, settings.adminKey, new Pace(settings.authFailuresPerSecond));
    const server = new KitServer();
    const world = new World(settings, client, server, new Laws(client.clock));
    try {
      await server.listen(settings.listen.host, settings.listen.port, settings.publicUrl);
      await world.#reach();
      world.#caller = openCaller(world);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get url(): string {
    return this.settings.url;
  }

  /** Credentials of the administration. @throws Skipped without an admin key */
  get admin(): RequestHeaders {
    if (this.settings.adminKey === null) throw new Skipped("This needs the admin key (--admin-key).");
    return { "X-Admin-API-Key": this.settings.adminKey };
  }

  get caller(): Caller {
    if (!this.#caller) throw new Error("the world is not open");
    return this.#caller;
  }

  /** Those that it made. */
  get apps(): readonly KitApp[] {
    return this.#apps;
  }

  request(request: KitRequest): Promise<Answer> {
    return this.client.request(request);
  }

  /** The app of all checks that need none of their own. */
  main(): Promise<KitApp> {
    const { number } = this.caller;
    return this.once("main", async () => {
      const app = await this.app(number === null ? {} : { dids: [number] }, number ?? undefined);
      // Before its first event. Why it could not be opened is told to those who look at it.
      await this.feed(app).catch(() => undefined);
      return app;
    });
  }

  /** The live events of the main app, from its beginning on. */
  feed(main: KitApp): Promise<Feed> {
    return this.once("feed", async () => {
      const feed = await Feed.open(main);
      this.atEnd(() => feed.close());
      return feed;
    });
  }

  /** Another one, to which nothing of the first belongs. */
  other(): Promise<KitApp> {
    return this.once("other", () => this.app());
  }

  /**
   * A new app with an endpoint, and a number of its own. It is deleted in the end.
   * @param number that callers dial, in place of one that nobody else has
   * @throws Skipped without an admin key
   */
  async app(options: AppOptions = {}, number?: string): Promise<KitApp> {
    const app_id = `kit-${this.run}-${++this.#made}`;
    const did = number ?? this.#prefix + String(this.#made).padStart(4, "0");
    const endpoint = new Endpoint(this.server, app_id, this.laws);
    const { dids = [did], webhook_url = endpoint.url, ...more } = options;
    const body = { dids, webhook_url, ...more };
    const answer = await this.request({ method: "POST", path: `/admin/apps/${app_id}`, headers: this.admin, body });
    if (answer.status !== 200 || !answer.body)
      throw new Broken({ expected: "an app that is made", got: `${answer.status}`, exchanges: [answer.exchange] });
    const api_key = options.api_key ?? String(answer.body.api_key);
    endpoint.secrets = [String(answer.body.webhook_secret)];
    endpoint.wanted = options.events ?? [];
    endpoint.mayMiss = webhook_url !== endpoint.url;
    this.client.knows(app_id, api_key);
    const app = new KitApp(this, app_id, api_key, did, endpoint);
    this.#apps.push(app);
    return app;
  }

  /** What need not be made twice, made when it is first asked for. */
  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const made = this.#shared.get(name) ?? make();
    this.#shared.set(name, made);
    // One key stands for one type: the name and what makes it stand side by side.
    return made as Promise<T>;
  }

  /** Asks until it is so, or 5 s have passed. @returns whether it is */
  async settled(so: () => Promise<boolean>): Promise<boolean> {
    for (const deadline = performance.now() + settleMs; performance.now() < deadline; await delay(askMs))
      if (await so()) return true;
    return so();
  }

  /** Done when the run is over, the last first. */
  atEnd(closer: () => void | Promise<void>): void {
    this.#closers.push(closer);
  }

  /** Deletes what it made, and closes everything. */
  async close(): Promise<void> {
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) await closer();
    await this.#caller?.close();
    await Promise.allSettled(this.#apps.map((app) => app.remove()));
    // Their last events are on their way: whoever hangs up on them makes the gateway complain.
    await this.server.quiet(quietMs, settleMs);
    this.client.close();
    await this.server.close();
  }

  async #reach(): Promise<void> {
    const { url, adminKey } = this.settings;
    let known = false;
    try {
      const { status, body } = await this.client.send({ method: "GET", path: "/live" });
      known = status === 200 || body?.success === false;
    } catch (error) {
      if (error instanceof Broken) throw new Unreachable(`Nothing answers at ${url}: ${error.evidence.got}`);
      throw error;
    }
    if (adminKey === null && known) return;
    const headers = adminKey === null ? {} : this.admin;
    const { status, body } = await this.client.send({ method: "GET", path: "/admin/apps", headers });
    // Wrong it may be: but something of it must be as a Voicegate is.
    if (!known && typeof body?.success !== "boolean") throw new Unreachable(`${url} is no Voicegate.`);
    if (adminKey !== null && status === 401) throw new Unreachable(`${url} does not take this admin key.`);
    if (adminKey !== null && status === 404) throw new Unreachable(`${url} is no Voicegate: it has no /admin/apps.`);
  }
}
