/** How a Redis is named, who the store is to it, and what of that nobody reads. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { RedisStore } from "../../src/store/redis";
import { SealError, Secrets } from "../../src/store/redis/secrets";
import { redisPlace, shownPlace } from "../../src/store/redis/url";
import { answering, secretsKey } from "../redis/place";
import { RedisServer } from "../redis/server";
import { appPut } from "./samples";

const nobody = { username: null, password: null, tls: false };

test.each([
  ["redis://localhost", { ...nobody, kind: "single", node: { host: "localhost", port: 6379 }, db: 0 }],
  [
    "redis://:p%40ss@[::1]:7000/3",
    { ...nobody, kind: "single", password: "p@ss", node: { host: "::1", port: 7000 }, db: 3 },
  ],
  [
    "rediss://me:it@a.example/",
    { kind: "single", username: "me", password: "it", tls: true, node: { host: "a.example", port: 6379 }, db: 0 },
  ],
  [
    "redis+sentinel://one,two:7001/main/2",
    {
      ...nobody,
      kind: "sentinel",
      nodes: [
        { host: "one", port: 26379 },
        { host: "two", port: 7001 },
      ],
      master: "main",
      db: 2,
    },
  ],
  [
    "rediss+cluster://one:1,two",
    {
      ...nobody,
      kind: "cluster",
      tls: true,
      nodes: [
        { host: "one", port: 1 },
        { host: "two", port: 6379 },
      ],
    },
  ],
])("%s is understood", (text, place) => {
  expect(redisPlace(text)).toEqual(place);
});

test.each([
  "http://:secret@host",
  "redis://",
  "redis://:secret@one,two",
  "redis://:secret@host:0",
  "redis://:secret@host:65536",
  "redis://:secret@host/a",
  "redis://secret@host",
  "redis://:secret%@host",
  "redis://:secret@host?x=1",
  "redis+sentinel://:secret@host",
  "redis+sentinel://:secret@host/main/1/2",
  "redis+cluster://:secret@host/1",
])("%s is refused without repeating it", (text) => {
  let message = "";
  try {
    redisPlace(text);
  } catch (error) {
    message = error instanceof RangeError ? error.message : "";
  }
  expect(message).toMatch(/^the URL of Redis is wrong: /);
  expect(message).not.toContain("secret");
});

test("what is shown of a place has no login", () => {
  const texts = ["redis://me:it@[::1]:7000", "redis+sentinel://me:it@one,two:7/main", "redis+cluster://me:it@one"];
  const shown = ["[::1]:7000", "one:26379,two:7/main", "one:6379"];
  expect(texts.map((text) => shownPlace(redisPlace(text)))).toEqual(shown);
});

describe("a Redis that wants a login", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  async function open(password: string) {
    const server = await RedisServer.start({ lines: ["user gateway on >the-right-one ~* &* +@all"] });
    closing.push(() => server.stop());
    const lines: string[] = [];
    const log = createLog("debug", { write: (line) => void lines.push(line) });
    const url = server.url.replace("redis://", `redis://gateway:${password}@`);
    const store = new RedisStore({ url, secretsKey, log });
    closing.push(() => store.close());
    return { server, store, lines };
  }

  test("gets it, and knows the gateway by its name", async () => {
    const { server, store } = await open("the-right-one");
    await answering(store);
    expect(String(await server.command("CLIENT", "LIST"))).toMatch(/ name=voicegate .* user=gateway /);
  });

  test("neither the log nor an error has the password that was wrong, or an argument", async () => {
    const { store, lines } = await open("a-wrong-one");
    const put = { ...appPut("acme"), digest: "the-digest" };
    const reason = await store.putApp(put).catch((error) => error);
    const told = JSON.stringify([reason, reason.message, reason.stack, Object.entries(reason), lines]);
    expect(told).toMatch(/away/);
    expect(told).not.toMatch(/a-wrong-one|the-digest/);
    expect(lines).toHaveLength(1);
  });
});

test("the error of a script does not have its arguments", async () => {
  const server = await RedisServer.start();
  const store = new RedisStore({ url: server.url, prefix: "test:", secretsKey, log: createLog("silent") });
  await answering(store);
  await server.command("SET", "test:{acme}:cur", "1");
  await server.command("SET", "test:{acme}:1:app", "no hash");
  const failure = await store.authenticate("acme", "the-digest").catch((error) => error);
  expect(failure.message).toMatch(/WRONGTYPE/);
  expect(JSON.stringify([failure.message, Object.entries(failure)])).not.toContain("the-digest");
  await store.close();
  await server.stop();
});

describe("secrets", () => {
  const secrets = new Secrets(secretsKey);

  test("are opened by who has the key, and by nobody else", () => {
    const sealed = secrets.seal("whsec_ä");
    expect(new Secrets(secretsKey).open(sealed)).toBe("whsec_ä");
    expect(() => new Secrets(Buffer.from("another key")).open(sealed)).toThrow(SealError);
    expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toContain("whsec_");
  });

  test("look different each time, and have one name", () => {
    expect(secrets.seal("whsec_a")).not.toBe(secrets.seal("whsec_a"));
    expect(secrets.name("whsec_a")).toBe(new Secrets(secretsKey).name("whsec_a"));
    expect(secrets.name("whsec_a")).not.toBe(secrets.name("whsec_b"));
  });

  test("that were changed or cut off are not opened", () => {
    const sealed = Buffer.from(secrets.seal("whsec_a"), "base64url");
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    expect(() => secrets.open(sealed.toString("base64url"))).toThrow(SealError);
    expect(() => secrets.open(sealed.subarray(0, 20).toString("base64url"))).toThrow(SealError);
  });
});
