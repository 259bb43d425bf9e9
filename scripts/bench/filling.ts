/** Calls that are only in the store: as many as are wanted, of a media node that nobody asks. */
import { randomUUID } from "node:crypto";
import type { Session, Store } from "../../src/store/store";

/** At a time: each is a round trip where the store is another process. */
const together = 64;

/** @returns how many were written */
export async function filled(store: Store, app_id: string, sessions: number): Promise<number> {
  const now = await store.now();
  for (let i = 0; i < sessions; i += together) {
    const some = Array.from({ length: Math.min(together, sessions - i) }, () => talking(app_id, now));
    const created = await Promise.all(some.map((session) => store.createSession(session, [])));
    if (created.includes(false)) throw new Error(`there is no app ${app_id}`);
  }
  return sessions;
}

export function talking(app_id: string, now: number): Session {
  return {
    session_uuid: `elsewhere-${randomUUID()}`,
    app_id,
    node: "elsewhere",
    state: "answered",
    direction: "inbound",
    caller_id: "alice",
    did: "100",
    created_at: now,
    answered_at: now,
    playback: null,
    collecting: null,
    room: null,
    recording: null,
    unfinished: [],
    operations: [],
    sequence: 2,
  };
}
