/** Recordings: made, told, fetched in whole and in parts, and removed. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { wavHeaderBytes, wavRate } from "../../../wav";
import { type Check, Skipped } from "../../check";
import { expectStatus, type KitApp, type KitCall } from "../ground/app";
import { expectBetween, expectFields, expectSame, expectThat } from "../ground/expectation";
import { onCall, onCallWithSounds } from "../ground/on_call";
import type { Sounds } from "../ground/sounds";
import type { World } from "../world";
import { pathOf, ranges, recorded, start, wholeMs } from "./ranges";

const clause = "getRecording";
const full = { profile: "full" } as const;

/** Two channels of 16 bit. */
const frameBytes = 4;
/** What a media server may need to begin and to end. */
const edgeMs = 800;
/** Two times of one gateway that are told of the same thing. */
const sameMs = 3000;

export const recordings: readonly Check<World>[] = [
  ...ranges,
  onCallWithSounds({
    id: "recordings/made",
    title: "A recording is shown while it runs, and told with the uid of its start when it is whole",
    clause: "record/start, record/stop, recording.completed",
    async run({ call }) {
      const begun = performance.now();
      const { timestamp } = await start(call, "tape");
      const started = performance.now();
      const recording = Object((await call.state()).recording);
      expectSame("recording: command_uid", recording.command_uid, "tape", { of: call });
      const apart = Math.abs(Date.parse(recording.started_at) - Date.parse(timestamp));
      expectThat(apart < sameMs, `started_at that is the time of the result, ${timestamp}`, recording.started_at, {
        of: call,
      });
      await delay(1000);
      const stopping = performance.now();
      await call.done("stopRecording", { command_uid: "cut" });
      const stopped = performance.now();
      const { data } = await call.event("recording.completed", 0, wholeMs);
      expectSame("recording", (await call.state()).recording, null, { of: call });
      expectFields("recording.completed", data, { command_uid: "tape" }, { of: call });
      expectBetween("duration_ms", data.duration_ms, stopping - started - edgeMs, stopped - begun + edgeMs, {
        of: call,
      });
      expectSame("duration, in seconds", data.duration, Number(data.duration_ms) / 1000, { of: call });
      if (data.recording_url === null) return;
      const url = String(data.recording_url);
      expectThat(
        /^https?:\/\//.test(url) && url.endsWith(pathOf(data.recording_id)),
        `a URL that ends in ${pathOf(data.recording_id)}`,
        url,
        { of: call },
      );
    },
  }),
  onCall({
    id: "recordings/again",
    title: "A call can be recorded once more, which is another recording",
    clause: "record/start",
    async run({ call }) {
      for (const uid of ["one", "two"]) {
        if (uid === "one") await start(call, uid);
        else await call.doneInTime("startRecording", { command_uid: uid });
        await call.doneInTime("stopRecording");
        await call.app.endpoint.event(
          "recording.completed",
          { source: call.source, fits: ({ data }) => data.command_uid === uid },
          wholeMs,
        );
      }
      const ids = call.named("recording.completed").map(({ data }) => data.recording_id);
      expectSame("how many recordings:", new Set(ids).size, 2, { of: call });
    },
  }),
  {
    ...full,
    id: "recordings/wav",
    title: "A recording is a WAV file, stereo, 8 kHz, 16 bit, as long as was told",
    clause,
    async run(world) {
      const { data, whole } = await recorded(world);
      const about = { answers: [whole] };
      const { bytes } = whole;
      expectSame("Content-Type", whole.headers["content-type"], "audio/wav", about);
      expectSame("Content-Length", whole.headers["content-length"], String(bytes.length), about);
      expectSame(
        "form",
        [bytes.toString("latin1", 0, 4), bytes.toString("latin1", 8, 16)],
        ["RIFF", "WAVEfmt "],
        about,
      );
      const format = [bytes.readUInt16LE(20), bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt16LE(34)];
      expectSame("PCM, channels, rate, bits", format, [1, 2, wavRate, 16], about);
      const found = bytes.indexOf("data", 12, "latin1");
      const length = bytes.readUInt32LE(found + 4);
      expectSame("length of the samples, by the header,", length, bytes.length - found - 8, about);
      expectSame("RIFF length", bytes.readUInt32LE(4), bytes.length - 8, about);
      const ms = (length / frameBytes / wavRate) * 1000;
      expectBetween("its length in ms", ms, Number(data.duration_ms) - 100, Number(data.duration_ms) + 100, about);
    },
  },
  onCallWithSounds({
    id: "recordings/sides",
    title: "The caller is on the left, and what he hears on the right",
    clause: "record/start",
    script: [
      { do: "wait_for", event: "playback.stopped" },
      { do: "tone", hz: 1000, ms: 1500 },
    ],
    async run({ app, call, sounds }) {
      await start(call, "tape");
      const { said, heard } = await sides(app, call, sounds);
      expectThat(heard.right > 10 * heard.left, "what plays on the right alone", heard, { of: call });
      expectThat(said.left > 10 * said.right, "the caller's tone on the left alone", said, { of: call });
      expectThat(
        heard.at < said.at,
        "what plays on the right, before the caller's tone on the left",
        { heard, said },
        { of: call },
      );
    },
  }),
  {
    ...full,
    id: "recordings/head",
    title: "HEAD of a recording answers as GET does, without the file",
    clause,
    async run(world) {
      const { app, data, whole } = await recorded(world);
      const request = { method: "HEAD", path: pathOf(data.recording_id), headers: app.headers };
      const answer = await world.request(request);
      expectStatus(answer, 200);
      for (const name of ["content-type", "content-length", "etag", "accept-ranges", "cache-control"] as const)
        expectSame(name, answer.headers[name], whole.headers[name], { answers: [answer] });
    },
  },
  {
    ...full,
    id: "recordings/same",
    title: "A recording has the same bytes and the same ETag each time",
    clause,
    async run(world) {
      const { app, data, whole } = await recorded(world);
      const again = await app.get(pathOf(data.recording_id));
      expectSame("ETag", again.headers.etag, whole.headers.etag, { answers: [again] });
      expectThat(again.bytes.equals(whole.bytes), "the same bytes", `${again.bytes.length} others`, {
        answers: [again],
      });
    },
  },
  {
    ...full,
    id: "recordings/foreign",
    title: "Another app does not find a recording, and cannot remove it",
    clause: "getRecording, deleteRecording",
    async run(world) {
      const { app, data } = await recorded(world);
      const other = await world.other();
      const path = pathOf(data.recording_id);
      for (const answer of [await other.get(path), await other.delete(path), await app.get(pathOf(randomUUID()))])
        expectSame("code", answer.body?.code, "recording_not_found", { answers: [answer] });
      expectStatus(await app.get(path), 200);
    },
  },
  onCall({
    id: "recordings/removed",
    title: "A recording that was removed is not found any more",
    clause: "deleteRecording",
    async run({ app, call }) {
      await start(call, "tape");
      await call.done("stopRecording");
      const { data } = await call.event("recording.completed", 0, wholeMs);
      const path = pathOf(data.recording_id);
      expectStatus(await app.get(path), 200);
      expectStatus(await app.delete(path), 204);
      for (const answer of [await app.get(path), await app.delete(path)])
        expectSame("code", answer.body?.code, "recording_not_found", { answers: [answer] });
    },
  }),
];

/** Records what plays, then the caller's tone. @returns how loud each side was meanwhile */
async function sides(app: KitApp, call: KitCall, sounds: Sounds) {
  await call.done("startPlayback", { urls: [sounds.tone(1000)] });
  await call.event("playback.stopped");
  await delay(1500);
  await call.done("stopRecording");
  const { data } = await call.event("recording.completed", 0, wholeMs);
  if (data.recording_url === null) throw new Skipped(`The recording is not to be had: ${data.error}`);
  const { bytes } = await app.get(pathOf(data.recording_id));
  const samples = bytes.subarray(Math.max(wavHeaderBytes, bytes.indexOf("data", 12, "latin1") + 8));
  // The tenth of a second in which each side is loudest tells of what it was on.
  return { heard: loudest(samples, 2), said: loudest(samples, 0) };
}

interface Loud {
  /** Where in the recording, in bytes. */
  readonly at: number;
  readonly left: number;
  readonly right: number;
}

/** How loud both sides are where one of them is loudest. @param side where it begins in a frame: 0 left, 2 right */
function loudest(samples: Buffer, side: 0 | 2): Loud {
  const window = (wavRate / 10) * frameBytes;
  let best: Loud = { at: 0, left: 0, right: 0 };
  for (let at = 0; at + window <= samples.length; at += window) {
    const part = samples.subarray(at, at + window);
    const loud = { at, left: level(part, 0), right: level(part, 2) };
    if (side === 0 ? loud.left > best.left : loud.right > best.right) best = loud;
  }
  return best;
}

/** The mean of what a side says. */
function level(part: Buffer, side: 0 | 2): number {
  let sum = 0;
  for (let at = side; at + 1 < part.length; at += frameBytes) sum += Math.abs(part.readInt16LE(at));
  return Math.round((sum * frameBytes) / part.length);
}
