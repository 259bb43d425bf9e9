/** What follows from an event of a conference room: the pure middle, alone. */
import { describe, expect, test } from "@jest/globals";
import type { RoomEvent } from "../../src/sessions/happening";
import { advanceRoom, roomLife } from "../../src/sessions/room";
import { at, operation, playback, room, room_id, toldByRoom } from "./facts";

const playing = { ...playback, loop: true, volume: -2 };
const started = {
  type: "play.started",
  operation_id: "o",
  command_uid: "p",
  urls: ["http://a/"],
  index: 0,
  loop: true,
  volume: -2,
} as const;
const stopped = { type: "play.stopped", command_uid: "p", offset_ms: 3, duration_ms: 4, reason: "completed" } as const;

describe("opening and closing", () => {
  const step = (state: "opening" | "open" | "closing" | "ended", event: RoomEvent) => {
    const next = advanceRoom(room({ state }), event, at);
    return next && [next.state.state, roomLife(next.state), ...next.publish.map(({ event: name }) => name)];
  };

  test("each step, from each state", () => {
    const opened = { type: "opened" } as const;
    expect(step("opening", opened)).toEqual(["open", "live", "conference.created"]);
    expect([step("open", opened), step("closing", opened), step("ended", opened)]).toEqual([null, null, null]);
    for (const type of ["closing", "lost"] as const) {
      expect(step("open", { type })).toEqual(["closing", "closing"]);
      // Nobody was told of it.
      expect(step("opening", { type })).toEqual(["ended", "ended"]);
      expect([step("closing", { type }), step("ended", { type })]).toEqual([null, null]);
    }
    const destroyed = { type: "destroyed" } as const;
    expect(step("closing", destroyed)).toEqual(["ended", "ended", "conference.destroyed"]);
    expect([step("opening", destroyed), step("open", destroyed), step("ended", destroyed)]).toEqual([null, null, null]);
  });

  test("a room that opens is alive before anybody sees it", () => {
    expect(roomLife(room({ state: "opening" }))).toBe("live");
  });

  test("what was going on ends before it, in the order of the contract", () => {
    const busy = room({ state: "closing", playback: playing }, operation("room/play"), operation("room/stop"));
    expect(toldByRoom(busy, { type: "destroyed" })).toEqual([
      "conference.play.stopped destroyed",
      "command.result room/play Room ended",
      "command.result room/stop Room ended",
      "conference.destroyed",
    ]);
    const next = advanceRoom(busy, { type: "destroyed" }, at + 250);
    expect(next?.publish[0]?.data).toMatchObject({ offset_ms: 750, duration_ms: 250 });
    expect(next?.publish.at(-1)?.data).toEqual({ room_id, name: "standup" });
    expect(next?.state).toMatchObject({ playback: null, operations: [] });
    expect(next?.decided.map(({ status }) => status)).toEqual([202, 202]);
  });

  test("what the engine tells while it closes is told", () => {
    const busy = room({ state: "closing", playback: playing });
    expect(toldByRoom(busy, { ...stopped, reason: "destroyed" })).toEqual(["conference.play.stopped destroyed"]);
  });
});

describe("playback", () => {
  test("has begun: told of, and the command has its result", () => {
    const next = advanceRoom(room({}, operation("room/play", "o")), started, at);
    expect(next?.state.playback).toEqual({ ...playing, offset_ms: 0 });
    expect(next?.publish).toMatchObject([
      { event: "conference.play.started", data: { command_uid: "p", urls: ["http://a/"] } },
      { event: "command.result", data: { command: "room/play", success: true } },
    ]);
  });

  test("that is late is undone and tells nothing", () => {
    const next = advanceRoom(room({}), started, at);
    expect(next).toMatchObject({ state: { playback: null }, publish: [], cancel: ["o"] });
  });

  test("moves, is paused, and has another volume, without a word", () => {
    const moved = { type: "play.moved", command_uid: "p", index: 0, offset_ms: 9, paused: true, volume: 4 } as const;
    const next = advanceRoom(room({ playback: playing }), moved, at + 1);
    const { index, offset_ms, paused, volume } = moved;
    expect(next?.state.playback).toEqual({ ...playing, index, offset_ms, paused, volume, at: at + 1 });
    expect(next?.publish).toEqual([]);
  });

  test("stops, with what the engine knows of it", () => {
    const next = advanceRoom(room({ playback: playing }), stopped, at);
    expect(next?.state.playback).toBeNull();
    const data = { command_uid: "p", urls: ["http://a/"], offset_ms: 3, duration_ms: 4, reason: "completed" };
    expect(next?.publish).toEqual([{ event: "conference.play.stopped", data }]);
  });

  test("a file is missing, and no file is there", () => {
    const missing = { type: "play.file_not_found", command_uid: "p", url: "http://a/", reason: "timeout" } as const;
    expect(toldByRoom(room({}), missing)).toEqual(["conference.play.file_not_found timeout"]);
    const failed = { type: "failed", operation_id: "o", error: "No file could be played" } as const;
    expect(toldByRoom(room({}, operation("room/play", "o")), failed)).toEqual([
      "command.result room/play No file could be played",
    ]);
  });

  test.each<RoomEvent>([
    { ...stopped, command_uid: "other" },
    { type: "play.moved", command_uid: "other", index: 0, offset_ms: 0, paused: false, volume: 0 },
    { type: "failed", operation_id: "gone", error: "No file could be played" },
    { type: "command.taken", operation_id: "gone", immediate: true, failure: null },
    { type: "command.refused", operation_id: "gone", late: true },
    { type: "command.overdue", operation_id: "gone", abandoned: false },
  ])("$type of what is over changes nothing", (event) => {
    expect(advanceRoom(room({ playback: playing }), event, at)).toBeNull();
  });
});

test("commands are settled as those of a call are", () => {
  const pending = room({}, operation("room/stop", "o"));
  const failure = "No active playback";
  expect(toldByRoom(pending, { type: "command.taken", operation_id: "o", immediate: true, failure })).toEqual([
    `command.result room/stop ${failure}`,
  ]);
  expect(advanceRoom(pending, { type: "command.refused", operation_id: "o", late: true }, at)).toMatchObject({
    publish: [],
    cancel: ["o"],
    decided: [{ status: 504 }],
  });
  expect(advanceRoom(pending, { type: "command.overdue", operation_id: "o", abandoned: false }, at)?.cancel).toEqual([
    "o",
  ]);
});

test("a room that has ended knows nothing any more", () => {
  const ended = room({ state: "ended" }, operation("room/play", "o"));
  expect(advanceRoom(ended, started, at)).toBeNull();
  expect(advanceRoom(ended, { type: "command.overdue", operation_id: "o", abandoned: false }, at)).toBeNull();
});
