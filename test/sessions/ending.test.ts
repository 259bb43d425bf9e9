/** How calls end: by a hangup, or for the gateway alone when they are handed back. */
import { describe, expect, test } from "@jest/globals";
import { advance } from "../../src/sessions/session";
import { at, hangup, lateEvents, membership, operation, playback, recording, session, told } from "./facts";

const collecting = { command_uid: "c" };

describe("the end of a call", () => {
  const busy = session(
    { state: "answered", answered_at: at, playback, collecting, room: membership, recording },
    operation("playback/start"),
    operation("answer"),
  );

  test("everything that was going on ends before it, in the order of the contract", () => {
    expect(told(busy, hangup("caller"))).toEqual([
      "playback.stopped hangup",
      "digits.collected",
      "conference.member.left hangup",
      "command.result playback/start Session ended",
      "command.result answer Session ended",
      "call.hangup by caller",
    ]);
    const next = advance(busy, hangup("caller"), at + 5000);
    expect(next?.state).toMatchObject({ state: "ended", playback: null, collecting: null, room: null, operations: [] });
    expect(next?.decided.map(({ status }) => status)).toEqual([202, 202]);
  });

  test("a recording is over, and finished when its file is closed", () => {
    const next = advance(busy, hangup("caller"), at);
    expect(next).toMatchObject({ state: { recording: null, unfinished: [recording] }, finish: [] });
  });

  test("a member whom the media server lost is an orphan", () => {
    expect(told(busy, { ...hangup("gateway"), lost: true })).toContain("conference.member.left orphan");
  });

  test("what the engine knows of a playback and of digits stands in the events", () => {
    const known = { playback: { offset_ms: 7, duration_ms: 8 }, digits: "12" };
    const publish = advance(busy, { ...hangup("caller"), ...known }, at)?.publish;
    expect(publish?.[0]?.data).toMatchObject({ offset_ms: 7, duration_ms: 8, reason: "hangup" });
    expect(publish?.[1]?.data).toMatchObject({ digits: "12", terminator: null, status: "unknown" });
  });

  test.each([
    ["hangup", "app", "done"],
    ["hangup", "caller", "Session ended"],
    ["hangup", "media_server", "Session ended"],
    ["hangup", "gateway", "Session ended"],
    ["disconnect", "media_server", "done"],
    ["disconnect", "caller", "Session ended"],
  ] as const)("a pending %s when it was ended by the %s: %s", (command, by, outcome) => {
    const pending = session({ state: "answered" }, operation(command));
    expect(told(pending, hangup(by))).toEqual([`command.result ${command} ${outcome}`, `call.hangup by ${by}`]);
  });

  test("its duration counts from the answer", () => {
    const duration = (before: typeof busy) => advance(before, hangup("app"), at + 5000)?.publish.at(-1)?.data;
    expect(duration(session({ state: "answered", answered_at: at + 2000 }))).toMatchObject({ duration_ms: 3000 });
    expect(duration(session({}))).toMatchObject({ duration_ms: 0 });
  });

  test.each([...lateEvents, hangup("app")])("$type of a call that has ended changes nothing", (event) => {
    expect(advance(session({ state: "ended", unfinished: [recording] }), event, at)).toBeNull();
  });
});

describe("a call that is handed back", () => {
  const handed_back = { type: "handed_back" } as const;
  const busy = session(
    { state: "answered", answered_at: at, playback, collecting, room: membership, recording },
    operation("disconnect"),
    operation("conference/mute"),
  );

  test("ends for the gateway as by a hangup, without one", () => {
    expect(told(busy, handed_back)).toEqual([
      "playback.stopped stopped",
      "digits.collected",
      "conference.member.left left",
      "command.result disconnect done",
      "command.result conference/mute Session ended",
    ]);
    expect(advance(busy, handed_back, at)?.state).toMatchObject({
      state: "handed_back",
      playback: null,
      collecting: null,
      room: null,
      operations: [],
      recording,
    });
  });

  const before = session({ state: "handed_back", answered_at: at, recording });

  test("has one last event", () => {
    expect(told(before, hangup("media_server"))).toEqual(["call.hangup by media_server"]);
    expect(advance(before, hangup("caller"), at)?.state).toMatchObject({ state: "ended", unfinished: [recording] });
  });

  test("its recording stops when the engine says so", () => {
    const next = advance(before, { type: "recording.stopped", recording_id: "rec-1", failure: null }, at);
    expect(next).toMatchObject({ state: { state: "handed_back", recording: null, unfinished: [recording] } });
    expect(next?.finish).toEqual([{ recording_id: "rec-1", failure: null }]);
  });

  test.each(lateEvents)("$type changes nothing any more", (event) => {
    expect(advance(before, event, at)).toBeNull();
  });
});
