/**
 * The pure middle: what a call is, and what follows when something happens to it. No clock, store or socket:
 * `advance` answers the next state, the events that tell of it, and what became of operations, so it may be run again
 * whenever another writer came first.
 */
import type { Commit, Session } from "../store/store";
import { handedBack, hangup } from "./ending";
import type { SessionEvent } from "./happening";
import { joined, roomLeft, roomMuted } from "./membership";
import { type Advance, type Draft, Next } from "./next";
import { playbackStarted, playbackStopped } from "./playback";
import { recordingCompleted, recordingStarted, recordingStopped } from "./recording";

type SessionNext = Next<Draft<Session>>;

/** A new call, before anything has happened to it. Times in epoch milliseconds. */
export function createSession(
  call: Pick<Session, "session_uuid" | "app_id" | "node" | "caller_id" | "did">,
  at: number,
): Advance<Session> {
  const { session_uuid, app_id, node, caller_id, did } = call;
  const next = new Next<Draft<Session>>({
    session_uuid,
    app_id,
    node,
    state: "ringing",
    direction: "inbound",
    caller_id,
    did,
    created_at: at,
    answered_at: null,
    playback: null,
    collecting: null,
    room: null,
    recording: null,
    unfinished: [],
    operations: [],
    sequence: 0,
  });
  return next.tell({ event: "call.new", data: { caller_id, did, direction: "inbound" } });
}

/** A call that has ended is kept until its recordings are told of. */
export function sessionLife({ state, unfinished }: Session): Commit["life"] {
  if (state !== "ended") return "live";
  return unfinished.length > 0 ? "closing" : "ended";
}

/**
 * @param at when it happened, epoch milliseconds
 * @returns null when the event changes nothing: late confirmations, what belongs to a playback that is over
 */
export function advance(session: Session, event: SessionEvent, at: number): Advance<Session> | null {
  if (!counts(session, event)) return null;
  const next = new Next(copy(session));
  switch (event.type) {
    case "early":
      if (session.state !== "ringing") return null;
      next.state.state = "early";
      return next;
    case "answered":
      return answered(next, event.operation_id, at);
    case "dtmf":
      return next.tell({ event: "dtmf", data: { digit: event.digit, duration_ms: event.duration_ms } });
    case "playback.started": {
      const { operation_id, command_uid, urls, index, offset_ms } = event;
      // A confirmation that comes too late must not leave it sounding: the caller was told that it failed.
      const operation = next.pending(operation_id);
      if (!operation) return next.undo(operation_id);
      next.state.playback = { command_uid, urls, index, offset_ms, at, started_at: at, paused: false };
      return next.tell(playbackStarted(command_uid, urls)).settle(operation, null);
    }
    case "playback.moved": {
      const { playback } = session;
      const { index, offset_ms, paused } = event;
      if (playback?.command_uid !== event.command_uid) return null;
      next.state.playback = { ...playback, index, offset_ms, paused, at };
      return next;
    }
    case "playback.stopped":
      if (session.playback?.command_uid !== event.command_uid) return null;
      next.state.playback = null;
      return next.tell(playbackStopped(session.playback, event, event.reason));
    case "playback.file_not_found": {
      const { command_uid, url, reason } = event;
      return next.tell({ event: "playback.file_not_found", data: { command_uid, url, reason } });
    }
    case "digits.started": {
      const operation = next.pending(event.operation_id);
      if (!operation) return next.undo(event.operation_id);
      next.state.collecting = { command_uid: event.command_uid };
      return next.settle(operation, null);
    }
    case "digits.collected": {
      const { command_uid, digits, terminator, status } = event;
      if (session.collecting?.command_uid !== command_uid) return null;
      next.state.collecting = null;
      return next.tell({ event: "digits.collected", data: { command_uid, digits, terminator, status } });
    }
    case "room.joined":
      return joined(next, event, at);
    case "room.left":
      return roomLeft(next, event);
    case "room.muted":
      return roomMuted(next, event);
    case "recording.started":
      return recordingStarted(next, event, at);
    case "recording.stopped":
      return recordingStopped(next, event);
    case "recording.completed":
      return recordingCompleted(next, event);
    case "failed": {
      const operation = next.pending(event.operation_id);
      return operation ? next.settle(operation, event.error) : null;
    }
    case "handed_back":
      return handedBack(next, at);
    case "hangup":
      return hangup(next, event, at);
    case "command.taken":
    case "command.refused":
    case "command.overdue":
      return next.command(event);
  }
}

/** Does this kind of event still mean anything to the call? One that was handed back still ends. */
function counts({ state }: Session, { type }: SessionEvent): boolean {
  if (type === "recording.stopped" || type === "recording.completed") return true;
  if (state === "ended") return false;
  return state !== "handed_back" || type === "hangup" || type === "recording.started";
}

/**
 * The copy names every field: one by `...`, with others written over it, has a new shape each time, which cost a tenth
 * of a whole command.
 */
function copy(session: Session): Draft<Session> {
  return {
    session_uuid: session.session_uuid,
    app_id: session.app_id,
    node: session.node,
    state: session.state,
    direction: session.direction,
    caller_id: session.caller_id,
    did: session.did,
    created_at: session.created_at,
    answered_at: session.answered_at,
    playback: session.playback,
    collecting: session.collecting,
    room: session.room,
    recording: session.recording,
    unfinished: session.unfinished,
    operations: session.operations,
    sequence: session.sequence,
  };
}

function answered(next: SessionNext, operation_id: string | null, at: number): SessionNext | null {
  const { state } = next;
  const operation = operation_id === null ? undefined : next.pending(operation_id);
  const first = state.state !== "answered";
  if (first) {
    state.state = "answered";
    state.answered_at = at;
    const data = operation ? { command_uid: operation.command_uid, success: true as const } : {};
    next.tell({ event: "call.answered", data });
  }
  if (operation) return next.settle(operation, null);
  return first ? next : null;
}
