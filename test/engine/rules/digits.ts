import { describe, expect, test } from "@jest/globals";
import type { ScriptStep } from "../../../src/engines/engine";
import { collect, newOperation, type Place, play, run } from "../suite";

/** Keys as events, and what is collected of them. The rules of tries and timers have a table of their own. */
export function digitRules(place: () => Place): void {
  const answered = async (...script: ScriptStep[]): Promise<string> => {
    const session_uuid = await place().call(script);
    await run(place(), "answer", session_uuid, {});
    await place().recorder.event(session_uuid, "answered");
    return session_uuid;
  };
  const whenAnswered = { do: "wait_for", event: "call.answered" } as const;
  const result = { do: "wait_for", event: "command.result" } as const;
  const keyed = { do: "wait_for", event: "dtmf" } as const;
  const key = (digits: string) => ({ do: "press", digits, gap_ms: 60 }) as const;

  describe("digits", () => {
    test("each key is an event, in order, with its duration", async () => {
      const { recorder } = place();
      const session_uuid = await answered(whenAnswered, key("159D*#"));
      await recorder.event(session_uuid, "dtmf", 6);
      const keys = recorder.of(session_uuid, "answered").map((event) => (event.type === "dtmf" ? event : null));
      expect(keys.map((event) => event?.digit).join("")).toBe("159D*#");
      for (const event of keys) expect(event?.duration_ms).toBeGreaterThanOrEqual(40);
    });

    test("collected while the prompt sounds: the first key stops it, each key is an event all the same", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered(whenAnswered, result, result, key("42#"));
      const body = { ...collect, prompt_files: [files.missing(), files.tone(20_000)], max_digits: 4 };
      const { operation_id, command_uid } = await run(place(), "playAndGetDigits", session_uuid, body);
      await recorder.event(session_uuid, "digits.collected");
      expect(recorder.of(session_uuid, "answered", "dtmf")).toEqual([
        { session_uuid, type: "playback.file_not_found", command_uid, url: files.missing(), reason: "not_found" },
        { session_uuid, type: "digits.started", operation_id, command_uid },
        { session_uuid, type: "digits.collected", command_uid, digits: "42", terminator: "#", status: "success" },
      ]);
      expect(recorder.types(session_uuid).filter((type) => type === "dtmf")).toHaveLength(3);
      expect((await run(place(), "stopPlayback", session_uuid, {})).outcome).toEqual({ failure: "No active playback" });
    });

    test("keys before the command do not count", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered(whenAnswered, key("99"));
      await recorder.event(session_uuid, "dtmf", 2);
      const body = { ...collect, prompt_files: [files.tone(40)], timeout_ms: 100 };
      await run(place(), "playAndGetDigits", session_uuid, body);
      expect(await recorder.event(session_uuid, "digits.collected")).toMatchObject({ digits: "", status: "timeout" });
    });

    test("a second try after the invalid files", async () => {
      const { recorder, files } = place();
      const wrong = files.missing("wrong");
      const session_uuid = await answered(
        whenAnswered,
        result,
        result,
        key("1"),
        { do: "wait_for", event: "playback.file_not_found" },
        key("2"),
      );
      const body = { ...collect, prompt_files: [files.tone(20_000)], invalid_files: [wrong], max_tries: 2 };
      await run(place(), "playAndGetDigits", session_uuid, { ...body, digits_regex: "2" });
      expect(await recorder.event(session_uuid, "digits.collected")).toMatchObject({ digits: "2", status: "success" });
      expect(recorder.types(session_uuid, "answered", "dtmf")).toEqual([
        "digits.started",
        "playback.file_not_found",
        "digits.collected",
      ]);
    });

    test("no prompt can be played: it fails, and nothing is collected", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const urls = [files.missing("1"), files.missing("2")];
      const { operation_id } = await run(place(), "playAndGetDigits", session_uuid, { ...collect, prompt_files: urls });
      expect(await recorder.event(session_uuid, "failed")).toMatchObject({
        operation_id,
        error: "No file could be played",
      });
      const types = ["playback.file_not_found", "playback.file_not_found", "failed"];
      expect(recorder.types(session_uuid, "answered")).toEqual(types);
    });

    test("a playback ends it as unknown, and it ends a playback as replaced", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered({ do: "wait_for", event: "playback.stopped" }, result, key("7"));
      await play(place(), session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      const body = { ...collect, prompt_files: [files.tone(20_000)], max_digits: 4 };
      const { command_uid } = await run(place(), "playAndGetDigits", session_uuid, body);
      await recorder.event(session_uuid, "dtmf");
      await play(place(), session_uuid, files.tone(60));
      await recorder.event(session_uuid, "playback.stopped", 2);
      expect(recorder.of(session_uuid, "answered", "dtmf")).toMatchObject([
        { type: "playback.started" },
        { type: "playback.stopped", reason: "replaced" },
        { type: "digits.started", command_uid },
        { type: "digits.collected", command_uid, digits: "7", terminator: null, status: "unknown" },
        { type: "playback.started" },
        { type: "playback.stopped", reason: "completed" },
      ]);
    });

    test("another collection ends it as unknown", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const body = { ...collect, prompt_files: [files.tone(20_000)] };
      const first = await run(place(), "playAndGetDigits", session_uuid, body);
      await recorder.event(session_uuid, "digits.started");
      const second = await run(place(), "playAndGetDigits", session_uuid, body);
      await recorder.event(session_uuid, "digits.started", 2);
      expect(recorder.of(session_uuid, "answered")).toMatchObject([
        { type: "digits.started", command_uid: first.command_uid },
        { type: "digits.collected", command_uid: first.command_uid, digits: "", status: "unknown" },
        { type: "digits.started", command_uid: second.command_uid },
      ]);
    });

    test("the call ends: the digits keyed so far go with the hangup", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered(whenAnswered, result, result, key("31"), keyed, keyed, { do: "hangup" });
      await run(place(), "playAndGetDigits", session_uuid, {
        ...collect,
        prompt_files: [files.tone(40)],
        max_digits: 4,
      });
      const { digits, playback } = await recorder.event(session_uuid, "hangup");
      expect({ digits, playback }).toEqual({ digits: "31", playback: undefined });
      expect(recorder.types(session_uuid)).toEqual(["answered", "digits.started", "dtmf", "dtmf", "hangup"]);
    });

    test("cancelled before it began: nothing is told of it later", async () => {
      const { engine, recorder, files } = place();
      const session_uuid = await answered();
      const late = files.tone(100, `prompt-${newOperation().operation_id}`);
      const held = files.hold(late);
      const { operation_id } = await run(place(), "playAndGetDigits", session_uuid, {
        ...collect,
        prompt_files: [late],
      });
      await held.requested;
      engine.cancel(session_uuid, operation_id);
      held.release();
      await play(place(), session_uuid, files.tone(40));
      await recorder.event(session_uuid, "playback.stopped");
      expect(recorder.types(session_uuid)).not.toContain("digits.started");
      expect(recorder.types(session_uuid)).not.toContain("digits.collected");
    });
  });
}
