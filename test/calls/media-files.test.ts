/** The files that media servers fetch: whoever has the URL has the file, as long as there is one. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { FileServer } from "../engine/files";
import { TestGateway } from "../gateway";

let place: TestGateway;
let files: FileServer;
let uuid: string;
/** 440 Hz at 8 kHz: of a second there are so many bytes, with the head. */
const bytes = 16_044;
const names = async (): Promise<string[]> =>
  (await readdir(place.media ?? "", { recursive: true }))
    .map((name) => path.basename(name))
    .filter((name) => name.endsWith(".wav"));

async function command(name: string, body: object): Promise<void> {
  const request = { method: "POST", path: `/api/v1/sessions/${uuid}/commands/${name}`, headers: place.app, body };
  const { status, text } = await place.client.request(request);
  if (status !== 202) throw new Error(`${name}: ${status} ${text}`);
}
/** Plays it, as long as the test likes. @returns where the gateway serves it */
async function playing(url: string): Promise<string> {
  const before = await names();
  await command("playback/start", { urls: [url] });
  await place.receiver.event("playback.started", uuid);
  const [name] = (await names()).filter((each) => !before.includes(each));
  return `/media/${name}`;
}
const get = (target: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
  place.client.request({ method, path: target, headers });

let target: string;
beforeAll(async () => {
  place = await TestGateway.start({ recordings: true, env: { LOG_LEVEL: "debug" } });
  files = new FileServer();
  await files.listen();
  uuid = await place.call();
  await command("answer", {});
  target = await playing(files.tone(1000, "lasting"));
});
afterAll(async () => {
  await files.close();
  await place.close();
  expect(place.log.join("")).not.toContain(path.basename(target));
});

test("whole, without a key", async () => {
  const { status, headers, text } = await get(target);
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    "content-type": "audio/wav",
    "content-length": String(bytes),
    "accept-ranges": "bytes",
    "cache-control": "private, no-store",
    etag: `"${path.basename(target)}"`,
  });
  expect(text).toMatch(/^RIFF/);
});

test("by HEAD, which knows no range", async () => {
  const { status, headers, text } = await get(target, { Range: "bytes=0-1" }, "HEAD");
  expect([status, headers["content-length"], text]).toEqual([200, String(bytes), ""]);
});

test("in part, unless it is another file by now", async () => {
  const { status, headers, text } = await get(target, { Range: "bytes=8-15" });
  expect([status, headers["content-range"], text]).toEqual([206, `bytes 8-15/${bytes}`, "WAVEfmt "]);
  const whole = await get(target, { Range: "bytes=8-15", "If-Range": '"another"' });
  expect([whole.status, whole.headers["content-length"]]).toEqual([200, String(bytes)]);
});

test("when it is played no more: as long as it may be kept", async () => {
  await command("playback/stop", {});
  await place.receiver.event("playback.stopped", uuid);
  expect((await get(target)).status).toBe(200);
});

test("one that may not be kept is gone with its playback", async () => {
  const other = await place.call();
  uuid = other;
  await command("answer", {});
  const once = await playing(files.tone(60_000, "once"));
  expect((await get(once)).status).toBe(200);
  await command("playback/stop", {});
  await place.receiver.event("playback.stopped", other);
  expect((await get(once)).status).toBe(404);
});
