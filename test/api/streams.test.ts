/** Answers that come bit by bit: as fast as they are read, and no longer than there is a reader. */
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { Client } from "./client";
import { credentials, type Place, startApi } from "./place";
import { Reader } from "./reader";
import { head, live } from "./requests";
import { Tap } from "./tap";
import { Wire } from "./wire";

let place: Place;
afterEach(() => {
  jest.useRealTimers();
  return place.close();
});

const length = (bytes: number) => ({ "Content-Length": String(bytes) });
const ofFile = { "Accept-Ranges": "bytes", "Cache-Control": "private, no-store", ETag: '"1"' };
const recording = "/api/v1/recordings/1";
const fields = Object.entries(credentials).map(([name, value]) => `${name}: ${value}`);
const get = (path: string, ...more: string[]) => head(`GET ${path} HTTP/1.1`, ...fields, ...more);

/** A recording that is what the tap gives, and an event stream that is the other. */
async function start(tap: Tap, known?: Readonly<Record<string, string>>, options = {}): Promise<void> {
  place = await startApi({
    ...options,
    handlers: {
      getRecording: () => ({ status: 200, headers: { ...ofFile, ...known }, body: tap }),
      streamEvents: () => ({ status: 200, body: tap }),
    },
  });
}

describe("one whose length is known", () => {
  test("is an answer like any other, and its connection is used again", async () => {
    await start(new Tap(["first,", "second"], "ends"), length(12));
    const wire = await Wire.open(place.port);
    wire.write(get(recording) + live());
    const answer = await wire.response("GET", recording);
    expect(answer?.bytes.toString()).toBe("first,second");
    expect(answer?.headers).toMatchObject({ "content-length": "12", etag: '"1"', "content-type": "audio/wav" });
    expect(answer?.headers["cache-control"]).toBe("private, no-store");
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
    wire.destroy();
  });

  test("is given whole to a client that has closed its side", async () => {
    await start(new Tap(["first,", "second"], "ends"), length(12));
    const wire = await Wire.open(place.port);
    wire.write(get(recording));
    wire.halfClose();
    expect((await wire.response("GET", recording))?.bytes.toString()).toBe("first,second");
    await wire.closed();
  });

  test.each([
    ["too long", ["first,", "second!"], "ends"],
    ["too short", ["first,"], "ends"],
    ["one that breaks off", ["first,"], "fails"],
  ] as const)("%s is cut off, and the log says so", async (_, chunks, last) => {
    await start(new Tap(chunks, last), length(12));
    const reader = await Reader.open(place.url, recording, credentials);
    expect(await reader.ended).toBe(false);
    expect((await new Client(place.url).request({ method: "GET", path: "/live" })).status).toBe(200);
    const lines = place.log.map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ msg: "stream broke off", operation: "getRecording" }));
  });

  test.each([recording, "/api/v1/events"])("%s that has nothing to give is a failure like any other", async (path) => {
    await start(new Tap([], "fails"));
    const client = new Client(place.url, { inside: true });
    const { status, body } = await client.request({ method: "GET", path, headers: credentials });
    expect([status, body?.error]).toEqual([500, "Internal server error"]);
  });

  test("is a request under way to its end: it takes the place of another", async () => {
    const tap = new Tap(["first,"], "waits");
    await start(tap, length(6), { maxInflight: 1 });
    const reader = await Reader.open(place.url, recording, credentials);
    await tap.waited;
    const document = { method: "GET", path: "/openapi.json" };
    const client = new Client(place.url);
    expect((await client.request(document)).body?.error).toBe("Server is overloaded");
    await tap.return();
    expect(await reader.ended).toBe(true);
    expect((await client.request(document)).status).toBe(200);
  });

  test("has its time when the gateway closes", async () => {
    const tap = new Tap(["first,"], "waits");
    await start(tap, length(6));
    const reader = await Reader.open(place.url, recording, credentials);
    await reader.until("first,");
    await tap.waited;
    const closed = place.api.close();
    // What ends it is its source, not the gateway.
    await tap.return();
    expect(await reader.ended).toBe(true);
    await closed;
  });
});

describe("one without a length", () => {
  test("is chunked, and the last of its connection", async () => {
    await start(new Tap(["a", "b"], "ends"));
    const reader = await Reader.open(place.url, "/api/v1/events", credentials);
    expect(reader.headers).toMatchObject({ "transfer-encoding": "chunked", connection: "close" });
    expect(reader.headers).toMatchObject({ "content-type": "text/event-stream", "cache-control": "no-store" });
    expect([await reader.ended, reader.text]).toEqual([true, "ab"]);
  });

  test("ends with the connection for HTTP/1.0", async () => {
    await start(new Tap(["a", "b"], "ends"));
    const wire = await Wire.open(place.port);
    let text = "";
    wire.socket.on("data", (bytes: Buffer) => {
      text += bytes.toString();
    });
    wire.write(head("GET /api/v1/events HTTP/1.0", ...fields));
    await new Promise((resolve) => wire.socket.once("end", resolve));
    expect(text).not.toContain("chunked");
    expect(text).toMatch(/\r\n\r\nab$/);
    wire.destroy();
  });

  test.each([
    ["has closed its side", (wire: Wire) => wire.halfClose()],
    ["has gone", (wire: Wire) => wire.destroy()],
    ["has reset the connection", (wire: Wire) => wire.socket.resetAndDestroy()],
  ])("ends when the client %s, while it waits for what comes next", async (_, leave) => {
    const tap = new Tap(["a"], "waits");
    await start(tap);
    const wire = await Wire.open(place.port);
    wire.write(get("/api/v1/events"));
    await tap.waited;
    leave(wire);
    await tap.returned;
    wire.destroy();
  });

  test("with a body that nobody reads ends with its client as well", async () => {
    const tap = new Tap(["a"], "waits");
    await start(tap);
    const wire = await Wire.open(place.port);
    wire.write(get("/api/v1/events", "Content-Length: 500000") + "x".repeat(500_000));
    await tap.waited;
    wire.destroy();
    await tap.returned;
  });

  test("is not begun for a client that waits behind another answer and leaves", async () => {
    const tap = new Tap(["x".repeat(1_000_000)], "waits");
    await start(tap);
    const wire = await Wire.open(place.port);
    wire.write(get(recording) + get("/api/v1/events"));
    await tap.waited;
    wire.destroy();
    await tap.returned;
  });

  test("comes to its end in order when the gateway closes", async () => {
    const tap = new Tap(["a"], "waits");
    await start(tap);
    const reader = await Reader.open(place.url, "/api/v1/events", credentials);
    await tap.waited;
    place.api.shutdown();
    expect((await new Client(place.url).request({ method: "GET", path: "/live" })).status).toBe(200);
    await place.api.close();
    await tap.returned;
    expect([await reader.ended, reader.text]).toEqual([true, "a"]);
  });

  test("is no request under way: it takes the place of none", async () => {
    const tap = new Tap(["a"], "waits");
    await start(tap, undefined, { maxInflight: 1 });
    const reader = await Reader.open(place.url, "/api/v1/events", credentials);
    await tap.waited;
    const list = { method: "GET", path: "/openapi.json" };
    expect((await new Client(place.url).request(list)).status).toBe(200);
    reader.destroy();
    await tap.returned;
  });

  test("that fails is cut off", async () => {
    await start(new Tap(["a"], "fails"));
    const reader = await Reader.open(place.url, "/api/v1/events", credentials);
    expect([await reader.ended, reader.text]).toEqual([false, "a"]);
  });
});

describe("each", () => {
  const chunk = "0123456789abcdef".repeat(4096);

  test("is asked for as much as its reader takes", async () => {
    const chunks = Array.from({ length: 1000 }, () => chunk);
    const tap = new Tap(chunks, "ends");
    await start(tap);
    const reader = await Reader.open(place.url, "/api/v1/events", credentials);
    reader.pause();
    // The buffers between the two fill, then nothing is asked for while other requests are served.
    const client = new Client(place.url);
    for (let before = -1; before !== tap.asked; ) {
      before = tap.asked;
      for (let i = 0; i < 20; i += 1) await client.request({ method: "GET", path: "/live" });
    }
    expect(tap.asked).toBeLessThan(900);
    reader.resume();
    expect(await reader.ended).toBe(true);
    expect(reader.text.length).toBe(chunk.length * 1000);
  });

  test.each([
    [recording, length(chunk.length * 1000)],
    ["/api/v1/events", undefined],
  ])("%s is cut off when its reader takes nothing for a while", async (path, known) => {
    const tap = new Tap(Array(1000).fill(chunk), "ends");
    await start(tap, known);
    jest.useFakeTimers({
      doNotFake: ["Date", "hrtime", "nextTick", "performance", "queueMicrotask", "setImmediate", "setInterval"],
    });
    const reader = await Reader.open(place.url, path, credentials);
    reader.pause();
    const client = new Client(place.url);
    for (let before = -1; before !== tap.asked; ) {
      before = tap.asked;
      for (let i = 0; i < 20; i += 1) await client.request({ method: "GET", path: "/live" });
    }
    jest.advanceTimersByTime(15_000);
    await tap.returned;
    reader.resume();
    expect(await reader.ended).toBe(false);
    expect(tap.asked).toBeLessThan(900);
  });

  test("is given up by a reader who leaves while it waits for him", async () => {
    const tap = new Tap(Array(1000).fill(chunk), "ends");
    await start(tap);
    const reader = await Reader.open(place.url, "/api/v1/events", credentials);
    reader.pause();
    reader.destroy();
    await tap.returned;
    expect(tap.asked).toBeLessThan(900);
  });

  test.each([recording, "/api/v1/events"])("HEAD %s asks for nothing", async (path) => {
    const tap = new Tap(["a"], "waits");
    await start(tap, length(1));
    const { status, headers } = await new Client(place.url).request({ method: "HEAD", path, headers: credentials });
    expect([status, headers["content-length"]]).toEqual([200, path === recording ? "1" : undefined]);
    await tap.returned;
    expect(tap.asked).toBe(0);
  });

  test("counts with its head, and leaves its line in the log at its end", async () => {
    const tap = new Tap(["a"], "waits");
    await start(tap);
    const reader = await Reader.open(place.url, "/api/v1/events", credentials);
    await tap.waited;
    expect(await place.metrics()).toContain('voicegate_requests_total{operation="streamEvents",status="200"} 1');
    expect(place.log.join("")).not.toContain("streamEvents");
    await tap.return();
    await reader.ended;
    const lines = place.log.map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ msg: "request", operation: "streamEvents", status: 200 }));
  });
});
