/** What an answer may be besides JSON, and that each is counted and held against the document. */
import { afterEach, describe, expect, test } from "@jest/globals";
import type { Handlers } from "../../src/handlers/gateway";
import { Client } from "./client";
import { credentials, type Place, startApi } from "./place";
import { head, live, putApp } from "./requests";
import { Wire } from "./wire";

const ofFile = { "Accept-Ranges": "bytes", "Cache-Control": "private, no-store", ETag: '"1"' };
let place: Place;
afterEach(() => place.close());

async function start(handlers: Partial<Handlers> = {}, options = {}): Promise<Client> {
  place = await startApi({ handlers, ...options });
  return new Client(place.url);
}

const recording = { path: "/api/v1/recordings/1", headers: credentials };
const text = async function* (bytes: string) {
  yield bytes;
};

describe("an answer", () => {
  test("without content has no type and no length, and its connection stays", async () => {
    await start({ deleteRecording: () => ({ status: 204 }) });
    const wire = await Wire.open(place.port);
    const fields = Object.entries(credentials).map(([name, value]) => `${name}: ${value}`);
    let bytes = "";
    wire.socket.on("data", (chunk: Buffer) => {
      bytes += chunk.toString();
    });
    wire.write(head(`DELETE ${recording.path} HTTP/1.1`, ...fields) + live("Connection: close"));
    await new Promise((resolve) => wire.socket.once("end", resolve));
    wire.destroy();
    const [first = "", second] = bytes.split(/(?=HTTP\/1\.1 )/);
    expect(first).toMatch(/^HTTP\/1\.1 204 No Content\r\nX-Request-ID: [^\r]+\r\nRateLimit-Policy: /);
    expect(first).not.toMatch(/^(?:Content-|Transfer-|Cache-)/m);
    expect(second).toContain("HTTP/1.1 200 OK");
  });

  test("of another success has the type and the headers of that", async () => {
    const headers = { ...ofFile, "Content-Range": "bytes 0-2/9", "Content-Length": "3" };
    const client = await start({
      getRecording(call) {
        expect(call.headers).toEqual({ Range: "bytes=0-2", "X-Request-ID": "r1" });
        return { status: 206, headers, body: text("abc") };
      },
    });
    const sent = { ...credentials, range: "bytes=0-2", "X-Request-ID": "r1", "X-Other": "1" };
    const answer = await client.request({ method: "GET", ...recording, headers: sent });
    expect([answer.status, answer.text]).toEqual([206, "abc"]);
    expect(answer.headers).toMatchObject({ "content-type": "audio/wav", "content-range": "bytes 0-2/9" });
  });

  test("that is plain text has its length", async () => {
    const client = await start({ getMetrics: () => ({ status: 200, body: "für alle\n" }) });
    const answer = await client.request({ method: "GET", path: "/metrics" });
    expect(answer.headers).toMatchObject({
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "content-length": "10",
    });
    expect(answer.text).toBe("für alle\n");
  });
});

describe("each answer is counted once, by operation and status", () => {
  const count = async (operation: string, status: number) => {
    const name = `voicegate_requests_total{operation="${operation}",status="${status}"} `;
    const line = (await place.metrics()).split("\n").find((each) => each.startsWith(name));
    return Number(line?.slice(name.length) ?? 0);
  };

  test("with a route and without one, and the time that the store took to admit", async () => {
    const client = await start();
    await client.request({ method: "GET", path: "/api/v1/sessions", headers: credentials });
    await client.request({ method: "GET", path: "/api/v1/sessions" });
    await client.request({ method: "GET", path: "/nowhere" });
    await client.request({ method: "PUT", path: "/live" });
    const dance = "/api/v1/sessions/x/commands/dance";
    await client.request({ method: "POST", path: dance, headers: credentials });
    expect(await count("listSessions", 200)).toBe(1);
    expect(await count("listSessions", 400)).toBe(1);
    expect(await count("http.notFound", 404)).toBe(1);
    expect(await count("http.methodNotAllowed", 405)).toBe(1);
    expect(await count("commands.unknown", 400)).toBe(1);
    expect(await place.metrics()).toContain("voicegate_admission_duration_seconds_count 2");
  });

  test.each([
    ["what is no request", "GARBAGE\r\n\r\n", "http.badRequest", 400],
    ["a head that is refused", head("GET /live HTTP/1.1", "Expect: magic"), "http.expectation", 417],
    ["an upgrade", head("CONNECT a:1 HTTP/1.1"), "http.upgrade", 400],
    ["a body that breaks off", `${putApp("Transfer-Encoding: chunked")}zz\r\n`, "http.badRequest", 400],
    ["malformed percent-encoding", head("GET /%zz HTTP/1.1", "Connection: close"), "http.badRequest", 400],
  ])("%s", async (_, bytes, operation, status) => {
    await start();
    const wire = await Wire.open(place.port);
    wire.write(bytes);
    expect((await wire.response())?.status).toBe(status);
    wire.destroy();
    expect(await count(operation, status)).toBe(1);
    const all = (await place.metrics()).match(/^voicegate_requests_total\{.*/gm);
    expect(all).toHaveLength(1);
    expect(place.log.map((line) => JSON.parse(line))).toMatchObject([{ operation, status, msg: "request" }]);
  });

  test("refused because of shutdown: by its operation, or by what stands for none", async () => {
    const client = await start();
    place.api.shutdown();
    await client.request({ method: "GET", path: "/api/v1/sessions" });
    await client.request({ method: "GET", path: "/nowhere" });
    expect([await count("listSessions", 503), await count("http.shuttingDown", 503)]).toEqual([1, 1]);
  });
});

describe("a handler that does not keep the contract", () => {
  test("by a header of its own is found by the check of what is sent", async () => {
    const headers = { ...ofFile, "X-Secret": "1", "Content-Length": "1" };
    const client = await start({ getRecording: () => ({ status: 200, headers, body: text("a") }) });
    await expect(client.request({ method: "GET", ...recording })).rejects.toThrow("x-secret is not declared");
    const drifting = place;
    place = await startApi();
    await expect(drifting.close()).rejects.toThrow("contract violation");
  });
});
