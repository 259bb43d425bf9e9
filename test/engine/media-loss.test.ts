/** What becomes of rooms, recordings and their commands when the media process hangs or dies. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ScriptStep } from "../../src/engines/engine";
import { levelAt } from "../media-child/peer";
import { hear, readHeard, Shelf } from "./ear";
import { type EmbeddedPlace, openEmbedded } from "./place";
import { newOperation, openRoom, play, run, runRoom } from "./suite";

const late = { name: "Refused", refusal: "late" };
const unreachable = { name: "Refused", refusal: "unreachable" };

describe("rooms and recordings, when the media process", () => {
  const shelf = new Shelf();
  let place: EmbeddedPlace;
  beforeEach(async () => {
    await shelf.open();
    place = await openEmbedded({ commandTimeoutMs: 300 });
  });
  afterEach(async () => {
    await place.close();
    await shelf.close();
  });

  const call = async (...script: ScriptStep[]): Promise<string> => {
    const called = await place.engine.call({ did: "1000", caller_id: "sandbox", script });
    if (typeof called === "string") throw new Error(called);
    await run(place, "answer", called.session_uuid, {});
    return called.session_uuid;
  };
  const member = async (room_id: string, ...script: ScriptStep[]): Promise<string> => {
    const session_uuid = await call(...script);
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    return session_uuid;
  };
  const signal = (name: NodeJS.Signals) => process.kill(place.engine.mediaPid ?? Number.NaN, name);
  const playRoom = (room_id: string, ms: number) =>
    runRoom(place, "playRoom", room_id, { urls: [place.files.tone(ms)], loop: false, volume: 0 });
  const replaced = async (lost: number | null) => {
    while (!place.engine.connected() || place.engine.mediaPid === lost) await delay(5);
  };

  test("hangs: what was late is undone, and what cannot be is told", async () => {
    const { recorder, files } = place;
    const room_id = await openRoom(place);
    const cue = { do: "wait_for", event: "playback.file_not_found" } as const;
    const muted = await member(room_id, cue, { do: "tone", hz: 700, ms: 400 }, { do: "press", digits: "1" });
    const leaving = await member(room_id);
    const [joining, playing] = [await call(), await call()];
    await play(place, playing, files.tone(600));
    await recorder.event(playing, "playback.started");
    signal("SIGSTOP");
    const file = shelf.file();
    await expect(run(place, "mute", muted, {})).rejects.toMatchObject(late);
    await expect(run(place, "leaveRoom", leaving, {})).rejects.toMatchObject(late);
    await expect(run(place, "joinRoom", joining, { room_id, muted: false })).rejects.toMatchObject(late);
    await expect(run(place, "pausePlayback", playing, {})).rejects.toMatchObject(late);
    await expect(run(place, "startRecording", joining, { file })).rejects.toMatchObject(late);
    await expect(runRoom(place, "stopRoom", room_id, {})).rejects.toMatchObject(late);
    await expect(openRoom(place)).rejects.toMatchObject(late);
    signal("SIGCONT");
    expect(await recorder.event(playing, "playback.stopped")).toMatchObject({ offset_ms: 600, reason: "completed" });
    expect(recorder.types(playing)).not.toContain("playback.moved");
    expect(recorder.types(muted)).toEqual(["answered", "room.joined"]);
    expect(recorder.types(leaving)).toEqual(["answered", "room.joined", "room.left"]);
    expect(recorder.types(joining)).toEqual(["answered"]);
    // Made by the media process when it went on, and removed again.
    while (existsSync(file.path)) await delay(5);
    const heard = await Promise.all(
      [muted, leaving, joining].map((session_uuid, index) =>
        hear(place, shelf, session_uuid, async () => {
          if (index === 0) await playRoom(room_id, 400);
          await recorder.roomEvent(room_id, "play.stopped");
        }),
      ),
    );
    expect(heard.map(({ right }) => levelAt(right, 440) > -25)).toEqual([true, false, false]);
    const { right } = await hear(place, shelf, await member(room_id), async () => {
      await play(place, muted, files.missing("cue"));
      await recorder.event(muted, "dtmf");
    });
    expect(levelAt(right, 700)).toBeGreaterThan(-30);
  });

  test("hangs: closing a room tells all that ends with it all the same", async () => {
    const { engine, recorder } = place;
    const room_id = await openRoom(place);
    const session_uuid = await member(room_id);
    await playRoom(room_id, 20_000);
    await recorder.roomEvent(room_id, "play.started");
    signal("SIGSTOP");
    await engine.closeRoom(room_id);
    expect(recorder.roomTypes(room_id)).toEqual(["play.started", "play.stopped"]);
    expect(recorder.of(session_uuid).at(-1)).toMatchObject({ type: "room.left", reason: "removed" });
    signal("SIGCONT");
    const { operation_id } = await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    expect(recorder.of(session_uuid).at(-1)).toMatchObject({ type: "failed", operation_id, error: "Room ended" });
  });

  test("dies: calls are lost, their recordings stop, and rooms live on in the next one", async () => {
    const { engine, recorder } = place;
    const room_id = await openRoom(place);
    const fetching = await openRoom(place);
    const session_uuid = await member(room_id);
    const file = shelf.file();
    await run(place, "startRecording", session_uuid, { file });
    await playRoom(room_id, 20_000);
    await recorder.roomEvent(room_id, "play.started");
    const url = place.files.tone(40, "held");
    const held = place.files.hold(url);
    const pending = await runRoom(place, "playRoom", fetching, { urls: [url], loop: false, volume: 0 });
    await held.requested;
    const lost = engine.mediaPid;
    signal("SIGKILL");
    expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ cause: "MEDIA_SERVER_LOST", lost: true });
    expect(await recorder.recorded(file.recording_id)).toMatchObject({ session_uuid, failure: null });
    expect(recorder.types(session_uuid).filter((type) => type.startsWith("rec"))).toHaveLength(2);
    expect(await recorder.roomEvent(room_id, "play.stopped")).toMatchObject({ reason: "stopped" });
    expect(await recorder.roomEvent(fetching, "failed")).toMatchObject({
      operation_id: pending.operation_id,
      error: "Media server unavailable",
    });
    await expect(playRoom(room_id, 40)).rejects.toMatchObject(unreachable);
    held.release();
    await replaced(lost);
    // What nobody has joined since is known to the next one as soon as it is needed.
    await runRoom(place, "playRoom", fetching, { urls: [place.files.tone(40)], loop: false, volume: 0 });
    await recorder.roomEvent(fetching, "play.stopped");
    const next = await member(room_id);
    const { right } = await hear(place, shelf, next, async () => {
      await playRoom(room_id, 400);
      await recorder.roomEvent(room_id, "play.stopped", 2);
    });
    expect(levelAt(right, 440)).toBeGreaterThan(-25);
    expect(recorder.roomTypes(room_id)).toEqual(["play.started", "play.stopped", "play.started", "play.stopped"]);
  });

  test("dies while it is asked: nothing of what it was asked for is told", async () => {
    const { recorder } = place;
    const room_id = await openRoom(place);
    const session_uuid = await call();
    const other = await call();
    signal("SIGSTOP");
    const asked = [
      run(place, "startRecording", other, { file: shelf.file() }),
      run(place, "joinRoom", session_uuid, { room_id, muted: false }),
      playRoom(room_id, 40),
      place.engine.openRoom(`${place.engine.node}-room-${newOperation().operation_id}`),
    ].map((refused) => expect(refused).rejects.toMatchObject(unreachable));
    signal("SIGKILL");
    await Promise.all(asked);
    for (const id of [session_uuid, other]) {
      await recorder.event(id, "hangup");
      expect(recorder.types(id)).toEqual(["answered", "hangup"]);
    }
    expect(recorder.ofRoom(room_id)).toEqual([]);
  });

  test("a recording ends by itself at its longest", async () => {
    await place.close();
    place = await openEmbedded({ recordingMaxMs: 300 });
    const session_uuid = await call();
    const file = shelf.file();
    await run(place, "startRecording", session_uuid, { file });
    expect(await place.recorder.recorded(file.recording_id)).toMatchObject({ failure: null });
    expect((await readHeard(file.path)).left).toHaveLength(2400);
    expect((await run(place, "stopRecording", session_uuid, {})).outcome).toBeUndefined();
    expect(place.recorder.types(session_uuid)).toEqual(["answered", "recording.started", "recording.stopped"]);
  });
});
