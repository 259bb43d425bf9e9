/** What the script of a simulated caller means. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ScriptStep } from "../../src/engines/engine";
import { levelAt } from "../media-child/peer";
import { hear, readHeard, Shelf } from "./ear";
import { type EmbeddedPlace, openEmbedded } from "./place";
import { openRoom, play, run } from "./suite";

describe("a simulated caller", () => {
  const shelf = new Shelf();
  let place: EmbeddedPlace;
  beforeAll(async () => {
    await shelf.open();
    place = await openEmbedded();
  });
  afterAll(async () => {
    await place.close();
    await shelf.close();
  });

  const call = async (...script: ScriptStep[]): Promise<string> => {
    const called = await place.engine.call({ did: "1000", caller_id: "sandbox", script });
    if (typeof called === "string") throw new Error(called);
    return called.session_uuid;
  };
  const waitFor = (event: string) => ({ do: "wait_for", event }) as const;
  const press = (digits: string) => ({ do: "press", digits, gap_ms: 40 }) as const;
  const hangup = { do: "hangup" } as const;

  test("steps run one after the other", async () => {
    const session_uuid = await call(
      { do: "wait", ms: 20 },
      press("1"),
      { do: "tone", hz: 440, ms: 40 },
      press("2"),
      hangup,
    );
    const { by } = await place.recorder.event(session_uuid, "hangup");
    expect(by).toBe("caller");
    expect(place.recorder.types(session_uuid)).toEqual(["dtmf", "dtmf", "hangup"]);
  });

  test("a key without a gap of its own", async () => {
    const session_uuid = await call({ do: "press", digits: "12" }, hangup);
    await place.recorder.event(session_uuid, "hangup");
    expect(place.recorder.types(session_uuid)).toEqual(["dtmf", "dtmf", "hangup"]);
  });

  test("an event that comes during a press is not missed, and two waits take two events", async () => {
    const session_uuid = await call(press("12"), waitFor("dtmf"), waitFor("dtmf"), hangup);
    await place.recorder.event(session_uuid, "hangup");
    expect(place.recorder.types(session_uuid)).toEqual(["dtmf", "dtmf", "hangup"]);
  });

  test("one event does not end two waits", async () => {
    const session_uuid = await call(press("1"), waitFor("dtmf"), waitFor("dtmf"), hangup);
    await place.recorder.event(session_uuid, "dtmf");
    await run(place, "answer", session_uuid, {});
    await run(place, "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "app" });
  });

  test("two events of one moment end two waits", async () => {
    const session_uuid = await call(waitFor("call.answered"), waitFor("command.result"), hangup);
    await run(place, "answer", session_uuid, {});
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "caller" });
  });

  test("what came before a wait that had to wait is passed", async () => {
    const session_uuid = await call(press("1"), waitFor("call.answered"), waitFor("dtmf"), hangup);
    await place.recorder.event(session_uuid, "dtmf");
    // Long enough for the press to be over.
    await play(place, session_uuid, place.files.tone(100));
    await place.recorder.event(session_uuid, "playback.stopped");
    await run(place, "answer", session_uuid, {});
    await play(place, session_uuid, place.files.tone(40));
    await place.recorder.event(session_uuid, "playback.stopped", 2);
    expect(place.recorder.types(session_uuid)).not.toContain("hangup");
  });

  test("what came before the event that ended a wait is passed", async () => {
    const session_uuid = await call(waitFor("call.new"), waitFor("call.answered"), waitFor("call.new"), hangup);
    await run(place, "answer", session_uuid, {});
    await play(place, session_uuid, place.files.tone(40));
    await place.recorder.event(session_uuid, "playback.stopped");
    expect(place.recorder.types(session_uuid)).not.toContain("hangup");
  });

  test.each(["call.answered", "playback.started", "playback.stopped", "playback.file_not_found", "command.result"])(
    "waits for %s",
    async (event) => {
      const session_uuid = await call(waitFor(event), hangup);
      await run(place, "answer", session_uuid, {}).catch(() => undefined);
      if (event.startsWith("playback")) await play(place, session_uuid, place.files.missing(), place.files.tone(40));
      expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "caller" });
    },
  );

  test.each([
    "conference.member.joined",
    "conference.member.muted",
    "conference.member.unmuted",
    "conference.member.left",
    "recording.completed",
  ])("waits for %s", async (event) => {
    const { recorder } = place;
    const session_uuid = await call(waitFor(event), hangup);
    await run(place, "answer", session_uuid, {});
    const room_id = await openRoom(place);
    const steps: (() => Promise<unknown>)[] = [
      () => run(place, "joinRoom", session_uuid, { room_id, muted: false }),
      () => run(place, "mute", session_uuid, {}),
      () => run(place, "unmute", session_uuid, {}),
      () => run(place, "leaveRoom", session_uuid, {}),
      () => hear(place, shelf, session_uuid, async () => undefined),
    ];
    for (const step of steps) {
      expect(recorder.types(session_uuid)).not.toContain("hangup");
      await step();
      if (recorder.types(session_uuid).includes("hangup")) break;
    }
    expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ by: "caller" });
    const last = recorder.types(session_uuid).at(-2);
    expect(last).toBe(
      event
        .replace("conference.member", "room")
        .replace(/unmuted/, "muted")
        .replace("completed", "stopped"),
    );
  });

  test("a join of the room that he is in is no second event", async () => {
    const session_uuid = await call(
      waitFor("conference.member.joined"),
      waitFor("command.result"),
      waitFor("command.result"),
      waitFor("conference.member.joined"),
      hangup,
    );
    const room_id = await openRoom(place);
    for (let nth = 0; nth < 2; nth++) await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    await run(place, "mute", session_uuid, {});
    expect(place.recorder.types(session_uuid)).not.toContain("hangup");
  });

  test("his tone is heard by the others in his room: not by himself, not while he is muted, not when the room is closed", async () => {
    const { engine, recorder, files } = place;
    const room_id = await openRoom(place);
    const tone = { do: "tone", hz: 700, ms: 600 } as const;
    const cue = waitFor("playback.file_not_found");
    const talker = await call(...["1", "2", "3", "4"].flatMap((key) => [cue, tone, press(key)]));
    const listener = await call();
    for (const member of [talker, listener]) await run(place, "joinRoom", member, { room_id, muted: false });
    let spoken = 0;
    /** Is it heard on the talker's line to us, on ours to him, and on ours to the listener? */
    const speaks = async (): Promise<boolean[]> => {
      const [own, other] = [shelf.file(), shelf.file()];
      await run(place, "startRecording", talker, { file: own });
      await run(place, "startRecording", listener, { file: other });
      spoken += 1;
      await play(place, talker, files.missing(`cue-${spoken}`));
      await recorder.event(talker, "dtmf", spoken);
      await run(place, "stopRecording", talker, {});
      await run(place, "stopRecording", listener, {});
      for (const { recording_id } of [own, other]) await recorder.recorded(recording_id);
      const { left, right } = await readHeard(own.path);
      const heard = await readHeard(other.path);
      return [left, right, heard.right].map((pcm) => levelAt(pcm, 700) > -30);
    };
    expect(await speaks()).toEqual([true, false, true]);
    const { operation_id } = await run(place, "mute", talker, {});
    expect(await speaks()).toEqual([true, false, false]);
    engine.cancel(talker, operation_id);
    expect(await speaks()).toEqual([true, false, true]);
    await engine.closeRoom(room_id);
    expect(await speaks()).toEqual([true, false, false]);
  });

  test("without a hangup he stays; when the app hangs up in the middle of a step, he is gone", async () => {
    const session_uuid = await call({ do: "wait", ms: 600_000 }, hangup);
    const other = await call(press("1".repeat(128)), hangup);
    const third = await call();
    await place.recorder.event(other, "dtmf");
    for (const id of [session_uuid, other, third]) {
      await run(place, "hangup", id, { cause: "USER_BUSY" });
      expect(await place.recorder.event(id, "hangup")).toMatchObject({ by: "app", sip_status: 486 });
    }
  });
});
