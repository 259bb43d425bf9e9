import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { RedisServer, type RedisServerOptions } from "./server";

describe("the Redis of a test", () => {
  let server: RedisServer | null = null;
  afterEach(async () => {
    await server?.stop();
    server = null;
  });
  async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
    server = await RedisServer.start(options);
    return server;
  }
  async function folderOf(redis: RedisServer): Promise<string> {
    const [, folder] = Object(await redis.command("CONFIG", "GET", "dir"));
    return String(folder);
  }

  test("answers, forgets all when it is killed, and leaves neither process nor folder", async () => {
    const redis = await start();
    const folder = await folderOf(redis);
    await redis.command("SET", "key", "value");
    await redis.kill();
    await expect(redis.command("PING")).rejects.toThrow();
    await redis.restart();
    expect(await redis.command("GET", "key")).toBeNull();
    const { pid } = redis;
    await redis.stop();
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  test("keeps with its append only file what it acknowledged", async () => {
    const redis = await start({ appendfsync: "always" });
    await redis.command("SET", "key", "value");
    await redis.restart();
    expect(await redis.command("GET", "key")).toBe("value");
  });

  test("ends with the process that started it, however that dies", async () => {
    const script = `
      const { RedisServer } = require(${JSON.stringify(path.join(__dirname, "server.js"))});
      RedisServer.start().then(async (redis) => {
        const [, folder] = await redis.command("CONFIG", "GET", "dir");
        console.log(JSON.stringify({ pid: redis.pid, folder }));
      });`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(child.stdout, "data");
    const { pid, folder } = JSON.parse(String(line));
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    child.kill("SIGKILL");
    const gone = () => !existsSync(`/proc/${pid}`) && !existsSync(folder);
    for (const deadline = Date.now() + 10_000; !gone() && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(gone()).toBe(true);
  });
});
