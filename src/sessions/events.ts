/** From what follows to what is sent. */
import type { App, StoredEvent } from "../store/store";
import { isoTime } from "../time";
import type { Publication } from "./next";

/** Whose sequence an event is numbered in. */
export type Source = { readonly session_uuid: string } | { readonly room_id: string };

interface Told {
  readonly state: { readonly app_id: string; sequence: number };
  readonly publish: readonly Publication[];
}

/** What the app wants of the events gets its number, its id and its bytes here. */
export function numbered(source: Source, { state, publish }: Told, app: App, at: number): StoredEvent[] {
  const { app_id } = state;
  const timestamp = isoTime(at);
  const events: StoredEvent[] = [];
  for (const publication of publish) {
    const { event, data } = publication;
    if (app.events.length > 0 && !app.events.includes(event)) continue;
    state.sequence += 1;
    const { sequence } = state;
    if ("room_id" in source) {
      const { room_id } = source;
      const body = JSON.stringify({ event, room_id, sequence, timestamp, app_id, data });
      events.push({ sequence, id: `${room_id}.${sequence}`, event, body, created_at: at, room_id: null });
    } else {
      const { session_uuid } = source;
      const body = JSON.stringify({ event, session_uuid, sequence, timestamp, app_id, data });
      const room_id = "room_id" in data ? data.room_id : null;
      events.push({ sequence, id: `${session_uuid}.${sequence}`, event, body, created_at: at, room_id });
    }
  }
  return events;
}
