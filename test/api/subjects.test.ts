/** Steps 9 to 13 of the checks: which call and which room a request is about, and what must be so before a command. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ErrorCode, OperationId } from "../../src/contract";
import type { Handlers } from "../../src/handlers/gateway";
import type { Loaded, Room, Session } from "../../src/store/store";
import { Client } from "./client";
import { admin, credentials, opened, type Place, ringing, startApi } from "./place";
import { Teller } from "./teller";

let place: Place;
let client: Client;
let room: Teller;
let call: Teller;
/** What the handlers were given. */
let given: { readonly session?: Loaded<Session>; readonly room?: Loaded<Room>; readonly body: object | undefined }[];
/** What this instance knows to refuse. */
let barred: ErrorCode | null;
/** For what it was asked. */
let asked: [OperationId, string][];

/** Takes every command, so that what follows the checks can be seen. */
const taken = (call: {
  admitted: { operation_id: string };
  session?: Loaded<Session>;
  room?: Loaded<Room>;
  body: object | undefined;
}) => {
  given.push(call);
  const { operation_id } = call.admitted;
  return { status: 202, body: { operation_id, status: "in_progress", timeout_ms: 100 } } as const;
};
const handlers: Partial<Handlers> = {
  joinRoom: taken,
  leaveRoom: taken,
  mute: taken,
  unmute: taken,
  startRecording: taken,
  stopRecording: taken,
  playRoom: taken,
  stopRoom: taken,
  pauseRoom: taken,
  createRoom(call) {
    given.push(call);
    return { status: 201, body: { room_id: "node1-room-new" } };
  },
};

beforeEach(async () => {
  given = [];
  barred = null;
  asked = [];
  place = await startApi({
    handlers,
    barred: (operation, id) => {
      asked.push([operation, id]);
      return barred;
    },
  });
  client = new Client(place.url, { inside: true });
  await client.request({ method: "POST", path: "/admin/apps/other", headers: admin, body: {} });
  call = new Teller(place.store, place.session_uuid);
  room = await make("raw");
});
afterEach(() => place.close());

const make = async (app_id: string, node = "node1") =>
  Teller.ofRoom(place.store, opened(app_id, node, await place.store.now()));
const post = (path: string, body: object | string | null, headers = {}) =>
  client.request({ method: "POST", path, headers: { ...credentials, ...headers }, body });
const command = (name: string, body: object | string | null = {}, headers = {}) =>
  post(`/api/v1/sessions/${call.id}/commands/${name}`, body, headers);
const join = (room_id: string, more = {}) => command("conference/join", { room_id, ...more });
const member = (room_id: string, muted = false) =>
  call.change({ state: "answered", room: { room_id, muted, joined_at: 1 } });

describe("a room", () => {
  test("stands in the path, or in the body, and the handler gets it", async () => {
    await post(`/api/v1/conferences/${room.id}/play`, { urls: ["http://a/b"] });
    await call.change({ state: "answered" });
    await join(room.id);
    expect(given).toMatchObject([
      { room: { state: { room_id: room.id } }, session: undefined },
      {
        room: { state: { room_id: room.id } },
        session: { state: { session_uuid: call.id } },
        body: { room_id: room.id, muted: false },
      },
    ]);
    expect(asked).toEqual([
      ["playRoom", room.id],
      ["joinRoom", call.id],
    ]);
    expect(place.log.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ operation: "joinRoom", session_uuid: call.id, room_id: room.id }),
    );
  });

  test("that is not there, or of another app, is told after the call", async () => {
    const foreign = await make("other");
    expect((await join("nowhere")).body).toMatchObject({ error: "Room not found" });
    expect((await join(foreign.id)).body).toMatchObject({ error: "Room belongs to a different application" });
    expect((await post(`/api/v1/conferences/${foreign.id}/stop`, null)).status).toBe(403);
    expect((await post("/api/v1/conferences/nowhere/stop", null)).status).toBe(404);
    await call.end();
    expect((await join("nowhere")).body).toMatchObject({ error: "Session not found" });
  });

  test("in a body that is wrong names nothing", async () => {
    expect((await join("nowhere", { muted: 1 })).body).toMatchObject({ error: "muted must be true or false" });
    const path = "/api/v1/sessions/nobody/commands/conference/join";
    expect((await post(path, { room_id: room.id, color: 1 })).body).toMatchObject({ code: "unknown_field" });
    expect((await post(path, {})).body).toMatchObject({ error: "room_id is required" });
  });
});

describe("a call that a new room is for", () => {
  const create = (session_uuid?: string) => post("/api/v1/conferences", { name: "standup", session_uuid });

  test("stands in the body, and may be left out", async () => {
    expect((await create(call.id)).status).toBe(201);
    expect((await create()).status).toBe(201);
    expect(given).toMatchObject([{ session: { state: { session_uuid: call.id } } }, { session: undefined }]);
    // It is no command: nobody asks what the media server can do.
    expect(asked).toEqual([]);
  });

  test("must be there, and of this app", async () => {
    const other = await Teller.ofSession(place.store, ringing("other", await place.store.now()));
    expect((await create("nobody")).body).toMatchObject({ error: "Session not found" });
    expect((await create(other.id)).body).toMatchObject({ error: "Session belongs to a different application" });
    expect(given).toEqual([]);
  });
});

describe("what must be so before a command", () => {
  const error = async (answer: Promise<{ body: unknown }>) => (await answer).body;

  test("is looked at in the order of the document", async () => {
    const elsewhere = await make("raw", "node2");
    expect(await error(join(elsewhere.id))).toMatchObject({ error: "Session is not answered" });
    await member(room.id);
    expect(await error(join(elsewhere.id))).toMatchObject({
      error: "Session is already in a different conference room",
    });
    expect((await join(room.id)).status).toBe(202);
    await call.change({ room: null });
    expect(await error(join(elsewhere.id, { command_uid: "j" }))).toEqual({
      success: false,
      error: "Room is on another media server",
      code: "room_on_other_node",
      detail: { node: "node2" },
    });
    await call.change({ state: "handed_back" });
    expect(await error(join(elsewhere.id))).toMatchObject({ error: "Session was handed back" });
  });

  test("of a conference", async () => {
    await call.change({ state: "answered" });
    for (const name of ["leave", "mute", "unmute"])
      expect(await error(command(`conference/${name}`))).toMatchObject({ error: "Session is not in a conference" });
    await member(room.id);
    expect(await error(command("conference/unmute"))).toMatchObject({ error: "Session is already unmuted" });
    await member(room.id, true);
    expect(await error(command("conference/mute"))).toMatchObject({ error: "Session is already muted" });
    expect((await command("conference/unmute")).status).toBe(202);
  });

  test("of a recording", async () => {
    expect(await error(command("record/start"))).toMatchObject({ error: "Session is not answered" });
    expect(await error(command("record/stop"))).toMatchObject({ error: "No recording in progress" });
    await call.change({ state: "answered", recording: { command_uid: "r", recording_id: "r", started_at: 1 } });
    expect(await error(command("record/start"))).toMatchObject({ error: "Recording is already in progress" });
    expect((await command("record/stop")).status).toBe(202);
  });

  test("is asked after what this instance cannot do, and that after the uid", async () => {
    expect((await command("answer", { command_uid: "used" })).body).toMatchObject({ code: "media_server_unavailable" });
    barred = "recording_not_available";
    const off = await command("record/start");
    expect([off.status, off.body?.error, off.headers["retry-after"]]).toEqual([503, "Recording not available", "1"]);
    barred = "not_supported";
    expect((await command("conference/leave")).body).toMatchObject({ error: "Not supported by this media server" });
    expect((await post(`/api/v1/conferences/${room.id}/stop`, {})).status).toBe(501);
    barred = null;
    await member(room.id);
    expect((await command("conference/leave", { command_uid: "left" })).status).toBe(202);
    barred = "not_supported";
    expect((await command("conference/leave", { command_uid: "left" })).body).toMatchObject({
      error: "command_uid is still being processed",
    });
    // What was refused has used up no cooldown, and what was taken has.
    barred = null;
    expect((await command("conference/leave")).body).toMatchObject({ error: "Command rate limited" });
  });
});

describe("a body that is read only when it is JSON", () => {
  const stop = (body: string | Buffer | null, type: string, chunked = false) =>
    client.request({
      method: "POST",
      path: `/api/v1/conferences/${room.id}/stop`,
      headers: { ...credentials, "Content-Type": type },
      body,
      chunked,
    });
  const json = "application/json";

  test.each([
    ["JSON", '{"command_uid":"a b"}', json, "Invalid command_uid format"],
    ["JSON of another charset", '{"command_uid":"a b"}', `${json}; charset=utf-16`, undefined],
    ["JSON whose type begins with a space that is none", '{"command_uid":"a b"}', `\u00a0${json}`, undefined],
    ["another type", '{"command_uid":"a b"}', "text/plain", undefined],
    ["what is no type", "nothing", "nothing", undefined],
    ["half an object", "{", json, "Invalid request body"],
    ["an unknown field", '{"color":1}', json, "Unknown field in request body"],
    ["nothing", "", json, undefined],
    ["too much", `{"command_uid":"${"x".repeat(1_048_576)}"}`, json, "Request body too large"],
    ["too much of another type", "x".repeat(1_048_577), "text/plain", "Request body too large"],
    ["too much of a type that is none", "x".repeat(1_048_577), `\u00a0${json}`, "Request body too large"],
  ])("%s", async (_, body, type, error) => {
    for (const chunked of [false, true]) {
      barred = "not_supported";
      const answer = await stop(body, type, chunked);
      expect(answer.body?.error).toBe(error ?? "Not supported by this media server");
    }
  });

  test("the handler gets what it says, or the defaults", async () => {
    await stop('{"command_uid":"x"}', json);
    expect(given).toMatchObject([{ body: { command_uid: "x" } }]);
  });

  test("a command of a call likewise", async () => {
    await member(room.id);
    expect((await command("conference/leave", "no JSON", { "Content-Type": "text/plain" })).status).toBe(202);
    expect(given).toMatchObject([{ body: {} }]);
  });
});
