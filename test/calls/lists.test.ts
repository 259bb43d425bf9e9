/** Lists of files, as a caller hears them who knows each sample. */
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { pauses, sounding, stretches } from "./hearing";
import { ListeningCaller } from "./listening-caller";
import { coded, SoundServer, unlike } from "./sound-server";
import { Stage } from "./stage";
import { told } from "./story";

const sounds = new SoundServer();
let stage: Stage;
let caller: ListeningCaller;

beforeAll(async () => {
  await sounds.listen();
  stage = await Stage.open();
});
afterEach(() => caller.close());
afterAll(async () => {
  await stage.close();
  await sounds.close();
});

function join(files: readonly Int16Array[]): Int16Array {
  return Int16Array.from(files.flatMap((file) => [...file]));
}

test("128 files: one is missing, one too large, one no sound; the rest sounds in order and without a gap", async () => {
  caller = await ListeningCaller.call(stage);
  const files = Array.from({ length: 125 }, (_, at) => unlike(20, 100 + at));
  const urls = files.map((file, at) => sounds.put(`number-${at}`, file));
  urls.splice(30, 0, sounds.missing());
  urls.splice(60, 0, sounds.huge());
  urls.splice(90, 0, sounds.text());
  expect(urls).toHaveLength(128);
  await stage.taken(caller.session_uuid, "playback/start", { command_uid: "list", urls });
  await stage.receiver.event("playback.stopped", caller.session_uuid);
  await caller.listen(40);
  expect(sounding(caller.heard)).toEqual(join(files.map(coded)));
  expect(pauses(caller.heard)[0]?.samples ?? 0).toBeLessThanOrEqual(300 * 8);
  const events = stage.receiver.of(caller.session_uuid);
  expect(told(events).slice(3)).toEqual([
    "playback.started list",
    "command.result playback/start list done",
    "playback.file_not_found list not_found",
    "playback.file_not_found list too_large",
    "playback.file_not_found list unsupported_format",
    "playback.stopped list completed",
  ]);
  const missing = events.filter(({ event }) => event === "playback.file_not_found");
  const wanted = [urls[30], urls[60], urls[90]].map((url) => ({ url }));
  expect(missing.map(({ data }) => data)).toMatchObject(wanted);
});

test("the last one wins: nothing of the list before is heard again", async () => {
  caller = await ListeningCaller.call(stage);
  const [before, next, after] = [unlike(20_000, 11), unlike(20_000, 12), unlike(400, 13)];
  const urls = [sounds.put("before", before), sounds.put("next", next)];
  await stage.taken(caller.session_uuid, "playback/start", { command_uid: "one", urls });
  await caller.sound();
  await stage.taken(caller.session_uuid, "playback/start", { command_uid: "two", urls: [sounds.put("after", after)] });
  const replaced = await stage.receiver.event("playback.stopped", caller.session_uuid);
  expect(replaced.data).toMatchObject({ command_uid: "one", reason: "replaced" });
  const { data } = await stage.receiver.event("playback.stopped", caller.session_uuid, replaced.sequence);
  expect(data).toMatchObject({ command_uid: "two", reason: "completed" });
  await caller.listen(40);
  const [first] = stretches(caller.heard, coded(before));
  expect(first).toMatchObject({ place: 0 });
  const length = first?.samples ?? 0;
  expect(sounding(caller.heard)).toEqual(join([coded(before).slice(0, length), coded(after)]));
});
