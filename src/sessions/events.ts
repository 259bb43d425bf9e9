/** From what follows to what is sent. */
import type { App, StoredEvent } from "../store/store";
import { isoTime } from "../time";
import type { Advance } from "./session";

/** What the app wants of the events gets its number, its id and its bytes here. */
export function numbered({ session, publish }: Advance, app: App, at: number): StoredEvent[] {
  const { session_uuid, app_id } = session;
  const timestamp = isoTime(at);
  const events: StoredEvent[] = [];
  for (const { event, data } of publish) {
    if (app.events.length > 0 && !app.events.includes(event)) continue;
    session.sequence += 1;
    const { sequence } = session;
    const body = JSON.stringify({ event, session_uuid, sequence, timestamp, app_id, data });
    events.push({ sequence, id: `${session_uuid}.${sequence}`, event, body, created_at: at });
  }
  return events;
}
