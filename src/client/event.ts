/** Events of the gateway as an application gets them, by webhook or by stream. */
import { eventSources } from "../../generated/operations";
import type { EventBody, EventName } from "../contract";

export type { EventName };

/** What the client adds to the body of an event. */
interface Named {
  /** `webhook-id`, the same at each attempt and in the stream: drop what has been seen. */
  readonly webhookId: string;
  /** The session or the room that the event is of: `sequence` counts its events. */
  readonly source: string;
}

/** An event by its name: `EventOf<"dtmf">`. */
export type EventOf<E extends EventName> = E extends EventName
  ? EventBody<E> & Named & { readonly known: true }
  : never;
/** The events of the document, told apart by `event`. */
export type KnownEvent = EventOf<EventName>;

/** What a newer gateway sends. It is to be ignored, and to be answered 2xx like any other. */
export interface UnknownEvent extends Named {
  readonly known: false;
  readonly event: string;
  readonly session_uuid?: string;
  readonly room_id?: string;
  readonly sequence: number;
  readonly timestamp: string;
  readonly app_id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** `if (!event.known) return;` and then `switch (event.event)`. */
export type WebhookEvent = KnownEvent | UnknownEvent;

/**
 * The event in the text of a body; null when it is none.
 * Its frame is looked at and its `data` is not: the text comes from the gateway, whose contract says what is in there.
 */
export function parseEvent(text: string, webhookId: string): WebhookEvent | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // Told as null, like any other text that is no event.
    return null;
  }
  if (typeof body !== "object" || body === null || !("event" in body)) return null;
  const known = typeof body.event === "string" && Object.hasOwn(eventSources, body.event);
  const { session_uuid, room_id }: Partial<Record<keyof UnknownEvent, unknown>> = body;
  const event = { ...body, webhookId, known, source: session_uuid ?? room_id };
  return isEvent(event) ? event : null;
}

function isEvent(event: object): event is WebhookEvent {
  const { event: name, source, sequence, data }: Partial<Record<keyof UnknownEvent, unknown>> = event;
  if (typeof name !== "string" || typeof source !== "string" || !Number.isSafeInteger(sequence)) return false;
  return typeof data === "object" && data !== null;
}
