/** Calls and rooms as the cores are given them, and what they tell in a word or two. */
import type { RoomEvent, SessionEvent } from "../../src/sessions/happening";
import type { Publication } from "../../src/sessions/next";
import { advanceRoom, createRoom } from "../../src/sessions/room";
import { advance, createSession } from "../../src/sessions/session";
import type { Operation, Room, Session } from "../../src/store/store";

export const at = 1_000_000;
export const room_id = "node-room-uuid";
export const other_room_id = "node-room-other";

const call = { session_uuid: "node-uuid", app_id: "a", node: "node", caller_id: "1", did: "2" };
export const made = createSession(call, at);

export function operation(command: string, operation_id: string = command): Operation {
  const timing = { deadline: at + 2000, timeout_ms: 2000, group: null, taken: true };
  return { operation_id, command, command_uid: `uid-${operation_id}`, uid_given: false, ...timing };
}

export function session(changes: Partial<Session>, ...operations: readonly Operation[]): Session {
  return { ...made.state, ...changes, operations };
}

export function room(changes: Partial<Room>, ...operations: readonly Operation[]): Room {
  const opening = createRoom({ room_id, app_id: "a", node: "node", name: "standup" }, at);
  return { ...opening, state: "open", ...changes, operations };
}

/** Each event in a word or two; undefined: nothing changed. */
export function told(before: Session, event: SessionEvent, when = at + 5000): string[] | undefined {
  return advance(before, event, when)?.publish.map(inWords);
}

export function toldByRoom(before: Room, event: RoomEvent, when = at + 5000): string[] | undefined {
  return advanceRoom(before, event, when)?.publish.map(inWords);
}

function inWords({ event, data }: Publication): string {
  if ("command" in data) return `${event} ${data.command} ${data.success ? "done" : data.error}`;
  if ("by" in data) return `${event} by ${data.by}`;
  return "reason" in data ? `${event} ${data.reason}` : event;
}

export const hangup = (by: "caller" | "app" | "gateway" | "media_server") =>
  ({ type: "hangup", cause: "NORMAL_CLEARING", q850_cause: 16, sip_status: null, by }) as const;

export const playback = {
  command_uid: "p",
  urls: ["http://a/"],
  index: 0,
  offset_ms: 500,
  at,
  started_at: at,
  paused: false,
};
export const membership = { room_id, muted: false, joined_at: at };
export const recording = { command_uid: "r", recording_id: "rec-1", started_at: at };

/** One event of each kind that an engine tells of a call, none of an operation that is pending. */
export const lateEvents: readonly SessionEvent[] = [
  { type: "early" },
  { type: "answered", operation_id: "gone" },
  { type: "dtmf", digit: "1", duration_ms: 100 },
  { type: "playback.started", operation_id: "gone", command_uid: "p", urls: ["http://a/"], index: 0, offset_ms: 0 },
  { type: "playback.moved", command_uid: "p", index: 0, offset_ms: 0, paused: true },
  { type: "playback.stopped", command_uid: "p", offset_ms: 0, duration_ms: 0, reason: "completed" },
  { type: "playback.file_not_found", command_uid: "p", url: "http://a/", reason: "not_found" },
  { type: "digits.started", operation_id: "gone", command_uid: "c" },
  { type: "digits.collected", command_uid: "c", digits: "", terminator: null, status: "timeout" },
  { type: "room.joined", operation_id: "gone", room_id, muted: false },
  { type: "room.left", operation_id: "gone", room_id, reason: "left" },
  { type: "room.muted", operation_id: "gone", room_id, muted: true },
  { type: "failed", operation_id: "gone", error: "No file could be played" },
  { type: "handed_back" },
  { type: "command.taken", operation_id: "gone", immediate: true, failure: null },
  { type: "command.refused", operation_id: "gone", late: false },
  { type: "command.overdue", operation_id: "gone", abandoned: false },
];
