/** Commands and recordings from the API to the store: answered, told of and counted. */
import { describe, expect, test } from "@jest/globals";
import { type Outcome, Refused } from "../../src/engines/engine";
import { Place, PlayedEngine } from "./place";

async function place() {
  const engine = new PlayedEngine();
  return { engine, here: await Place.open([engine]) };
}

const hangup = { type: "hangup", cause: "NORMAL_CLEARING", q850_cause: 16, sip_status: null, by: "caller" } as const;

describe("a command", () => {
  test("of a call and of a room: taken, told of, counted", async () => {
    const { here } = await place();
    const [session_uuid, room_id] = [await here.call(), await here.room("standup")];
    await here.command("stopPlayback", session_uuid, {});
    await here.roomCommand("stopRoom", room_id, {});
    expect((await here.told(session_uuid)).at(-1)).toMatchObject({ data: { command: "playback/stop", success: true } });
    expect((await here.told(room_id)).at(-1)).toMatchObject({ data: { command: "room/stop", success: true } });
    expect(here.counted).toEqual([
      "playback/stop embedded succeeded",
      "playback/stop embedded accepted",
      "room/stop embedded succeeded",
      "room/stop embedded accepted",
    ]);
    await here.close();
  });

  test("that had nothing to act on is taken, and fails", async () => {
    const { engine, here } = await place();
    const room_id = await here.room("standup");
    engine.take = async () => ({ failure: "No active playback" });
    await here.roomCommand("pauseRoom", room_id, { paused: true });
    expect((await here.told(room_id)).at(-1)).toMatchObject({ data: { code: "no_active_playback" } });
    expect(here.counted).toEqual(["room/pause embedded failed", "room/pause embedded accepted"]);
    await here.close();
  });

  test("that is refused has no result; one without an answer is undone", async () => {
    const { engine, here } = await place();
    const room_id = await here.room("standup");
    engine.take = () => Promise.reject(new Refused("gone"));
    await expect(here.roomCommand("stopRoom", room_id, {})).rejects.toEqual(new Refused("gone"));
    engine.take = () => new Promise<Outcome>(() => undefined);
    await expect(here.roomCommand("stopRoom", room_id, {})).rejects.toEqual(new Refused("late"));
    expect(await here.names(room_id)).toEqual(["conference.created"]);
    expect(engine.cancelled).toHaveLength(1);
    expect(here.counted).toEqual(["room/stop embedded refused", "room/stop embedded refused"]);
    await here.close();
  });

  test("is answered as taken when the room went first and told of its end", async () => {
    const { engine, here } = await place();
    const room_id = await here.room("standup");
    engine.take = async () => {
      await here.sessions.closeRoom(room_id);
      throw new Refused("gone");
    };
    const { operation_id } = await here.roomCommand("stopRoom", room_id, {});
    const results = (await here.told(room_id)).filter(({ event }) => event === "command.result");
    expect(results).toMatchObject([{ data: { operation_id, error: "Room ended" } }]);
    await here.close();
  });

  test("of a room whose confirmation does not come is settled by the sweep, as that of a call", async () => {
    const { engine, here } = await place();
    const [session_uuid, room_id] = [await here.call(), await here.room("standup")];
    const ids = [
      await here.command("answer", session_uuid, {}),
      await here.roomCommand("playRoom", room_id, { urls: ["http://a/"], loop: false, volume: 0 }),
    ].map(({ operation_id }) => operation_id);
    here.failing.forward(1000);
    here.sessions.start();
    for (const id of [session_uuid, room_id])
      expect(await here.event(id, "command.result")).toMatchObject({ data: { code: "media_server_timed_out" } });
    expect(engine.cancelled.sort()).toEqual(ids.sort());
    here.sessions.emitRoom({
      ...{ room_id, type: "play.started", operation_id: ids[1] ?? "", command_uid: "p", urls: ["http://a/"] },
      ...{ index: 0, loop: false, volume: 0 },
    });
    await here.sessions.closeRoom(room_id);
    expect(await here.names(room_id)).not.toContain("conference.play.started");
    expect(here.log.some((line) => line.includes("confirmation came too late") && line.includes(room_id))).toBe(true);
    await here.close();
  });
});

describe("a command that is broken", () => {
  test("is a defect that is said, also when the call has had its result", async () => {
    const { engine, here } = await place();
    const session_uuid = await here.call();
    engine.take = async () => {
      here.sessions.emit({ session_uuid, ...hangup });
      throw new TypeError("a defect");
    };
    const { operation_id } = await here.command("stopPlayback", session_uuid, {});
    const results = (await here.told(session_uuid)).filter(({ event }) => event === "command.result");
    expect(results).toMatchObject([{ data: { operation_id, error: "Session ended" } }]);
    const errors = here.log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50);
    expect(errors).toMatchObject([{ operation_id, command: "playback/stop", err: { message: "a defect" } }]);
    await here.close();
  });
});

describe("a recording that the media server does not take leaves no file", () => {
  test.each([
    ["refused", () => Promise.reject(new Refused("gone"))],
    ["not possible", async () => ({ failure: "Recording could not be started" }) as const],
  ])("%s", async (_, take: PlayedEngine["take"]) => {
    const { engine, here } = await place();
    const session_uuid = await here.call();
    engine.take = take;
    const { operation, session } = await here.admitted("startRecording", session_uuid);
    if (!session) throw new Error("no session was answered");
    const asked = { command: "startRecording", body: {}, operation, session } as const;
    await here.sessions.command(asked).catch((error) => expect(error).toEqual(new Refused("gone")));
    expect(here.discarded).toEqual([operation.command_uid]);
    await here.close();
  });

  test("refused because the call ended meanwhile, which is answered as taken", async () => {
    const { engine, here } = await place();
    const session_uuid = await here.call();
    engine.take = async () => {
      here.sessions.emit({ session_uuid, ...hangup });
      throw new Refused("gone");
    };
    const { command_uid } = await here.command("startRecording", session_uuid, {});
    expect(here.discarded).toEqual([command_uid]);
    await here.close();
  });

  test.each([
    ["refused", true],
    ["taken all the same", false],
  ])("late, and then %s", async (_, refused) => {
    const { engine, here } = await place();
    const session_uuid = await here.call();
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    engine.take = async (_id, operation) => {
      await answered;
      if (refused) throw new Refused("late");
      const { command_uid: recording_id } = operation;
      here.sessions.emit({ session_uuid, type: "recording.started", ...operation, recording_id });
      return undefined;
    };
    const { operation, session } = await here.admitted("startRecording", session_uuid);
    if (!session) throw new Error("no session was answered");
    const asked = { command: "startRecording", body: {}, operation, session } as const;
    await expect(here.sessions.command(asked)).rejects.toEqual(new Refused("late"));
    expect(here.discarded).toEqual([]);
    answer();
    // What is taken back by then has been.
    await here.room("standup");
    expect(here.discarded).toEqual(refused ? [operation.command_uid] : []);
    await here.close();
  });
});

test("a recording whose file is not known in time is not asked for any more", async () => {
  const engine = new PlayedEngine();
  const taken: string[] = [];
  engine.take = async (id) => {
    taken.push(id);
    return undefined;
  };
  let write = (): void => undefined;
  const written = new Promise<void>((resolve) => {
    write = resolve;
  });
  const begin = () => written.then(() => ({ recording_id: "slow", path: "/dev/null" }));
  let discard = async (_: { readonly recording_id: string }): Promise<void> => undefined;
  const discarded = new Promise<string>((resolve) => {
    discard = async ({ recording_id }) => resolve(recording_id);
  });
  const here = await Place.open([engine], { recordings: { begin, discard, finish: () => undefined } });
  const session_uuid = await here.call();
  await expect(here.command("startRecording", session_uuid, {})).rejects.toEqual(new Refused("late"));
  write();
  expect(await discarded).toBe("slow");
  expect(taken).toEqual([]);
  await here.close();
});

describe("a recording", () => {
  const whole = { recording_id: "rec-1", recording_url: "http://voice/rec-1", duration_ms: 2000 };

  test("is finished once that it stopped is committed, and told of after the end of the call", async () => {
    const { here } = await place();
    const session_uuid = await here.call();
    const operation = await here.admit("startRecording", session_uuid);
    const { command_uid } = operation;
    here.sessions.emit({ session_uuid, type: "recording.started", ...operation, recording_id: "rec-1" });
    here.sessions.emit({ session_uuid, ...hangup });
    await here.event(session_uuid, "call.hangup");
    expect(here.sessions.live).toBe(0);
    expect(here.finished).toEqual([]);
    here.sessions.emit({ session_uuid, type: "recording.stopped", recording_id: "rec-1", failure: null });
    await here.sessions.recorded(session_uuid, { ...whole, recording_id: "unknown" });
    expect(here.finished).toEqual(["rec-1"]);
    await here.sessions.recorded(session_uuid, whole);
    await here.sessions.recorded(session_uuid, whole);
    expect((await here.told(session_uuid)).slice(-2)).toMatchObject([
      { event: "call.hangup" },
      { event: "recording.completed", data: { command_uid, recording_id: "rec-1", duration: 2 } },
    ]);
    expect(await here.store.loadSession(session_uuid)).toBeNull();
    await here.close();
  });

  test("of a call that nobody knows is told to nobody", async () => {
    const { here } = await place();
    await expect(here.sessions.recorded("played-00000000-0000-4000-8000-000000000000", whole)).resolves.toBeUndefined();
    await here.close();
  });
});
