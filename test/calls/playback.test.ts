/** What a caller hears, and what the app is told of it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { tones } from "./hearing";
import { opening, Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe("with a phone", () => {
  test("early media: a tone before the answer, and another after it", async () => {
    const { phone, session_uuid } = await stage.ringing();
    await stage.done(session_uuid, "playback/start", { command_uid: "soon", urls: [stage.files.tone(400)] });
    await phone.event("CALL_PROGRESS");
    expect((await phone.received("SIP/2.0 183 ")).text).toContain("\r\nm=audio ");
    expect((await stage.session(session_uuid)).body).toMatchObject({ state: "early", answered_at: null });
    await stage.receiver.event("playback.stopped", session_uuid);
    expect(phone.events.map(({ type }) => type)).not.toContain("CALL_ESTABLISHED");

    await stage.done(session_uuid, "answer", { command_uid: "take" });
    await phone.event("CALL_ESTABLISHED");
    await stage.done(session_uuid, "playback/start", {
      command_uid: "rest",
      urls: [stage.files.tone(3000)],
      offset_sec: 2,
    });
    const rest = await stage.receiver.until(
      () => stage.receiver.of(session_uuid).filter(({ event }) => event === "playback.stopped")[1],
    );
    expect(rest.data).toMatchObject({ command_uid: "rest", reason: "completed", offset_ms: 3000 });
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    expect(await stage.story(session_uuid)).toEqual([
      "call.new",
      "playback.started soon",
      "command.result playback/start soon done",
      "playback.stopped soon completed",
      "call.answered take",
      "command.result answer take done",
      "playback.started rest",
      "command.result playback/start rest done",
      "playback.stopped rest completed",
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
    ]);
    const heard = tones(await phone.heard());
    expect(heard.map(({ hz }) => Math.round(hz))).toEqual([440, 440]);
    // 400 ms, and the last second of three; one packet may be missing.
    expect(Math.abs((heard[0]?.samples ?? 0) - 400 * 8)).toBeLessThanOrEqual(160);
    expect(Math.abs((heard[1]?.samples ?? 0) - 1000 * 8)).toBeLessThanOrEqual(160);
  });
});

describe("the last one wins", () => {
  test("a playback replaces one, a collection replaces that, a playback replaces the collection", async () => {
    const session_uuid = await stage.answered([{ do: "wait_for", event: "playback.started" }]);
    const long = stage.files.tone(20_000);
    await stage.done(session_uuid, "playback/start", { command_uid: "one", urls: [long] });
    await stage.done(session_uuid, "playback/start", { command_uid: "two", urls: [long] });
    await stage.done(session_uuid, "play_and_get_digits", { command_uid: "pin", prompt_files: [long] });
    await stage.done(session_uuid, "playback/start", { command_uid: "three", urls: [long] });
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "playback.started one",
      "command.result playback/start one done",
      "playback.stopped one replaced",
      "playback.started two",
      "command.result playback/start two done",
      "playback.stopped two replaced",
      "command.result play_and_get_digits pin done",
      "digits.collected pin unknown",
      "playback.started three",
      "command.result playback/start three done",
      "playback.stopped three hangup",
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
    ]);
  });

  test("stopped, and nothing left to stop", async () => {
    const session_uuid = await stage.answered();
    await stage.done(session_uuid, "playback/start", { command_uid: "one", urls: [stage.files.tone(20_000)] });
    expect((await stage.session(session_uuid)).body?.playback).toMatchObject({ command_uid: "one", index: 0 });
    await stage.done(session_uuid, "playback/stop", { command_uid: "stop" });
    expect((await stage.session(session_uuid)).body?.playback).toBeNull();
    const again = await stage.done(session_uuid, "playback/stop", { command_uid: "again" });
    expect(again.data).toMatchObject({ success: false, error: "No active playback", code: "no_active_playback" });
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "playback.started one",
      "command.result playback/start one done",
      "playback.stopped one stopped",
      "command.result playback/stop stop done",
      "command.result playback/stop again failed: No active playback",
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
    ]);
    const [stopped] = stage.receiver.of(session_uuid).filter(({ event }) => event === "playback.stopped");
    expect(stopped?.data).toMatchObject({ urls: [stage.files.tone(20_000)], file_path: stage.files.tone(20_000) });
  });
});
