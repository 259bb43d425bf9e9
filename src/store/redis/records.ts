/** How events are written in Redis: `lua/sources.ts` says where. */
import type { StoredEvent } from "../store";

/** As it is handed to a script, which puts its position and time in front: then it is a record. */
export function packed(event: StoredEvent, source: string): string {
  const { sequence, room_id, created_at, body } = event;
  const id = event.id === `${source}.${sequence}` ? "" : event.id;
  return `${sequence}\t${room_id ?? ""}\t${created_at}\t${event.event}\t${id}\n${body}`;
}

/** Reads a record, of which its first `from` characters are something else. */
export function eventOf(record: string, source: string, from = 0): StoredEvent {
  const head = record.indexOf("\n", from);
  const [, , sequence = "", room_id = "", created_at = "", event = "", id = ""] = record.slice(from, head).split("\t");
  return {
    sequence: Number(sequence),
    id: id === "" ? `${source}.${sequence}` : id,
    event,
    body: record.slice(head + 1),
    created_at: Number(created_at),
    room_id: room_id === "" ? null : room_id,
  };
}
