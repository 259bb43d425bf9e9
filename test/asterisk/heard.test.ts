/** What callers of a real Asterisk hear and say, by their own ears and by recordings. */

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mulaw } from "alawmulaw";
import { hear, Shelf } from "../engine/ear";
import type { SipCaller } from "../engine/sip-caller";
import { openRoom, play, run, runRoom } from "../engine/suite";
import { level, levelAt, samples, samplesPerFrame } from "../media-child/peer";
import { AsteriskPlace, answeredCall, frameMs, loud, toneMs, until } from "./place";
import { AsteriskServer } from "./server";

/** dBFS of a tone that is not there. */
const quiet = -50;
/** The file server's tone is of 440 Hz, at -12.2 dBFS. */
const toneLevel = -12.2;

let server: AsteriskServer;
let place: AsteriskPlace;
const shelf = new Shelf();
beforeAll(async () => {
  server = await AsteriskServer.start();
  place = await AsteriskPlace.open(server);
  await shelf.open();
});
afterAll(async () => {
  await place.close();
  await server.stop();
  await shelf.close();
});

/** A caller says a tone of 600 Hz, at the pace of a telephone. */
async function sing({ peer }: SipCaller, ms: number): Promise<void> {
  const until = performance.now() + ms;
  for (let frame = 0; performance.now() < until; frame++) {
    const pcm = Int16Array.from({ length: samplesPerFrame }, (_, i) =>
      Math.round(8000 * Math.sin((2 * Math.PI * 600 * (frame * samplesPerFrame + i)) / 8000)),
    );
    await peer.packet(mulaw.encode(pcm));
    await delay(frameMs - 1);
  }
}

/** Has the caller a tone in his ear? From now on, or as soon as he has. */
const hears = async ({ peer }: SipCaller) =>
  peer.next((packet) => packet.payload === 0 && level(samples([packet])) > loud);

test("paused, resumed, sought and stopped for other work, a file is heard as long as it is", async () => {
  const caller = await answeredCall(place);
  const { session_uuid } = caller;
  const { recorder, files } = place;
  const room_id = await openRoom(place);
  const from = caller.peer.heard.length;
  await play(place, session_uuid, files.tone(1600));
  await hears(caller);
  await delay(200);
  await run(place, "pausePlayback", session_uuid, {});
  await delay(300);
  await run(place, "resumePlayback", session_uuid, {});
  await hears(caller);
  await run(place, "answer", session_uuid, {});
  await delay(200);
  await run(place, "seekPlayback", session_uuid, { offset_sec: 0.5 });
  await recorder.event(session_uuid, "playback.stopped");
  await delay(60);
  const moved = recorder
    .of(session_uuid)
    .flatMap((event) => (event.type === "playback.moved" ? [event.offset_ms] : []));
  const [pausedAt = 0, resumedAt = 0] = moved;
  expect(resumedAt).toBe(pausedAt);
  // What sounded before the seek is what the place says that it left: a little less than its begin and the rest.
  const total = toneMs(caller, from);
  expect(total).toBeGreaterThanOrEqual(1100 + pausedAt);
  expect(total).toBeLessThan(1600 + pausedAt + 600);
  await run(place, "joinRoom", session_uuid, { room_id, muted: false });
  const inside = caller.peer.heard.length;
  const { command_uid } = await play(place, session_uuid, files.tone(1000));
  await hears(caller);
  await delay(300);
  await run(place, "leaveRoom", session_uuid, {});
  expect(await recorder.stopped(session_uuid, command_uid)).toMatchObject({ offset_ms: 1000, reason: "completed" });
  await delay(60);
  expect(toneMs(caller, inside)).toBeGreaterThanOrEqual(900);
  expect(toneMs(caller, inside)).toBeLessThanOrEqual(1100);
  await place.engine.closeRoom(room_id);
});

test("what is played to a member is heard by it over its room and is on its recording; the others hear nothing of it", async () => {
  const room_id = await openRoom(place);
  const [one, two] = [await answeredCall(place), await answeredCall(place)];
  for (const { session_uuid } of [one, two]) await run(place, "joinRoom", session_uuid, { room_id, muted: false });
  const twoFrom = two.peer.heard.length;
  const heard = await hear(place, shelf, one.session_uuid, async () => {
    const { command_uid } = await play(place, one.session_uuid, place.files.tone(800));
    await hears(one);
    await sing(two, 600);
    await place.recorder.stopped(one.session_uuid, command_uid);
    await delay(60);
  });
  // Of both, for most of the time.
  expect(levelAt(heard.right, 440)).toBeGreaterThan(loud);
  expect(levelAt(heard.right, 600)).toBeGreaterThan(loud);
  expect(levelAt(heard.left, 440)).toBeLessThan(quiet);
  expect(level(samples(two.peer.heard.slice(twoFrom)))).toBeLessThan(quiet);
});

test("who is muted is not heard, whoever else is", async () => {
  const room_id = await openRoom(place);
  const [one, two] = [await answeredCall(place), await answeredCall(place)];
  await run(place, "joinRoom", one.session_uuid, { room_id, muted: false });
  await run(place, "joinRoom", two.session_uuid, { room_id, muted: true });
  const heardWhile = async (work: () => Promise<unknown>) => {
    const from = one.peer.heard.length;
    await work();
    return levelAt(samples(one.peer.heard.slice(from)), 600);
  };
  expect(await heardWhile(() => sing(two, 400))).toBeLessThan(quiet);
  await run(place, "unmute", two.session_uuid, {});
  expect(await heardWhile(() => sing(two, 400))).toBeGreaterThan(loud);
  await run(place, "mute", two.session_uuid, {});
  await delay(100);
  expect(await heardWhile(() => sing(two, 400))).toBeLessThan(quiet);
  // Outside, a mute is over: what he says is recorded again.
  await run(place, "leaveRoom", two.session_uuid, {});
  const { left } = await hear(place, shelf, two.session_uuid, () => sing(two, 400));
  expect(levelAt(left, 600)).toBeGreaterThan(loud);
});

test.each([-4, -1, 0, 2])(
  "a room is played to at volume %i, as told with the play and as set while it plays",
  async (volume) => {
    const room_id = await openRoom(place);
    const caller = await answeredCall(place);
    await run(place, "joinRoom", caller.session_uuid, { room_id, muted: false });
    let plays = 0;
    const urls = [place.files.tone(20_000)];
    for (const first of [volume, volume === 0 ? 4 : 0]) {
      await runRoom(place, "playRoom", room_id, { urls, loop: false, volume: first });
      await place.recorder.roomEvent(room_id, "play.started", ++plays);
      expect((await runRoom(place, "setRoomVolume", room_id, { volume })).outcome).toBeUndefined();
      const isRight = (pcm: Int16Array) => Math.abs(level(pcm) - (toneLevel + 3 * volume)) < 1;
      await caller.peer.next((packet) => isRight(samples([packet])));
      // And so it stays, but for a frame that comes late.
      const later = await caller.peer.listen(20);
      expect(later.filter((packet) => isRight(samples([packet]))).length).toBeGreaterThan(15);
      await runRoom(place, "stopRoom", room_id, {});
      await delay(100);
    }
    await place.engine.closeRoom(room_id);
  },
);

test("caller and what he hears stand where they were, beside each other", async () => {
  const caller = await answeredCall(place);
  const { session_uuid } = caller;
  const { left, right } = await hear(place, shelf, session_uuid, async () => {
    await delay(200);
    const { command_uid } = await play(place, session_uuid, place.files.tone(600));
    await hears(caller);
    await sing(caller, 400);
    await place.recorder.stopped(session_uuid, command_uid);
  });
  const begins = (pcm: Int16Array) => pcm.findIndex((sample) => Math.abs(sample) > 1000) / 8;
  expect(begins(right)).toBeGreaterThan(100);
  // He answers what he hears: never before it, and a little after.
  expect(begins(left) - begins(right)).toBeGreaterThan(-frameMs);
  expect(begins(left) - begins(right)).toBeLessThan(8 * frameMs);
});

test("a recording ends at its longest, and nothing of any stays with Asterisk", async () => {
  const other = await AsteriskServer.start();
  const short = await AsteriskPlace.open(other, { recordingMaxMs: 1000 });
  const caller = await answeredCall(short);
  const file = shelf.file();
  await run(short, "startRecording", caller.session_uuid, { file });
  expect(await short.recorder.recorded(file.recording_id)).toMatchObject({ failure: null });
  await play(short, caller.session_uuid, short.files.tone(100));
  await until(async () => (await other.channels()).length === 1);
  await until(async () => (await (await other.ari("GET", "/recordings/stored")).text()) === "[]");
  await short.close();
  await other.stop();
});
