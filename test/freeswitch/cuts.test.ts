/** The connection is cut at each command of a call's life, before FreeSWITCH has it and after: nothing is left behind. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Refused } from "../../src/engines/engine";
import { Shelf } from "../engine/ear";
import { openRoom, play, run } from "../engine/suite";
import { connected, type FreeswitchPlace, openReplayed } from "./place";

const shelf = new Shelf();
beforeAll(() => shelf.open());
afterAll(() => shelf.close());

/** Whatever a command comes to while the connection is cut: a refusal is an answer, too. Says whether it was taken. */
async function tried(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (err) {
    if (err instanceof Refused) return false;
    throw err;
  }
}

/** What apps do, one after the other; each may be refused. */
async function life(place: FreeswitchPlace, session_uuid: string): Promise<void> {
  const file = shelf.file();
  let room_id = "";
  await tried(() => run(place, "answer", session_uuid, {}));
  if (await tried(() => play(place, session_uuid, place.files.tone(20_000)))) {
    await Promise.race([
      place.recorder.event(session_uuid, "playback.started"),
      place.recorder.event(session_uuid, "failed"),
    ]);
  }
  await tried(() => run(place, "pausePlayback", session_uuid, {}));
  await tried(() => run(place, "seekPlayback", session_uuid, { offset_sec: 2 }));
  await tried(() => run(place, "resumePlayback", session_uuid, {}));
  await tried(() => run(place, "startRecording", session_uuid, { file }));
  await tried(async () => {
    room_id = await openRoom(place);
    await run(place, "joinRoom", session_uuid, { room_id, muted: true });
  });
  await tried(() => run(place, "unmute", session_uuid, {}));
  await tried(() => run(place, "leaveRoom", session_uuid, {}));
  await tried(() => run(place, "stopRecording", session_uuid, {}));
}

/** Commands of a call's life behind those that connect. */
const steps = Array.from({ length: 24 }, (_, nth) => nth);

describe.each(["before", "after"] as const)("cut %s FreeSWITCH has taken", (when) => {
  test.each(steps)("command %d of a call", async (nth) => {
    const place = await openReplayed({ commandTimeoutMs: 1000 });
    const { replay, recorder, engine } = place;
    const session_uuid = await place.call([]);
    const channel = place.channel(session_uuid);
    let left = nth;
    replay.intercept = () => {
      if (left-- !== 0) return undefined;
      if (when === "before") {
        replay.drop();
        return null;
      }
      // It is done with, and nobody hears of it.
      setImmediate(() => replay.drop());
      return undefined;
    };
    await life(place, session_uuid);
    await connected(engine);
    // Else the dialplan would end it, soon.
    while (channel.timed) await delay(1);
    while (!channel.over) {
      engine.end(session_uuid, "SERVER_SHUTDOWN");
      await delay(10);
    }
    await recorder.event(session_uuid, "hangup");
    const types = recorder.types(session_uuid);
    expect(types.filter((type) => type === "hangup")).toHaveLength(1);
    expect(types.filter((type) => type === "answered").length).toBeLessThanOrEqual(1);
    expect(types.filter((type) => type === "recording.stopped")).toHaveLength(
      types.filter((type) => type === "recording.started").length,
    );
    expect(types.filter((type) => type === "playback.stopped").length).toBeLessThanOrEqual(1);
    expect(replay.channels.size).toBe(0);
    await place.close();
  });
});
