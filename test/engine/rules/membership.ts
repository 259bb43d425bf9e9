import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { levelAt } from "../../media-child/peer";
import { hear, Shelf } from "../ear";
import { begin, collect, newOperation, openRoom, type Place, play, run, runRoom } from "../suite";

/** dBFS of a tone of -12 dBFS that is there for most of the time, and of one that is not there. */
const loud = -20;
const quiet = -50;
const blockSamples = 800;
/** Of the loudest 100 ms: neither what slips nor how long a recording goes on has to do with what is heard. */
const loudest = (pcm: Int16Array): number =>
  Math.max(
    ...Array.from({ length: Math.floor(pcm.length / blockSamples) }, (_, nth) =>
      levelAt(pcm.subarray(nth * blockSamples, (nth + 1) * blockSamples), 440),
    ),
  );

/** A call in a room: how it gets in and out, and who hears whom. */
export function membershipRules(place: () => Place): void {
  const shelf = new Shelf();
  beforeAll(() => shelf.open());
  afterAll(() => shelf.close());
  const answered = async (): Promise<string> => {
    const session_uuid = await place().call([]);
    await run(place(), "answer", session_uuid, {});
    await place().recorder.event(session_uuid, "answered");
    return session_uuid;
  };
  const member = async (room_id: string, muted = false): Promise<string> => {
    const session_uuid = await answered();
    await run(place(), "joinRoom", session_uuid, { room_id, muted });
    await place().recorder.event(session_uuid, "room.joined");
    return session_uuid;
  };
  const through = async (session_uuid: string): Promise<void> => {
    const { command_uid } = await play(place(), session_uuid, place().files.tone(800));
    await place().recorder.stopped(session_uuid, command_uid);
  };

  describe("membership", () => {
    test("joins, is muted and unmuted, leaves, and comes back", async () => {
      const { recorder } = place();
      const room_id = await openRoom(place());
      const session_uuid = await answered();
      const joined = await run(place(), "joinRoom", session_uuid, { room_id, muted: true });
      const unmuted = await run(place(), "unmute", session_uuid, {});
      const muted = await run(place(), "mute", session_uuid, {});
      const left = await run(place(), "leaveRoom", session_uuid, {});
      const again = await run(place(), "joinRoom", session_uuid, { room_id, muted: false });
      await recorder.event(session_uuid, "room.joined", 2);
      const about = { session_uuid, room_id };
      expect(recorder.of(session_uuid, "answered")).toEqual([
        { ...about, type: "room.joined", operation_id: joined.operation_id, muted: true },
        { ...about, type: "room.muted", operation_id: unmuted.operation_id, muted: false },
        { ...about, type: "room.muted", operation_id: muted.operation_id, muted: true },
        { ...about, type: "room.left", operation_id: left.operation_id, reason: "left" },
        { ...about, type: "room.joined", operation_id: again.operation_id, muted: false },
      ]);
    });

    test("joins the room that it is in: only the command is confirmed, and it stays as muted as it is", async () => {
      const { recorder, files } = place();
      const room_id = await openRoom(place());
      const session_uuid = await member(room_id, true);
      await play(place(), session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      const { operation_id } = await run(place(), "joinRoom", session_uuid, { room_id, muted: false });
      expect(await recorder.event(session_uuid, "room.joined", 2)).toMatchObject({ operation_id, muted: true });
      place().engine.cancel(session_uuid, operation_id);
      expect(recorder.types(session_uuid)).toEqual(["answered", "room.joined", "playback.started", "room.joined"]);
    });

    test("a join ends what plays as replaced and what is collected as unknown", async () => {
      const { recorder, files } = place();
      const room_id = await openRoom(place());
      const playing = await answered();
      await play(place(), playing, files.tone(20_000));
      await recorder.event(playing, "playback.started");
      const collecting = await answered();
      await run(place(), "playAndGetDigits", collecting, { ...collect, prompt_files: [files.tone(20_000)] });
      await recorder.event(collecting, "digits.started");
      for (const session_uuid of [playing, collecting]) {
        await run(place(), "joinRoom", session_uuid, { room_id, muted: false });
        await recorder.event(session_uuid, "room.joined");
      }
      expect(recorder.of(playing).slice(-2)).toMatchObject([{ reason: "replaced" }, { type: "room.joined" }]);
      expect(recorder.of(collecting).slice(-2)).toMatchObject([{ status: "unknown" }, { type: "room.joined" }]);
    });

    test("one in another room leaves that first", async () => {
      const { recorder } = place();
      const [first, second] = [await openRoom(place()), await openRoom(place())];
      const session_uuid = await member(first);
      await run(place(), "joinRoom", session_uuid, { room_id: second, muted: false });
      await recorder.event(session_uuid, "room.joined", 2);
      expect(recorder.of(session_uuid).slice(-2)).toMatchObject([
        { type: "room.left", room_id: first, operation_id: null, reason: "left" },
        { type: "room.joined", room_id: second },
      ]);
      await place().engine.closeRoom(first);
      expect(recorder.types(session_uuid).filter((type) => type === "room.left")).toHaveLength(1);
    });

    test("what plays to a member is heard by it alone, what plays to the room by all of them, by nobody who has left", async () => {
      const { recorder, files } = place();
      const room_id = await openRoom(place());
      const [one, two, three] = [await member(room_id), await member(room_id), await member(room_id)];
      const alone = await hear(place(), shelf, two, () => hear(place(), shelf, one, () => through(one)));
      expect(levelAt(alone.right, 440)).toBeLessThan(quiet);
      await run(place(), "leaveRoom", three, {});
      const heard = await Promise.all(
        [one, two, three].map((session_uuid, index) =>
          hear(place(), shelf, session_uuid, async () => {
            if (index === 0)
              await runRoom(place(), "playRoom", room_id, { urls: [files.tone(800)], loop: false, volume: 0 });
            await recorder.roomEvent(room_id, "play.stopped");
          }),
        ),
      );
      const levels = heard.map(({ right }) => loudest(right));
      expect(levels[0]).toBeGreaterThan(loud);
      expect(levels[1]).toBeGreaterThan(loud);
      expect(levels[2]).toBeLessThan(quiet);
    });

    test("cancelled when it has joined: it is taken out; cancelled when it has left: it stays out", async () => {
      const { engine, recorder, files } = place();
      const room_id = await openRoom(place());
      const session_uuid = await answered();
      const joined = await run(place(), "joinRoom", session_uuid, { room_id, muted: false });
      engine.cancel(session_uuid, newOperation().operation_id);
      expect(recorder.types(session_uuid)).toEqual(["answered", "room.joined"]);
      engine.cancel(session_uuid, joined.operation_id);
      expect(recorder.of(session_uuid).at(-1)).toMatchObject({ type: "room.left", operation_id: null, reason: "left" });
      const { right } = await hear(place(), shelf, session_uuid, async () => {
        await runRoom(place(), "playRoom", room_id, { urls: [files.tone(300)], loop: false, volume: 0 });
        await recorder.roomEvent(room_id, "play.stopped");
      });
      expect(levelAt(right, 440)).toBeLessThan(quiet);
      await run(place(), "joinRoom", session_uuid, { room_id, muted: false });
      const left = await run(place(), "leaveRoom", session_uuid, {});
      engine.cancel(session_uuid, left.operation_id);
      engine.cancel(session_uuid, joined.operation_id);
      expect(recorder.types(session_uuid, "answered", "recording.started", "recording.stopped")).toEqual([
        "room.joined",
        "room.left",
        "room.joined",
        "room.left",
      ]);
    });

    test("cancelled before it is taken: it never joins, leaves or is muted", async () => {
      const { engine, recorder } = place();
      const room_id = await openRoom(place());
      const session_uuid = await answered();
      const join = newOperation();
      const taken = begin({ engine }, "joinRoom", session_uuid, { room_id, muted: false }, join);
      engine.cancel(session_uuid, join.operation_id);
      await taken;
      expect(recorder.types(session_uuid)).toEqual(["answered"]);
      await run(place(), "joinRoom", session_uuid, { room_id, muted: false });
      for (const command of ["mute", "leaveRoom"] as const) {
        const operation = newOperation();
        const done = begin({ engine }, command, session_uuid, {}, operation);
        engine.cancel(session_uuid, operation.operation_id);
        await done;
      }
      expect(recorder.types(session_uuid)).toEqual(["answered", "room.joined"]);
    });

    test("a mute that was cancelled is undone: joined again, it is as it was", async () => {
      const { engine, recorder } = place();
      const room_id = await openRoom(place());
      const session_uuid = await member(room_id);
      const { operation_id } = await run(place(), "mute", session_uuid, {});
      engine.cancel(session_uuid, operation_id);
      await run(place(), "joinRoom", session_uuid, { room_id, muted: true });
      expect(await recorder.event(session_uuid, "room.joined", 2)).toMatchObject({ muted: false });
    });

    test("outside of a room there is nothing to leave or to mute: its room has ended", async () => {
      const { recorder } = place();
      const session_uuid = await answered();
      const operations = [];
      for (const command of ["leaveRoom", "mute", "unmute"] as const) {
        operations.push((await run(place(), command, session_uuid, {})).operation_id);
      }
      expect(recorder.of(session_uuid, "answered")).toEqual(
        operations.map((operation_id) => ({ session_uuid, type: "failed", operation_id, error: "Room ended" })),
      );
    });

    test("the call ends in its room: it tells of nothing else; of one that has ended each command is gone", async () => {
      const { recorder } = place();
      const room_id = await openRoom(place());
      const session_uuid = await member(room_id);
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      await recorder.event(session_uuid, "hangup");
      const gone = { refusal: "gone" };
      await expect(run(place(), "joinRoom", session_uuid, { room_id, muted: false })).rejects.toMatchObject(gone);
      for (const command of ["leaveRoom", "mute", "unmute"] as const) {
        await expect(run(place(), command, session_uuid, {})).rejects.toMatchObject(gone);
      }
      await place().engine.closeRoom(room_id);
      expect(recorder.types(session_uuid)).toEqual(["answered", "room.joined", "hangup"]);
    });
  });
}
