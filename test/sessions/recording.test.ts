/** Recordings of a call: begun, over and told of, each once. */
import { describe, expect, test } from "@jest/globals";
import { advance, sessionLife } from "../../src/sessions/session";
import { at, hangup, operation, recording, session, told } from "./facts";

const answered = { state: "answered", answered_at: at } as const;
const started = { type: "recording.started", operation_id: "o", command_uid: "r", recording_id: "rec-1" } as const;
const stopped = { type: "recording.stopped", recording_id: "rec-1", failure: null } as const;
const completed = {
  type: "recording.completed",
  recording_id: "rec-1",
  recording_url: "http://voice/rec-1",
  duration_ms: 12_480,
} as const;
const another = { ...recording, recording_id: "rec-0", command_uid: "earlier" };

describe("a recording that begins", () => {
  test("stands in the call; its command has its result when it was taken", () => {
    const before = session(answered, operation("record/start", "o"));
    const next = advance(before, started, at);
    expect(next).toMatchObject({ state: { recording, operations: [{}] }, publish: [], cancel: [] });
    expect(
      next && told(next.state, { type: "command.taken", operation_id: "o", immediate: true, failure: null }),
    ).toEqual(["command.result record/start done"]);
  });

  test("late: it runs, so it is shown and completed, and it is stopped", () => {
    const next = advance(session(answered), started, at);
    expect(next).toMatchObject({ state: { recording }, publish: [], cancel: ["o"] });
    const over = next && advance(next.state, stopped, at);
    expect(over && told(over.state, completed)).toEqual(["recording.completed"]);
  });

  test("while another one runs: none of them is forgotten", () => {
    const next = advance(session({ ...answered, recording: another }, operation("record/start", "o")), started, at);
    expect(next?.state).toMatchObject({ recording, unfinished: [another] });
  });

  test("not: it could not be started", () => {
    const before = session(answered, operation("record/start", "o"));
    const failure = "Recording could not be started";
    expect(told(before, { type: "command.taken", operation_id: "o", immediate: true, failure })).toEqual([
      `command.result record/start ${failure}`,
    ]);
  });
});

describe("a recording that is over", () => {
  test.each([null, "The file could not be written"] as const)("is to be finished: %s", (failure) => {
    const next = advance(session({ ...answered, recording, unfinished: [another] }), { ...stopped, failure }, at);
    expect(next).toMatchObject({ state: { recording: null, unfinished: [another, recording] }, publish: [] });
    expect(next?.finish).toEqual([{ recording_id: "rec-1", failure }]);
  });

  test("by the end of the call: it is finished once its file is closed", () => {
    const ended = advance(session({ ...answered, recording }), hangup("caller"), at);
    const next = ended && advance(ended.state, stopped, at);
    expect(next).toMatchObject({ state: { state: "ended", unfinished: [recording] }, publish: [] });
    expect(next?.finish).toEqual([{ recording_id: "rec-1", failure: null }]);
  });

  test("that nobody knows changes nothing", () => {
    expect(advance(session({ ...answered, recording: another }), stopped, at)).toBeNull();
  });
});

describe("a recording that is completed", () => {
  test("is told of, after the end of the call as well, and the call is kept until then", () => {
    for (const state of ["answered", "handed_back", "ended"] as const) {
      const before = session({ state, unfinished: [another, recording] });
      const next = advance(before, completed, at);
      const { command_uid, recording_id } = recording;
      const { recording_url, duration_ms } = completed;
      const data = { command_uid, recording_id, recording_url, duration: 12.48, duration_ms };
      expect(next?.publish).toEqual([{ event: "recording.completed", data }]);
      expect(next?.state.unfinished).toEqual([another]);
    }
  });

  test("the last one ends the life of a call", () => {
    const next = advance(session({ state: "ended", unfinished: [recording] }), completed, at);
    expect(next && sessionLife(next.state)).toBe("ended");
  });

  test("with what went wrong", () => {
    const failed = { ...completed, recording_url: null, error: "The upload failed" } as const;
    const next = advance(session({ ...answered, unfinished: [recording] }), failed, at);
    expect(next?.publish[0]?.data).toMatchObject({ recording_url: null, error: "The upload failed" });
  });

  test("without the engine's word that it stopped: after a crash there is none", () => {
    const next = advance(session({ ...answered, recording, unfinished: [another] }), completed, at);
    expect(next?.publish.map(({ event }) => event)).toEqual(["recording.completed"]);
    expect(next?.state).toMatchObject({ recording: null, unfinished: [another] });
  });

  test("is told of once", () => {
    expect(advance(session({ ...answered, recording: another }), completed, at)).toBeNull();
  });
});
