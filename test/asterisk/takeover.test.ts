/** Calls at an Asterisk that outlive what reads its events, and Asterisks that do not outlive their calls. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Shelf } from "../engine/ear";
import { openRoom, play, run, runRoom } from "../engine/suite";
import { Gate } from "./gate";
import { AsteriskPlace, answeredCall, ready, survivors, toneMs, until } from "./place";
import { AsteriskServer } from "./server";

const own = /^(Snoop|Local)\//;

/** Where a playback was when nobody heard it any more. */
const unheard = { offset_ms: 700, duration_ms: 900 };

describe("another process takes the calls up", () => {
  let server: AsteriskServer;
  const shelf = new Shelf();
  beforeAll(async () => {
    server = await AsteriskServer.start();
    await shelf.open();
  });
  afterAll(async () => {
    await server.stop();
    await shelf.close();
  });

  test("closed, it leaves the call up and silent; the next one has it, in its room, and tells of its end", async () => {
    const first = await AsteriskPlace.open(server);
    const caller = await answeredCall(first);
    const { session_uuid } = caller;
    const room_id = await openRoom(first);
    await run(first, "joinRoom", session_uuid, { room_id, muted: false });
    const { command_uid } = await play(first, session_uuid, first.files.tone(20_000));
    await first.recorder.event(session_uuid, "playback.started");
    const roomPlay = await runRoom(first, "playRoom", room_id, {
      urls: [first.files.tone(20_000)],
      loop: true,
      volume: 1,
    });
    await first.recorder.roomEvent(room_id, "play.started");
    await first.leave();
    expect(first.recorder.types(session_uuid)).not.toContain("hangup");
    // It has cleared away what it had made for itself.
    await until(async () => (await server.channels()).filter((name) => own.test(name)).length === 0);
    const second = await AsteriskPlace.open(server, {
      prepare: (recorder) => {
        const [call] = survivors(first.recorder, {
          playback: { command_uid, ...unheard },
          room: { room_id, muted: false },
        });
        const rooms = [{ room_id, playback: { command_uid: roomPlay.command_uid, ...unheard } }];
        recorder.before = { calls: call ? [call] : [], rooms };
      },
    });
    const { recorder, engine } = second;
    expect(recorder.offers).toEqual([]);
    expect(recorder.of(session_uuid)).toMatchObject([{ type: "playback.stopped", command_uid, reason: "stopped" }]);
    expect(recorder.ofRoom(room_id)).toMatchObject([{ type: "play.stopped", command_uid: roomPlay.command_uid }]);
    const { operation_id } = await run(second, "joinRoom", session_uuid, { room_id, muted: true });
    expect(recorder.of(session_uuid).at(-1)).toMatchObject({ type: "room.joined", operation_id, muted: false });
    await run(second, "leaveRoom", session_uuid, {});
    await play(second, session_uuid, second.files.tone(100));
    await recorder.event(session_uuid, "playback.stopped", 2);
    engine.end(session_uuid, "APP_DELETED");
    expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ cause: "APP_DELETED", by: "gateway" });
    caller.phone.reply(await caller.phone.request("BYE"), "200 OK");
    await engine.closeRoom(room_id);
    await second.close();
    await first.discard(caller);
  });

  test("without a word, and with the sound on: it is silent once another one has it; what nobody knows is ended", async () => {
    const gate = await Gate.open(server);
    const first = await AsteriskPlace.open(server, { url: gate.url });
    const [kept, unknown] = [await answeredCall(first), await answeredCall(first)];
    const room_id = await openRoom(first);
    await run(first, "joinRoom", unknown.session_uuid, { room_id, muted: false });
    await play(first, unknown.session_uuid, first.files.tone(20_000));
    await first.recorder.event(unknown.session_uuid, "playback.started");
    const { command_uid } = await play(first, kept.session_uuid, first.files.tone(20_000));
    await first.recorder.event(kept.session_uuid, "playback.started");
    const file = shelf.file();
    const { recording_id } = file;
    await run(first, "startRecording", kept.session_uuid, { file });
    // From now on it neither hears nor is heard: as one that was killed.
    await gate.close();
    const second = await AsteriskPlace.open(server, {
      prepare: (recorder) => {
        const [call] = survivors(first.recorder, {
          playback: { command_uid, ...unheard },
          recording: { recording_id },
        });
        recorder.before = { calls: call ? [call] : [], rooms: [] };
      },
    });
    unknown.phone.reply(await unknown.phone.request("BYE"), "200 OK");
    expect(second.recorder.of(kept.session_uuid)).toMatchObject([
      { type: "playback.stopped", command_uid },
      { type: "recording.stopped", recording_id, failure: "The file could not be written" },
    ]);
    expect(second.recorder.types(unknown.session_uuid)).toEqual([]);
    const from = kept.peer.heard.length;
    // What listens to a channel leaves it with the next sound that passes there.
    await play(second, kept.session_uuid, second.files.tone(100));
    await until(async () => (await server.channels()).length === 1);
    expect((await server.ari("GET", `/bridges/${room_id}`)).status).toBe(404);
    await second.recorder.event(kept.session_uuid, "playback.stopped", 2);
    // Nothing but that: what the first one had begun is silent.
    await delay(200);
    expect(toneMs(kept, from)).toBeLessThanOrEqual(160);
    await kept.hangUp();
    expect(await second.recorder.event(kept.session_uuid, "hangup")).toMatchObject({ by: "caller" });
    await first.leave();
    await second.close();
    for (const caller of [kept, unknown]) await first.discard(caller);
  });

  test("calls and rooms that are gone are told as lost", async () => {
    const session_uuid = "ast-11111111-1111-4111-8111-111111111111";
    const room_id = "ast-room-11111111-1111-4111-8111-111111111111";
    const place = await AsteriskPlace.open(server, {
      prepare: (recorder) => {
        const about = { state: "early" as const, caller_id: "1", did: "2", playback: null, collecting: null };
        const room = { room_id, muted: false };
        recorder.before = {
          calls: [{ session_uuid, ...about, room, recording: null }],
          rooms: [{ room_id, playback: null }],
        };
      },
    });
    expect(place.recorder.of(session_uuid)).toEqual([
      {
        session_uuid,
        type: "hangup",
        cause: "MEDIA_SERVER_LOST",
        q850_cause: 41,
        sip_status: 503,
        by: "gateway",
        lost: true,
      },
    ]);
    expect(place.recorder.ofRoom(room_id)).toEqual([{ room_id, type: "lost" }]);
    await place.close();
  });

  test("it reads no more: calls stay as they are, what is asked for is refused; reading again, it takes them up", async () => {
    const place = await AsteriskPlace.open(server);
    const { engine, recorder } = place;
    const caller = await answeredCall(place);
    const { session_uuid } = caller;
    engine.reads(false);
    await expect(run(place, "hangup", session_uuid, { cause: "USER_BUSY" })).rejects.toMatchObject({
      refusal: "unreachable",
    });
    await until(async () => engine.connected());
    recorder.before = { calls: survivors(recorder), rooms: [] };
    engine.reads(true);
    expect(engine.connected()).toBe(false);
    await ready(place);
    await run(place, "hangup", session_uuid, { cause: "USER_BUSY" });
    expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ cause: "USER_BUSY", by: "app" });
    await place.close();
  });
});

describe("Asterisk itself ends", () => {
  test.each(["kill", "quit"] as const)(
    "by %s, and is started again: no call is left here, and new ones come",
    async (how) => {
      const server = await AsteriskServer.start();
      const shelf = new Shelf();
      await shelf.open();
      const place = await AsteriskPlace.open(server);
      const { engine, recorder, files } = place;
      const caller = await answeredCall(place);
      const { session_uuid } = caller;
      const room_id = await openRoom(place);
      await runRoom(place, "playRoom", room_id, { urls: [files.tone(20_000)], loop: false, volume: 0 });
      await recorder.roomEvent(room_id, "play.started");
      await play(place, session_uuid, files.tone(20_000));
      await recorder.event(session_uuid, "playback.started");
      const file = shelf.file();
      await run(place, "startRecording", session_uuid, { file });
      recorder.before = { calls: survivors(recorder), rooms: [{ room_id, playback: null }] };
      await server[how]();
      await until(async () => !engine.connected());
      await server.launch();
      await ready(place);
      const hangup = await recorder.event(session_uuid, "hangup");
      if (how === "kill") expect(hangup).toMatchObject({ cause: "MEDIA_SERVER_LOST", lost: true, by: "gateway" });
      await recorder.recorded(file.recording_id);
      await recorder.roomEvent(room_id, "play.stopped");
      recorder.before = { calls: [], rooms: [{ room_id, playback: null }] };
      const next = await answeredCall(place);
      await run(place, "joinRoom", next.session_uuid, { room_id, muted: false });
      await recorder.event(next.session_uuid, "room.joined");
      await place.discard(caller);
      await place.close();
      await server.stop();
      await shelf.close();
    },
  );
});
