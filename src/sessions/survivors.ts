/** What a media node has by the store: for an engine whose media server goes on with it, whoever began it. */
import type { Survivor, Survivors, Unheard } from "../engines/engine";
import { isRoom } from "../ids";
import { sideBySide } from "../side_by_side";
import type { PlaybackFacts, Store } from "../store/store";
import type { Leases } from "./leases";
import type { Live } from "./live";
import { playedUntil } from "./playback";

/** Calls and rooms that are read at a time. */
const atOnce = 50;

/**
 * They count as this instance's from then on.
 * @throws when the store cannot be asked, or when the node is not this instance's
 */
export async function survivorsOf(
  node: string,
  store: Pick<Store, "subjectsOf" | "loadSession" | "loadRoom">,
  leases: Pick<Leases, "raised">,
  live: Live,
  liveRooms: Live,
): Promise<Survivors> {
  // Before they are read: what those before would still write down would not be seen.
  const tenure = await leases.raised(node);
  const calls: Survivor[] = [];
  const rooms: Survivors["rooms"][number][] = [];
  await sideBySide(await store.subjectsOf(node), atOnce, async (id) => {
    if (isRoom(id)) {
      const room = (await store.loadRoom(id))?.state;
      if (room && room.state !== "ended") rooms.push({ room_id: id, playback: unheard(room.playback) });
      return;
    }
    const session = (await store.loadSession(id))?.state;
    if (!session || session.state === "ended") return;
    const { session_uuid, state, caller_id, did, collecting, room, recording } = session;
    const playback = unheard(session.playback);
    calls.push({ session_uuid, state, caller_id, did, playback, collecting, room, recording });
  });
  if (tenure.over) throw new Error("the media node was given up");
  for (const { session_uuid } of calls) live.add(session_uuid);
  for (const { room_id } of rooms) liveRooms.add(room_id);
  return { calls, rooms };
}

function unheard(playback: PlaybackFacts | null): Unheard | null {
  if (playback === null) return null;
  return { command_uid: playback.command_uid, ...playedUntil(playback, Date.now()) };
}
