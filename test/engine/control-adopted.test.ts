/** Call control over calls that another process has begun, or goes on with. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Refused, type Survivor } from "../../src/engines/engine";
import { ControlPlace } from "./control-place";
import type { Exchange } from "./exchange";
import type { ExchangeEngine } from "./exchange-engine";
import type { Recorder } from "./recorder";
import { newOperation, openRoom, run } from "./suite";

let place: ControlPlace;
let exchange: Exchange;
let engine: ExchangeEngine;
let recorder: Recorder;
beforeEach(async () => {
  place = await ControlPlace.open();
  ({ exchange, engine, recorder } = place);
});
afterEach(() => place.close());

const unreachable = new Refused("unreachable");

const survivor = (session_uuid: string, facts: Partial<Survivor> = {}): Survivor => {
  const nothing = { playback: null, collecting: null, room: null, recording: null };
  return { session_uuid, state: "answered", caller_id: "1", did: "2", ...nothing, ...facts };
};

describe("a call that is adopted", () => {
  /** A new process of the gateway finds what the exchange has. */
  async function found(facts: Partial<Survivor>, rooms: readonly string[] = []): Promise<string> {
    const session_uuid = await place.answered();
    engine.reads(false);
    recorder.events.length = 0;
    const calls = [survivor(session_uuid, facts)];
    recorder.before = { calls, rooms: rooms.map((room_id) => ({ room_id, playback: null })) };
    engine.reads(true);
    await engine.synced;
    return session_uuid;
  }

  test("in a room: it is removed when the room is closed, and leaves only once", async () => {
    const room_id = await openRoom({ engine });
    const session_uuid = await found({ room: { room_id, muted: true } }, [room_id]);
    await engine.closeRoom(room_id);
    expect(recorder.events).toEqual([
      { session_uuid, type: "room.left", operation_id: null, room_id, reason: "removed" },
    ]);
    await run({ engine }, "leaveRoom", session_uuid, {});
    expect(recorder.events.at(-1)).toMatchObject({ type: "failed", error: "Room ended" });
  });

  test("is cancelled in nothing by operations that this process does not know", async () => {
    const room_id = await openRoom({ engine });
    const session_uuid = await found({ room: { room_id, muted: false } }, [room_id]);
    engine.cancel(session_uuid, newOperation().operation_id);
    expect(recorder.events).toEqual([]);
    expect(exchange.asked.filter((what) => /^(?:leave|stop recording)/.test(what))).toEqual([]);
  });

  test("recorded: that ends, is told of as stopped once, and another recording may begin", async () => {
    const { asked, release } = place.stuck("stop recording");
    const session_uuid = await found({ recording: { recording_id: "r" } });
    await asked;
    const file = { recording_id: "s", path: "/nowhere" };
    const { outcome } = await run({ engine }, "startRecording", session_uuid, { file });
    expect(outcome).toEqual({ failure: "Recording could not be started" });
    exchange.channel(session_uuid).recording = "r";
    release();
    await recorder.event(session_uuid, "recording.stopped");
    await run({ engine }, "startRecording", session_uuid, { file });
    engine.switchboard.lostCall(session_uuid);
    for (const recording_id of ["r", "s"]) engine.switchboard.recorded(recording_id, null);
    expect(recorder.types(session_uuid)).toEqual([
      "recording.stopped",
      "recording.started",
      "hangup",
      "recording.stopped",
    ]);
  });

  test("and answered meanwhile, or ended right away: it is told so", async () => {
    const session_uuid = await found({ state: "early" });
    engine.handler(session_uuid).onAnswered();
    exchange.hangUp(session_uuid);
    expect(recorder.events).toMatchObject([{ type: "answered", operation_id: null }, { type: "hangup" }]);
  });

  test("by a process that has given the media server up is none of it", async () => {
    const session_uuid = await place.answered();
    const room_id = await openRoom({ engine });
    engine.reads(false);
    const { switchboard } = engine;
    switchboard.adoptRoom(room_id, null);
    await expect(engine.offer(exchange.channel(session_uuid))).resolves.toBe("unavailable");
    expect([switchboard.has(session_uuid), switchboard.has(room_id)]).toEqual([false, false]);
    await expect(run({ engine }, "hangup", session_uuid, { cause: "NORMAL_CLEARING" })).rejects.toEqual(unreachable);
    await expect(engine.openRoom(room_id)).rejects.toEqual(unreachable);
  });
});

test("a command that waits when another process takes the calls is refused as unreachable", async () => {
  const session_uuid = await place.answered();
  const { asked, release } = place.stuck("ping");
  const first = run({ engine }, "stopPlayback", session_uuid, {});
  const second = run({ engine }, "pausePlayback", session_uuid, {});
  await asked;
  engine.reads(false);
  release();
  await expect(first).rejects.toEqual(unreachable);
  await expect(second).rejects.toEqual(unreachable);
});

test("what was recorded is told of as stopped when another process takes the calls", async () => {
  const session_uuid = await place.answered();
  const file = { recording_id: "r", path: "/nowhere" };
  await run({ engine }, "startRecording", session_uuid, { file });
  engine.reads(false);
  engine.switchboard.recorded("r", null);
  expect(recorder.types(session_uuid)).toEqual(["answered", "recording.started", "recording.stopped"]);
});

test("a call that the media server has lost ends with what recorded it, and others do not", async () => {
  const [lost, other] = [await place.answered(), await place.answered()];
  for (const [i, session_uuid] of [lost, other].entries()) {
    const file = { recording_id: `recording-${i}`, path: "/nowhere" };
    await run({ engine }, "startRecording", session_uuid, { file });
  }
  exchange.channels.delete(lost);
  engine.switchboard.lostCall(lost);
  expect(recorder.types(lost)).toEqual(["answered", "recording.started", "hangup", "recording.stopped"]);
  expect(recorder.types(other)).toEqual(["answered", "recording.started"]);
});
