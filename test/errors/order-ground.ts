/** Gateways for the order of the checks: one for each way to start one, whose media servers do what a test wants. */
import path from "node:path";
import type { Facts } from "../../src/conformance/gateway/requests/facts";
import { exampleRequest, policyOf, type RoutedId, routed } from "../../src/conformance/gateway/requests/requests";
import type { EngineCommands, EngineRoomCommands } from "../../src/engines/engine";
import { Portal } from "../../src/portal/portal";
import { Client } from "../api/client";
import { Wire } from "../api/wire";
import { credentials, TestGateway } from "../gateway";
import { type Conduct, ContraryEngine, elsewhere, FailingStore } from "./failing";

const commands = routed.filter((id) => policyOf(id).command !== null);

type Headers = Readonly<Record<string, string>>;

/** What is decided when a gateway is started, with what it is as long as nothing else is asked for. */
const settings = {
  running: "open",
  load: "free",
  admin: "on",
  feature: "on",
  engine: "off",
  rules: "lax",
  quota: "free",
  media: "",
  portal: "built",
} as const;

export type Setting = { readonly [S in keyof typeof settings]: string };
const slots = Object.keys(settings) as (keyof Setting)[];

/** The gateway that an operation needs for this to be so. */
export function settingOf(id: RoutedId, facts: Facts): Setting {
  const setting: { -readonly [S in keyof Setting]: string } = { ...settings };
  for (const slot of slots) setting[slot] = facts[slot]?.[0] ?? settings[slot];
  const simulated = id === "createSandboxCall" && (facts["body did"] || facts.media);
  if (facts.engine === undefined && (simulated || facts["header Range"])) return { ...setting, engine: "embedded" };
  // Media servers that are not the gateway's own change their mind at any time.
  return facts.media?.[0] === "elsewhere" ? setting : { ...setting, media: "" };
}

/** A media server that lacks one command, and is not gone before the test lets it go. */
export class LackingEngine extends ContraryEngine {
  readonly #lacks: RoutedId | null;
  #closing: Promise<void> | null = null;

  constructor(node: string, lacks: RoutedId | null) {
    super(node);
    this.#lacks = lacks;
    this.conduct = "willing";
  }

  override get commands(): EngineCommands {
    return lacking(super.commands, this.#lacks);
  }

  override get roomCommands(): EngineRoomCommands {
    return lacking(super.roomCommands, this.#lacks);
  }

  /** Its gateway goes on refusing requests until then. @returns how to let it go */
  stay(): () => void {
    let go: () => void = () => undefined;
    this.#closing = new Promise((resolve) => {
      go = resolve;
    });
    return go;
  }

  override async close(): Promise<void> {
    await this.#closing;
  }
}

function lacking<T extends object>(commands: T, id: RoutedId | null): T {
  return id !== null && id in commands ? { ...commands, [id]: "unsupported" } : commands;
}

/** Longer than any cooldown. */
const cooled_ms = 3000;
/** As many as one app may have. */
const most_rooms = 1000;
const most_streams = 10;

export class Ground {
  readonly client: Client;
  readonly store: FailingStore;
  readonly #lacking: ReadonlyMap<RoutedId, LackingEngine>;
  readonly #made = new Map<string, Promise<string>>();
  readonly #closers: (() => void | Promise<void>)[] = [];

  private constructor(
    readonly gateway: TestGateway,
    store: FailingStore,
    readonly near: LackingEngine,
    readonly far: LackingEngine,
    lacking: ReadonlyMap<RoutedId, LackingEngine>,
  ) {
    this.client = new Client(gateway.url, { inside: true });
    this.store = store;
    this.#lacking = lacking;
  }

  static async start(setting: Setting): Promise<Ground> {
    const { running, load, admin, feature, engine, rules, quota, media, portal } = setting;
    const store = new FailingStore();
    const [near, far] = [new LackingEngine("near", null), new LackingEngine("far", null)];
    const lacking = new Map(commands.map((id, n) => [id, new LackingEngine(`no${n}`, id)]));
    // However long a test takes: no window ends unless it says so.
    if (engine === "off") store.stop();
    if (media === "elsewhere") await store.real.hold(elsewhere);
    const gateway = await TestGateway.start({
      store: store.store,
      ...(engine === "off" && { engines: [near, far, ...lacking.values()] }),
      ...(portal === "missing" && { portal: new Portal(path.join(__dirname, "nowhere")) }),
      recordings: feature === "on",
      // Without a webhook: nobody waits for one.
      app:
        admin === "off" || rules === "production"
          ? null
          : { dids: ["100"], ...(engine === "off" && { webhook_url: "" }) },
      env: {
        MAX_SESSIONS: "100000",
        ROOM_IDLE_SECONDS: "31536000",
        // Who takes so long is late by his own word.
        COMMAND_TIMEOUT_MS: media === "" ? "60000" : "100",
        ...(admin === "off" && { ADMIN_API_KEY: "" }),
        ...(rules === "production" && { ALLOW_HTTP_WEBHOOKS: "", ALLOW_LOCALHOST_WEBHOOKS: "" }),
        ...(quota === "used" && { DEFAULT_RATE_LIMIT: "1", TRUST_PROXY: "127.0.0.1" }),
        ...(load === "full" && { MAX_INFLIGHT: "1" }),
      },
    });
    const ground = new Ground(gateway, store, near, far, lacking);
    if (load === "full") await ground.#fill();
    if (media === "unreachable") ground.#stopMedia();
    if (running === "shut") await ground.#shut();
    return ground;
  }

  engine(id: RoutedId, node: "able" | "lacking"): LackingEngine {
    const engine = node === "able" ? this.near : this.#lacking.get(id);
    if (!engine) throw new Error(`no media server lacks ${id}`);
    return engine;
  }

  set conduct(conduct: Conduct) {
    for (const engine of [this.near, this.far, ...this.#lacking.values()]) engine.conduct = conduct;
  }

  /** Cooldowns are over. */
  cool(): void {
    this.store.forward(cooled_ms);
  }

  /** @returns the id of a new room */
  async open(headers: Headers, body: { readonly name: string; readonly session_uuid?: string }): Promise<string> {
    const answer = await this.client.request({ method: "POST", path: "/api/v1/conferences", headers, body });
    if (answer.status !== 201) throw new Error(`no room: ${answer.text}`);
    return String(answer.body?.room_id);
  }

  /** A room of the app, on this media server: the same each time. */
  room(engine: ContraryEngine, name = "room"): Promise<string> {
    return this.once(`${name} ${engine.node}`, async () => {
      const session_uuid = await engine.call("100");
      return this.open(this.gateway.app, { name: `${name}-${engine.node}`, session_uuid });
    });
  }

  /** Credentials of an app that has nothing to do with the other. */
  async other(): Promise<Headers> {
    return this.app("other", { dids: ["200"] });
  }

  /** Credentials of a further app. */
  async app(app_id: string, more: object = {}): Promise<Headers> {
    const api_key = `key-of-${app_id}-0123456789`;
    await this.once(`app ${app_id}`, () => this.gateway.putApp(app_id, { api_key, ...more }));
    return credentials(app_id, api_key);
  }

  /** Of the other app. */
  foreignRoom(): Promise<string> {
    return this.once("foreign room", async () => this.open(await this.other(), { name: "theirs" }));
  }

  async foreignCall(): Promise<string> {
    await this.other();
    return this.once("foreign call", () => this.near.call("200"));
  }

  /** An app that has as many rooms as it may; one of them is `room-0`. */
  async crowd(): Promise<Headers> {
    const headers = await this.app("crowd");
    await this.once("crowd", async () => {
      for (let n = 0; n < most_rooms; n += 1) await this.open(headers, { name: `room-${n}` });
      return "crowd";
    });
    return headers;
  }

  /** An app that reads as many streams as it may. */
  async readers(): Promise<Headers> {
    const headers = await this.app("readers");
    await this.once("readers", async () => {
      for (let n = 0; n < most_streams; n += 1) {
        const wire = await Wire.open(Number(new URL(this.gateway.url).port));
        this.#closers.push(() => wire.destroy());
        const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        const begun = new Promise((resolve) => wire.socket.once("data", resolve));
        wire.write(`GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields.join("")}\r\n`);
        await begun;
      }
      return "readers";
    });
    return headers;
  }

  /** What need not be made twice. */
  once(name: string, make: () => Promise<string>): Promise<string> {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }

  async close(): Promise<void> {
    for (const closer of this.#closers) await closer();
    await this.gateway.close();
  }

  /** With one request that the store does not answer there are as many under way as may be. */
  async #fill(): Promise<void> {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let asked: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const now = async () => {
      asked();
      await answered;
      return this.store.real.now();
    };
    const health = exampleRequest("getHealth", this.gateway);
    const held = await this.store.while({ now }, async () => {
      const request = this.client.request(health);
      await waits;
      return [request];
    });
    this.#closers.unshift(async () => {
      answer();
      await Promise.all(held);
    });
  }

  #stopMedia(): void {
    const pid = this.gateway.gateway.embedded?.mediaPid;
    if (!pid) throw new Error("there is no media process");
    process.kill(pid, "SIGSTOP");
    this.#closers.push(() => void process.kill(pid, "SIGCONT"));
  }

  async #shut(): Promise<void> {
    const go = this.near.stay();
    const closed = this.gateway.gateway.shutdown();
    this.#closers.push(async () => {
      go();
      await closed;
    });
    const health = exampleRequest("getHealth", this.gateway);
    for (let status = 200; status !== 503; ) ({ status } = await this.client.request(health));
    // It drains; it is shut down once nobody is left whose calls could go on.
    const request = exampleRequest("getErrors", this.gateway);
    for (let code: unknown = ""; code !== "server_shutting_down"; )
      ({ code } = (await this.client.request(request)).body ?? { code: "" });
  }
}

/** Started when they are needed first. */
export class Grounds {
  readonly #started = new Map<string, Promise<Ground>>();

  of(id: RoutedId, facts: Facts): Promise<Ground> {
    const setting = settingOf(id, facts);
    const key = JSON.stringify(setting);
    const ground = this.#started.get(key) ?? Ground.start(setting);
    this.#started.set(key, ground);
    return ground;
  }

  async close(): Promise<void> {
    for (const ground of this.#started.values()) await (await ground).close();
  }
}
