/** What happens on a connection over time: slow clients, half-closed sockets, pipelines, uploads, floods. */
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Place, startApi } from "./place";
import { head, live, putApp } from "./requests";
import { Wire } from "./wire";

const closing = "Connection: close";
const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);

let place: Place;
/** With time for uploads on a machine that has much else to do. */
let patient: Place;
let wire: Wire;
beforeAll(async () => {
  patient = await startApi({
    timeouts: { headersMs: 20_000, requestMs: 20_000, keepAliveMs: 300, stalledMs: 5000, checkMs: 20, lingerMs: 5000 },
  });
  place = await startApi({
    timeouts: { headersMs: 300, requestMs: 400, keepAliveMs: 300, stalledMs: 5000, checkMs: 20, lingerMs: 300 },
  });
});
afterAll(async () => {
  await place.close();
  await patient.close();
});
afterEach(() => wire.destroy());

async function open(...bytes: readonly (string | Buffer)[]): Promise<void> {
  wire = await Wire.open(place.port);
  for (const part of bytes) wire.write(part);
}

describe("slow clients", () => {
  test.each([
    ["nothing", ""],
    ["half a request line", "GET /li"],
    ["half a head", "GET /live HTTP/1.1\r\nHost: x\r\n"],
    ["half a body", `${putApp("Content-Length: 2")}{`],
    ["a body that has not begun", putApp("Content-Length: 2")],
    ["half a chunk", `${putApp("Transfer-Encoding: chunked")}5\r\n{`],
    ["half a gzip", `${putApp("Transfer-Encoding: chunked", "Content-Encoding: gzip")}5\r\n\x1f\x8b`],
  ])("%s", async (_, bytes) => {
    await open(bytes);
    expect(await wire.response("POST", "/admin/apps/raw")).toMatchObject({ status: 408, error: "Request timed out" });
    await wire.closed();
  });

  test("an idle connection is closed without a word", async () => {
    wire = await Wire.open(patient.port);
    wire.write(live());
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
    await wire.closed();
  });
});

describe("half-closed sockets", () => {
  test("a whole request is answered, however long that takes", async () => {
    const body = gzipSync("{}");
    await open(putApp(`Content-Length: ${body.length}`, "Content-Encoding: gzip"), body);
    wire.halfClose();
    expect((await wire.response("POST", "/admin/apps/raw"))?.status).toBe(200);
    await wire.closed();
  });

  test("several are answered", async () => {
    await open(live(), live());
    wire.halfClose();
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
    await wire.closed();
  });

  test("nothing is answered with nothing", async () => {
    await open();
    wire.halfClose();
    await wire.closed();
  });

  test.each([
    ["half a head", "GET /live HTTP/1.1\r\nHost"],
    ["half a body", `${putApp("Content-Length: 9")}{`],
    ["half a chunk", `${putApp("Transfer-Encoding: chunked")}9\r\n{`],
  ])("%s", async (_, bytes) => {
    await open(bytes);
    wire.halfClose();
    expect(await wire.response("POST", "/admin/apps/raw")).toMatchObject({ status: 400, error: "Bad request" });
    await wire.closed();
  });

  test("a reset in the middle of a body harms nobody", async () => {
    await open(`${putApp("Content-Length: 9")}{`);
    wire.socket.resetAndDestroy();
    await open(live(closing));
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
  });
});

describe("pipelines", () => {
  test("a hundred requests in one write are answered in their order", async () => {
    await open(Array.from({ length: 100 }, (_, i) => live(`X-Request-ID: r${i}`)).join(""));
    for (let i = 0; i < 100; i += 1)
      expect((await wire.response("GET", "/live"))?.headers["x-request-id"]).toBe(`r${i}`);
  });

  test("what comes before a broken request is answered before it", async () => {
    await open(`${putApp("Content-Length: 2")}{}${live()}GARBAGE\r\n\r\n`);
    expect((await wire.response("POST", "/admin/apps/raw"))?.status).toBe(200);
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
    expect(await wire.response()).toMatchObject({ status: 400, error: "Bad request" });
    await wire.closed();
  });

  test("what comes before a broken body is answered before it", async () => {
    await open(`${putApp("Content-Length: 2")}{}${putApp("Transfer-Encoding: chunked")}zz\r\n`);
    expect((await wire.response("POST", "/admin/apps/raw"))?.status).toBe(200);
    expect(await wire.response("POST", "/admin/apps/raw")).toMatchObject({ status: 400, error: "Bad request" });
    await wire.closed();
  });

  test("what comes before an upgrade is answered before it", async () => {
    await open(`${putApp("Content-Length: 2")}{}${live("Connection: Upgrade", "Upgrade: websocket")}`);
    expect((await wire.response("POST", "/admin/apps/raw"))?.status).toBe(200);
    expect(await wire.response("GET", "/live")).toMatchObject({ status: 400, error: "Upgrade not supported" });
    await wire.closed();
  });

  test.each([
    ["that the client announced", live(closing), "GET", "/live"],
    [
      "that the gateway announced",
      `${head("POST /late HTTP/1.1", "Content-Length: 70000")}${" ".repeat(70_000)}`,
      "POST",
      "/late",
    ],
  ])("nothing is done after the last answer, %s", async (_, bytes, method, path) => {
    await open(`${bytes}${putApp("Content-Length: 2").replace("apps/raw", "apps/late")}{}`);
    expect((await wire.response(method, path))?.headers.connection).toBe("close");
    await wire.closed();
    expect(await place.store.app("late")).toBeNull();
  });

  test("garbage without end is answered once", async () => {
    await open("GARBAGE\r\n\r\n");
    expect((await wire.response())?.status).toBe(400);
    for (let i = 0; i < 20; i += 1) wire.write("MORE\r\n\r\n");
    await wire.closed();
  });
});

describe("bodies that nobody wants", () => {
  test("a client that expects 100 is refused without it", async () => {
    const wrong = head("GET /api/v1/sessions HTTP/1.1", "X-App-ID: raw", "X-API-Key: wrong", "Expect: 100-continue");
    await open(wrong.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n"));
    expect(await wire.response("GET", "/api/v1/sessions")).toMatchObject({ status: 401, error: "Invalid API key" });
    await wire.closed();
  });

  test("a client that expects 100 hears that its body is too large without it", async () => {
    await open(putApp("Expect: 100-continue", "Content-Length: 1048577"));
    expect(await wire.response("POST", "/admin/apps/raw")).toMatchObject({ status: 413 });
    await wire.closed();
  });

  test("a client that expects 100 gets it when its body is read", async () => {
    await open(putApp("Expect: 100-continue", "Content-Length: 2"));
    expect((await wire.response())?.status).toBe(100);
    wire.write("{}");
    expect((await wire.response("POST", "/admin/apps/raw"))?.status).toBe(200);
  });

  test.each([
    ["with a length", "Content-Length: 8388608"],
    ["in chunks", "Transfer-Encoding: chunked"],
  ])("an upload of 8 MiB %s hears 413 when it has sent all", async (_, field) => {
    wire = await Wire.open(patient.port);
    wire.write(putApp(field));
    // Reads nothing before: a reset would throw away what has arrived.
    wire.socket.pause();
    const part = Buffer.alloc(1024 * 1024, " ");
    for (let i = 0; i < 8; i += 1) wire.write(field.startsWith("T") ? chunk(part) : part);
    await new Promise((resolve) => wire.socket.write("", resolve));
    wire.socket.resume();
    expect(await wire.response("POST", "/admin/apps/raw")).toMatchObject({ status: 413 });
    await wire.closed();
  });

  test("an upload without end is cut off", async () => {
    wire = await Wire.open(patient.port);
    wire.write(putApp("Transfer-Encoding: chunked"));
    const part = chunk(Buffer.alloc(1024 * 1024, " "));
    const more = () => wire.write(part);
    wire.socket.on("drain", more);
    more();
    more();
    expect(await wire.response("POST", "/admin/apps/raw")).toMatchObject({ status: 413 });
    await wire.closed();
  });

  test("a small body that is not read does not cost the connection", async () => {
    await open(`${head("POST /nowhere HTTP/1.1", "Content-Length: 5")}GET /`, live());
    expect((await wire.response("POST", "/nowhere"))?.status).toBe(404);
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
  });

  test("a gzip that breaks beyond the limit ends nothing but itself", async () => {
    const zipped = gzipSync(Buffer.alloc(1024 * 1024 + 20_000, " "));
    // The checksum stands before the last four bytes (RFC 1952).
    zipped.writeUInt32BE((zipped.readUInt32BE(zipped.length - 8) ^ 1) >>> 0, zipped.length - 8);
    await open(putApp(`Content-Length: ${zipped.length}`, "Content-Encoding: gzip"), zipped, live(closing));
    expect(await wire.response("POST", "/admin/apps/raw")).toMatchObject({ status: 413 });
    expect((await wire.response("GET", "/live"))?.status).toBe(200);
  });
});
