/** Whatever becomes of a playback, the files that were fetched for it are given back. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { MediaFiles } from "../../src/media/files";
import { type EmbeddedPlace, openEmbedded, silent } from "./place";
import { begin, collect, newOperation, play, run } from "./suite";

describe("fetched files", () => {
  let directory: string;
  let media: MediaFiles;
  let place: EmbeddedPlace;
  let session_uuid: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
    media = new MediaFiles({ allowLocalhost: true, log: silent, directory });
    await media.start();
    place = await openEmbedded({ media });
    const called = await place.engine.call({ did: "1000", caller_id: "sandbox", script: [] });
    session_uuid = typeof called === "string" ? called : called.session_uuid;
  });
  afterEach(async () => {
    await place.close();
    await media.close();
    await rm(directory, { recursive: true });
  });

  const files = async () => (await readdir(directory, { recursive: true })).filter((name) => /\.(wav|in)$/.test(name));
  /** Removing is not awaited by anybody: until it is done, or the test runs out of time. */
  const none = async () => {
    while ((await files()).length > 0) await delay(5);
  };
  const long = () => [place.files.tone(20_000), place.files.tone(100), place.files.tone(200), place.files.tone(300)];
  const started = async () => {
    const ran = await play(place, session_uuid, ...long());
    await place.recorder.event(session_uuid, "playback.started");
    return ran;
  };

  test("when each has sounded", async () => {
    await play(place, session_uuid, place.files.tone(40), place.files.tone(60), place.files.missing());
    await place.recorder.event(session_uuid, "playback.stopped");
    await none();
  });

  test("when it is stopped", async () => {
    await started();
    expect(await files()).not.toEqual([]);
    await run(place, "stopPlayback", session_uuid, {});
    await none();
  });

  test("when it is cancelled", async () => {
    const { operation_id } = await started();
    place.engine.cancel(session_uuid, operation_id);
    await none();
  });

  test("when the call ends", async () => {
    await started();
    await run(place, "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    await none();
  });

  test("when it is replaced while they are fetched, and when a prompt is", async () => {
    const late = place.files.tone(50, "late");
    const held = place.files.hold(late);
    await play(place, session_uuid, late, ...long());
    await held.requested;
    const body = { ...collect, prompt_files: long() };
    await begin(place, "playAndGetDigits", session_uuid, body, newOperation());
    await place.recorder.event(session_uuid, "digits.started");
    held.release();
    await run(place, "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    await none();
  });
});
