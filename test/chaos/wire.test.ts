/** The instrument itself: what passes between a gateway and Redis is known, and can be caught. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { Frames, words } from "../../scripts/chaos/resp";
import { Wire } from "../../scripts/chaos/wire";
import { RedisServer } from "../redis/server";

describe("frames", () => {
  const frames = [
    "*2\r\n$3\r\nGET\r\n$5\r\na\r\nbc\r\n",
    "+OK\r\n",
    "-ERR no\r\n",
    ":-12\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "$0\r\n\r\n",
    "*3\r\n*1\r\n:1\r\n$-1\r\n*2\r\n+a\r\n$2\r\nxy\r\n",
    "%1\r\n+k\r\n*1\r\n_\r\n",
    "~2\r\n#t\r\n,1.5\r\n",
    "$2\r\n\r\n\r\n",
  ];

  test("are whole wherever the stream is cut", () => {
    const bytes = Buffer.from(frames.join(""));
    for (let at = 0; at <= bytes.length; at++) {
      const cutter = new Frames();
      const found = [...cutter.take(bytes.subarray(0, at)), ...cutter.take(bytes.subarray(at))];
      expect(found.map(String)).toEqual(frames);
    }
  });

  test("are told as soon as they are whole", () => {
    const cutter = new Frames();
    const bytes = Buffer.from(frames.join(""));
    const found = [...bytes].flatMap((byte) => cutter.take(Buffer.from([byte])).map(String));
    expect(found).toEqual(frames);
  });

  test("of commands tell their words", () => {
    expect(words(Buffer.from(frames[0] ?? ""), 2)).toEqual(["GET", "a\r\nbc"]);
    expect(words(Buffer.from(frames[0] ?? ""), 1)).toEqual(["GET"]);
  });
});

describe("a wire", () => {
  const script = "-- told\nreturn redis.call('RPUSH', KEYS[1], ARGV[1])";
  let server: RedisServer;
  let wire: Wire;
  let client: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    wire = await Wire.open(server.port, new Map());
    client = new Redis(wire.url, { protocol: 2, maxRetriesPerRequest: 0, retryStrategy: () => 10 });
    // Each command is rejected with the same.
    client.on("error", () => undefined);
  });

  afterAll(async () => {
    client.disconnect();
    await wire.close();
    await server.stop();
  });

  /** In full, as a script goes first; then by its digest. */
  async function push(list: string, value: string): Promise<void> {
    await client.eval(script, 1, list, value);
  }

  async function pushBySha(list: string, value: string): Promise<unknown> {
    const sha = await server.command("SCRIPT", "LOAD", script);
    return client.evalsha(String(sha), 1, list, value);
  }

  test("knows what is under way, and scripts by their names", async () => {
    await push("known", "1");
    expect(wire.pending).toEqual([]);
    const blocked = client.blpop("later", 10);
    const behind = pushBySha("known", "2");
    while (wire.pending.length < 2) await new Promise(setImmediate);
    expect(wire.pending).toEqual(["blpop", "told"]);
    await server.command("RPUSH", "later", "x");
    expect(await blocked).toEqual(["later", "x"]);
    await behind;
    expect(wire.pending).toEqual([]);
    expect(await server.command("LRANGE", "known", 0, -1)).toEqual(["1", "2"]);
  });

  test("catches a call that Redis still gets, and whose answer nobody hears", async () => {
    await push("reached", "1");
    const caught = new Promise<readonly string[]>((resolve) =>
      wire.ambush(["told"], true, () => resolve(wire.pending)),
    );
    const call = pushBySha("reached", "2");
    expect(await caught).toEqual(["told"]);
    expect(await server.command("BLPOP", "reached", 5)).toEqual(["reached", "1"]);
    expect(await server.command("BLPOP", "reached", 5)).toEqual(["reached", "2"]);
    expect(wire.pending).toEqual(["told"]);
    client.disconnect(true);
    await expect(call).rejects.toThrow();
    expect(await client.ping()).toBe("PONG");
  });

  test("catches a call of which Redis never hears; one that was given up passes", async () => {
    wire.ambush(["told"], false, () => expect("given up").toBe("called"))();
    await push("missed", "1");
    const caught = new Promise<void>((resolve) => void wire.ambush(["told"], false, resolve));
    const call = pushBySha("missed", "2");
    await caught;
    client.disconnect(true);
    await expect(call).rejects.toThrow();
    expect(await server.command("LRANGE", "missed", 0, -1)).toEqual(["1"]);
  });

  test("breaks in the middle of an answer", async () => {
    await client.set("long", "x".repeat(1000));
    const cut = wire.cut(20);
    await expect(client.get("long")).rejects.toThrow();
    await cut;
    expect(wire.cuts).toBe(1);
    expect(await client.get("long")).toHaveLength(1000);
  });
});
