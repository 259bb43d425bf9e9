import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { levelAt } from "../../media-child/peer";
import { hear, readHeard, Shelf } from "../ear";
import { begin, newOperation, type Place, play, run, type SuiteOptions } from "../suite";

/** A recording is told of as started and as stopped once, and its file is whole when that is told. */
export function recordingRules(place: () => Place, { recordingSlips = false }: SuiteOptions = {}): void {
  const shelf = new Shelf();
  beforeAll(() => shelf.open());
  afterAll(() => shelf.close());
  const answered = async (): Promise<string> => {
    const session_uuid = await place().call([]);
    await run(place(), "answer", session_uuid, {});
    await place().recorder.event(session_uuid, "answered");
    return session_uuid;
  };
  /** A playback from its begin to its end. */
  const through = async (session_uuid: string, ms: number): Promise<void> => {
    const { command_uid } = await play(place(), session_uuid, place().files.tone(ms));
    await place().recorder.stopped(session_uuid, command_uid);
  };

  describe("recording", () => {
    test("started before the command is over, stopped once its file is whole; what the caller hears is on the right", async () => {
      const { recorder } = place();
      const session_uuid = await answered();
      const file = shelf.file();
      const { recording_id } = file;
      const started = await run(place(), "startRecording", session_uuid, { file });
      expect(started.outcome).toBeUndefined();
      const { operation_id, command_uid } = started;
      expect(recorder.of(session_uuid, "answered")).toEqual([
        { session_uuid, type: "recording.started", operation_id, command_uid, recording_id },
      ]);
      await through(session_uuid, 1000);
      expect((await run(place(), "stopRecording", session_uuid, {})).outcome).toBeUndefined();
      expect(await recorder.recorded(recording_id)).toEqual({
        session_uuid,
        type: "recording.stopped",
        recording_id,
        failure: null,
      });
      const { left, right } = await readHeard(file.path);
      // What slips is lost: here and there a frame.
      expect(right.length).toBeGreaterThanOrEqual(recordingSlips ? 7200 : 8000);
      // 440 Hz at 8000 is -12.2 dBFS; what came before and after the second is silence.
      const second = right.subarray(right.findIndex((sample) => Math.abs(sample) > 100)).subarray(0, 7200);
      const samples = recordingSlips ? 800 : 7200;
      const levels = Array.from({ length: 7200 / samples }, (_, nth) =>
        levelAt(second.subarray(nth * samples, (nth + 1) * samples), 440),
      );
      const heard = levels.sort((a, b) => a - b)[Math.floor(levels.length / 2)];
      expect(heard).toBeGreaterThan(-13.5);
      expect(levelAt(left, 440)).toBeLessThan(-50);
    });

    test("the call ends: its recording is told of as stopped, afterwards too", async () => {
      const { recorder } = place();
      const session_uuid = await answered();
      const file = shelf.file();
      await run(place(), "startRecording", session_uuid, { file });
      await through(session_uuid, 200);
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      expect(await recorder.recorded(file.recording_id)).toMatchObject({ session_uuid, failure: null });
      expect((await readHeard(file.path)).right.length).toBeGreaterThan(1000);
      const types = recorder.types(session_uuid).filter((type) => type.startsWith("recording"));
      expect(types).toEqual(["recording.started", "recording.stopped"]);
    });

    test("one after the other: each has its own file and its own events", async () => {
      const { recorder } = place();
      const session_uuid = await answered();
      for (let nth = 1; nth <= 3; nth++) await hear(place(), shelf, session_uuid, () => through(session_uuid, 60));
      const recordings = recorder
        .of(session_uuid)
        .flatMap((event) =>
          event.type === "recording.started" || event.type === "recording.stopped" ? [event.recording_id] : [],
        );
      expect(recordings).toHaveLength(6);
      expect(new Set(recordings).size).toBe(3);
    });

    test("a file that cannot be made, or is there already: the command says so, and nothing is told", async () => {
      const { recorder } = place();
      const session_uuid = await answered();
      const there = shelf.file();
      await writeFile(there.path, "mine");
      for (const file of [shelf.impossible(), there]) {
        const { outcome } = await run(place(), "startRecording", session_uuid, { file });
        expect(outcome).toEqual({ failure: "Recording could not be started" });
      }
      await through(session_uuid, 40);
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      await recorder.event(session_uuid, "hangup");
      expect(recorder.types(session_uuid, "playback.started", "playback.stopped")).toEqual(["answered", "hangup"]);
    });

    test("a second one while the first runs leaves the first alone; stopped twice it stops once", async () => {
      const { recorder } = place();
      const session_uuid = await answered();
      const first = shelf.file();
      const second = shelf.file();
      await run(place(), "startRecording", session_uuid, { file: first });
      const { outcome } = await run(place(), "startRecording", session_uuid, { file: second });
      expect(outcome).toEqual({ failure: "Recording could not be started" });
      await run(place(), "stopRecording", session_uuid, {});
      await run(place(), "stopRecording", session_uuid, {});
      await recorder.recorded(first.recording_id);
      expect(recorder.types(session_uuid)).toEqual(["answered", "recording.started", "recording.stopped"]);
      expect(existsSync(second.path)).toBe(false);
    });

    test("cancelled when it runs already: it ends", async () => {
      const { engine, recorder } = place();
      const session_uuid = await answered();
      const file = shelf.file();
      const { operation_id } = await run(place(), "startRecording", session_uuid, { file });
      engine.cancel(session_uuid, newOperation().operation_id);
      await through(session_uuid, 60);
      expect(recorder.types(session_uuid)).not.toContain("recording.stopped");
      engine.cancel(session_uuid, operation_id);
      await recorder.recorded(file.recording_id);
    });

    test("cancelled while it begins: it is over before anything is told of it", async () => {
      const { engine, recorder } = place();
      const session_uuid = await answered();
      const operation = newOperation();
      const body = { file: shelf.file() };
      const begun = begin({ engine }, "startRecording", session_uuid, body, operation).catch((refused) => refused);
      engine.cancel(session_uuid, operation.operation_id);
      await begun;
      expect(recorder.types(session_uuid)).toEqual(["answered"]);
      // Longer than what a recording may keep to itself before it writes.
      await through(session_uuid, 1300);
      expect((await readHeard(body.file.path)).right.length).toBeLessThan(8000);
      expect(recorder.types(session_uuid)).not.toContain("recording.stopped");
    });

    test("of a call that has ended it is gone", async () => {
      const session_uuid = await answered();
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      await place().recorder.event(session_uuid, "hangup");
      const gone = { refusal: "gone" };
      await expect(run(place(), "startRecording", session_uuid, { file: shelf.file() })).rejects.toMatchObject(gone);
      await expect(run(place(), "stopRecording", session_uuid, {})).rejects.toMatchObject(gone);
    });
  });
}
