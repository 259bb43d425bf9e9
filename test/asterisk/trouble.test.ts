/** An Asterisk that refuses, is late, answers by half or is none at all; and callers that hang up in the midst of everything. */
import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { AsteriskEngine } from "../../src/engines/asterisk/asterisk";
import { Refused } from "../../src/engines/engine";
import { MediaFiles } from "../../src/media/files";
import { Shelf } from "../engine/ear";
import { silent } from "../engine/place";
import { Recorder } from "../engine/recorder";
import { collect, openRoom, play, run, runRoom } from "../engine/suite";
import { answer, Gate, type Instead } from "./gate";
import { AsteriskPlace, answeredCall, node, until } from "./place";
import { AsteriskServer } from "./server";

let server: AsteriskServer;
let gate: Gate;
const shelf = new Shelf();
beforeAll(async () => {
  server = await AsteriskServer.start();
  gate = await Gate.open(server);
  await shelf.open();
});
afterAll(async () => {
  await gate.close();
  await server.stop();
  await shelf.close();
});

const silence: Instead = () => undefined;
const half: Instead = (_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": 100 }).write('{"ping":');
  setImmediate(() => response.destroy());
};
const closed: Instead = (_request, response) => {
  response.destroy();
};

describe("what Asterisk answers", () => {
  let place: AsteriskPlace;
  beforeEach(async () => {
    place = await AsteriskPlace.open(server, { url: gate.url, commandTimeoutMs: 500 });
  });
  afterEach(() => place.close());

  const answers: readonly [string, Instead, string][] = [
    ["404", answer(404), "gone"],
    ["409", answer(409), "gone"],
    ["422", answer(422), "gone"],
    ["400", answer(400), "unreachable"],
    ["500", answer(500), "unreachable"],
    ["503", answer(503, "Asterisk not booted", "text/plain"), "unreachable"],
    ["a page of another server", answer(404, "<html></html>", "text/html"), "unreachable"],
    ["nothing", silence, "late"],
    ["the half of it", half, "unreachable"],
    ["by closing the connection", closed, "unreachable"],
  ];

  test.each(answers)("%s to a hangup: the command says so, and the call goes on", async (_what, instead, refusal) => {
    const { session_uuid } = await answeredCall(place);
    const over = gate.instead("DELETE", /\/ari\/channels\/[\d.]+\?/, instead);
    await expect(run(place, "hangup", session_uuid, { cause: "USER_BUSY" })).rejects.toMatchObject({ refusal });
    over();
    expect(place.recorder.types(session_uuid)).toEqual(["answered"]);
    await run(place, "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    await place.recorder.event(session_uuid, "hangup");
  });

  test.each(answers)("%s to a sound: the playback fails, and the next one sounds", async (_what, instead, refusal) => {
    const { session_uuid } = await answeredCall(place);
    const over = gate.instead("POST", /\/play\//, instead);
    const { operation_id } = await play(place, session_uuid, place.files.tone(100));
    const error = refusal === "late" ? "Media server timed out" : "Media server unavailable";
    expect(await place.recorder.event(session_uuid, "failed")).toMatchObject({ operation_id, error });
    over();
    await play(place, session_uuid, place.files.tone(100));
    expect(await place.recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
  });

  test.each(answers)("%s to a recording: there is none, and nothing of it stays", async (_what, instead, refusal) => {
    const { session_uuid } = await answeredCall(place);
    const over = gate.instead("POST", /\/record$/, instead);
    const started = run(place, "startRecording", session_uuid, { file: shelf.file() });
    await expect(started).rejects.toMatchObject({ refusal });
    over();
    await play(place, session_uuid, place.files.tone(100));
    await place.recorder.event(session_uuid, "playback.stopped");
    await until(async () => (await server.channels()).length === 1);
    expect(place.recorder.types(session_uuid)).not.toContain("recording.stopped");
  });

  test.each(answers)("%s to a room that is opened, and to a call on its way in", async (_what, instead, refusal) => {
    const { session_uuid } = await answeredCall(place);
    const over = gate.instead("POST", /\/ari\/bridges\/[^/]+$/, instead);
    // 409: it is there already.
    if (_what !== "409") await expect(openRoom(place)).rejects.toMatchObject({ refusal });
    over();
    const room_id = await openRoom(place);
    const shut = gate.instead("POST", /addChannel/, instead);
    const joined = run(place, "joinRoom", session_uuid, { room_id, muted: false });
    await expect(joined).rejects.toMatchObject({ refusal });
    shut();
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    expect(place.recorder.types(session_uuid)).toEqual(["answered", "room.joined"]);
    await place.engine.closeRoom(room_id);
  });

  test("a file that is not where Asterisk looks for it is told as unreachable", async () => {
    const { session_uuid } = await answeredCall(place);
    const elsewhere: Instead = (request, response) => {
      const { method, url } = request;
      request.resume();
      void server.ari(method ?? "", `${(url ?? "").slice(4)}?media=sound:/nowhere/at-all`).then(async (answered) => {
        response.writeHead(answered.status, { "content-type": "application/json" }).end(await answered.text());
      });
    };
    const over = gate.instead("POST", /\/play\//, elsewhere);
    await play(place, session_uuid, place.files.tone(100));
    expect(await place.recorder.event(session_uuid, "playback.file_not_found")).toMatchObject({
      reason: "unreachable",
    });
    over();
  });

  test("what a tenant writes is nothing that Asterisk is told", async () => {
    const { session_uuid } = await answeredCall(place);
    const url = place.files.tone(60, "written-by-a-tenant");
    const { command_uid } = await play(place, session_uuid, url);
    await place.recorder.stopped(session_uuid, command_uid);
    const body = { ...collect, prompt_files: [url], digits_regex: "written-by-a-tenant", timeout_ms: 100 };
    await run(place, "playAndGetDigits", session_uuid, body);
    await place.recorder.event(session_uuid, "digits.collected");
    const room_id = await openRoom(place);
    await runRoom(place, "playRoom", room_id, { urls: [url], loop: false, volume: 1 });
    await place.recorder.roomEvent(room_id, "play.stopped");
    await place.engine.closeRoom(room_id);
    expect(gate.told).toContain("sound:");
    expect(gate.told).not.toContain("written-by-a-tenant");
  });

  test("stopped in the midst of it, Asterisk is late; once it goes on, so does all", async () => {
    const { session_uuid } = await answeredCall(place);
    await server.halt();
    const refused = run(place, "stopPlayback", session_uuid, {}).catch((err: unknown) => err);
    await expect(refused.finally(() => server.go())).resolves.toMatchObject({ refusal: "late" });
    await play(place, session_uuid, place.files.tone(100));
    expect(await place.recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
  });
});

describe("what is at the other end", () => {
  /** It tries in vain for a while. */
  async function inVain(url: string, password = server.password): Promise<void> {
    const media = new MediaFiles({ allowLocalhost: true, log: silent });
    const options = { node, url, user: server.user, password, commandTimeoutMs: 300, recordingMaxMs: 1000 };
    const engine = new AsteriskEngine({ ...options, media, log: silent });
    engine.reads(true);
    await engine.start(new Recorder());
    expect(engine.connected()).toBe(false);
    await expect(engine.openRoom(`${node}-room-1`)).rejects.toMatchObject({ refusal: "unreachable" });
    await engine.close();
  }

  test("nobody", async () => {
    await inVain("http://127.0.0.1:1");
  });

  test("an Asterisk that has another password", async () => {
    await inVain(server.url, "wrong");
  });

  test.each([
    ["says nothing", null],
    ["speaks another language", "220 mail.example ESMTP\r\n"],
    ["answers every request with a page", "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi"],
    ["answers by half", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"],
  ])("a server that %s", async (_what, says) => {
    const other = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", () => {
        if (says !== null) socket.write(says);
      });
    });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    await inVain(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
    other.close();
  });
});

describe("the caller hangs up", () => {
  let place: AsteriskPlace;
  beforeAll(async () => {
    place = await AsteriskPlace.open(server, { url: gate.url });
  });
  afterAll(() => place.close());

  type Act = (session_uuid: string, room_id: string) => Promise<unknown>;
  const moments: readonly [string, RegExp, Act][] = [
    ["startPlayback", /POST .*play\//, (id) => play(place, id, place.files.tone(20_000))],
    ["playSilence", /POST .*silence$/, (id) => run(place, "playSilence", id, { duration_ms: 20_000 })],
    ["playAndGetDigits", /POST .*play\//, (id) => run(place, "playAndGetDigits", id, prompts())],
    ["startRecording", /POST .*snoop/, (id) => run(place, "startRecording", id, { file: shelf.file() })],
    ["startRecording, later", /POST .*record$/, (id) => run(place, "startRecording", id, { file: shelf.file() })],
    ["joinRoom", /DELETE .*mute/, (id, room_id) => run(place, "joinRoom", id, { room_id, muted: false })],
    ["joinRoom, later", /POST .*addChannel/, (id, room_id) => run(place, "joinRoom", id, { room_id, muted: false })],
    ["hangup", /DELETE .*reason_code/, (id) => run(place, "hangup", id, { cause: "USER_BUSY" })],
    ["disconnect", /POST .*continue/, (id) => run(place, "disconnect", id, {})],
    ["stopPlayback", /GET .*\/(ping|channels)/, (id) => run(place, "stopPlayback", id, {})],
    ["leaveRoom", /POST .*removeChannel/, (id, room_id) => inRoom(id, room_id, () => run(place, "leaveRoom", id, {}))],
    ["mute", /POST .*mute/, (id, room_id) => inRoom(id, room_id, () => run(place, "mute", id, {}))],
    ["a whisper", /POST .*snoop/, (id, room_id) => inRoom(id, room_id, () => play(place, id, place.files.tone(900)))],
    ["pausePlayback", /DELETE .*playbacks/, (id) => whilePlaying(id, () => run(place, "pausePlayback", id, {}))],
    [
      "seekPlayback",
      /DELETE .*playbacks/,
      (id) => whilePlaying(id, () => run(place, "seekPlayback", id, { offset_sec: 5 })),
    ],
  ];
  const prompts = () => ({ ...collect, prompt_files: [place.files.tone(20_000)] });
  const inRoom = async (id: string, room_id: string, act: () => Promise<unknown>) => {
    await run(place, "joinRoom", id, { room_id, muted: false });
    await act();
  };
  const whilePlaying = async (id: string, act: () => Promise<unknown>) => {
    await play(place, id, place.files.tone(20_000));
    await place.recorder.event(id, "playback.started");
    await act();
  };

  test.each(moments)("in the midst of %s: it is over once, and nothing is left", async (_what, request, act) => {
    const { recorder } = place;
    const room_id = await openRoom(place);
    const caller = await answeredCall(place);
    const { session_uuid } = caller;
    const asked = gate.next(request);
    const outcome = act(session_uuid, room_id).catch((refused: unknown) => refused);
    await asked;
    await caller.hangUp().catch(() => undefined);
    await outcome;
    const hangup = await recorder.event(session_uuid, "hangup");
    expect(["caller", "app", "media_server"]).toContain(hangup.by);
    await until(async () => (await server.channels()).length === 0);
    const types = recorder.types(session_uuid);
    expect(types.filter((type) => type === "hangup")).toHaveLength(1);
    expect(types.slice(types.indexOf("hangup") + 1).filter((type) => type !== "recording.stopped")).toEqual([]);
    const count = (type: string) => types.filter((each) => each === type).length;
    await until(async () => {
      const now = recorder.types(session_uuid);
      return now.filter((each) => each === "recording.stopped").length === count("recording.started");
    });
    await place.engine.closeRoom(room_id);
    await place.discard(caller);
  });

  test("in the midst of answer: it is told as never answered, whatever Asterisk says to that", async () => {
    const caller = await place.caller();
    const { session_uuid } = caller;
    let cancelled: Promise<void> | null = null;
    const late: Instead = (request, response) => {
      cancelled = caller.hangUp();
      void cancelled
        .then(() => server.ari("POST", (request.url ?? "").slice("/ari".length)))
        .then(async (answered) => response.writeHead(answered.status).end(await answered.text()));
    };
    const over = gate.instead("POST", /answer$/, late);
    // It may still take the answer of a call that it is about to end.
    await run(place, "answer", session_uuid, {}).catch((refused: unknown) => expect(refused).toBeInstanceOf(Refused));
    over();
    await cancelled;
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "caller", sip_status: 487 });
    expect(place.recorder.types(session_uuid)).toEqual(["hangup"]);
  });

  test("of a room that plays, when its last member goes", async () => {
    const room_id = await openRoom(place);
    const caller = await answeredCall(place);
    await run(place, "joinRoom", caller.session_uuid, { room_id, muted: false });
    await runRoom(place, "playRoom", room_id, { urls: [place.files.tone(300)], loop: false, volume: 1 });
    await place.recorder.roomEvent(room_id, "play.started");
    await caller.hangUp();
    expect(await place.recorder.roomEvent(room_id, "play.stopped")).toMatchObject({ reason: "completed" });
    await place.engine.closeRoom(room_id);
    await until(async () => (await server.channels()).length === 0);
  });
});
