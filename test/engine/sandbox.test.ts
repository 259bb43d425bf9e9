/** What the script of a simulated caller means. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ScriptStep } from "../../src/engines/engine";
import { type EmbeddedPlace, openEmbedded } from "./place";
import { play, run } from "./suite";

describe("a simulated caller", () => {
  let place: EmbeddedPlace;
  beforeAll(async () => {
    place = await openEmbedded();
  });
  afterAll(() => place.close());

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
