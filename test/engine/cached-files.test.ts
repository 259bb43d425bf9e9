/** Files that may be kept are fetched once, and played from where they lie like all others. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type EmbeddedPlace, openEmbedded } from "./place";
import { openRoom, play, run, runRoom } from "./suite";

let place: EmbeddedPlace;
beforeAll(async () => {
  place = await openEmbedded();
});
afterAll(() => place.close());

async function call(): Promise<string> {
  const called = await place.engine.call({ did: "1000", caller_id: "sandbox", script: [] });
  return typeof called === "string" ? called : called.session_uuid;
}

test("two calls one after the other, the second one from an offset", async () => {
  const url = place.files.tone(1500, "lasting-offset");
  const [first, second] = [await call(), await call()];
  await play(place, first, url);
  expect(await place.recorder.event(first, "playback.stopped")).toMatchObject({ reason: "completed", offset_ms: 1500 });
  await run(place, "startPlayback", second, { urls: [url], offset_sec: 1 });
  expect(await place.recorder.event(second, "playback.started")).toMatchObject({ offset_ms: 1000 });
  expect(await place.recorder.event(second, "playback.stopped")).toMatchObject({
    reason: "completed",
    offset_ms: 1500,
  });
  expect(place.files.requested(url)).toBe(1);
});

test("two calls at the same time share one that is on its way, though one of them hangs up", async () => {
  const url = place.files.tone(60, "lasting-shared");
  const held = place.files.hold(url);
  const [first, second] = [await call(), await call()];
  await play(place, first, url);
  await held.requested;
  await play(place, second, url);
  await run(place, "hangup", first, { cause: "NORMAL_CLEARING" });
  held.release();
  expect(await place.recorder.event(second, "playback.stopped")).toMatchObject({ reason: "completed", offset_ms: 60 });
  expect(place.files.requested(url)).toBe(1);
});

test("a room in a loop, and a call that hears the same", async () => {
  const url = place.files.tone(60, "lasting-loop");
  const session_uuid = await call();
  await play(place, session_uuid, url);
  await place.recorder.event(session_uuid, "playback.stopped");
  const room = await openRoom(place);
  await runRoom(place, "playRoom", room, { urls: [url], loop: true, volume: 0 });
  await place.recorder.roomEvent(room, "play.started");
  await play(place, session_uuid, url, url, url);
  await place.recorder.event(session_uuid, "playback.stopped");
  await place.engine.closeRoom(room);
  expect(place.files.requested(url)).toBe(1);
});
