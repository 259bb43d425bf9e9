/** From what follows to what is sent: numbers, bodies, and in whose list an event stands. */
import { expect, test } from "@jest/globals";
import { numbered } from "../../src/sessions/events";
import { advanceRoom } from "../../src/sessions/room";
import { advance } from "../../src/sessions/session";
import type { App } from "../../src/store/store";
import { at, hangup, membership, operation, room, room_id, session } from "./facts";

const app: App = {
  app_id: "a",
  webhook_url: "http://receiver/",
  rate_limit: 0,
  events: [],
  dids: [],
  created_at: at,
  webhook_disabled_at: null,
};
const session_uuid = "node-uuid";

function hungUp(events: App["events"]) {
  const member = session({ state: "answered", room: membership, sequence: 3 }, operation("answer"));
  const next = advance(member, hangup("caller"), at);
  if (!next) throw new Error("nothing followed");
  return { next, events: numbered({ session_uuid }, next, { ...app, events }, at) };
}

test("a call's events go on with its numbers; those of its membership stand in the room's list as well", () => {
  const { next, events } = hungUp([]);
  expect(events.map(({ event, sequence, id, room_id: place }) => [event, sequence, id, place])).toEqual([
    ["conference.member.left", 4, `${session_uuid}.4`, room_id],
    ["command.result", 5, `${session_uuid}.5`, null],
    ["call.hangup", 6, `${session_uuid}.6`, null],
  ]);
  expect(next.state.sequence).toBe(6);
  expect(JSON.parse(events[0]?.body ?? "")).toEqual({
    event: "conference.member.left",
    session_uuid,
    sequence: 4,
    timestamp: "1970-01-01T00:16:40.000Z",
    app_id: "a",
    data: { session_uuid, room_id, caller_id: "1", reason: "hangup" },
  });
});

test("what the app does not want has no number", () => {
  const { next, events } = hungUp(["call.hangup"]);
  expect(events.map(({ event, sequence }) => [event, sequence])).toEqual([["call.hangup", 4]]);
  expect(next.state.sequence).toBe(4);
});

test("a room's events have its own numbers", () => {
  const next = advanceRoom(room({ state: "closing", sequence: 1 }, operation("room/play")), { type: "destroyed" }, at);
  const events = next ? numbered({ room_id }, next, app, at) : [];
  expect(events.map(({ event, sequence, id, room_id: place }) => [event, sequence, id, place])).toEqual([
    ["command.result", 2, `${room_id}.2`, null],
    ["conference.destroyed", 3, `${room_id}.3`, null],
  ]);
  expect(JSON.parse(events[1]?.body ?? "")).toEqual({
    event: "conference.destroyed",
    room_id,
    sequence: 3,
    timestamp: "1970-01-01T00:16:40.000Z",
    app_id: "a",
    data: { room_id, name: "standup" },
  });
});
