import type { Reply } from "../contract";
import { playbackOffset } from "../sessions/playback";
import type { PlaybackFacts, Session } from "../store/store";
import { isoTime } from "../time";
import { formatCursor, parseCursor } from "./cursor";
import type { Gateway, TagHandlers } from "./gateway";

export function sessions({ store }: Gateway): TagHandlers<"sessions"> {
  return {
    async listSessions(call) {
      const { cursor, limit } = call.query;
      const after = cursor === undefined ? null : parseCursor(cursor);
      if (cursor !== undefined && !after) throw call.error("400 Invalid cursor");
      const page = await store.sessions(call.app.app_id, limit, after);
      const next_cursor = page.next && formatCursor(page.next);
      return { status: 200, body: { sessions: page.items.map(shown), next_cursor } };
    },

    getSession: (call) => ({ status: 200, body: shown(call.session.state) }),
  };
}

/** A playback as it is now. */
export function shownPlayback(playback: PlaybackFacts): NonNullable<Reply<"getSession">["body"]["playback"]> {
  const { command_uid, urls, index, paused } = playback;
  return { command_uid, urls, index, offset_ms: playbackOffset(playback, Date.now()), paused };
}

function shown(session: Session): Reply<"getSession">["body"] {
  const { session_uuid, state, direction, caller_id, did, created_at, answered_at, room, recording, playback } =
    session;
  if (state === "ended") throw new Error("an ended session was found");
  return {
    session_uuid,
    state,
    direction,
    caller_id,
    did,
    created_at: isoTime(created_at),
    answered_at: answered_at === null ? null : isoTime(answered_at),
    room_id: room?.room_id ?? null,
    muted: room?.muted ?? false,
    recording: recording && { command_uid: recording.command_uid, started_at: isoTime(recording.started_at) },
    playback: playback && shownPlayback(playback),
  };
}
