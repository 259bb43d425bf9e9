/** Recordings that are uploaded. */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Recordings } from "../../src/recordings/recordings";
import { Bucket } from "./bucket";
import { call, Place, wav } from "./place";

let place: Place;
let bucket: Bucket;
beforeEach(async () => {
  place = await Place.make();
  bucket = await Bucket.open();
});
afterEach(async () => {
  await place.close();
  await bucket.close();
});

const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const url = (path = "/calls"): string => `http://${bucket.host}${path}`;

/** The file of one that has just stopped. */
async function record(recordings: Recordings, sound = wav(8000)): Promise<{ recording_id: string; file: string }> {
  const { recording_id, path: file } = await recordings.begin(call);
  await writeFile(file, sound);
  recordings.finish(recording_id, null);
  return { recording_id, file };
}

test("arrives whole, under its name, and stays where there is a folder for it", async () => {
  const recordings = await place.open({ uploadUrl: url("/calls/") });
  const { recording_id, file } = await record(recordings, wav(60_000, 3));
  await place.untilTold(1);
  const [upload] = bucket.uploads;
  expect(upload).toMatchObject({ method: "PUT", url: `/calls/acme/${recording_id}.wav` });
  expect(upload?.headers).toMatchObject({ "content-type": "audio/wav", "content-length": "240044" });
  expect(upload?.body.equals(wav(60_000))).toBe(true);
  const recording_url = `http://${bucket.host}/calls/acme/${recording_id}.wav`;
  expect(place.told).toEqual([{ session_uuid: call.session_uuid, recording_id, recording_url, duration_ms: 7500 }]);
  await recordings.close();
  expect((await readFile(file)).length).toBe(240_044);
});

test("credentials and the query go with the request, and are told nobody", async () => {
  const uploadUrl = `http://user:pa%20ss@${bucket.host}/calls?signature=secret#part`;
  const recordings = await place.open({ uploadUrl });
  bucket.answer = (_, response) => void response.writeHead(bucket.uploads.length === 1 ? 500 : 204).end();
  const { recording_id } = await record(recordings);
  await place.untilTold(1);
  const [upload] = bucket.uploads;
  expect(upload?.url).toBe(`/calls/acme/${recording_id}.wav?signature=secret`);
  expect(upload?.headers.authorization).toBe(`Basic ${Buffer.from("user:pa ss").toString("base64")}`);
  expect(place.told[0]?.recording_url).toBe(`http://${bucket.host}/calls/acme/${recording_id}.wav`);
  await recordings.close();
  const said = JSON.stringify(place.lines) + (await readFile(place.file(recording_id, "json"), "utf8"));
  expect(said).not.toMatch(/secret|pa%20ss|pa ss/);
});

test("without a folder of its own it waits in one of this user alone, and leaves it once it was told of", async () => {
  const recordings = await place.open({ dir: null, uploadUrl: url() });
  expect(recordings.available).toBe(true);
  const { recording_id, file } = await record(recordings);
  const folder = path.dirname(path.dirname(file));
  expect(path.dirname(folder)).toBe(tmpdir());
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  // What an earlier run of this user left there is finished, too.
  const told = await place.untilToldOf(recording_id);
  expect(told.recording_url).toBe(`${url()}/acme/${recording_id}.wav`);
  await recordings.close();
  expect((await readdir(path.dirname(file))).filter((name) => name.startsWith(recording_id))).toEqual([]);
  expect(await recordings.find(call.app_id, recording_id)).toBeNull();
});

describe("tried again", () => {
  test("after whatever is no 2xx, until one is", async () => {
    const answers = [500, 403, 301, 404, 200];
    bucket.answer = (_, response) => {
      const status = answers[bucket.uploads.length - 1] ?? 0;
      response.writeHead(status, status === 301 ? { Location: "/elsewhere" } : {}).end();
    };
    const recordings = await place.open({ uploadUrl: url(), retrySeconds: 3 });
    const { recording_id } = await record(recordings);
    await place.untilTold(1);
    expect(bucket.uploads.map((upload) => upload.url)).toEqual(Array(5).fill(`/calls/acme/${recording_id}.wav`));
    for (const { body } of bucket.uploads) expect(body.equals(wav(8000))).toBe(true);
    expect(place.told).toMatchObject([{ recording_id, recording_url: `${url()}/acme/${recording_id}.wav` }]);
    const failed = place.lines.filter(({ msg }) => msg === "recording not uploaded");
    expect(failed.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([
      ["500", 1],
      ["403", 2],
      ["301", 3],
      ["404", 4],
    ]);
  });

  test("eight times, then it is given up, and the file is kept and served", async () => {
    bucket.answer = (_, response) => void response.writeHead(503).end();
    // The clock stands still: so attempts, and not time, are what runs out.
    const recordings = await place.open({ uploadUrl: url(), retrySeconds: 1, now: () => 1_900_000_000_000 });
    const { recording_id, file } = await record(recordings);
    await place.untilTold(1);
    expect(bucket.uploads).toHaveLength(8);
    const error = "The upload failed";
    expect(place.told).toMatchObject([{ recording_id, recording_url: null, duration_ms: 1000, error }]);
    expect((await readFile(file)).equals(wav(8000))).toBe(true);
    expect(await recordings.find(call.app_id, recording_id)).toMatchObject({ bytes: 32_044 });
  });

  test("until time is up", async () => {
    let clock = 1_900_000_000_000;
    bucket.answer = (_, response) => {
      clock += 400;
      response.writeHead(503).end();
    };
    const recordings = await place.open({ uploadUrl: url(), retrySeconds: 1, now: () => clock });
    await record(recordings);
    await place.untilTold(1);
    expect(bucket.uploads).toHaveLength(3);
    expect(place.told).toMatchObject([{ error: "The upload failed" }]);
  });

  test("when nobody listens, and when the connection breaks", async () => {
    bucket.early = (request) => {
      if (bucket.requests === 2) bucket.early = null;
      request.socket.resetAndDestroy();
    };
    const recordings = await place.open({ uploadUrl: url(), retrySeconds: 3 });
    await record(recordings, wav(100_000));
    await place.untilTold(1);
    expect(bucket.requests).toBe(3);
    expect(bucket.uploads).toHaveLength(1);
    expect(place.told[0]).not.toHaveProperty("error");
  });

  test("also after an answer that comes before the file was read", async () => {
    bucket.early = (_, response) => {
      bucket.early = null;
      response.writeHead(429, { "Retry-After": "0" }).end();
    };
    const recordings = await place.open({ uploadUrl: url(), retrySeconds: 3 });
    await record(recordings, wav(1_000_000));
    await place.untilTold(1);
    expect(bucket.uploads).toHaveLength(1);
    expect(bucket.uploads[0]?.body).toHaveLength(4_000_044);
  });
});

test("what was not written whole is not uploaded", async () => {
  const recordings = await place.open({ uploadUrl: url() });
  const { recording_id, path: file } = await recordings.begin(call);
  await writeFile(file, wav(8000));
  recordings.finish(recording_id, "The file could not be written");
  await place.untilTold(1);
  expect(bucket.requests).toBe(0);
  expect(place.told).toMatchObject([{ recording_url: null, error: "The file could not be written" }]);
  expect(await recordings.find(call.app_id, recording_id)).not.toBeNull();
});

describe("after a crash", () => {
  test("the attempts that were made count", async () => {
    bucket.answer = (_, response) => void response.writeHead(503).end();
    const stopped_at = Date.now();
    await place.leave(id(1), { state: "finishing", stopped_at, attempts: 7 }, wav(8));
    await place.open({ uploadUrl: url() });
    await place.untilTold(1);
    expect(bucket.requests).toBe(1);
    expect(place.told).toMatchObject([{ error: "The upload failed" }]);
  });

  test("one that is older than the time for it has one attempt more", async () => {
    await place.leave(id(1), { state: "finishing", stopped_at: 1, attempts: 2 }, wav(8));
    await place.leave(id(2), { state: "recording", started_at: 1 }, wav(8, 0));
    bucket.answer = ({ url }, response) => void response.writeHead(url.includes(id(1)) ? 503 : 200).end();
    await place.open({ uploadUrl: url(), retrySeconds: 1 });
    await place.untilTold(2);
    const told = place.told.sort((a, b) => a.recording_id.localeCompare(b.recording_id));
    expect(told).toMatchObject([{ error: "The upload failed" }, { recording_url: `${url()}/acme/${id(2)}.wav` }]);
    expect(bucket.requests).toBe(2);
  });
});

test("few are under way at once, however many there are", async () => {
  for (let number = 0; number < 40; number++) await place.leave(id(number), {}, wav(800, 0));
  const held: ServerResponse[] = [];
  bucket.answer = (_, response) => void held.push(response);
  const recordings = await place.open({ uploadUrl: url() });
  await bucket.untilRequests(4);
  // Time enough for a fifth one to begin.
  for (let number = 0; number < 200; number++) await recordings.find(call.app_id, id(number));
  expect(bucket.requests).toBe(4);
  bucket.answer = (_, response) => void response.writeHead(201).end();
  for (const response of held) response.writeHead(201).end();
  await place.untilTold(40);
  expect(bucket.uploads).toHaveLength(40);
  expect(bucket.most).toBe(4);
});

test("closing ends what waits for its next attempt, and the next start goes on with it", async () => {
  bucket.answer = (_, response) => void response.writeHead(503, { "Retry-After": "200" }).end();
  const recordings = await place.open({ uploadUrl: url() });
  const { recording_id } = await record(recordings);
  await place.line("recording not uploaded");
  await recordings.close();
  expect(await place.state(recording_id)).toBe("finishing");
  expect(place.told).toEqual([]);
  bucket.answer = (_, response) => void response.writeHead(200).end();
  await place.open({ uploadUrl: url() });
  await place.untilTold(1);
  expect(bucket.uploads).toHaveLength(2);
  expect(place.told).toMatchObject([{ recording_id, recording_url: `${url()}/acme/${recording_id}.wav` }]);
});

test("the end of an app ends its uploads", async () => {
  const closed = new Promise((resolve) => {
    bucket.early = (request) => void request.resume().socket.once("close", resolve);
  });
  const recordings = await place.open({ uploadUrl: url() });
  await record(recordings);
  await bucket.untilRequests(1);
  await recordings.removeApp(call.app_id);
  await closed;
  expect(await place.folders()).toEqual([]);
  await recordings.close();
  expect(place.told).toEqual([]);
  expect(bucket.requests).toBe(1);
});
