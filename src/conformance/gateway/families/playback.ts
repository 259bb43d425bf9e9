/** What plays to a call: its beginning, its place, its end. */
import { setTimeout as delay } from "node:timers/promises";
import { type Check, Skipped } from "../../check";
import { expectBetween, expectFields, expectSame, expectThat } from "../ground/expectation";
import { onCall, onCallWithSounds } from "../ground/on_call";
import type { World } from "../world";
import { controls, frameMs, lateMs, measureMs, placeOf, playbackOf } from "./playback_controls";

const clause = "playback/start";
/** What a machine that has much to do may add. */
const slowMs = 4000;
/** dBFS: between a tone and none. */
const audible = -40;

export const playback: readonly Check<World>[] = [
  onCallWithSounds({
    id: "playback/file",
    title: "A file is told to begin and to end, with its uid, its URL and its length",
    clause: "playback.started, playback.stopped",
    async run({ call, sounds }) {
      const url = sounds.tone(1000);
      await call.done("startPlayback", { command_uid: "hello", urls: [url] });
      const started = await call.event("playback.started");
      expectSame("playback.started", started.data, { command_uid: "hello", urls: [url], file_path: url }, { of: call });
      const stopped = await call.event("playback.stopped");
      const { offset_ms, duration_ms, ...data } = stopped.data;
      expectSame(
        "playback.stopped",
        data,
        { command_uid: "hello", urls: [url], file_path: url, reason: "completed" },
        { of: call },
      );
      expectBetween("offset_ms", offset_ms, 1000 - frameMs, 1000 + frameMs, { of: call });
      expectBetween("duration_ms", duration_ms, 1000 - lateMs, 1000 + slowMs, { of: call });
      expectSame("playback", await playbackOf(call), null, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/list",
    title: "A list has one beginning and one end, and its URLs keep their order",
    clause: "playback.started, playback.stopped",
    async run({ call, sounds }) {
      const urls = [sounds.tone(500), sounds.tone(60), sounds.tone(400)];
      await call.done("startPlayback", { command_uid: "list", urls });
      const stopped = await call.event("playback.stopped");
      const names = { command_uid: "list", urls, file_path: urls.join(",") };
      expectFields("playback.stopped", stopped.data, { ...names, reason: "completed" }, { of: call });
      expectBetween("offset_ms, in the last file", stopped.data.offset_ms, 400 - frameMs, 400 + frameMs, { of: call });
      expectBetween("duration_ms, of all", stopped.data.duration_ms, 960 - lateMs, 960 + slowMs, { of: call });
      expectSame("how many beginnings:", call.named("playback.started").length, 1, { of: call });
      expectFields("playback.started", call.named("playback.started")[0]?.data ?? {}, names, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/shown",
    title: "What plays is shown with its place, which moves on as time does",
    clause: "getSession: playback",
    async run({ call, sounds }) {
      const urls = [sounds.tone(60), sounds.tone(20_000)];
      const begun = performance.now();
      await call.done("startPlayback", { command_uid: "hello", urls });
      await call.app.world.settled(async () => (await playbackOf(call))?.index === 1);
      const { offset_ms: first, ...shown } = (await playbackOf(call)) ?? {};
      expectSame("the playback", shown, { command_uid: "hello", urls, index: 1, paused: false }, { of: call });
      await delay(900);
      const second = await placeOf(call);
      const most = performance.now() - begun + measureMs;
      expectBetween("offset_ms, some time later,", second, Number(first) + 900 - lateMs, most, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/offset",
    title: "A file begins at offset_sec",
    clause: "playback/start: offset_sec",
    async run({ call, sounds }) {
      const begun = performance.now();
      await call.done("startPlayback", { urls: [sounds.tone(20_000)], offset_sec: 12 });
      const place = await placeOf(call);
      expectBetween("offset_ms", place, 12_000 - frameMs, 12_000 + performance.now() - begun + measureMs, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/stopped",
    title: "What is stopped is told with the uid of its own start, and then nothing plays",
    clause: "playback/stop",
    async run({ call, sounds }) {
      await call.done("startPlayback", { command_uid: "hello", urls: [sounds.tone(20_000)] });
      await delay(900);
      await call.done("stopPlayback", { command_uid: "hush" });
      const { data } = await call.event("playback.stopped");
      expectFields("playback.stopped", data, { command_uid: "hello", reason: "stopped" }, { of: call });
      expectBetween("offset_ms", data.offset_ms, 900 - lateMs, 900 + slowMs, { of: call });
      expectBetween("duration_ms", data.duration_ms, 900 - lateMs, 900 + slowMs, { of: call });
      expectSame("playback", await playbackOf(call), null, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/replaced",
    title: "A second playback ends the first one before it begins",
    clause: "playback/start: the last one wins",
    async run({ call, sounds }) {
      const [first, second] = [sounds.tone(20_000), sounds.tone(19_000)];
      await call.done("startPlayback", { command_uid: "one", urls: [first] });
      await call.doneInTime("startPlayback", { command_uid: "two", urls: [second] });
      const told = call.events
        .filter(({ event }) => event.startsWith("playback."))
        .map(({ event, data }) => {
          return `${event} ${data.command_uid} ${data.reason ?? ""}`.trim();
        });
      const wanted = ["playback.started one", "playback.stopped one replaced", "playback.started two"];
      expectSame("what is told:", told, wanted, { of: call });
      expectFields(
        "the playback",
        (await playbackOf(call)) ?? {},
        { command_uid: "two", urls: [second], index: 0 },
        { of: call },
      );
    },
  }),
  ...controls,
  onCall({
    id: "playback/silence",
    title: "Silence is a playback without files, of the length that was asked for",
    clause: "playback/silence",
    async run({ call }) {
      await call.done("playSilence", { command_uid: "hush", duration_ms: 1000 });
      const { data } = await call.event("playback.stopped");
      const { offset_ms, duration_ms, ...more } = data;
      expectSame(
        "playback.stopped",
        more,
        { command_uid: "hush", urls: [], file_path: "", reason: "completed" },
        { of: call },
      );
      expectBetween("offset_ms", offset_ms, 1000 - frameMs, 1000 + frameMs, { of: call });
      expectBetween("duration_ms", duration_ms, 1000 - lateMs, 1000 + slowMs, { of: call });
      const [started] = call.named("playback.started");
      expectSame("playback.started", started?.data, { command_uid: "hush", urls: [], file_path: "" }, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/silence-replaces",
    title: "Silence takes the place of what plays",
    clause: "playback/silence",
    async run({ call, sounds }) {
      await call.done("startPlayback", { command_uid: "hello", urls: [sounds.tone(20_000)] });
      await call.doneInTime("playSilence", { command_uid: "hush", duration_ms: 20_000 });
      const { data } = await call.event("playback.stopped");
      expectFields("playback.stopped", data, { command_uid: "hello", reason: "replaced" }, { of: call });
      expectFields(
        "the playback",
        (await playbackOf(call)) ?? {},
        { command_uid: "hush", urls: [], index: 0 },
        { of: call },
      );
    },
  }),
  onCallWithSounds({
    id: "playback/stopped-before",
    title: "What is stopped before it sounds failed, and never sounds",
    clause: "Stopped before it began",
    async run({ call, sounds }) {
      const { url, requested, release } = sounds.held(100);
      const operation = await call.taken("startPlayback", { command_uid: "late", urls: [url] });
      await requested;
      await call.done("stopPlayback");
      release();
      const { data } = await call.app.endpoint.result(operation);
      const wanted = { success: false, error: "Stopped before it began", code: "stopped_before_it_began" };
      expectFields("the result of playback/start", data, wanted, { of: call });
      await call.hangup();
      expectSame("how many beginnings:", call.named("playback.started").length, 0, { of: call });
    },
  }),
  onCallWithSounds({
    id: "playback/heard",
    title: "The caller hears what plays, and silence while it is paused",
    clause,
    async run({ call, sounds }) {
      const { phone } = call.placed;
      if (!phone) throw new Skipped("This caller has no ears: use --caller sip:….");
      await call.done("startPlayback", { urls: [sounds.tone(20_000)] });
      const heard = await call.app.world.settled(async () => phone.heard.level > audible);
      expectThat(heard, "a tone that the caller hears", `${Math.round(phone.heard.level)} dBFS`, { of: call });
      await call.done("pausePlayback");
      const silent = await call.app.world.settled(async () => phone.heard.level < audible);
      expectThat(silent, "silence while it is paused", `${Math.round(phone.heard.level)} dBFS`, { of: call });
    },
  }),
];
