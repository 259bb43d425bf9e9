import type { Reply } from "../contract";
import { Refused } from "../engines/engine";
import type { Member, Room, RoomSummary } from "../store/store";
import { isoTime } from "../time";
import { roomCommand } from "./command";
import { formatCursor, parseCursor } from "./cursor";
import type { Call, Gateway, TagHandlers } from "./gateway";
import { shownPlayback } from "./sessions";

export function rooms(gateway: Gateway): TagHandlers<"rooms"> {
  const { store, sessions } = gateway;
  return {
    async createRoom(call) {
      const opening = await open(call, gateway);
      switch (opening.outcome) {
        case "created":
          return { status: 201, body: { room_id: opening.room_id } };
        case "name_taken":
          throw call.error("409 Conference name already taken", { room_id: opening.room_id });
        case "full":
          throw call.error("409 Too many conference rooms");
        case "no_app":
          // It was deleted while this went on.
          throw call.error("401 Invalid API key");
      }
    },

    async listRooms(call) {
      const { cursor, limit } = call.query;
      const after = cursor === undefined ? null : parseCursor(cursor);
      if (cursor !== undefined && !after) throw call.error("400 Invalid cursor");
      const page = await store.rooms(call.app.app_id, limit, after);
      const next_cursor = page.next && formatCursor(page.next);
      return { status: 200, body: { rooms: page.items.map(summary), next_cursor } };
    },

    async getRoom({ room: { state }, app }) {
      const members = await store.members(app.app_id, state.room_id);
      return { status: 200, body: shown(state, members) };
    },

    async deleteRoom(call) {
      try {
        await sessions.closeRoom(call.room.state.room_id);
      } catch (error) {
        throw error instanceof Refused ? call.error("503 Media server unavailable") : error;
      }
      return { status: 204 };
    },

    playRoom: roomCommand(gateway),
    pauseRoom: roomCommand(gateway),
    setRoomVolume: roomCommand(gateway),
    stopRoom: roomCommand(gateway),
  };
}

async function open(call: Call<"createRoom">, { sessions }: Gateway) {
  const { name, session_uuid } = call.body;
  try {
    return await sessions.createRoom(call.app.app_id, name, session_uuid ?? null);
  } catch (error) {
    throw error instanceof Refused ? call.error("503 Media server unavailable") : error;
  }
}

function summary({ room, member_count }: RoomSummary): Reply<"listRooms">["body"]["rooms"][number] {
  const { room_id, name, created_at } = room;
  return { room_id, name, created_at: isoTime(created_at), member_count };
}

function shown(room: Room, members: readonly Member[]): Reply<"getRoom">["body"] {
  const { room_id, name, created_at, playback } = room;
  return {
    room_id,
    name,
    created_at: isoTime(created_at),
    members: members.map(({ session_uuid, caller_id, muted, joined_at }) => ({
      session_uuid,
      caller_id,
      muted,
      joined_at: isoTime(joined_at),
    })),
    playback: playback && { ...shownPlayback(playback), loop: playback.loop, volume: playback.volume },
  };
}
