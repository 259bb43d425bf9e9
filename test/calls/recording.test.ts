/** Recordings of a caller who knows what he said and heard, and when; fetched as an app fetches them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import type { EventData } from "../../src/contract";
import { recordingBaseUrl } from "../gateway";
import { sine } from "../media-child/listener";
import { tone } from "../media-child/party";
import { find, readWav, type Wav } from "../media-child/wav";
import { ListeningCaller } from "./listening-caller";
import { coded, SoundServer, unlike } from "./sound-server";
import { type Stage, stages } from "./stage";

const open = stages();
const callers: ListeningCaller[] = [];
const sounds = new SoundServer();
beforeAll(() => sounds.listen());
afterEach(async () => {
  for (const caller of callers.splice(0)) await caller.close();
});
afterAll(() => sounds.close());

async function calling(stage: Stage): Promise<ListeningCaller> {
  const caller = await ListeningCaller.call(stage);
  callers.push(caller);
  return caller;
}

type Completed = EventData<"recording.completed">;

async function completed(stage: Stage, { session_uuid }: ListeningCaller): Promise<Completed> {
  const { data } = await stage.receiver.event("recording.completed", session_uuid);
  expect(data.recording_url).toBe(`${recordingBaseUrl}/api/v1/recordings/${data.recording_id}`);
  expect(data.duration).toBeCloseTo(data.duration_ms / 1000, 6);
  return data;
}

interface Fetched {
  readonly status: number;
  readonly range: string | null;
  readonly bytes: Buffer;
}

async function fetchRecording(stage: Stage, recording_id: string, range?: string): Promise<Fetched> {
  const { app, url } = stage.gateway;
  const headers = { ...app, ...(range && { Range: range }) };
  const answer = await fetch(`${url}/api/v1/recordings/${recording_id}`, { headers });
  expect(answer.headers.get("content-type")).toBe("audio/wav");
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, range: answer.headers.get("content-range"), bytes };
}

/** The file as it lies there. */
function file(stage: Stage, recording_id: string): string {
  return path.join(stage.gateway.recordings ?? "", "test", `${recording_id}.wav`);
}

/** Whole, to its last byte. */
async function recorded(stage: Stage, { recording_id, duration_ms }: Completed): Promise<Wav> {
  const { status, bytes } = await fetchRecording(stage, recording_id);
  expect(status).toBe(200);
  expect(bytes.equals(readFileSync(file(stage, recording_id)))).toBe(true);
  const wav = readWav(file(stage, recording_id));
  expect(wav.beyond).toBe(0);
  expect(Math.abs(wav.left.length / 8 - duration_ms)).toBeLessThanOrEqual(1);
  return wav;
}

/** What it holds while it runs, by its header. */
function running(stage: Stage): Wav {
  const folder = path.join(stage.gateway.recordings ?? "", "test");
  const [name, ...more] = readdirSync(folder).filter((entry) => entry.endsWith(".wav"));
  if (!name || more.length > 0) throw new Error("there is not one recording");
  return readWav(path.join(folder, name));
}

test("the caller is left, what he hears is right, in a file that is valid all the time and is fetched in parts", async () => {
  const stage = await open({ recordings: true });
  const caller = await calling(stage);
  caller.sing(440);
  const urls = [sounds.put("steady", sine(1000, 60_000, 4000))];
  await stage.done(caller.session_uuid, "playback/start", { command_uid: "play", urls });
  await caller.sound();
  const sent = caller.now;
  await stage.done(caller.session_uuid, "record/start", { command_uid: "tape" });
  const begun = caller.now;
  const lengths = new Set<number>();
  while (lengths.size < 3) {
    await caller.listen(100);
    lengths.add(running(stage).left.length);
  }
  expect([...lengths]).toEqual([...lengths].sort((one, other) => one - other));
  const ending = caller.now;
  await stage.done(caller.session_uuid, "record/stop");
  const stopped = caller.now;
  const told = await completed(stage, caller);
  expect(told).toMatchObject({ command_uid: "tape" });
  expect(told.duration_ms).toBeGreaterThanOrEqual((ending - begun) / 8 - 100);
  expect(told.duration_ms).toBeLessThanOrEqual((stopped - sent) / 8 + 100);
  const { left, right } = await recorded(stage, told);
  // The jitter buffer fills at first.
  const [said, heard] = [left.slice(2400, 12_000), right.slice(2400, 12_000)];
  expect(tone(said, 440)).toBeCloseTo(20 * Math.log10(8000 / 32_768), 0);
  expect(tone(said, 1000)).toBeLessThan(-35);
  expect(tone(heard, 1000)).toBeCloseTo(20 * Math.log10(4000 / 32_768), 0);
  expect(tone(heard, 440)).toBeLessThan(-60);

  const whole = readFileSync(file(stage, told.recording_id));
  const { length } = whole;
  const parts = await Promise.all(
    ["bytes=0-43", "bytes=44-1043", `bytes=${length - 10}-`, "bytes=-5"].map((range) =>
      fetchRecording(stage, told.recording_id, range),
    ),
  );
  expect(parts.map(({ status }) => status)).toEqual([206, 206, 206, 206]);
  expect(parts.map(({ range }) => range)).toEqual([
    `bytes 0-43/${length}`,
    `bytes 44-1043/${length}`,
    `bytes ${length - 10}-${length - 1}/${length}`,
    `bytes ${length - 5}-${length - 1}/${length}`,
  ]);
  const wanted = [whole.subarray(0, 44), whole.subarray(44, 1044), whole.subarray(-10), whole.subarray(-5)];
  expect(parts.map(({ bytes }, at) => bytes.equals(wanted[at] ?? whole))).toEqual([true, true, true, true]);
});

/** What the caller's jitter buffer takes: 30 ms of reserve, and the frame in which he answers. */
const delay = 50 * 8;
/** 40 ms. */
const near = 40 * 8;

test("both channels have the same time: what he answers to a sound lies behind it, from the first to the last", async () => {
  const stage = await open({ recordings: true });
  const caller = await calling(stage);
  await stage.done(caller.session_uuid, "record/start", { command_uid: "tape" });
  const calls = Array.from({ length: 6 }, (_, at) => unlike(60, 31 + at));
  const answers = calls.map((_, at) => unlike(60, 51 + at));
  const pause = new Int16Array(340 * 8);
  const prompt = Int16Array.from(calls.flatMap((call) => [...call, ...pause]));
  const urls = [sounds.put("calls", prompt)];
  await stage.taken(caller.session_uuid, "playback/start", { command_uid: "play", urls });
  for (const answer of answers) {
    await caller.sound();
    await caller.say(answer);
    // The rest of the call, and none of the next one.
    await caller.listen(200);
  }
  await stage.done(caller.session_uuid, "record/stop");
  const { left, right } = await recorded(stage, await completed(stage, caller));
  const later = calls.map((call, at) => {
    const heard = find(right, call);
    const said = find(left, coded(answers[at] ?? call));
    expect(heard).toBeGreaterThanOrEqual(0);
    expect(said).toBeGreaterThan(heard);
    return said - heard;
  });
  // Who is late is the machine: at least once at the beginning and once at the end it was not.
  for (const some of [later.slice(0, 3), later.slice(3)]) {
    expect(Math.abs(Math.min(...some) - delay)).toBeLessThanOrEqual(near);
  }
});

test("it ends with the call, and is told after the call's end", async () => {
  const stage = await open({ recordings: true });
  const caller = await calling(stage);
  caller.sing(440);
  await stage.done(caller.session_uuid, "record/start", { command_uid: "tape" });
  const begun = caller.now;
  await caller.listen(600);
  const ending = caller.now;
  await caller.hangUp();
  const told = await completed(stage, caller);
  expect(stage.receiver.names(caller.session_uuid).slice(-2)).toEqual(["call.hangup", "recording.completed"]);
  expect(told.duration_ms).toBeGreaterThanOrEqual((ending - begun) / 8 - 100);
  const { left, right } = await recorded(stage, told);
  expect(tone(left.slice(2400), 440)).toBeCloseTo(20 * Math.log10(8000 / 32_768), 0);
  expect(right.every((sample) => sample === 0)).toBe(true);
});

test("it ends when it is as long as it may be, and the call goes on", async () => {
  const stage = await open({ recordings: true, env: { RECORDING_MAX_SECONDS: "1" } });
  const caller = await calling(stage);
  caller.sing(1000);
  await stage.done(caller.session_uuid, "record/start", { command_uid: "tape" });
  const told = await completed(stage, caller);
  expect(told.duration_ms).toBe(1000);
  const { left } = await recorded(stage, told);
  expect(left.length).toBe(8000);
  expect(tone(left.slice(2400), 1000)).toBeCloseTo(20 * Math.log10(8000 / 32_768), 0);
  expect((await stage.session(caller.session_uuid)).body).toMatchObject({ state: "answered", recording: null });
  await caller.listen(100);
});
