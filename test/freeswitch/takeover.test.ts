/** Calls that another process has begun, and what becomes of them when this one ends. */

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Survivor } from "../../src/engines/engine";
import { FreeswitchEngine } from "../../src/engines/freeswitch/freeswitch";
import { MediaFiles } from "../../src/media/files";
import { hear, readHeard, Shelf } from "../engine/ear";
import { silent } from "../engine/place";
import { Recorder } from "../engine/recorder";
import { openRoom, play, run, runRoom } from "../engine/suite";
import { levelAt } from "../media-child/peer";
import { answeredAt, connected, type FreeswitchPlace, openReplayed, timings } from "./place";

let place: FreeswitchPlace;
const shelf = new Shelf();
beforeAll(() => shelf.open());
afterAll(() => shelf.close());
beforeEach(async () => {
  place = await openReplayed();
});
afterEach(() => place.close());

const answered = () => answeredAt(place);

async function member(room_id: string, muted = false): Promise<string> {
  const session_uuid = await answered();
  await run(place, "joinRoom", session_uuid, { room_id, muted });
  return session_uuid;
}

describe("calls of another process", () => {
  /** A second engine at the same FreeSWITCH, which takes over what the store says that there is. */
  async function takeOver(before: Recorder["before"]): Promise<FreeswitchPlace> {
    place.engine.reads(false);
    const media = new MediaFiles({ allowLocalhost: true, log: silent });
    await media.start();
    const recorder = new Recorder();
    recorder.before = before;
    const { port, password } = place.replay;
    const engine = new FreeswitchEngine({
      node: "fs1",
      host: "127.0.0.1",
      port,
      password,
      commandTimeoutMs: 2000,
      recordingMaxMs: 60_000,
      media,
      log: silent,
      timings,
    });
    engine.reads(true);
    await engine.start(recorder);
    await connected(engine);
    const close = async () => {
      await engine.close();
      await media.close();
    };
    return { ...place, engine, recorder, close };
  }
  const survivor = (session_uuid: string, more: Partial<Survivor> = {}): Survivor => ({
    session_uuid,
    state: "answered",
    caller_id: "4930123",
    did: "1000",
    playback: null,
    collecting: null,
    room: null,
    recording: null,
    ...more,
  });
  const heardSoFar = { offset_ms: 700, duration_ms: 900 };

  test("are adopted: what played is silent and told of as stopped, and commands work", async () => {
    const session_uuid = await answered();
    const { command_uid } = await play(place, session_uuid, place.files.tone(20_000));
    await place.recorder.event(session_uuid, "playback.started");
    const second = await takeOver({
      calls: [survivor(session_uuid, { playback: { command_uid, ...heardSoFar } })],
      rooms: [],
    });
    const { recorder } = second;
    expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ command_uid, reason: "stopped" });
    expect(recorder.offers).toEqual([]);
    while (place.channel(session_uuid).application !== "park") await delay(1);
    const heard = await hear(second, shelf, session_uuid, () => delay(200));
    expect(levelAt(heard.right, 440)).toBeLessThan(-50);
    await play(second, session_uuid, place.files.tone(60));
    expect(await recorder.event(session_uuid, "playback.stopped", 2)).toMatchObject({ reason: "completed" });
    await run(second, "hangup", session_uuid, { cause: "USER_BUSY" });
    expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ cause: "USER_BUSY", by: "app" });
    // The first one tells nothing any more.
    expect(place.recorder.types(session_uuid)).toEqual(["answered", "playback.started"]);
    await expect(run(place, "hangup", session_uuid, { cause: "USER_BUSY" })).rejects.toMatchObject({
      refusal: "unreachable",
    });
    await second.close();
  });

  test("keep their room and their mute; their recording ends, because its file is the other process's", async () => {
    const room_id = await openRoom(place);
    const session_uuid = await member(room_id, true);
    const file = shelf.file();
    await run(place, "startRecording", session_uuid, { file });
    const { recording_id } = file;
    const second = await takeOver({
      calls: [survivor(session_uuid, { room: { room_id, muted: true }, recording: { recording_id } })],
      rooms: [{ room_id, playback: null }],
    });
    expect(await second.recorder.recorded(recording_id)).toMatchObject({ session_uuid, failure: null });
    expect(place.replay.commands).toContain(`api uuid_record ${place.channel(session_uuid).uuid} stop all`);
    expect((await run(second, "unmute", session_uuid, {})).outcome).toBeUndefined();
    expect(second.recorder.of(session_uuid).at(-1)).toMatchObject({ type: "room.muted", muted: false });
    await runRoom(second, "playRoom", room_id, { urls: [place.files.tone(300)], loop: false, volume: 0 });
    await second.recorder.roomEvent(room_id, "play.stopped");
    await run(second, "leaveRoom", session_uuid, {});
    expect(place.channel(session_uuid).room).toBeNull();
    expect(second.recorder.types(session_uuid)).toEqual(["recording.stopped", "room.muted", "room.left"]);
    await second.close();
  });

  test("that are not there any more end, once; those that answered meanwhile are told of as answered", async () => {
    const ringing = await place.call([]);
    const lost = `fs1-${randomUUID()}`;
    place.channel(ringing).answer();
    const second = await takeOver({
      calls: [survivor(ringing, { state: "ringing" }), survivor(lost, { recording: { recording_id: "r1" } })],
      rooms: [],
    });
    expect(second.recorder.of(lost)).toEqual([
      {
        session_uuid: lost,
        type: "hangup",
        cause: "MEDIA_SERVER_LOST",
        q850_cause: 41,
        sip_status: null,
        by: "gateway",
        lost: true,
      },
      { session_uuid: lost, type: "recording.stopped", recording_id: "r1", failure: null },
    ]);
    expect(second.recorder.types(ringing)).toEqual(["answered"]);
    expect(second.recorder.offers).toEqual([]);
    await second.close();
  });

  test("handed back they are left alone, and their end is told", async () => {
    place.replay.extensions.set("voicegate_disconnect", () => undefined);
    const session_uuid = await answered();
    await run(place, "disconnect", session_uuid, {});
    await place.recorder.event(session_uuid, "handed_back");
    const commands = place.replay.commands.length;
    const second = await takeOver({ calls: [survivor(session_uuid, { state: "handed_back" })], rooms: [] });
    expect(place.replay.commands.slice(commands).join()).not.toMatch(/uuid_break|sched_del|uuid_transfer/);
    place.channel(session_uuid).hangup("NORMAL_CLEARING", "bye");
    expect(await second.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "caller", sip_status: null });
    await second.close();
  });

  test("a store that cannot be asked is asked again; nothing is told before", async () => {
    const session_uuid = await answered();
    let asked = 0;
    const second = new Recorder();
    second.survivors = async () => {
      if (asked++ < 2) throw new Error("the store is away");
      return { calls: [survivor(session_uuid)], rooms: [] };
    };
    place.engine.reads(false);
    const media = new MediaFiles({ allowLocalhost: true, log: silent });
    const { port, password } = place.replay;
    const wire = { node: "fs1", host: "127.0.0.1", port, password };
    const limits = { commandTimeoutMs: 2000, recordingMaxMs: 1000 };
    const engine = new FreeswitchEngine({ ...wire, ...limits, media, log: silent, timings });
    engine.reads(true);
    await engine.start(second);
    expect(engine.connected()).toBe(false);
    await connected(engine);
    expect(asked).toBe(3);
    place.channel(session_uuid).hangup("NORMAL_CLEARING", "bye");
    await second.event(session_uuid, "hangup");
    await engine.close();
  });
});

describe("the end of the engine", () => {
  test("calls go on at FreeSWITCH, in silence; nothing is told", async () => {
    const session_uuid = await answered();
    const room_id = await openRoom(place);
    const inside = await member(room_id);
    await play(place, session_uuid, place.files.tone(20_000));
    await place.recorder.event(session_uuid, "playback.started");
    const told = place.recorder.events.length;
    await place.engine.close();
    expect(place.recorder.events.length).toBe(told);
    expect(place.channel(session_uuid).application).toBe("park");
    expect(place.channel(inside).application).toBe("conference");
    expect(place.engine.connected()).toBe(false);
  });

  test("its recordings end, with their files whole", async () => {
    const session_uuid = await answered();
    const file = shelf.file();
    await run(place, "startRecording", session_uuid, { file });
    await place.engine.close();
    expect(place.recorder.types(session_uuid)).toEqual(["answered", "recording.started", "recording.stopped"]);
    expect((await readHeard(file.path)).right.length).toBeGreaterThan(0);
    expect(place.channel(session_uuid).stopRecord(null)).toBe(false);
  });

  test("while it drains new calls are refused for now", async () => {
    place.engine.drain();
    const channel = place.replay.call({ caller_id: "1", did: "1000" });
    while (!channel.over) await delay(1);
    expect(place.replay.commands).toContain(`api uuid_kill ${channel.uuid} NORMAL_TEMPORARY_FAILURE`);
  });

  test("while FreeSWITCH is away it ends as well", async () => {
    await answered();
    await place.replay.kill();
    await place.engine.close();
    expect(place.engine.connected()).toBe(false);
  });
});
