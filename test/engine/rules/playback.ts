import { describe, expect, test } from "@jest/globals";
import { begin, newOperation, type Place, play, run } from "../suite";

/** Files of a list, one after the other; the last command wins. */
export function playbackRules(place: () => Place): void {
  const answered = async (): Promise<string> => {
    const session_uuid = await place().call([]);
    await run(place(), "answer", session_uuid, {});
    await place().recorder.event(session_uuid, "answered");
    return session_uuid;
  };

  describe("playback", () => {
    test("one file: started with its operation, stopped at its end", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const urls = [files.tone(200)];
      const { operation_id, command_uid, outcome } = await play(place(), session_uuid, ...urls);
      await recorder.event(session_uuid, "playback.stopped");
      expect(outcome).toBeUndefined();
      expect(recorder.of(session_uuid, "answered")).toEqual([
        { session_uuid, type: "playback.started", operation_id, command_uid, urls, index: 0, offset_ms: 0 },
        {
          session_uuid,
          type: "playback.stopped",
          command_uid,
          offset_ms: 200,
          duration_ms: expect.any(Number),
          reason: "completed",
        },
      ]);
    });

    test("a list has one start and one end; what cannot be played is told and left out", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const urls = [
        files.missing("a"),
        files.tone(100),
        files.text(),
        files.missing("b"),
        files.tone(60),
        files.missing("c"),
      ];
      const { command_uid } = await play(place(), session_uuid, ...urls);
      const stopped = await recorder.event(session_uuid, "playback.stopped");
      expect(stopped).toMatchObject({
        command_uid,
        offset_ms: 60,
        duration_ms: expect.any(Number),
        reason: "completed",
      });
      const told = recorder.of(session_uuid, "answered").map((event) => {
        if (event.type === "playback.file_not_found") return `${event.reason} ${urls.indexOf(event.url)}`;
        return "index" in event ? `${event.type} ${event.index}` : event.type;
      });
      expect(told).toEqual([
        "not_found 0",
        "playback.started 1",
        "unsupported_format 2",
        "not_found 3",
        "playback.moved 4",
        "not_found 5",
        "playback.stopped",
      ]);
    });

    test("nothing of a list can be played: each is told, then the failure, no start, no end", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const urls = Array.from({ length: 9 }, (_, i) => files.missing(String(i)));
      const { operation_id, command_uid } = await play(place(), session_uuid, ...urls);
      await recorder.event(session_uuid, "failed");
      expect(recorder.of(session_uuid, "answered")).toEqual([
        ...urls.map((url) => ({
          session_uuid,
          type: "playback.file_not_found",
          command_uid,
          url,
          reason: "not_found",
        })),
        { session_uuid, type: "failed", operation_id, error: "No file could be played" },
      ]);
      expect((await run(place(), "stopPlayback", session_uuid, {})).outcome).toEqual({ failure: "No active playback" });
    });

    test("a list of 128 files", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      await play(place(), session_uuid, ...Array.from({ length: 128 }, (_, i) => files.tone(20, `t${i}`)));
      const stopped = await recorder.event(session_uuid, "playback.stopped");
      expect(stopped).toMatchObject({ offset_ms: 20, reason: "completed" });
      expect(recorder.types(session_uuid).filter((type) => type === "playback.moved")).toHaveLength(127);
    });

    test("from an offset", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      await run(place(), "startPlayback", session_uuid, { urls: [files.tone(1100)], offset_sec: 1 });
      expect(await recorder.event(session_uuid, "playback.started")).toMatchObject({ index: 0, offset_ms: 1000 });
      expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({
        offset_ms: 1100,
        duration_ms: expect.any(Number),
        reason: "completed",
      });
    });

    test("stopped: where it was, with the uid of its start", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const { command_uid } = await play(place(), session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      expect((await run(place(), "stopPlayback", session_uuid, {})).outcome).toBeUndefined();
      const stopped = await recorder.event(session_uuid, "playback.stopped");
      expect(stopped).toMatchObject({ command_uid, reason: "stopped" });
      expect(stopped.offset_ms).toBeLessThan(20_000);
      expect((await run(place(), "stopPlayback", session_uuid, {})).outcome).toEqual({ failure: "No active playback" });
    });

    test("replaced: it ends before the next begins", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const first = await play(place(), session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      const second = await play(place(), session_uuid, files.tone(100));
      await recorder.event(session_uuid, "playback.stopped", 2);
      expect(recorder.of(session_uuid, "answered")).toMatchObject([
        { type: "playback.started", operation_id: first.operation_id },
        { type: "playback.stopped", command_uid: first.command_uid, reason: "replaced" },
        { type: "playback.started", operation_id: second.operation_id },
        { type: "playback.stopped", command_uid: second.command_uid, reason: "completed" },
      ]);
    });

    test.each(["stopped", "replaced"])("%s before it sounds: it fails, and never sounds", async (how) => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      const late = files.tone(100, `late-${how}-${newOperation().operation_id}`);
      const held = files.hold(late);
      const first = await play(place(), session_uuid, late);
      await held.requested;
      if (how === "stopped") expect((await run(place(), "stopPlayback", session_uuid, {})).outcome).toBeUndefined();
      const { operation_id } = await play(place(), session_uuid, files.tone(60));
      held.release();
      await recorder.event(session_uuid, "playback.stopped");
      expect(recorder.of(session_uuid, "answered")).toMatchObject([
        { type: "failed", operation_id: first.operation_id, error: "Stopped before it began" },
        { type: "playback.started", operation_id },
        { type: "playback.stopped", reason: "completed" },
      ]);
    });

    test("cancelled before it sounds: it never does, and nothing is told", async () => {
      const { engine, recorder, files } = place();
      const session_uuid = await answered();
      const late = files.tone(100, `cancelled-${newOperation().operation_id}`);
      const held = files.hold(late);
      const first = await play(place(), session_uuid, late);
      await held.requested;
      engine.cancel(session_uuid, first.operation_id);
      held.release();
      const { operation_id } = await play(place(), session_uuid, files.tone(60));
      await recorder.event(session_uuid, "playback.stopped");
      expect(recorder.of(session_uuid, "answered")).toMatchObject([
        { type: "playback.started", operation_id },
        { type: "playback.stopped", reason: "completed" },
      ]);
    });

    test("cancelled before it is taken: it never begins", async () => {
      const { engine, recorder, files } = place();
      const session_uuid = await answered();
      const operation = newOperation();
      const body = { urls: [files.tone(100)], offset_sec: 0 };
      const taken = begin({ engine }, "startPlayback", session_uuid, body, operation);
      engine.cancel(session_uuid, operation.operation_id);
      await taken;
      await play(place(), session_uuid, files.tone(60));
      await recorder.event(session_uuid, "playback.stopped");
      expect(recorder.types(session_uuid, "answered")).toEqual(["playback.started", "playback.stopped"]);
    });

    test("cancelled when it sounds already: it stops", async () => {
      const { engine, recorder, files } = place();
      const session_uuid = await answered();
      const { operation_id } = await play(place(), session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      engine.cancel(session_uuid, newOperation().operation_id);
      expect(recorder.types(session_uuid, "answered")).toEqual(["playback.started"]);
      engine.cancel(session_uuid, operation_id);
      expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "stopped" });
    });

    test("commands that come together are taken one after the other, and the last one wins", async () => {
      const { engine, recorder, files } = place();
      const session_uuid = await answered();
      const operations = Array.from({ length: 5 }, newOperation);
      const body = { urls: [files.tone(100)], offset_sec: 0 };
      const taken = operations.map((operation) => begin({ engine }, "startPlayback", session_uuid, body, operation));
      await Promise.all(taken);
      expect(await recorder.event(session_uuid, "playback.started")).toMatchObject({
        operation_id: operations.at(-1)?.operation_id,
      });
      await recorder.event(session_uuid, "playback.stopped");
      const failed = recorder
        .of(session_uuid)
        .flatMap((event) => (event.type === "failed" ? [event.operation_id] : []));
      expect(failed).toEqual(operations.slice(0, -1).map(({ operation_id }) => operation_id));
    });

    test("the call ends while it plays: the position goes with the hangup, nothing else is told", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      await play(place(), session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      const { playback, digits } = await recorder.event(session_uuid, "hangup");
      expect(playback?.offset_ms).toBeLessThan(20_000);
      expect(playback?.duration_ms).toBeLessThan(20_000);
      expect(digits).toBeUndefined();
      expect(recorder.types(session_uuid)).toEqual(["answered", "playback.started", "hangup"]);
    });

    test("before the answer it is early media, told once; the answer does not stop it", async () => {
      const { recorder, files, call } = place();
      const session_uuid = await call([]);
      await play(place(), session_uuid, files.tone(100));
      await recorder.event(session_uuid, "playback.stopped");
      await play(place(), session_uuid, files.tone(600));
      await recorder.event(session_uuid, "playback.started", 2);
      await run(place(), "answer", session_uuid, {});
      expect(await recorder.event(session_uuid, "playback.stopped", 2)).toMatchObject({
        offset_ms: 600,
        reason: "completed",
      });
      expect(recorder.types(session_uuid)).toEqual([
        "early",
        "playback.started",
        "playback.stopped",
        "playback.started",
        "answered",
        "playback.stopped",
      ]);
    });
  });
}
