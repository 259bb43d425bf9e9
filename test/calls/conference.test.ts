/** Conferences, as each member hears them. */
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { sine } from "../media-child/listener";
import { tone } from "../media-child/party";
import { level } from "../media-child/peer";
import { stretches } from "./hearing";
import { ListeningCaller } from "./listening-caller";
import { coded, SoundServer, unlike } from "./sound-server";
import { Stage } from "./stage";

const sounds = new SoundServer();
const callers: ListeningCaller[] = [];
let stage: Stage;

beforeAll(async () => {
  await sounds.listen();
  stage = await Stage.open();
});
afterEach(async () => {
  for (const caller of callers.splice(0)) await caller.close();
});
afterAll(async () => {
  await stage.close();
  await sounds.close();
});

/** A room, and so many callers in it. */
async function meet(name: string, count: number): Promise<{ room_id: string; members: ListeningCaller[] }> {
  const room_id = await stage.room(name);
  const members = await Promise.all(Array.from({ length: count }, () => ListeningCaller.call(stage)));
  callers.push(...members);
  for (const { session_uuid } of members) await stage.join(session_uuid, room_id, "in");
  return { room_id, members };
}

function member(members: readonly ListeningCaller[], at: number): ListeningCaller {
  const found = members[at];
  if (!found) throw new Error(`nobody is at ${at}`);
  return found;
}

const frequencies = [440, 1000, 1700, 2400];
/** Of a tone as loud as everybody sings and plays. */
const sung = 20 * Math.log10(8000 / 32_768);

/** Which tones each hears, as loud as they are sung; any that is heard otherwise has a mark of interrogation. */
function hears(members: readonly ListeningCaller[]): Promise<string[]> {
  return Promise.all(
    members.map(async (caller) => {
      // What has changed is through the jitter buffers after 200 ms.
      const pcm = (await caller.steady(700)).subarray(200 * 8);
      const levels = frequencies.map((hz) => ({ hz, db: tone(pcm, hz) }));
      const audible = levels.filter(({ db }) => db > -35);
      return audible.map(({ hz, db }) => (Math.abs(db - sung) < 3 ? String(hz) : `${hz}?`)).join(" ");
    }),
  );
}

const silent = (pcm: Int16Array) => pcm.every((sample) => sample === 0);

test("three members: each hears the others and not himself; muted, unmuted, played to, and gone", async () => {
  const { members } = await meet("three", 3);
  const [first, second, third] = [member(members, 0), member(members, 1), member(members, 2)];
  first.sing(440);
  second.sing(1000);
  third.sing(1700);
  expect(await hears(members)).toEqual(["1000 1700", "440 1700", "440 1000"]);

  await stage.done(first.session_uuid, "conference/mute");
  expect(await hears(members)).toEqual(["1000 1700", "1700", "1000"]);
  const url = sounds.put("aside", sine(2400, 60_000, 8000));
  await stage.done(second.session_uuid, "playback/start", { command_uid: "aside", urls: [url] });
  expect(await hears(members)).toEqual(["1000 1700", "1700 2400", "1000"]);
  await stage.done(first.session_uuid, "conference/unmute");
  expect(await hears(members)).toEqual(["1000 1700", "440 1700 2400", "440 1000"]);
  await stage.done(second.session_uuid, "playback/stop");

  await stage.done(third.session_uuid, "conference/leave");
  expect(await hears(members)).toEqual(["1000", "440", ""]);
  expect(silent(await third.listen(100))).toBe(true);
  await stage.done(third.session_uuid, "playback/start", { command_uid: "alone", urls: [url] });
  expect(await hears(members)).toEqual(["1000", "440", "2400"]);
  await second.hangUp();
  await stage.receiver.event("call.hangup", second.session_uuid);
  expect(await hears([first, third])).toEqual(["", "2400"]);
});

test("what a room plays is heard by all, in three volumes, a step 3 dB, and not by who has left", async () => {
  const { room_id, members } = await meet("volumes", 2);
  const urls = [sounds.put("steady", sine(1000, 60_000, 4000))];
  await stage.done(room_id, "room/play", { urls, volume: -4 });
  const levels: number[][] = [];
  for (const volume of [-4, 0, 3]) {
    await stage.done(room_id, "room/volume", { volume });
    const heard = members.map(async (caller) => {
      await caller.listen(100);
      return tone(await caller.listen(200), 1000);
    });
    levels.push(await Promise.all(heard));
  }
  const wanted = 20 * Math.log10(4000 / 32_768);
  for (const [at, volume] of [-4, 0, 3].entries()) {
    for (const db of levels[at] ?? []) expect(Math.abs(db - wanted - 3 * volume)).toBeLessThan(0.5);
  }
  const [stays, leaves] = [member(members, 0), member(members, 1)];
  await stage.done(leaves.session_uuid, "conference/leave");
  await leaves.listen(60);
  expect(silent(await leaves.listen(200))).toBe(true);
  expect(level(await stays.listen(200))).toBeGreaterThan(wanted);
  await stage.done(room_id, "room/stop");
  await stays.listen(60);
  expect(silent(await stays.listen(200))).toBe(true);
});

test("what a room plays in a loop begins again, waits while it is paused, and goes on where it was", async () => {
  const { room_id, members } = await meet("loop", 1);
  const caller = member(members, 0);
  const file = unlike(500, 21);
  await stage.done(room_id, "room/play", { urls: [sounds.put("round", file)], loop: true });
  await caller.listen(1300);
  await stage.done(room_id, "room/pause", { paused: true });
  await caller.listen(60);
  expect(silent(await caller.listen(300))).toBe(true);
  await stage.done(room_id, "room/pause", { paused: false });
  await caller.listen(1300);
  await stage.done(room_id, "room/stop");
  const { data } = await stage.receiver.event("conference.play.stopped", room_id);
  expect(data).toMatchObject({ reason: "stopped" });
  await caller.listen(60);
  const rounds = stretches(caller.heard, coded(file));
  expect(rounds.length).toBeGreaterThanOrEqual(4);
  const whole = { place: 0, samples: file.length };
  expect(rounds.slice(0, -1)).toMatchObject(rounds.slice(0, -1).map(() => whole));
  expect(rounds.at(-1)).toMatchObject({ place: 0 });
});
