/**
 * What a conference room is, and what follows when something happens to it. As pure as what a call is. Who is in it is no
 * matter of the room: that is in the calls.
 */
import type { Commit, Room } from "../store/store";
import type { RoomEvent } from "./happening";
import { type Advance, type Draft, Next } from "./next";
import { playedUntil, roomPlayStopped } from "./playback";

type RoomNext = Next<Draft<Room>>;

/** A room whose name is taken and that nobody can see yet. Times in epoch milliseconds. */
export function createRoom(room: Pick<Room, "room_id" | "app_id" | "node" | "name">, at: number): Room {
  const { room_id, app_id, node, name } = room;
  return { room_id, app_id, node, name, state: "opening", created_at: at, playback: null, operations: [], sequence: 0 };
}

export function roomLife({ state }: Room): Commit["life"] {
  return state === "ended" || state === "closing" ? state : "live";
}

/**
 * @param at when it happened, epoch milliseconds
 * @returns null when the event changes nothing
 */
export function advanceRoom(room: Room, event: RoomEvent, at: number): Advance<Room> | null {
  if (room.state === "ended") return null;
  const next = new Next(copy(room));
  switch (event.type) {
    case "opened":
      return opened(next);
    case "play.started": {
      const { operation_id, command_uid, urls, index, loop, volume } = event;
      // A confirmation that comes too late must not leave it sounding: the caller was told that it failed.
      const operation = next.pending(operation_id);
      if (!operation) return next.undo(operation_id);
      const facts = { command_uid, urls, index, offset_ms: 0, at, started_at: at, paused: false };
      next.state.playback = { ...facts, loop, volume };
      next.tell({ event: "conference.play.started", data: { command_uid, urls: [...urls] } });
      return next.settle(operation, null);
    }
    case "play.moved": {
      const { playback } = room;
      const { index, offset_ms, paused, volume } = event;
      if (playback?.command_uid !== event.command_uid) return null;
      next.state.playback = { ...playback, index, offset_ms, paused, volume, at };
      return next;
    }
    case "play.stopped":
      if (room.playback?.command_uid !== event.command_uid) return null;
      next.state.playback = null;
      return next.tell(roomPlayStopped(room.playback, event, event.reason));
    case "play.file_not_found": {
      const { command_uid, url, reason } = event;
      return next.tell({ event: "conference.play.file_not_found", data: { command_uid, url, reason } });
    }
    case "failed": {
      const operation = next.pending(event.operation_id);
      return operation ? next.settle(operation, event.error) : null;
    }
    case "closing":
    case "lost":
      return closing(next);
    case "destroyed":
      return destroyed(next, at);
    case "command.taken":
    case "command.refused":
    case "command.overdue":
      return next.command(event);
  }
}

function opened(next: RoomNext): RoomNext | null {
  const { state } = next;
  if (state.state !== "opening") return null;
  state.state = "open";
  const { room_id, name } = state;
  return next.tell({ event: "conference.created", data: { room_id, name } });
}

/** One that nobody has seen yet goes without a word. */
function closing(next: RoomNext): RoomNext | null {
  const { state } = next;
  if (state.state === "closing") return null;
  state.state = state.state === "opening" ? "ended" : "closing";
  return next;
}

/** The order of these events is part of the contract. */
function destroyed(next: RoomNext, at: number): RoomNext | null {
  const { state } = next;
  if (state.state !== "closing") return null;
  const { room_id, name, playback } = state;
  // Where the engine did not tell of it.
  if (playback) next.tell(roomPlayStopped(playback, playedUntil(playback, at), "destroyed"));
  state.playback = null;
  next.settleAll(() => "Room ended");
  state.state = "ended";
  return next.tell({ event: "conference.destroyed", data: { room_id, name } });
}

/** Names every field, as that of a call does. */
function copy(room: Room): Draft<Room> {
  return {
    room_id: room.room_id,
    app_id: room.app_id,
    node: room.node,
    name: room.name,
    state: room.state,
    created_at: room.created_at,
    playback: room.playback,
    operations: room.operations,
    sequence: room.sequence,
  };
}
