import { describe, expect, test } from "@jest/globals";
import { begin, newOperation, openRoom, type Place, run, runRoom } from "../suite";

const nothing = { failure: "No active playback" };

/** Rooms: what plays to them, and how they end. */
export function roomRules(place: () => Place): void {
  const answered = async (): Promise<string> => {
    const session_uuid = await place().call([]);
    await run(place(), "answer", session_uuid, {});
    await place().recorder.event(session_uuid, "answered");
    return session_uuid;
  };
  const playRoom = (room_id: string, urls: string[], more: { loop?: boolean; volume?: number } = {}) =>
    runRoom(place(), "playRoom", room_id, { urls, loop: false, volume: 0, ...more });
  const playing = async (...urls: string[]): Promise<string> => {
    const room_id = await openRoom(place());
    await playRoom(room_id, urls);
    await place().recorder.roomEvent(room_id, "play.started");
    return room_id;
  };

  describe("a room", () => {
    test("plays a list to its end, without what cannot be played", async () => {
      const { recorder, files } = place();
      const room_id = await openRoom(place());
      const urls = [files.missing("x"), files.tone(100), files.tone(60)];
      const { operation_id, command_uid, outcome } = await playRoom(room_id, urls, { volume: -2 });
      expect(outcome).toBeUndefined();
      await recorder.roomEvent(room_id, "play.stopped");
      const about = { room_id, command_uid };
      expect(recorder.ofRoom(room_id)).toEqual([
        { ...about, type: "play.file_not_found", url: urls[0], reason: "not_found" },
        { ...about, type: "play.started", operation_id, urls, index: 1, loop: false, volume: -2 },
        { ...about, type: "play.moved", index: 2, offset_ms: expect.any(Number), paused: false, volume: -2 },
        { ...about, type: "play.stopped", offset_ms: 60, duration_ms: expect.any(Number), reason: "completed" },
      ]);
    });

    test("a second play replaces the first, stop ends it, and then there is nothing to act on", async () => {
      const { recorder, files } = place();
      const room_id = await playing(files.tone(20_000));
      const second = await playRoom(room_id, [files.tone(20_000)]);
      await recorder.roomEvent(room_id, "play.started", 2);
      expect((await runRoom(place(), "stopRoom", room_id, {})).outcome).toBeUndefined();
      expect(recorder.ofRoom(room_id)).toMatchObject([
        { type: "play.started" },
        { type: "play.stopped", reason: "replaced" },
        { type: "play.started", operation_id: second.operation_id },
        { type: "play.stopped", command_uid: second.command_uid, reason: "stopped" },
      ]);
      expect((await runRoom(place(), "stopRoom", room_id, {})).outcome).toEqual(nothing);
      expect((await runRoom(place(), "pauseRoom", room_id, { paused: true })).outcome).toEqual(nothing);
      expect((await runRoom(place(), "setRoomVolume", room_id, { volume: 1 })).outcome).toEqual(nothing);
    });

    test("is paused, made louder and resumed; the next file of the list begins as loud", async () => {
      const { recorder, files } = place();
      const room_id = await playing(files.tone(300), files.tone(100));
      expect((await runRoom(place(), "pauseRoom", room_id, { paused: true })).outcome).toBeUndefined();
      const paused = recorder.ofRoom(room_id).at(-1);
      expect(paused).toMatchObject({ type: "play.moved", index: 0, paused: true, volume: 0 });
      expect((await runRoom(place(), "setRoomVolume", room_id, { volume: 4 })).outcome).toBeUndefined();
      expect(recorder.ofRoom(room_id).at(-1)).toEqual({ ...paused, volume: 4 });
      await runRoom(place(), "pauseRoom", room_id, { paused: false });
      expect(recorder.ofRoom(room_id).at(-1)).toEqual({ ...paused, paused: false, volume: 4 });
      await recorder.roomEvent(room_id, "play.stopped");
      expect(recorder.ofRoom(room_id).at(-2)).toMatchObject({ index: 1, paused: false, volume: 4 });
    });

    test("a loop begins again, whoever is there to hear it", async () => {
      const { recorder, files } = place();
      const room_id = await openRoom(place());
      const urls = [files.missing(), files.tone(600), files.tone(500)];
      await playRoom(room_id, urls, { loop: true });
      await recorder.roomEvent(room_id, "play.moved", 3);
      await runRoom(place(), "stopRoom", room_id, {});
      const told = recorder.ofRoom(room_id);
      expect(told).toMatchObject([
        { type: "play.file_not_found" },
        { type: "play.started", index: 1, loop: true },
        { type: "play.moved" },
        { type: "play.moved" },
        { type: "play.moved", volume: 0 },
        { type: "play.stopped", reason: "stopped" },
      ]);
    });

    test("a loop of which nothing can be played fails, each file told once", async () => {
      const { recorder, files } = place();
      const room_id = await openRoom(place());
      const urls = Array.from({ length: 6 }, (_, i) => files.missing(`loop-${i}`));
      const { operation_id } = await playRoom(room_id, urls, { loop: true });
      await recorder.roomEvent(room_id, "failed");
      expect(recorder.roomTypes(room_id)).toEqual([...urls.map(() => "play.file_not_found"), "failed"]);
      expect(recorder.ofRoom(room_id).at(-1)).toMatchObject({ operation_id, error: "No file could be played" });
    });

    test("a play that was cancelled never sounds, or stops", async () => {
      const { engine, recorder, files } = place();
      const room_id = await openRoom(place());
      const late = files.tone(100, `room-${newOperation().operation_id}`);
      const held = files.hold(late);
      const first = await playRoom(room_id, [late]);
      await held.requested;
      engine.cancel(room_id, first.operation_id);
      held.release();
      const { operation_id } = await playRoom(room_id, [files.tone(20_000)]);
      await recorder.roomEvent(room_id, "play.started");
      engine.cancel(room_id, operation_id);
      expect(recorder.ofRoom(room_id)).toMatchObject([
        { type: "play.started", operation_id },
        { type: "play.stopped", reason: "stopped" },
      ]);
    });

    test("closed: its play is destroyed, its members are removed, and their calls go on", async () => {
      const { engine, recorder, files } = place();
      const room_id = await playing(files.tone(20_000));
      const sessions = [await answered(), await answered()];
      for (const id of sessions) await run(place(), "joinRoom", id, { room_id, muted: false });
      const started = recorder.ofRoom(room_id).length;
      const closed = engine.closeRoom(room_id);
      await expect(playRoom(room_id, [files.tone(40)])).rejects.toMatchObject({ refusal: "gone" });
      await closed;
      expect(recorder.ofRoom(room_id).slice(started)).toMatchObject([{ type: "play.stopped", reason: "destroyed" }]);
      for (const session_uuid of sessions) {
        const left = { session_uuid, type: "room.left", operation_id: null, room_id, reason: "removed" };
        expect(recorder.of(session_uuid).at(-1)).toEqual(left);
        const { operation_id } = await run(place(), "joinRoom", session_uuid, { room_id, muted: false });
        const failed = { session_uuid, type: "failed", operation_id, error: "Room ended" };
        expect(recorder.of(session_uuid).at(-1)).toEqual(failed);
      }
      await engine.closeRoom(room_id);
      const gone = { refusal: "gone" };
      await expect(playRoom(room_id, [files.tone(40)])).rejects.toMatchObject(gone);
      await expect(runRoom(place(), "stopRoom", room_id, {})).rejects.toMatchObject(gone);
      await expect(runRoom(place(), "pauseRoom", room_id, { paused: true })).rejects.toMatchObject(gone);
      await expect(runRoom(place(), "setRoomVolume", room_id, { volume: 1 })).rejects.toMatchObject(gone);
    });

    test("closed while its files are fetched: the play fails", async () => {
      const { engine, recorder, files } = place();
      const room_id = await openRoom(place());
      const late = files.tone(100, `room-${newOperation().operation_id}`);
      const held = files.hold(late);
      const { operation_id } = await playRoom(room_id, [late]);
      await held.requested;
      await engine.closeRoom(room_id);
      held.release();
      expect(recorder.ofRoom(room_id)).toEqual([{ room_id, type: "failed", operation_id, error: "Room ended" }]);
    });

    test("closed while calls join it, leave it and play to it: each of them is told what came of it", async () => {
      const { engine, recorder, files } = place();
      for (let round = 0; round < 5; round++) {
        const room_id = await openRoom(place());
        const sessions = [await answered(), await answered(), await answered(), await answered()];
        const [inside = ""] = sessions;
        await run(place(), "joinRoom", inside, { room_id, muted: false });
        const joins = sessions.map((id) => {
          const body = { room_id, muted: false };
          return id === inside
            ? begin({ engine }, "leaveRoom", id, {}, newOperation())
            : begin({ engine }, "joinRoom", id, body, newOperation());
        });
        // From the moment of their sending to that of their answer.
        for (let turn = 0; turn < round; turn++) await Promise.resolve();
        const plays = playRoom(room_id, [files.tone(20_000)]).catch((refused) => refused);
        await engine.closeRoom(room_id);
        const told = recorder.events.length;
        await Promise.all([...joins, plays]);
        const late = recorder.events.slice(told).filter((event) => event.session_uuid !== inside);
        expect(late).toEqual([]);
        for (const id of sessions) {
          const types = recorder.types(id, "answered").join();
          const expected = id === inside ? /^room.joined,room.left(,failed)?$/ : /^(failed|room.joined,room.left)$/;
          expect(types).toMatch(expected);
        }
        expect(recorder.roomTypes(room_id).join()).toMatch(/^(play.started,play.stopped|failed)?$/);
      }
    });

    test("opened again nothing changes; never opened, it is gone", async () => {
      const { engine, recorder, files } = place();
      const room_id = await playing(files.tone(300));
      await engine.openRoom(room_id);
      expect(await recorder.roomEvent(room_id, "play.stopped")).toMatchObject({ reason: "completed" });
      const unknown = `${engine.node}-room-${newOperation().operation_id}`;
      await expect(playRoom(unknown, [files.tone(40)])).rejects.toMatchObject({ refusal: "gone" });
      await engine.closeRoom(unknown);
      engine.cancel(unknown, newOperation().operation_id);
    });
  });
}
