import type { Reply } from "../contract";
import { playbackOffset } from "../sessions/session";
import type { PageMark, Session } from "../store/store";
import type { Gateway, TagHandlers } from "./gateway";

export function sessions({ store }: Gateway): TagHandlers<"sessions"> {
  return {
    async listSessions(call) {
      const { cursor, limit } = call.query;
      const after = cursor === undefined ? null : parseCursor(cursor);
      if (cursor !== undefined && !after) throw call.error("400 Invalid cursor");
      const page = await store.sessions(call.app.app_id, limit, after);
      const next_cursor = page.next && formatCursor(page.next);
      return { status: 200, body: { sessions: page.sessions.map(shown), next_cursor } };
    },

    getSession: (call) => ({ status: 200, body: shown(call.session) }),
  };
}

/** Opaque to callers: what is in it may change. */
function formatCursor({ created_at, session_uuid }: PageMark): string {
  return Buffer.from(`${created_at}.${session_uuid}`).toString("base64url");
}

function parseCursor(text: string): PageMark | null {
  const match = /^(\d{1,15})\.(.{1,128})$/.exec(Buffer.from(text, "base64url").toString("utf8"));
  return match?.[1] && match[2] ? { created_at: Number(match[1]), session_uuid: match[2] } : null;
}

function shown(session: Session): Reply<"getSession">["body"] {
  const { session_uuid, state, direction, caller_id, did, created_at, answered_at, playback } = session;
  if (state === "ended") throw new Error("an ended session was found");
  return {
    session_uuid,
    state,
    direction,
    caller_id,
    did,
    created_at: new Date(created_at).toISOString(),
    answered_at: answered_at === null ? null : new Date(answered_at).toISOString(),
    playback: playback && {
      command_uid: playback.command_uid,
      urls: playback.urls,
      index: playback.index,
      offset_ms: playbackOffset(playback, Date.now()),
      paused: playback.paused,
    },
  };
}
