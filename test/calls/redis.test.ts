/** A gateway on a real Redis: what it asks of it, what it leaves there, and its calls while it is away. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { RedisStore } from "../../src/store/redis";
import { admit } from "../../src/store/redis/lua/admit";
import { authenticate } from "../../src/store/redis/lua/app";
import { commit } from "../../src/store/redis/lua/commit";
import { load } from "../../src/store/redis/lua/listing";
import { serverClock } from "../../src/store/redis/lua/prelude";
import { Client } from "../api/client";
import { adminKey, apiKey, TestGateway } from "../gateway";
import { RedisMonitor } from "../redis/monitor";
import { eventually, secretsKey as storeKey } from "../redis/place";
import { RedisProxy } from "../redis/proxy";
import { RedisServer } from "../redis/server";
import { tones } from "./hearing";
import { ListeningCaller } from "./listening-caller";
import { Stage } from "./stage";

const secretsKey = "secrets-key-of-the-tests-0123456789";

/** What it says in its log while Redis is away. */
const complaints = [
  "redis is away",
  "the store cannot be asked",
  "events wait: the store cannot be asked",
  "leases of media nodes are not renewed: the store cannot be asked",
  "sweep failed: the store cannot be asked",
  "webhooks: the store cannot be asked",
];

let redis: RedisServer;
let proxy: RedisProxy;
let stage: Stage;
beforeAll(async () => {
  redis = await RedisServer.start({ appendfsync: "always" });
  proxy = await RedisProxy.start(redis.port);
  // Longer than it is waited for in earnest: nothing here is about how busy the machine is.
  const options = { url: proxy.url, secretsKey: storeKey, waitMs: 2000, log: createLog("silent") };
  stage = await Stage.open({ store: new RedisStore(options) });
});
afterAll(async () => {
  await stage?.close();
  await proxy?.close();
  await redis?.stop();
});

/** Those that a command of an app may ask for: their names by the digests by which Redis knows them. */
const scripts = new Map(
  [admit, commit, load, authenticate].map((script) => [script.compile(serverClock).sha, script.name]),
);

/** What comes over connections while this is done, counted: scripts by their names, of all else what comes most often. */
async function asked(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const monitor = await RedisMonitor.start(redis.port);
  await work();
  await redis.command("echo", "the end");
  const counts: Record<string, number> = { admit: 0, commit: 0, load: 0, authenticate: 0 };
  for (const { command, first } of await monitor.until("the end")) {
    const name = scripts.get(first) ?? `${command} ${first}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  monitor.stop();
  const { admit: admitted = 0, commit: committed = 0, load: loaded = 0, authenticate: checked = 0, ...rest } = counts;
  const most = Math.max(0, ...Object.values(rest));
  return { admitted, committed, loaded, checked, most };
}

describe("what it asks of Redis", () => {
  const times = 100;

  test("a command that is refused by its state: one script, and nothing else", async () => {
    const session_uuid = await stage.sandbox();
    const refused = async () => {
      const { status, body } = await stage.command(session_uuid, "conference/leave");
      expect([status, body?.code]).toEqual([409, "session_not_in_conference"]);
    };
    await refused();
    const seen = await asked(async () => {
      for (let i = 0; i < times; i++) await refused();
    });
    expect(seen).toMatchObject({ admitted: times, checked: 0, loaded: 0, committed: 0 });
    // A second trip would be something else that came for each of them.
    expect(seen.most).toBeLessThan(times);
    await stage.taken(session_uuid, "hangup");
  });

  test("a command that is taken: one script to admit it, one for each event of the engine that comes of it, nothing is read", async () => {
    const calls = await Promise.all(Array.from({ length: 10 }, () => stage.sandbox()));
    const answers = await asked(async () => {
      for (const call of calls) await stage.done(call, "answer");
    });
    const starts = await asked(async () => {
      for (const call of calls) await stage.done(call, "playback/start", { urls: [stage.files.tone(60_000)] });
    });
    expect(answers).toMatchObject({ admitted: 10, checked: 0, loaded: 0, committed: 10 });
    expect(starts).toMatchObject({ admitted: 10, checked: 0, loaded: 0 });
    // That it was taken and that it sounds may be one event of the engine after the other.
    expect(starts.committed).toBeLessThanOrEqual(20);
    for (const call of calls) await stage.taken(call, "hangup");
  });
});

test("neither a key nor a secret is in clear in what Redis was told to keep", async () => {
  const server = await RedisServer.start({ appendfsync: "always" });
  const place = await TestGateway.start({ env: { REDIS_URL: server.url, SECRETS_KEY: secretsKey } });
  const { body } = await place.client.request({
    method: "POST",
    path: "/admin/apps/test/webhook-secret",
    headers: place.admin,
  });
  const rotated = String(body?.webhook_secret);
  const session_uuid = await place.call({ script: [{ do: "hangup" }] });
  await place.receiver.event("call.hangup", session_uuid);
  const before = place.receiver.secret;
  await place.close();

  const folder = path.join(server.folder, "appendonlydir");
  const files = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name))));
  const kept = Buffer.concat(files);
  // It is all there, and can be read: the log of the call as well.
  expect(kept.includes(session_uuid)).toBe(true);
  const secrets = [before, rotated].flatMap((text) => {
    expect(text).toMatch(/^whsec_.{20}/);
    const encoded = text.slice("whsec_".length);
    return [encoded, Buffer.from(encoded, "base64"), Buffer.from(encoded, "base64").toString("hex")];
  });
  for (const text of [...secrets, apiKey, adminKey, secretsKey]) expect(kept.includes(text)).toBe(false);
  await server.stop();
});

describe("while Redis is away", () => {
  /** Resolves when its health is this. */
  const health = (expected: number) =>
    eventually(async () => {
      const client = new Client(stage.gateway.url, { inside: true });
      const { status, text } = await client.request({ method: "GET", path: "/health" });
      if (status !== expected) throw new Error(`health: ${status} ${text}`);
    });

  let caller: ListeningCaller | null = null;
  afterEach(async () => {
    await caller?.close();
    caller = null;
  });

  test.each(["is cut off", "is killed", "answers nobody"])(
    "it %s: requests are refused as declared, calls go on, and nothing is lost",
    async (how) => {
      caller = await ListeningCaller.call(stage);
      const { phone, session_uuid } = await stage.talking();
      await stage.taken(caller.session_uuid, "playback/start", {
        command_uid: "long",
        urls: [stage.files.tone(60_000)],
      });
      await caller.sound();
      const operation = await stage.taken(session_uuid, "play_and_get_digits", {
        command_uid: "pin",
        prompt_files: [stage.files.tone(60_000)],
        max_digits: 4,
        digit_timeout_ms: 60_000,
      });
      stage.expected.push(...complaints);
      if (how === "is cut off") proxy.refuse();
      else if (how === "is killed") await redis.kill();
      else proxy.hold();

      // It is asked, and known to be away from then on.
      await health(503);
      const refused = await stage.command(session_uuid, "playback/stop", { command_uid: "refused" }, true);
      expect(refused).toMatchObject({ status: 500, body: { code: "api_key_not_checked" } });
      await phone.press("1234");
      const heard = await caller.listen(300);
      expect(tones(heard)).toHaveLength(1);

      if (how === "is cut off") proxy.accept();
      else if (how === "is killed") await redis.restart();
      else proxy.release();
      await stage.receiver.event("digits.collected", session_uuid);
      expect((await stage.receiver.result(operation)).data.success).toBe(true);
      await health(200);
      await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
      await stage.taken(caller.session_uuid, "hangup", { command_uid: "bye" });
      const story = await stage.story(session_uuid);
      const digits = story.filter((line) => /^(?:dtmf|digits)/.test(line));
      expect(digits).toEqual(["dtmf 1", "dtmf 2", "dtmf 3", "dtmf 4", "digits.collected pin 1234 success"]);
      expect(story.filter((line) => line.includes("refused"))).toEqual([]);
      expect((await stage.story(caller.session_uuid)).at(-1)).toMatch(/^call\.hangup NORMAL_CLEARING/);
    },
  );
});
