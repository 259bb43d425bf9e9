/** What follows from an event: the pure middle, alone. */
import { describe, expect, test } from "@jest/globals";
import { advance, createSession, playbackOffset, type SessionEvent } from "../../src/sessions/session";
import type { Operation, Session } from "../../src/store/store";

const at = 1_000_000;
const made = createSession({ session_uuid: "node-uuid", app_id: "a", node: "node", caller_id: "1", did: "2" }, at);

function operation(command: string, operation_id: string = command): Operation {
  const timing = { deadline: at + 2000, timeout_ms: 2000, group: null, taken: true };
  return { operation_id, command, command_uid: `uid-${operation_id}`, uid_given: false, ...timing };
}

function session(changes: Partial<Session>, ...operations: readonly Operation[]): Session {
  return { ...made.session, ...changes, operations };
}

/** Each event in a word or two. */
function told(before: Session, event: SessionEvent, when = at + 5000): string[] | undefined {
  const next = advance(before, event, when);
  return next?.publish.map(({ event: name, data }) => {
    if (!("command" in data)) return "by" in data ? `${name} by ${data.by}` : name;
    return `${name} ${data.command} ${data.success ? "done" : data.error}`;
  });
}

const hangup = (by: "caller" | "app" | "gateway" | "media_server") =>
  ({ type: "hangup", cause: "NORMAL_CLEARING", q850_cause: 16, sip_status: null, by }) as const;

const playback = { command_uid: "p", urls: ["http://a/"], index: 0, offset_ms: 500, at, started_at: at, paused: false };

describe("the end of a call", () => {
  test("everything that was going on ends before it, in the order of the contract", () => {
    const busy = session(
      { state: "answered", answered_at: at, playback, collecting: { command_uid: "c" } },
      operation("playback/start"),
      operation("answer"),
    );
    expect(told(busy, hangup("caller"))).toEqual([
      "playback.stopped",
      "digits.collected",
      "command.result playback/start Session ended",
      "command.result answer Session ended",
      "call.hangup by caller",
    ]);
    const next = advance(busy, hangup("caller"), at + 5000);
    expect(next?.session).toMatchObject({ state: "ended", playback: null, collecting: null, operations: [] });
    expect(next?.decided.map(({ status }) => status)).toEqual([202, 202]);
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
    const duration = (before: Session) => advance(before, hangup("app"), at + 5000)?.publish.at(-1)?.data;
    expect(duration(session({ state: "answered", answered_at: at + 2000 }))).toMatchObject({ duration_ms: 3000 });
    expect(duration(session({}))).toMatchObject({ duration_ms: 0 });
  });
});

describe("a confirmation that comes too late", () => {
  test.each<SessionEvent>([
    { type: "playback.started", operation_id: "gone", command_uid: "p", urls: ["http://a/"], index: 0, offset_ms: 0 },
    { type: "digits.started", operation_id: "gone", command_uid: "c" },
  ])("$type tells nothing, and is undone", (event) => {
    const next = advance(session({}), event, at);
    expect(next).toMatchObject({ publish: [], cancel: ["gone"] });
    expect(next?.session).toMatchObject({ playback: null, collecting: null });
  });

  test.each<SessionEvent>([
    { type: "playback.stopped", command_uid: "other", offset_ms: 0, duration_ms: 0, reason: "completed" },
    { type: "playback.advanced", command_uid: "other", index: 1 },
    { type: "digits.collected", command_uid: "other", digits: "", terminator: null, status: "timeout" },
    { type: "failed", operation_id: "gone", error: "No file could be played" },
    { type: "command.overdue", operation_id: "gone" },
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
    const twice = once && advance(once.session, { type: "answered", operation_id: "answer" }, at);
    expect(twice?.publish ?? []).toEqual([]);
  });

  test("refused: the uid is free again; late: 504, and what it might have begun is undone", () => {
    const before = session({}, operation("answer"));
    const refused = (late: boolean) => advance(before, { type: "command.refused", operation_id: "answer", late }, at);
    expect(refused(false)).toMatchObject({ publish: [], cancel: [], decided: [{ status: "free" }] });
    expect(refused(true)).toMatchObject({ publish: [], cancel: ["answer"], decided: [{ status: 504 }] });
  });

  test("overdue: the result is a failure, and what it would have begun never begins", () => {
    const next = advance(
      session({}, operation("playback/start")),
      { type: "command.overdue", operation_id: "playback/start" },
      at,
    );
    expect(next?.publish.map(({ data }) => data)).toMatchObject([{ success: false, code: "media_server_timed_out" }]);
    expect(next?.cancel).toEqual(["playback/start"]);
  });

  test("what came before is left as it was", () => {
    const before = session({ state: "answered", playback }, operation("playback/stop"));
    const copy = structuredClone(before);
    advance(before, { type: "command.taken", operation_id: "playback/stop", immediate: true, failure: null }, at);
    advance(before, hangup("caller"), at);
    expect(structuredClone(before)).toEqual(copy);
  });
});

test("the position in a file moves with time, unless it is paused", () => {
  expect(playbackOffset(playback, at + 250)).toBe(750);
  expect(playbackOffset({ ...playback, paused: true }, at + 250)).toBe(500);
  expect(playbackOffset(playback, at - 10)).toBe(500);
});
