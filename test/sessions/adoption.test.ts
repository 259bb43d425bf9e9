/** Calls and rooms that a media server goes on with while another gateway takes it over. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Exchange } from "../engine/exchange";
import { FileServer } from "../engine/files";
import { away } from "../errors/failing";
import { answered, closeInstances, type Instance, instance, said, taken, takeOver } from "./instances";

const files = new FileServer();
let exchange: Exchange;
let first: Instance;
beforeEach(async () => {
  exchange = new Exchange();
  first = await instance(exchange);
  await files.listen();
});
afterEach(async () => {
  await closeInstances();
  await files.close();
});

const silence = { duration_ms: 60_000 };

describe("a call goes on", () => {
  test("that played: in silence, it can be told what to do, and it ends once", async () => {
    const session_uuid = await answered(exchange, first);
    await first.here.command("playSilence", session_uuid, silence);
    await first.here.event(session_uuid, "playback.started");
    await delay(5);
    const second = await takeOver(exchange, first);
    const { data } = await second.here.event(session_uuid, "playback.stopped");
    expect(Number(data.offset_ms)).toBeGreaterThan(0);
    expect(data.duration_ms).toBe(data.offset_ms);
    expect(exchange.plays(session_uuid)).toBe(false);
    await second.here.command("playSilence", session_uuid, silence);
    await second.here.command("pausePlayback", session_uuid, {});
    exchange.finish(session_uuid);
    while ((await said(second, session_uuid)).length < 7) await delay(5);
    await second.here.command("hangup", session_uuid, { cause: "USER_BUSY" });
    await second.here.event(session_uuid, "call.hangup");
    expect(await said(second, session_uuid)).toEqual([
      "playback.started",
      "playback/silence done",
      "playback.stopped stopped",
      "playback.started",
      "playback/silence done",
      "playback/pause done",
      "playback.stopped completed",
      "hangup done",
      "call.hangup USER_BUSY app",
    ]);
    expect(exchange.channels.size).toBe(0);
    expect(second.here.sessions.live).toBe(0);
  });

  test("of which digits were collected: that ended, what is keyed later is told, and it can be asked again", async () => {
    const session_uuid = await answered(exchange, first);
    const collect = { prompt_files: [files.tone(100)], min_digits: 1, max_digits: 4, max_tries: 1 };
    const body = { ...collect, timeout_ms: 60_000, terminators: "#" };
    await first.here.command("playAndGetDigits", session_uuid, body);
    while (!(await said(first, session_uuid)).includes("play_and_get_digits done")) await delay(5);
    first.engine.handler(session_uuid).onDigit("1", 100);
    const second = await takeOver(exchange, first);
    await second.here.event(session_uuid, "digits.collected");
    second.engine.handler(session_uuid).onDigit("2", 100);
    await second.here.command("playAndGetDigits", session_uuid, body);
    while ((await said(second, session_uuid)).filter((line) => line.endsWith("digits done")).length < 2) await delay(5);
    for (const key of "34#") second.engine.handler(session_uuid).onDigit(key, 100);
    exchange.hangUp(session_uuid);
    await second.here.event(session_uuid, "call.hangup");
    expect(await said(second, session_uuid)).toEqual([
      "play_and_get_digits done",
      "dtmf",
      "digits.collected unknown",
      "dtmf",
      "play_and_get_digits done",
      "dtmf",
      "dtmf",
      "dtmf",
      "digits.collected success",
      "call.hangup NORMAL_CLEARING caller",
    ]);
  });

  test("in its room, muted as it was, until it leaves; and it can join again", async () => {
    const room_id = await first.here.room("standup");
    const session_uuid = await answered(exchange, first);
    await first.here.command("joinRoom", session_uuid, { room_id, muted: true });
    await first.here.event(session_uuid, "conference.member.joined");
    const second = await takeOver(exchange, first);
    expect(exchange.channel(session_uuid)).toMatchObject({ room: room_id, muted: true });
    await second.here.command("unmute", session_uuid, {});
    await second.here.command("leaveRoom", session_uuid, {});
    await second.here.event(session_uuid, "conference.member.left");
    await second.here.command("joinRoom", session_uuid, { room_id, muted: false });
    await second.here.sessions.closeRoom(room_id);
    expect(await said(second, session_uuid)).toEqual([
      "conference.member.joined",
      "conference/join done",
      "conference.member.unmuted",
      "conference/unmute done",
      "conference.member.left left",
      "conference/leave done",
      "conference.member.joined",
      "conference/join done",
      "conference.member.left removed",
    ]);
    expect(exchange.channel(session_uuid).room).toBeNull();
    expect(exchange.rooms.size).toBe(0);
  });

  test("in a room that is deleted: what played there ended, it is removed, and both go on once", async () => {
    const room_id = await first.here.room("standup");
    const session_uuid = await answered(exchange, first);
    await first.here.command("joinRoom", session_uuid, { room_id, muted: false });
    await first.here.event(session_uuid, "conference.member.joined");
    await first.here.roomCommand("playRoom", room_id, { urls: [files.tone(60_000)], loop: true, volume: 0 });
    await first.here.event(room_id, "conference.play.started");
    const second = await takeOver(exchange, first);
    const { data } = await second.here.event(room_id, "conference.play.stopped");
    expect(data).toMatchObject({ offset_ms: expect.any(Number), duration_ms: expect.any(Number) });
    await second.here.roomCommand("playRoom", room_id, { urls: [files.tone(60_000)], loop: true, volume: 0 });
    while (!exchange.plays(room_id)) await delay(5);
    await second.here.sessions.closeRoom(room_id);
    await second.here.command("hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    await second.here.event(session_uuid, "call.hangup");
    const told = ["conference.play.started", "room/play done"];
    const ofRoom = (await said(second, room_id)).filter((line) => !line.startsWith("conference.member"));
    expect(ofRoom).toEqual([
      "conference.created",
      ...told,
      "conference.play.stopped stopped",
      ...told,
      "conference.play.stopped destroyed",
      "conference.destroyed",
    ]);
    expect((await said(second, session_uuid)).slice(2)).toEqual([
      "conference.member.left removed",
      "hangup done",
      "call.hangup NORMAL_CLEARING app",
    ]);
  });

  test("recorded: that ends with whoever began it, and it can be recorded again", async () => {
    const session_uuid = await answered(exchange, first);
    const { command_uid: recording_id } = await first.here.command("startRecording", session_uuid, {});
    while (!(await first.here.store.loadSession(session_uuid))?.state.recording) await delay(5);
    const second = await instance(exchange, first);
    // Its process is gone, without a word.
    exchange.engines.delete(first.engine);
    await first.here.sessions.close();
    await taken(second);
    while (second.here.finished.length === 0) await delay(5);
    expect(second.here.finished).toEqual([recording_id]);
    expect(exchange.channel(session_uuid).recording).toBeNull();
    await second.here.sessions.recorded(session_uuid, { recording_id, recording_url: null, duration_ms: 1 });
    await second.here.command("startRecording", session_uuid, {});
    exchange.hangUp(session_uuid);
    while (second.here.finished.length === 1) await delay(5);
    expect(await said(second, session_uuid)).toEqual([
      "record/start done",
      "recording.completed",
      "record/start done",
      "call.hangup NORMAL_CLEARING caller",
    ]);
  });

  test("recorded by one that has only lost the media server: that one finishes the file", async () => {
    const session_uuid = await answered(exchange, first);
    const { command_uid: recording_id } = await first.here.command("startRecording", session_uuid, {});
    while (!(await first.here.store.loadSession(session_uuid))?.state.recording) await delay(5);
    const second = await instance(exchange, first);
    await first.here.failing.while({ hold: away }, () => taken(second));
    while (first.engine.isReading) await delay(5);
    while (first.here.finished.length === 0) await delay(5);
    expect(first.here.finished).toEqual([recording_id]);
    await first.here.sessions.recorded(session_uuid, { recording_id, recording_url: null, duration_ms: 1 });
    await second.here.command("hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    await second.here.event(session_uuid, "call.hangup");
    expect(await said(second, session_uuid)).toEqual([
      "record/start done",
      "recording.completed",
      "hangup done",
      "call.hangup NORMAL_CLEARING app",
    ]);
  });

  test("that rang: it is answered, once, whoever began that", async () => {
    const { session_uuid, verdict } = exchange.ring();
    expect(await verdict).toBe("accepted");
    const second = await takeOver(exchange, first);
    await second.here.command("answer", session_uuid, {});
    await second.here.command("answer", session_uuid, {});
    exchange.hangUp(session_uuid);
    await second.here.event(session_uuid, "call.hangup");
    const told = await second.here.names(session_uuid);
    expect(told).toEqual(["call.new", "call.answered", "command.result", "command.result", "call.hangup"]);
    expect(exchange.asked.filter((what) => what === `ring ${session_uuid}`)).toHaveLength(1);
  });

  test("that was handed back: only its end is told", async () => {
    const session_uuid = await answered(exchange, first);
    await first.here.command("disconnect", session_uuid, {});
    const second = await takeOver(exchange, first);
    second.engine.handler(session_uuid).onDigit("1", 100);
    exchange.hangUp(session_uuid);
    await second.here.event(session_uuid, "call.hangup");
    expect(await said(second, session_uuid)).toEqual(["disconnect done", "call.hangup NORMAL_CLEARING caller"]);
  });
});
