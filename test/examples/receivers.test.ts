/** Each starter of a receiver that this machine can run, against a real gateway and against requests that are not its. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { newSecret, sign } from "../../src/webhooks/signature";
import { type BuiltClient, buildClient } from "../client/built";
import { apiKey, credentials, TestGateway } from "../gateway";
import { Program, root } from "../project/program";

const folder = path.join(root, "examples/receivers");
const found = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

type Start = (port: number) => readonly [string, ...string[]];

/** How each is started; null where its language is not here. */
const starters: Readonly<Record<string, Start | null>> = {
  "receiver.ts": () => [process.execPath, path.join(built.folder, "receiver.js")],
  "receiver.py": () => ["python3", path.join(built.folder, "receiver.py")],
  "receiver.go": found("go", "version") ? () => [path.join(built.folder, "receiver")] : null,
  "receiver.php": found("php", "-v")
    ? (port) => ["php", "-S", `127.0.0.1:${port}`, path.join(folder, "receiver.php")]
    : null,
  "receiver.rb": found("ruby", "-v") ? () => ["ruby", path.join(folder, "receiver.rb")] : null,
};

/** Where an application begins, and what makes its first try of an event that says so fail. */
const failing: Readonly<Record<string, readonly [begin: string, fail: string]>> = {
  "receiver.ts": [
    "function handle(event) {",
    'if (event.data.fail && process.env.FAIL) { delete process.env.FAIL; throw new Error("once"); }',
  ],
  "receiver.py": [
    "Queue what is slow.\n",
    '    if event["data"].get("fail") and os.environ.pop("FAIL", None): raise ValueError("once")\n',
  ],
};

let built: BuiltClient;
let place: TestGateway;

beforeAll(async () => {
  built = await buildClient();
  const compiled = path.join(root, "dist/examples/receivers/receiver.js");
  const sources = { "receiver.ts": compiled, "receiver.py": path.join(folder, "receiver.py") };
  for (const [name, source] of Object.entries(sources)) {
    const text = readFileSync(source, "utf8");
    const [begin = "", fail = ""] = failing[name] ?? [];
    expect(text).toContain(begin);
    writeFileSync(path.join(built.folder, path.basename(source)), text.replace(begin, `${begin}${fail}`));
  }
  if (starters["receiver.go"])
    execFileSync("go", ["build", "-o", path.join(built.folder, "receiver"), path.join(folder, "receiver.go")]);
  place = await TestGateway.start({ app: null });
});

afterAll(async () => {
  await place.close();
  await built.remove();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}

/** Requests to one starter, signed with its secret. */
class Sender {
  readonly url: string;
  readonly secret: string;

  constructor(url: string, secret: string) {
    this.url = url;
    this.secret = secret;
  }

  /** 0: the connection was closed without an answer, which the gateway takes for a failure like any other. */
  async status(init: RequestInit, target = "/"): Promise<number> {
    const response = await fetch(new URL(target, this.url), init).catch(() => null);
    await response?.arrayBuffer();
    return response?.status ?? 0;
  }

  /** What is answered to a webhook; `secrets` sign it. */
  deliver(id: string, body: string, secrets = [this.secret], seconds = Math.floor(Date.now() / 1000)): Promise<number> {
    const signature = sign(secrets, id, seconds, body);
    const headers = { "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": signature };
    return this.status({ method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body });
  }

  async effects(): Promise<Record<string, number>> {
    const response = await fetch(new URL("/voicegate-probe", this.url));
    return JSON.parse(await response.text()).effects;
  }
}

const event = (session_uuid: string, sequence: number, data: object = {}) =>
  JSON.stringify({ event: "dtmf", session_uuid, sequence, timestamp: "2025-03-01T12:00:00.000Z", app_id: "a", data });

const here = Object.entries(starters).flatMap(([name, command]) => (command ? [{ name, command }] : []));
const skipped = Object.keys(starters).filter((name) => starters[name] === null);
if (skipped.length > 0) console.info(`languages that are not here: ${skipped.join(", ")}`);

describe.each(here)("$name", ({ name, command }) => {
  const app_id = name.replace(".", "-");
  let program: Program;
  let sender: Sender;

  beforeAll(async () => {
    const port = await freePort();
    const webhook_url = `http://127.0.0.1:${port}/`;
    const WEBHOOK_SECRET = await place.putApp(app_id, { webhook_url, api_key: apiKey, dids: [app_id] });
    const [file, ...args] = command(port);
    const env = {
      WEBHOOK_SECRET,
      PORT: String(port),
      VOICEGATE_PROBE: "1",
      FAIL: "once",
      STATE: path.join(built.folder, "state"),
    };
    program = new Program(file, args, env);
    await program.prints(/receiver ready|Development Server .* started/);
    sender = new Sender(webhook_url, WEBHOOK_SECRET);
  });

  afterAll(async () => {
    program.interrupt("SIGTERM");
    await program.ended();
  });

  test("takes each event of a call", async () => {
    const uuid = await place.call({ did: app_id });
    const headers = credentials(app_id);
    for (const command of ["answer", "hangup"]) {
      const commandPath = `/api/v1/sessions/${uuid}/commands/${command}`;
      const { status } = await place.client.request({ method: "POST", path: commandPath, headers, body: {} });
      expect(status).toBe(202);
    }
    await program.prints(/call\.hangup/);
    const { body } = await place.client.request({ method: "GET", path: `/api/v1/sessions/${uuid}/events`, headers });
    const events: readonly { sequence: number }[] = JSON.parse(JSON.stringify(body?.events));
    expect(events.length).toBeGreaterThan(3);
    expect(await sender.effects()).toEqual(
      Object.fromEntries(events.map(({ sequence }) => [`${uuid}.${sequence}`, 1])),
    );
  });

  test("takes none twice, none late, and goes on after both", async () => {
    const before = Object.keys(await sender.effects());
    for (const [id, sequence] of [
      ["e1", 1],
      ["e2", 2],
      ["e1", 1],
      ["late", 1],
      ["same", 2],
      ["e3", 3],
    ] as const)
      expect(await sender.deliver(id, event("call", sequence))).toBe(204);
    expect(await sender.deliver("other", event("another", 1))).toBe(204);
    const effects = await sender.effects();
    const taken = Object.keys(effects).filter((id) => !before.includes(id));
    expect(taken.sort()).toEqual(["e1", "e2", "e3", "other"]);
    expect(new Set(Object.values(effects))).toEqual(new Set([1]));
  });

  if (failing[name])
    test("takes again what failed, and nothing before it was done", async () => {
      const body = event("failing", 1, { fail: true });
      const refused = await sender.deliver("again", body);
      expect(refused === 0 || refused >= 500).toBe(true);
      expect(await sender.effects()).not.toHaveProperty("again");
      expect(await sender.deliver("again", body)).toBe(204);
      expect(await sender.effects()).toHaveProperty("again", 1);
    });

  test("takes nothing that the gateway has not signed now", async () => {
    const body = event("forged", 1);
    const now = Math.floor(Date.now() / 1000);
    const before = await sender.effects();
    expect(await sender.deliver("f1", body, [newSecret()])).toBe(401);
    expect(await sender.deliver("f2", body, undefined, now - 310)).toBe(401);
    expect(await sender.deliver("f3", body, undefined, now + 310)).toBe(401);
    expect(await sender.status({ method: "POST", body })).toBe(401);
    expect(await sender.effects()).toEqual(before);
  });

  test("takes either of two signatures, and refuses what is no event", async () => {
    expect(await sender.deliver("two", event("two", 1), [newSecret(), sender.secret])).toBe(204);
    expect(Object.keys(await sender.effects())).toContain("two");
    for (const garbage of ["", "{", "[]", "{}", "3"]) expect(await sender.deliver(`g${garbage}`, garbage)).toBe(400);
    expect(await sender.status({ method: "GET" })).toBe(405);
    expect(await sender.status({ method: "POST", body: "{}" }, "/elsewhere")).toBe(404);
    expect(await sender.status({ method: "POST", body: Buffer.alloc((1 << 20) + 1) })).toBe(413);
  });
});

test("each has at most 40 lines", () => {
  for (const name of Object.keys(starters))
    expect({ name, fits: readFileSync(path.join(folder, name), "utf8").trimEnd().split("\n").length <= 40 }).toEqual({
      name,
      fits: true,
    });
});
