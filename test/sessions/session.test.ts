/** What follows from an event of a call: the pure middle, alone. */
import { describe, expect, test } from "@jest/globals";
import type { SessionEvent } from "../../src/sessions/happening";
import { playbackOffset } from "../../src/sessions/playback";
import { advance, sessionLife } from "../../src/sessions/session";
import { at, hangup, made, operation, playback, recording, session, told } from "./facts";

test("a new call rings, and is told of", () => {
  expect(made.publish).toEqual([{ event: "call.new", data: { caller_id: "1", did: "2", direction: "inbound" } }]);
  expect(made.state).toMatchObject({ state: "ringing", room: null, recording: null, unfinished: [], sequence: 0 });
});

test("early media begins once, and only while it rings", () => {
  expect(advance(session({}), { type: "early" }, at)).toMatchObject({ state: { state: "early" }, publish: [] });
  for (const state of ["early", "answered"] as const)
    expect(advance(session({ state }), { type: "early" }, at)).toBeNull();
});

describe("playback", () => {
  test("has begun: told of, and the command has its result", () => {
    const urls = ["http://a/", "http://b/"];
    const begun = {
      type: "playback.started",
      operation_id: "o",
      command_uid: "p",
      urls,
      index: 1,
      offset_ms: 9,
    } as const;
    const next = advance(session({}, operation("playback/start", "o")), begun, at);
    expect(next?.state.playback).toEqual({ ...playback, urls, index: 1, offset_ms: 9 });
    expect(next?.publish.map(({ event }) => event)).toEqual(["playback.started", "command.result"]);
  });

  test("moves to another file or place, pauses and resumes, and tells nothing of it", () => {
    const moved = { type: "playback.moved", command_uid: "p", index: 1, offset_ms: 40, paused: true } as const;
    const next = advance(session({ playback }), moved, at + 10);
    expect(next?.state.playback).toEqual({ ...playback, index: 1, offset_ms: 40, paused: true, at: at + 10 });
    expect(next?.publish).toEqual([]);
  });

  test("the position in a file moves with time, unless it is paused", () => {
    expect(playbackOffset(playback, at + 250)).toBe(750);
    expect(playbackOffset({ ...playback, paused: true }, at + 250)).toBe(500);
    expect(playbackOffset(playback, at - 10)).toBe(500);
  });
});

describe("a confirmation that comes too late", () => {
  test.each<SessionEvent>([
    { type: "playback.started", operation_id: "gone", command_uid: "p", urls: ["http://a/"], index: 0, offset_ms: 0 },
    { type: "digits.started", operation_id: "gone", command_uid: "c" },
  ])("$type tells nothing, and is undone", (event) => {
    const next = advance(session({}), event, at);
    expect(next).toMatchObject({ publish: [], cancel: ["gone"] });
    expect(next?.state).toMatchObject({ playback: null, collecting: null });
  });

  test("an answer is a fact all the same", () => {
    const answered: SessionEvent = { type: "answered", operation_id: "gone" };
    expect(advance(session({}), answered, at)).toMatchObject({
      state: { state: "answered", answered_at: at },
      publish: [{ event: "call.answered", data: {} }],
      cancel: [],
    });
    expect(advance(session({ state: "answered" }), answered, at)).toBeNull();
  });

  test.each<SessionEvent>([
    { type: "playback.stopped", command_uid: "other", offset_ms: 0, duration_ms: 0, reason: "completed" },
    { type: "playback.moved", command_uid: "other", index: 1, offset_ms: 0, paused: false },
    { type: "digits.collected", command_uid: "other", digits: "", terminator: null, status: "timeout" },
    { type: "failed", operation_id: "gone", error: "No file could be played" },
    { type: "command.overdue", operation_id: "gone", abandoned: false },
    { type: "command.taken", operation_id: "gone", immediate: true, failure: null },
    { type: "command.refused", operation_id: "gone", late: false },
  ])("$type of what is over changes nothing", (event) => {
    expect(advance(session({ playback }), event, at)).toBeNull();
  });
});

describe("operations", () => {
  test("each has one result, whatever comes twice", () => {
    const before = session({}, operation("answer"));
    const once = advance(before, { type: "answered", operation_id: "answer" }, at);
    expect(once?.publish.map(({ event }) => event)).toEqual(["call.answered", "command.result"]);
    const twice = once && advance(once.state, { type: "answered", operation_id: "answer" }, at);
    expect(twice?.publish ?? []).toEqual([]);
  });

  test("refused: the uid is free again; late: 504, and what it might have begun is undone", () => {
    const before = session({}, operation("answer"));
    const refused = (late: boolean) => advance(before, { type: "command.refused", operation_id: "answer", late }, at);
    expect(refused(false)).toMatchObject({ publish: [], cancel: [], decided: [{ status: "free" }] });
    expect(refused(true)).toMatchObject({ publish: [], cancel: ["answer"], decided: [{ status: 504 }] });
    expect(refused(true)?.state.operations).toEqual([]);
  });

  test("overdue: the result is a failure, and what it would have begun never begins", () => {
    const before = session({}, operation("playback/start"));
    const next = advance(before, { type: "command.overdue", operation_id: "playback/start", abandoned: false }, at);
    expect(next?.publish.map(({ data }) => data)).toMatchObject([{ success: false, code: "media_server_timed_out" }]);
    expect(next?.cancel).toEqual(["playback/start"]);
  });

  test("overdue, and nobody has said yet that it was taken: his who asks for it, until he has had his time", () => {
    const before = session({}, { ...operation("answer", "o"), taken: false });
    const overdue = { type: "command.overdue", operation_id: "o" } as const;
    expect(advance(before, { ...overdue, abandoned: false }, at)).toBeNull();
    expect(told(before, { ...overdue, abandoned: true })).toEqual(["command.result answer Media server timed out"]);
  });

  test("taken: an immediate one has its result, another one is answered and goes on pending", () => {
    const before = session({}, { ...operation("playback/stop", "o"), taken: false });
    const taken = { type: "command.taken", operation_id: "o" } as const;
    expect(told(before, { ...taken, immediate: true, failure: null })).toEqual(["command.result playback/stop done"]);
    expect(told(before, { ...taken, immediate: true, failure: "No active playback" })).toEqual([
      "command.result playback/stop No active playback",
    ]);
    const deferred = advance(before, { ...taken, immediate: false, failure: null }, at);
    expect(deferred).toMatchObject({ publish: [], decided: [{ status: 202 }] });
    expect(deferred?.state.operations).toMatchObject([{ operation_id: "o", taken: true }]);
  });

  test("what came before is left as it was", () => {
    const before = session({ state: "answered", playback, recording }, operation("playback/stop"));
    const copy = structuredClone(before);
    advance(before, { type: "command.taken", operation_id: "playback/stop", immediate: true, failure: null }, at);
    advance(before, hangup("caller"), at);
    advance(before, { type: "handed_back" }, at);
    expect(structuredClone(before)).toEqual(copy);
  });
});

test("a call lives until it has ended, and is kept until its recordings are told of", () => {
  for (const state of ["ringing", "early", "answered", "handed_back"] as const)
    expect(sessionLife(session({ state, unfinished: [recording] }))).toBe("live");
  expect(sessionLife(session({ state: "ended", unfinished: [recording] }))).toBe("closing");
  expect(sessionLife(session({ state: "ended" }))).toBe("ended");
});
