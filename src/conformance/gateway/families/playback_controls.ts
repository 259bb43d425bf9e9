/** Pause, resume, seek and restart: where a playback is then. */
import { setTimeout as delay } from "node:timers/promises";
import type { Check } from "../../check";
import type { KitCall } from "../ground/app";
import type { JsonObject } from "../ground/client";
import { expectBetween, expectFields, expectSame, expectThat } from "../ground/expectation";
import { onCall, onCallWithSounds } from "../ground/on_call";
import type { World } from "../world";

/** A media server counts in frames, and what it says of the end may be one behind. */
export const frameMs = 60;
/** What is taken away when a machine that has much to do says late that something has begun. */
export const lateMs = 700;
/** Between the clock of the gateway and ours, as it measures a time. */
export const measureMs = 300;

/** `playback` of the session. */
export async function playbackOf(call: KitCall): Promise<JsonObject | null> {
  const { playback } = await call.state();
  return typeof playback === "object" ? (playback as JsonObject | null) : null;
}

/** What it is at now: how far it had come, in ms. */
export async function placeOf(call: KitCall): Promise<number> {
  const playback = await playbackOf(call);
  expectThat(typeof playback?.offset_ms === "number", "a playback with offset_ms", playback, { of: call });
  return Number(playback?.offset_ms);
}

export const controls: readonly Check<World>[] = [
  onCallWithSounds({
    id: "playback/paused",
    title: "What is paused stands still, and goes on from there",
    clause: "playback/pause, playback/resume",
    async run({ call, sounds }) {
      await call.done("startPlayback", { command_uid: "hello", urls: [sounds.tone(20_000)] });
      await delay(300);
      await call.done("pausePlayback");
      const paused = await playbackOf(call);
      expectFields("the playback", paused ?? {}, { command_uid: "hello", paused: true }, { of: call });
      await delay(700);
      expectSame("the playback, some time later,", await playbackOf(call), paused, { of: call });
      const resumed = performance.now();
      await call.done("resumePlayback");
      expectFields("the playback", (await playbackOf(call)) ?? {}, { paused: false }, { of: call });
      await delay(900);
      const place = await placeOf(call);
      const from = Number(paused?.offset_ms);
      const most = from + performance.now() - resumed + measureMs;
      expectBetween("offset_ms, resumed,", place, from + 900 - lateMs, most, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/paused-twice",
    title: "What is paused already stays so, and what is not paused goes on when it is resumed",
    clause: "playback/pause, playback/resume",
    async run({ call, sounds }) {
      await call.done("startPlayback", { urls: [sounds.tone(20_000)] });
      await call.doneInTime("resumePlayback");
      expectSame("paused", (await playbackOf(call))?.paused, false, { of: call });
      await call.doneInTime("pausePlayback");
      const paused = await playbackOf(call);
      await call.doneInTime("pausePlayback");
      expectSame("the playback", await playbackOf(call), paused, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/sought",
    title: "seek goes to its place, forth and back, and leaves it paused or not",
    clause: "playback/seek",
    async run({ call, sounds }) {
      await call.done("startPlayback", { urls: [sounds.tone(20_000)] });
      const begun = performance.now();
      await call.done("seekPlayback", { offset_sec: 15 });
      const place = await placeOf(call);
      expectBetween("offset_ms", place, 15_000 - frameMs, 15_000 + performance.now() - begun + measureMs, { of: call });
      await call.doneInTime("pausePlayback");
      await call.doneInTime("seekPlayback", { offset_sec: 7 });
      expectFields("the playback", (await playbackOf(call)) ?? {}, { offset_ms: 7000, paused: true }, { of: call });
      await call.doneInTime("restartPlayback");
      expectFields("the playback", (await playbackOf(call)) ?? {}, { offset_ms: 0, paused: true }, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/sought-to-the-end",
    title: "A place behind the end ends the file, and the next one of the list begins",
    clause: "playback/seek",
    async run({ call, sounds }) {
      const urls = [sounds.tone(20_000), sounds.tone(19_000)];
      await call.done("startPlayback", { command_uid: "list", urls });
      await call.done("seekPlayback", { offset_sec: 86_400 });
      await call.app.world.settled(async () => (await playbackOf(call))?.index === 1);
      expectSame("index", (await playbackOf(call))?.index, 1, { of: call });
      await call.doneInTime("seekPlayback", { offset_sec: 19 });
      const { data } = await call.event("playback.stopped");
      expectFields("playback.stopped", data, { command_uid: "list", reason: "completed" }, { of: call });
      expectBetween("offset_ms", data.offset_ms, 19_000 - frameMs, 19_000 + frameMs, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/restarted",
    title: "restart begins the file that sounds again",
    clause: "playback/restart",
    async run({ call, sounds }) {
      await call.done("startPlayback", { urls: [sounds.tone(20_000)], offset_sec: 10 });
      const begun = performance.now();
      await call.done("restartPlayback");
      const place = await placeOf(call);
      expectBetween("offset_ms", place, 0, performance.now() - begun + measureMs, { of: call });
      expectSame("how many beginnings:", call.named("playback.started").length, 1, { of: call });
    },
  }),
  onCall({
    id: "playback/nothing",
    title: "Without a playback there is nothing to stop, to pause, to resume, to restart or to seek in",
    clause: "No active playback",
    async run({ call }) {
      const wanted = { success: false, error: "No active playback", code: "no_active_playback" };
      const all = ["stopPlayback", "pausePlayback", "resumePlayback", "restartPlayback", "seekPlayback"] as const;
      for (const command of all) {
        const body = command === "seekPlayback" ? { offset_sec: 1 } : {};
        const { data } = await call.resultInTime(command, body);
        expectFields(`the result of ${command}`, data, wanted, { of: call });
      }
    },
  }),
];
