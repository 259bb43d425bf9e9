/** Conference rooms over the wire: made, shown, entered and left, and what is told of all that. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TestGateway } from "../gateway";

let place: TestGateway;

beforeAll(async () => {
  place = await TestGateway.start();
});

afterAll(() => place.close());

async function send(method: string, path: string, body?: object) {
  const { status, text } = await place.client.request({ method, path, headers: place.app, ...(body && { body }) });
  return { status, body: text === "" ? null : JSON.parse(text) };
}

async function open(name: string): Promise<string> {
  const { status, body } = await send("POST", "/api/v1/conferences", { name });
  expect(status).toBe(201);
  return body.room_id;
}

/** Resolves with what became of it. */
async function command(id: string, name: string, body: object = {}) {
  const answer = await send("POST", `/api/v1/sessions/${id}/commands/${name}`, body);
  expect(answer.status).toBe(202);
  return (await place.receiver.result(answer.body.operation_id)).data;
}

async function answeredCall(): Promise<string> {
  const session_uuid = await place.call();
  expect(await command(session_uuid, "answer")).toMatchObject({ success: true });
  return session_uuid;
}

describe("rooms", () => {
  test("are made, listed page by page, newest first, and shown", async () => {
    const ids = [await open("one"), await open("two"), await open("three")];
    const first = await send("GET", "/api/v1/conferences?limit=2");
    const second = await send("GET", `/api/v1/conferences?limit=2&cursor=${first.body.next_cursor}`);
    const names = [...first.body.rooms, ...second.body.rooms].map(({ name }) => name);
    expect([names.length, new Set(names)]).toEqual([3, new Set(["one", "two", "three"])]);
    expect([first.body.rooms.length, second.body.next_cursor]).toEqual([2, null]);
    expect(await send("GET", `/api/v1/conferences/${ids[0]}`)).toMatchObject({
      status: 200,
      body: { room_id: ids[0], name: "one", members: [], playback: null },
    });
    const { body } = await send("GET", "/api/v1/conferences?cursor=bm9uZQ");
    expect(body).toMatchObject({ code: "invalid_cursor" });
  });

  test("a name is taken until its room is gone", async () => {
    const room_id = await open("standup");
    expect(await send("POST", "/api/v1/conferences", { name: "standup" })).toMatchObject({
      status: 409,
      body: { error: "Conference name already taken", detail: { room_id } },
    });
    expect((await send("DELETE", `/api/v1/conferences/${room_id}`)).status).toBe(204);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/stop"],
    ] as const)
      expect(await send(method, `/api/v1/conferences/${room_id}${path}`)).toMatchObject({
        status: 404,
        body: { error: "Room not found" },
      });
    await open("standup");
  });

  test("beside a call", async () => {
    const session_uuid = await place.call();
    const { body } = await send("POST", "/api/v1/conferences", { name: "beside", session_uuid });
    expect(body.room_id.split("-")[0]).toBe(session_uuid.split("-")[0]);
  });
});

test("a member joins, is muted, is taken out with its room, and goes on with its call", async () => {
  const room_id = await open("members");
  const session_uuid = await answeredCall();
  expect(await command(session_uuid, "conference/join", { room_id })).toMatchObject({ success: true });
  expect(await command(session_uuid, "conference/mute")).toMatchObject({ success: true });
  const session = await send("GET", `/api/v1/sessions/${session_uuid}`);
  expect(session.body).toMatchObject({ room_id, muted: true, recording: null, playback: null });
  const shown = await send("GET", `/api/v1/conferences/${room_id}`);
  expect(shown.body.members).toMatchObject([{ session_uuid, caller_id: expect.any(String), muted: true }]);
  const { body } = await send("GET", "/api/v1/conferences");
  expect(body.rooms).toContainEqual(expect.objectContaining({ room_id, member_count: 1 }));

  expect((await send("DELETE", `/api/v1/conferences/${room_id}`)).status).toBe(204);
  const left = await place.receiver.event("conference.member.left", session_uuid);
  expect(left.data).toMatchObject({ room_id, reason: "removed" });
  await place.receiver.event("conference.destroyed", room_id);
  const log = await send("GET", `/api/v1/conferences/${room_id}/events`);
  expect(log.body.events.map(({ event }: { event: string }) => event)).toEqual([
    "conference.created",
    "conference.member.joined",
    "conference.member.muted",
    "conference.member.left",
    "conference.destroyed",
  ]);
  const after = await send("GET", `/api/v1/sessions/${session_uuid}`);
  expect(after.body).toMatchObject({ state: "answered", room_id: null, muted: false });
});

test("what plays to a room is shown with it, and stops with it", async () => {
  const room_id = await open("music");
  const url = `${place.url}/samples/tone.wav`;
  const start = { urls: [url], loop: true, volume: -2, command_uid: "music" };
  const play = await send("POST", `/api/v1/conferences/${room_id}/play`, start);
  expect(play.status).toBe(202);
  await place.receiver.event("conference.play.started", room_id);
  const shown = await send("GET", `/api/v1/conferences/${room_id}`);
  const playback = { command_uid: "music", urls: [url], index: 0, paused: false, loop: true, volume: -2 };
  expect(shown.body.playback).toMatchObject(playback);
  expect((await send("DELETE", `/api/v1/conferences/${room_id}`)).status).toBe(204);
  await place.receiver.event("conference.destroyed", room_id);
  expect(place.receiver.names(room_id)).toEqual([
    "conference.created",
    "conference.play.started",
    "command.result",
    "conference.play.stopped",
    "conference.destroyed",
  ]);
  const { data } = await place.receiver.event("conference.play.stopped", room_id);
  expect(data).toMatchObject({ command_uid: "music", reason: "destroyed" });
});

test("an app that is deleted takes its rooms along", async () => {
  const own = await TestGateway.start();
  const made = await own.client.request({
    ...{ method: "POST", path: "/api/v1/conferences", headers: own.app, body: { name: "last" } },
  });
  const { room_id } = JSON.parse(made.text);
  await own.client.request({ method: "DELETE", path: "/admin/apps/test", headers: own.admin });
  await own.receiver.event("conference.destroyed", room_id);
  await own.close();
});
