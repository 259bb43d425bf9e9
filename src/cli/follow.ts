/** The events of one call or room, from its first one on. */
import { type Client, EventStreamError, type WebhookEvent } from "../client/index";

/** No webhook has this id: the gateway then begins with the oldest event that it keeps. */
const beginning = "0";

/** Rooms are told from calls by their id: `<node>-room-<uuid>`. */
export function isRoom(id: string): boolean {
  return /^[^-]*-room-/.test(id);
}

/**
 * What was and what comes, each event once; ends when the signal is aborted.
 * @throws EventStreamError when the gateway refuses the stream, or stays away
 */
export async function* follow(client: Client, id: string, signal: AbortSignal): AsyncGenerator<WebhookEvent> {
  const room = isRoom(id);
  const events = client.events({ lastEventId: beginning, signal, ...(!room && { session_uuid: id }) });
  try {
    for await (const event of events) if (!room || isOfRoom(event, id)) yield event;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The room's own, and those of its members that name it. */
function isOfRoom({ source, data }: WebhookEvent, room_id: string): boolean {
  return source === room_id || ("room_id" in data && data.room_id === room_id);
}

/** The stream's refusal, as any other of the client; null for what is no refusal. */
export function refusalOf(error: unknown): EventStreamError["failure"] | null {
  return error instanceof EventStreamError ? error.failure : null;
}
