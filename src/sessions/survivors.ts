/** What a media node has by the store: for an engine whose media server goes on with it, whoever began it. */
import type { Survivor, Survivors } from "../engines/engine";
import { isRoom } from "../ids";
import type { Store } from "../store/store";
import type { Live } from "./live";

/** Calls and rooms that are read at a time. */
const atOnce = 50;

/**
 * They count as this instance's from then on.
 * @throws when the store cannot be asked
 */
export async function survivorsOf(
  node: string,
  store: Pick<Store, "subjectsOf" | "loadSession" | "loadRoom">,
  live: Live,
  liveRooms: Live,
): Promise<Survivors> {
  const calls: Survivor[] = [];
  const rooms: Survivors["rooms"][number][] = [];
  const ids = (await store.subjectsOf(node)).values();
  const worker = async () => {
    for (const id of ids) {
      if (isRoom(id)) {
        const room = (await store.loadRoom(id))?.state;
        if (room && room.state !== "ended") rooms.push({ room_id: id, playback: room.playback });
        continue;
      }
      const session = (await store.loadSession(id))?.state;
      if (!session || session.state === "ended") continue;
      const { session_uuid, state, caller_id, did, playback, collecting, room, recording } = session;
      calls.push({ session_uuid, state, caller_id, did, playback, collecting, room, recording });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const { session_uuid } of calls) live.add(session_uuid);
  for (const { room_id } of rooms) liveRooms.add(room_id);
  return { calls, rooms };
}
