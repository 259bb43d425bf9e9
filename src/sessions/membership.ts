/**
 * A call's part in a conference. Members are told of by the call: `conference.member.*` have its numbers.
 *
 * What came about after its command was given up: a join or a mute is undone, like a playback, and tells nothing. A leave
 * cannot be: it is a fact by then, so state and events follow it, and only its result stays what it was.
 */
import type { EventData } from "../contract";
import type { Session } from "../store/store";
import type { SessionEvent } from "./happening";
import type { Draft, Next } from "./next";

type SessionNext = Next<Draft<Session>>;
type Happened<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>;

export function joined(next: SessionNext, event: Happened<"room.joined">, at: number): SessionNext | null {
  const { state } = next;
  const { operation_id, room_id, muted } = event;
  const operation = next.pending(operation_id);
  const already = state.room?.room_id === room_id;
  // One that confirms what was so before has begun nothing that could be undone.
  if (!operation) return already ? null : next.undo(operation_id);
  if (already) return next.settle(operation, null);
  left(next, "left");
  state.room = { room_id, muted, joined_at: at };
  const { session_uuid, caller_id } = state;
  next.tell({ event: "conference.member.joined", data: { session_uuid, room_id, caller_id, muted } });
  return next.settle(operation, null);
}

/** Ends the membership, where there is one. */
export function left(next: SessionNext, reason: EventData<"conference.member.left">["reason"]): SessionNext {
  const { state } = next;
  if (!state.room) return next;
  const { session_uuid, caller_id } = state;
  const { room_id } = state.room;
  state.room = null;
  return next.tell({ event: "conference.member.left", data: { session_uuid, room_id, caller_id, reason } });
}

export function roomLeft(next: SessionNext, event: Happened<"room.left">): SessionNext | null {
  const { operation_id, room_id, reason } = event;
  const operation = operation_id === null ? undefined : next.pending(operation_id);
  const member = next.state.room?.room_id === room_id;
  if (member) left(next, reason);
  // Of a room that was closed meanwhile: it is not in it, as was asked for.
  if (operation) return next.settle(operation, null);
  return member ? next : null;
}

export function roomMuted(next: SessionNext, event: Happened<"room.muted">): SessionNext | null {
  const { state } = next;
  const { operation_id, room_id, muted } = event;
  const operation = next.pending(operation_id);
  const member = state.room?.room_id === room_id ? state.room : null;
  if (!operation) return member && member.muted !== muted ? next.undo(operation_id) : null;
  if (!member) return next.settle(operation, "Room ended");
  if (member.muted !== muted) {
    state.room = { ...member, muted };
    const { session_uuid, caller_id } = state;
    const name = muted ? "conference.member.muted" : "conference.member.unmuted";
    next.tell({ event: name, data: { session_uuid, room_id, caller_id } });
  }
  return next.settle(operation, null);
}
