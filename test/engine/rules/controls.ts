import { describe, expect, test } from "@jest/globals";
import type { CommandId } from "../../../src/contract";
import { begin, collect, newOperation, type Place, play, run } from "../suite";

const nothing = { failure: "No active playback" };

/** Pause, resume, seek, restart and silence: what is told of where a playback is. What is heard has tests of its own. */
export function controlRules(place: () => Place): void {
  const answered = async (): Promise<string> => {
    const session_uuid = await place().call([]);
    await run(place(), "answer", session_uuid, {});
    await place().recorder.event(session_uuid, "answered");
    return session_uuid;
  };
  const playing = async (...urls: string[]): Promise<{ session_uuid: string; command_uid: string }> => {
    const session_uuid = await answered();
    const { command_uid } = await play(place(), session_uuid, ...urls);
    await place().recorder.event(session_uuid, "playback.started");
    return { session_uuid, command_uid };
  };
  const control = async (command: "pausePlayback" | "resumePlayback" | "restartPlayback", session_uuid: string) =>
    (await run(place(), command, session_uuid, {})).outcome;
  const seek = async (session_uuid: string, offset_sec: number) =>
    (await run(place(), "seekPlayback", session_uuid, { offset_sec })).outcome;
  /** Time passes: as much as it takes to hear this. */
  const passed = async (ms: number): Promise<void> => {
    const { session_uuid } = await playing(place().files.tone(ms));
    await place().recorder.event(session_uuid, "playback.stopped");
  };
  const everything = async (session_uuid: string) => [
    await control("pausePlayback", session_uuid),
    await control("resumePlayback", session_uuid),
    await control("restartPlayback", session_uuid),
    await seek(session_uuid, 1),
  ];

  describe("controls", () => {
    test("paused it stands still, told before the command is over; resumed it goes on from there to its end", async () => {
      const { recorder, files } = place();
      const { session_uuid, command_uid } = await playing(files.tone(600));
      expect(await control("pausePlayback", session_uuid)).toBeUndefined();
      const paused = recorder.of(session_uuid).at(-1);
      expect(paused).toEqual({
        session_uuid,
        type: "playback.moved",
        command_uid,
        index: 0,
        offset_ms: expect.any(Number),
        paused: true,
      });
      // Longer than what is left of the file.
      await passed(700);
      expect(await control("pausePlayback", session_uuid)).toBeUndefined();
      expect(recorder.of(session_uuid).at(-1)).toEqual(paused);
      expect(await control("resumePlayback", session_uuid)).toBeUndefined();
      expect(recorder.of(session_uuid).at(-1)).toEqual({ ...paused, paused: false });
      const stopped = await recorder.event(session_uuid, "playback.stopped");
      expect(stopped).toMatchObject({ command_uid, offset_ms: 600, reason: "completed" });
      // Since it started, the pause included.
      expect(stopped.duration_ms).toBeGreaterThan(1000);
    });

    test("paused and stopped: it is where it was paused", async () => {
      const { recorder, files } = place();
      const { session_uuid } = await playing(files.tone(20_000));
      await control("pausePlayback", session_uuid);
      const { offset_ms } = await recorder.event(session_uuid, "playback.moved");
      await run(place(), "stopPlayback", session_uuid, {});
      expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ offset_ms, reason: "stopped" });
      expect(await everything(session_uuid)).toEqual([nothing, nothing, nothing, nothing]);
    });

    test("paused when the call ends: the hangup says where", async () => {
      const { recorder, files } = place();
      const { session_uuid } = await playing(files.tone(20_000));
      await seek(session_uuid, 7);
      await control("pausePlayback", session_uuid);
      const { offset_ms } = await recorder.event(session_uuid, "playback.moved", 2);
      expect(offset_ms).toBeGreaterThanOrEqual(7000);
      await passed(100);
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      expect((await recorder.event(session_uuid, "hangup")).playback).toMatchObject({ offset_ms });
    });

    test("resumed while it runs: it goes on as it does", async () => {
      const { recorder, files } = place();
      const { session_uuid } = await playing(files.tone(200));
      expect(await control("resumePlayback", session_uuid)).toBeUndefined();
      expect(recorder.of(session_uuid).at(-1)).toMatchObject({ type: "playback.moved", paused: false });
      expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
    });

    test("seek and restart go elsewhere in the file that sounds, and leave it paused or not", async () => {
      const { recorder, files } = place();
      const { session_uuid, command_uid } = await playing(files.tone(40), files.tone(20_000));
      await recorder.event(session_uuid, "playback.moved");
      expect(await seek(session_uuid, 12)).toBeUndefined();
      expect(await control("pausePlayback", session_uuid)).toBeUndefined();
      expect(await seek(session_uuid, 3)).toBeUndefined();
      expect(await control("restartPlayback", session_uuid)).toBeUndefined();
      expect(await control("resumePlayback", session_uuid)).toBeUndefined();
      const moved = recorder.of(session_uuid, "answered", "playback.started");
      expect(moved).toMatchObject([
        { index: 1, offset_ms: expect.any(Number), paused: false },
        { index: 1, offset_ms: 12_000, paused: false },
        { index: 1, offset_ms: expect.any(Number), paused: true },
        { index: 1, offset_ms: 3000, paused: true },
        { index: 1, offset_ms: 0, paused: true },
        { index: 1, offset_ms: 0, paused: false },
      ]);
      for (const event of moved) expect(event).toMatchObject({ type: "playback.moved", command_uid });
    });

    test.each([false, true])(
      "a place behind the end ends the file (paused: %s), and the next one begins",
      async (paused) => {
        const { recorder, files } = place();
        const { session_uuid, command_uid } = await playing(files.tone(20_000), files.tone(19_000));
        if (paused) await control("pausePlayback", session_uuid);
        expect(await seek(session_uuid, 86_400)).toBeUndefined();
        const next = await recorder.event(session_uuid, "playback.moved", paused ? 3 : 2);
        expect(next).toMatchObject({ index: 1, offset_ms: expect.any(Number), paused });
        // That it ended there and that the next one sounds may come in one breath: then only where it is now is told, twice.
        const ends = recorder
          .of(session_uuid)
          .some((event) => event.type === "playback.moved" && event.offset_ms === 20_000);
        const before = ends ? { index: 0, offset_ms: 20_000, paused } : { index: 1, paused };
        expect(recorder.of(session_uuid).at(-2)).toMatchObject(before);
        expect(await seek(session_uuid, 86_400)).toBeUndefined();
        const stopped = await recorder.event(session_uuid, "playback.stopped");
        expect(stopped).toMatchObject({ command_uid, offset_ms: 19_000, reason: "completed" });
        expect(await seek(session_uuid, 0)).toEqual(nothing);
      },
    );

    test("between two files: a pause holds for the next one, and a seek takes up the last one again", async () => {
      const { recorder, files } = place();
      const late = files.tone(2000, `late-${newOperation().operation_id}`);
      const held = files.hold(late);
      const { session_uuid } = await playing(files.tone(1200), late);
      await seek(session_uuid, 2);
      await passed(100);
      expect(await control("pausePlayback", session_uuid)).toBeUndefined();
      expect(await seek(session_uuid, 1)).toBeUndefined();
      expect(await seek(session_uuid, 9)).toBeUndefined();
      held.release();
      const next = await recorder.event(session_uuid, "playback.moved", 5);
      expect(next).toMatchObject({ index: 1, offset_ms: 0, paused: true });
      expect(recorder.of(session_uuid, "answered", "playback.started")).toMatchObject([
        { index: 0, offset_ms: 1200, paused: false },
        { index: 0, offset_ms: 1200, paused: true },
        { index: 0, offset_ms: 1000, paused: true },
        { index: 0, offset_ms: 1200, paused: true },
        { index: 1 },
      ]);
      await passed(100);
      await control("resumePlayback", session_uuid);
      const resumed = recorder.of(session_uuid).at(-1);
      expect(resumed).toMatchObject({ index: 1, paused: false });
      // It has sounded since then, be it for a moment: far from the 100 ms that it was paused for.
      expect(Object(resumed).offset_ms).toBeLessThan(50);
      await seek(session_uuid, 2);
      expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ offset_ms: 2000 });
    });

    test("nothing plays yet, or a prompt does: there is nothing to act on", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      expect(await everything(session_uuid)).toEqual([nothing, nothing, nothing, nothing]);
      const late = files.tone(100, `late-${newOperation().operation_id}`);
      const held = files.hold(late);
      await play(place(), session_uuid, late);
      await held.requested;
      expect(await everything(session_uuid)).toEqual([nothing, nothing, nothing, nothing]);
      await run(place(), "playAndGetDigits", session_uuid, { ...collect, prompt_files: [files.tone(20_000)] });
      await recorder.event(session_uuid, "digits.started");
      expect(await everything(session_uuid)).toEqual([nothing, nothing, nothing, nothing]);
      held.release();
      expect(recorder.types(session_uuid, "answered")).toEqual(["failed", "digits.started"]);
    });

    test("silence is a playback without files, which can be paused, moved and replaced like any other", async () => {
      const { recorder, files } = place();
      const session_uuid = await answered();
      await play(place(), session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      const { operation_id, command_uid } = await run(place(), "playSilence", session_uuid, { duration_ms: 5000 });
      await recorder.event(session_uuid, "playback.started", 2);
      await control("pausePlayback", session_uuid);
      await seek(session_uuid, 4);
      await control("resumePlayback", session_uuid);
      const stopped = await recorder.event(session_uuid, "playback.stopped", 2);
      expect(stopped).toMatchObject({ command_uid, offset_ms: 5000, reason: "completed" });
      expect(recorder.of(session_uuid, "answered")).toMatchObject([
        { type: "playback.started" },
        { type: "playback.stopped", reason: "replaced" },
        { type: "playback.started", operation_id, command_uid, urls: [], index: 0, offset_ms: 0 },
        { type: "playback.moved", paused: true },
        { type: "playback.moved", offset_ms: 4000, paused: true },
        { type: "playback.moved", offset_ms: 4000, paused: false },
        { type: "playback.stopped" },
      ]);
    });

    test("controls of one moment are done in their order", async () => {
      const { engine, recorder, files } = place();
      const { session_uuid } = await playing(files.tone(20_000));
      const at = (offset_sec: number) =>
        begin({ engine }, "seekPlayback", session_uuid, { offset_sec }, newOperation());
      const pause = begin({ engine }, "pausePlayback", session_uuid, {}, newOperation());
      await Promise.all([
        pause,
        at(3),
        at(9),
        at(6),
        begin({ engine }, "stopPlayback", session_uuid, {}, newOperation()),
      ]);
      expect(recorder.of(session_uuid, "answered", "playback.started").slice(1)).toMatchObject([
        { offset_ms: 3000 },
        { offset_ms: 9000 },
        { offset_ms: 6000 },
        { type: "playback.stopped", offset_ms: 6000 },
      ]);
    });

    test("of a call that has ended they are gone", async () => {
      const { recorder, files } = place();
      const { session_uuid } = await playing(files.tone(20_000));
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      await recorder.event(session_uuid, "hangup");
      const gone = { refusal: "gone" };
      const bare: CommandId[] = ["pausePlayback", "resumePlayback", "restartPlayback"];
      for (const command of bare) await expect(run(place(), command, session_uuid, {})).rejects.toMatchObject(gone);
      await expect(seek(session_uuid, 1)).rejects.toMatchObject(gone);
      await expect(run(place(), "playSilence", session_uuid, { duration_ms: 1 })).rejects.toMatchObject(gone);
    });
  });
}
