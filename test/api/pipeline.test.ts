/** Steps 2 to 6 of the checks, and what every answer carries. */
import { isDeepStrictEqual } from "node:util";
import { afterEach, describe, expect, test } from "@jest/globals";
import { readConfig } from "../../src/config";
import { Client } from "./client";
import { admin, adminKey, apiKey, credentials, type Place, startApi } from "./place";
import { head, json, live, putApp } from "./requests";
import { Wire } from "./wire";

let place: Place;
let client: Client;
afterEach(() => place.close());

async function start(options: Parameters<typeof startApi>[0] = {}): Promise<void> {
  place = await startApi(options);
  client = new Client(place.url);
}

const list = { method: "GET", path: "/api/v1/sessions" };
const answer = () => ({ method: "POST", path: `/api/v1/sessions/${place.session_uuid}/commands/answer` });
/** Asks again until it is so; the time-out of the test is the limit. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

const proxies = (TRUST_PROXY: string) => readConfig({ TRUST_PROXY }).TRUST_PROXY ?? [];

const wrongKey = { ...credentials, "X-API-Key": "wrong" };

describe("routes and methods", () => {
  test.each([
    ["DELETE", "/live", "GET, HEAD"],
    ["OPTIONS", "/live", "GET, HEAD"],
    ["PUT", "/admin/apps/raw", "DELETE, GET, HEAD, POST"],
    ["GET", "/api/v1/sessions/x/commands/answer", "POST"],
    ["HEAD", "/api/v1/sessions/x/commands/dance", "POST"],
  ])("%s %s is 405", async (method, path, allow) => {
    await start();
    const { status, headers } = await client.request({ method, path });
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow });
  });

  test.each([
    "/",
    "/live/",
    "//live",
    "/LIVE",
    "/live%2f",
    "/api/v1/sessions/",
    "/api/v1/sessions//commands/answer",
    "/api/v1/sessions/x/commands",
    "/api/v1/sessions/x/commands/",
  ])("%s is 404, before anybody is asked who he is", async (path) => {
    await start();
    expect((await client.request({ method: "POST", path })).body).toMatchObject({ error: "Not found" });
  });

  test.each(["/%6cive", "/live?x=%2F", "/live?"])("%s is /live", async (path) => {
    await start();
    expect((await client.request({ method: "GET", path })).status).toBe(200);
  });

  test.each(["dance", "playback", "playback/start/", "answer/", "a/b/c/d", "%61nswer%2f", "/"])(
    "the command %s is unknown, once key and quota hold",
    async (name) => {
      await start();
      const request = { method: "POST", path: `/api/v1/sessions/x/commands/${name}` };
      expect((await client.request(request)).body).toMatchObject({ error: "Missing X-App-ID header" });
      const { body, headers } = await client.request({ ...request, headers: credentials, body: "no JSON" });
      expect(body).toMatchObject({ error: "Invalid command" });
      expect(headers.ratelimit).toBe('"app";r=9999;t=1');
    },
  );

  test("HEAD answers as GET, without a body", async () => {
    await start();
    const get = await client.request({ ...list, headers: credentials });
    const { status, headers, text } = await client.request({ ...list, method: "HEAD", headers: credentials });
    expect({ status, length: headers["content-length"], text }).toEqual({
      status: 200,
      length: get.headers["content-length"],
      text: "",
    });
    expect((await client.request({ ...list, method: "HEAD" })).status).toBe(400);
  });
});

describe("who asks", () => {
  test("failures of an address are answered as such up to the limit of a second, then not even looked at", async () => {
    await start({ authFailuresPerSecond: 2 });
    const send = async (headers: Record<string, string>) =>
      String((await client.request({ ...list, headers })).body?.error);
    await client.request({ method: "GET", path: "/nowhere" });
    await client.request({ method: "DELETE", path: "/live" });
    expect(await Promise.all([send({}), send(wrongKey)])).toEqual(["Missing X-App-ID header", "Invalid API key"]);
    expect((await client.request({ ...list, headers: credentials })).status).toBe(200);
    expect(await send({ ...credentials, "X-App-ID": "a b" })).toBe("Invalid X-App-ID format");
    const shut = await client.request({ ...list, headers: credentials });
    expect(shut.body).toMatchObject({ error: "Rate limit exceeded" });
    expect(shut.headers["retry-after"]).toBe("1");
    const other = await client.request({ method: "GET", path: "/admin/apps", headers: admin });
    expect(other.body).toMatchObject({ error: "Rate limit exceeded" });
    expect((await client.request({ method: "GET", path: "/live" })).status).toBe(200);
    await until(async () => (await client.request({ ...list, headers: credentials })).status === 200);
  });

  test("a key that was changed is refused on a connection that knew it, before its body is judged", async () => {
    await start();
    const wire = await Wire.open(place.port);
    const fields = Object.entries(credentials).map(([name, value]) => `${name}: ${value}`);
    const { path } = answer();
    wire.write(head(`GET ${list.path} HTTP/1.1`, ...fields));
    expect((await wire.response("GET", list.path))?.status).toBe(200);
    await client.request({
      method: "POST",
      path: "/admin/apps/raw",
      headers: admin,
      body: { api_key: "k".repeat(16) },
    });
    wire.write(`${head(`POST ${path} HTTP/1.1`, ...fields, "Content-Length: 1")}x`);
    expect(await wire.response("POST", path)).toMatchObject({ status: 401, error: "Invalid API key" });
    wire.write(head(`GET ${list.path} HTTP/1.1`, `X-App-ID: raw`, `X-API-Key: ${"k".repeat(16)}`));
    expect((await wire.response("GET", list.path))?.status).toBe(200);
    wire.destroy();
  });

  test("fields that come twice are neither an id nor a key", async () => {
    await start();
    const twice = { ...credentials, "X-App-ID": ["raw", "raw"] };
    expect((await client.request({ ...list, headers: twice })).body).toMatchObject({
      error: "Invalid X-App-ID format",
    });
    const keys = { ...credentials, "X-API-Key": [apiKey, apiKey] };
    expect((await client.request({ ...list, headers: keys })).body).toMatchObject({ error: "Invalid API key" });
    const admins = { "X-Admin-API-Key": [adminKey, adminKey] };
    const request = { method: "GET", path: "/admin/apps", headers: admins };
    expect((await client.request(request)).body).toMatchObject({ error: "Invalid admin API key" });
  });

  test("X-Forwarded-For counts from a trusted proxy alone", async () => {
    await start({ trustProxy: proxies("10.0.0.0/8, 127.0.0.1"), authFailuresPerSecond: 1 });
    const from = async (forwarded: string, headers: Record<string, string> = {}) =>
      (await client.request({ ...list, headers: { ...headers, "X-Forwarded-For": forwarded } })).status;
    for (let failures = 0; failures < 2; failures += 1) expect(await from("192.0.2.1")).toBe(400);
    // Shut out: this address, in any form, however it is dressed up by the client.
    expect(await from("192.0.2.1", credentials)).toBe(429);
    expect(await from("198.51.100.7, 192.0.2.1, 10.1.2.3", credentials)).toBe(429);
    expect(await from("nonsense, ::ffff:192.0.2.1", credentials)).toBe(429);
    expect(await from("192.0.2.2", credentials)).toBe(200);
    // What is no address is nobody's: the proxy itself has failed nothing.
    expect(await from("192.0.2.1, nonsense", credentials)).toBe(200);
    await place.close();
    await start({ trustProxy: proxies("10.0.0.0/8"), authFailuresPerSecond: 1 });
    for (let failures = 0; failures < 2; failures += 1) expect(await from("192.0.2.1")).toBe(400);
    expect(await from("192.0.2.2", credentials)).toBe(429);
  });
});

describe("how often", () => {
  test("each request that passed authentication counts, refused ones too, and nothing is judged beyond", async () => {
    await start({ defaultRateLimit: 2 });
    const large = { ...answer(), headers: credentials, body: Buffer.alloc(70_000) };
    const first = await client.request({ ...large, headers: { ...credentials, "Content-Type": "application/json" } });
    expect(first.body).toMatchObject({ error: "Request body too large" });
    expect(first.headers).toMatchObject({ "ratelimit-policy": '"app";q=2;w=1', ratelimit: '"app";r=1;t=1' });
    expect((await client.request(large)).body).toMatchObject({ error: "Content-Type must be application/json" });
    const { body, headers } = await client.request(large);
    expect(body).toMatchObject({ error: "Rate limit exceeded" });
    expect(headers).toMatchObject({ "retry-after": "1", ratelimit: '"app";r=0;t=1' });
  });

  describe("one who is over his quota", () => {
    /** Offers a body. `asked`: the gateway wants to read it. */
    const offer = async () => {
      const { path } = answer();
      const fields = Object.entries(credentials).map(([name, value]) => `${name}: ${value}`);
      const wire = await Wire.open(place.port);
      wire.write(head(`POST ${path} HTTP/1.1`, ...fields, json, "Expect: 100-continue", "Content-Length: 2"));
      const first = await wire.response("POST", path);
      const asked = first?.status === 100;
      if (asked) wire.write("{}");
      const { error } = (asked ? await wire.response("POST", path) : first) ?? {};
      wire.destroy();
      return { asked, error };
    };
    const settings = { method: "POST", path: "/admin/apps/raw", headers: admin };

    test("is refused without his body, until his limit is raised", async () => {
      await start({ defaultRateLimit: 1 });
      await until(async () => isDeepStrictEqual(await offer(), { asked: false, error: "Rate limit exceeded" }));
      expect((await client.request({ ...settings, body: { rate_limit: 1000 } })).status).toBe(200);
      expect(await offer()).toEqual({ asked: true, error: "Media server unavailable" });
    });

    test("is told first that his key was taken back", async () => {
      await start({ defaultRateLimit: 1 });
      await until(async () => !(await offer()).asked);
      expect((await client.request({ ...settings, body: { api_key: "k".repeat(16) } })).status).toBe(200);
      expect(await offer()).toMatchObject({ error: "Invalid API key" });
    });
  });
});

describe("shut down and overloaded", () => {
  const sleepy = () => `${putApp("Content-Length: 2")}{`;

  test.each([
    ["requests", { maxInflight: 1 }],
    ["connections", { maxConnections: 1 }],
  ])("too many %s: 503 for all but /live and /health", async (_, options) => {
    await start(options);
    const wire = await Wire.open(place.port);
    wire.write(sleepy());
    await until(async () => (await client.request(list)).status === 503);
    const { headers, body } = await client.request({ method: "GET", path: "/nowhere" });
    expect([body?.error, headers["retry-after"]]).toEqual(["Server is overloaded", "1"]);
    for (const path of ["/live", "/health"]) expect((await client.request({ method: "GET", path })).status).toBe(200);
    wire.write("}");
    expect((await wire.response("POST", "/admin/apps/raw"))?.status).toBe(200);
    wire.destroy();
    await until(async () => (await client.request(list)).status === 400);
  });

  test("an answer under way is given, then nothing more", async () => {
    await start();
    const [busy, idle, silent] = [
      await Wire.open(place.port),
      await Wire.open(place.port),
      await Wire.open(place.port),
    ];
    idle.write(live());
    await idle.response("GET", "/live");
    busy.write(putApp("Expect: 100-continue", "Content-Length: 2"));
    expect((await busy.response())?.status).toBe(100);
    place.api.shutdown();
    expect((await client.request(list)).body).toMatchObject({ error: "Server is shutting down" });
    expect((await client.request({ method: "GET", path: "/live" })).status).toBe(200);
    const closed = place.api.close();
    await idle.closed();
    await silent.closed();
    busy.write("{}");
    expect(await busy.response("POST", "/admin/apps/raw")).toMatchObject({
      status: 200,
      headers: { connection: "close" },
    });
    await busy.closed();
    await closed;
  });
});

describe("every answer", () => {
  test("carries the caller's X-Request-ID when it has the declared form", async () => {
    await start();
    const send = async (id: string | string[]) =>
      String((await client.request({ ...list, headers: { "X-Request-ID": id } })).headers["x-request-id"]);
    expect(await send("a.B-1_")).toBe("a.B-1_");
    for (const id of ["a b", "x".repeat(129), ["a", "b"]]) expect(await send(id)).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("leaves one line in the log, without a key or a body", async () => {
    await start();
    await client.request({
      ...answer(),
      headers: { ...credentials, "X-Request-ID": "r1" },
      body: { command_uid: "secret uid" },
    });
    await client.request({ ...list, headers: { ...wrongKey, "X-Request-ID": "r2" } });
    const lines = place.log.map((line) => JSON.parse(line));
    const { session_uuid } = place;
    expect(lines).toMatchObject([
      { request_id: "r1", operation: "answer", status: 400, app_id: "raw", session_uuid, msg: "request" },
      { request_id: "r2", operation: "listSessions", status: 401, app_id: "raw", msg: "request" },
    ]);
    for (const secret of [apiKey, "wrong", "secret uid"]) expect(place.log.join("")).not.toContain(secret);
  });
});
