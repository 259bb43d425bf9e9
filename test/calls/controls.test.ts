/** Pause, resume, seek, restart and silence, as a caller hears them who knows each moment of the file. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { find } from "../media-child/wav";
import { pauses, sounding, stretches } from "./hearing";
import { ListeningCaller } from "./listening-caller";
import { coded, SoundServer, unlike } from "./sound-server";
import { type CommandBody, type CommandName, Stage } from "./stage";

const sounds = new SoundServer();
const short = unlike(1600, 1);
const long = unlike(20_000, 2);
const heardLong = coded(long);
let stage: Stage;
let caller: ListeningCaller;
let shortUrl = "";
let longUrl = "";

beforeAll(async () => {
  await sounds.listen();
  shortUrl = sounds.put("short", short);
  longUrl = sounds.put("long", long);
  stage = await Stage.open();
});
afterEach(() => caller.close());
afterAll(async () => {
  await stage.close();
  await sounds.close();
});

async function act<C extends CommandName>(name: C, body: CommandBody<C> = {}): Promise<void> {
  const { data } = await stage.done(caller.session_uuid, name, body);
  expect(data).toMatchObject({ command: name, success: true });
}

/** A caller who hears these files already. */
async function hearing(...urls: string[]): Promise<void> {
  caller = await ListeningCaller.call(stage);
  await stage.taken(caller.session_uuid, "playback/start", { command_uid: "play", urls });
  await caller.sound();
}

const stopped = () => stage.receiver.event("playback.stopped", caller.session_uuid);

/** 100 ms. */
const near = 800;

test("paused he hears silence, resumed it goes on where it was: nothing is lost, nothing comes twice", async () => {
  await hearing(shortUrl);
  const places: number[] = [];
  for (const ms of [200, 400]) {
    await caller.listen(ms);
    await act("playback/pause");
    // What was sent before the pause is here.
    await caller.listen(60);
    const { body } = await stage.session(caller.session_uuid);
    const { offset_ms, paused } = { offset_ms: 0, paused: false, ...Object(body?.playback) };
    expect(paused).toBe(true);
    const heard = sounding(caller.heard).length;
    expect(Math.abs(heard - offset_ms * 8)).toBeLessThanOrEqual(160);
    expect((await caller.listen(300)).every((sample) => sample === 0)).toBe(true);
    places.push(heard);
    await act("playback/resume");
  }
  expect((await stopped()).data).toMatchObject({ reason: "completed", offset_ms: 1600 });
  await caller.listen(60);
  expect(sounding(caller.heard)).toEqual(coded(short));
  const silent = pauses(caller.heard).slice(0, 2);
  expect(silent.every(({ samples }) => samples >= 300 * 8)).toBe(true);
  const [first = 0, second = 0] = silent.map(({ from }) => from).sort((one, other) => one - other);
  const begin = caller.heard.findIndex((sample) => sample !== 0);
  expect(sounding(caller.heard.slice(begin, first)).length).toBe(places[0]);
  expect(sounding(caller.heard.slice(begin, second)).length).toBe(places[1]);
});

describe("of a single file, and of the second of a list", () => {
  test.each([
    ["single", () => [longUrl]],
    ["second", () => [sounds.put("lead", unlike(200, 3)), longUrl]],
  ])("%s: sought forth and back, restarted, and sought behind its end", async (_, urls) => {
    await hearing(...urls());
    while (find(caller.heard, heardLong.slice(0, 80)) < 0) await caller.listen(100);
    await caller.listen(200);
    for (const offset_sec of [12, 3]) {
      await act("playback/seek", { offset_sec });
      await caller.listen(300);
    }
    await act("playback/restart");
    await caller.listen(300);
    await act("playback/seek", { offset_sec: 20 });
    expect((await stopped()).data).toMatchObject({ reason: "completed", offset_ms: 20_000 });
    await caller.listen(60);
    expect((await caller.listen(100)).every((sample) => sample === 0)).toBe(true);
    const heard = stretches(caller.heard, heardLong);
    // A place that is near enough counts as the wanted one.
    const wanted = [0, 12_000, 3000, 0].map((ms) => ms * 8);
    const places = heard.map(({ place }, at) => (Math.abs(place - (wanted[at] ?? 0)) <= near ? wanted[at] : place));
    expect(places).toEqual(wanted);
    // Each until the next command at least.
    expect(heard.every(({ samples }) => samples >= 200 * 8)).toBe(true);
  });
});

test("sought behind its end, a file gives way to the next of its list", async () => {
  await hearing(longUrl, shortUrl);
  await caller.listen(200);
  await act("playback/seek", { offset_sec: 86_400 });
  expect((await stopped()).data).toMatchObject({ reason: "completed", offset_ms: 1600 });
  await caller.listen(60);
  const [first, ...more] = stretches(caller.heard, heardLong);
  expect(more).toEqual([]);
  const [second] = stretches(caller.heard, coded(short));
  expect(second).toMatchObject({ place: 0, samples: short.length });
  expect((second?.from ?? 0) - (first?.from ?? 0) - (first?.samples ?? 0)).toBeLessThanOrEqual(300 * 8);
});

test("begun at offset_sec, and sought while it is paused", async () => {
  caller = await ListeningCaller.call(stage);
  await act("playback/start", { command_uid: "play", urls: [longUrl], offset_sec: 18 });
  await caller.sound();
  await caller.listen(200);
  await act("playback/pause");
  await caller.listen(60);
  await act("playback/seek", { offset_sec: 19 });
  expect((await caller.listen(300)).every((sample) => sample === 0)).toBe(true);
  await act("playback/resume");
  expect((await stopped()).data).toMatchObject({ reason: "completed", offset_ms: 20_000 });
  await caller.listen(60);
  const [begun, sought, ...more] = stretches(caller.heard, heardLong);
  expect(more).toEqual([]);
  expect(Math.abs((begun?.place ?? 0) - 18_000 * 8)).toBeLessThanOrEqual(near);
  expect(Math.abs((sought?.place ?? 0) - 19_000 * 8)).toBeLessThanOrEqual(near);
  expect((sought?.place ?? 0) + (sought?.samples ?? 0)).toBe(long.length);
});

test("silence takes the place of what sounds, and lasts", async () => {
  await hearing(longUrl);
  await act("playback/silence", { command_uid: "hush", duration_ms: 700 });
  const replaced = await stopped();
  expect(replaced.data).toMatchObject({ command_uid: "play", reason: "replaced" });
  const { data } = await stage.receiver.event("playback.stopped", caller.session_uuid, replaced.sequence);
  expect(data).toMatchObject({ command_uid: "hush", urls: [], offset_ms: 700, reason: "completed" });
  await caller.listen(20);
  const { heard } = caller;
  const last = heard.length - 1 - [...heard].reverse().findIndex((sample) => sample !== 0);
  // A packet may be on its way when it ends.
  expect(heard.length - last).toBeGreaterThanOrEqual(680 * 8);
});
