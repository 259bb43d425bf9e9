/** An event of a call or a room in one line: the same wherever the program shows one. */
import { harmless, paint } from "./output";

/** What of an event is shown. */
export interface Shown {
  readonly event: string;
  readonly sequence: number;
  readonly timestamp?: string;
  readonly data: object;
}

/** `12:00:01.123  #3   playback.started  urls=…` */
export function eventLine({ event, sequence, timestamp = "", data }: Shown, colours: boolean): string {
  const fields = Object.entries(data).map(([key, value]) => {
    return `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`;
  });
  const name = paint(colours, "cyan", harmless(event).padEnd(24));
  const time = harmless(timestamp.slice(11, 23));
  return `${time}  #${String(sequence).padEnd(3)} ${name} ${harmless(fields.join(" "))}`.trimEnd();
}

/** The event in the body of a webhook; null when it is none. */
export function readEvent(body: string): Shown | null {
  let event: unknown;
  try {
    event = JSON.parse(body);
  } catch {
    // Told as null.
    return null;
  }
  if (typeof event !== "object" || event === null || !("event" in event && "sequence" in event && "data" in event))
    return null;
  const { data } = event;
  if (typeof data !== "object" || data === null) return null;
  const timestamp = "timestamp" in event ? String(event.timestamp) : "";
  return { event: String(event.event), sequence: Number(event.sequence), timestamp, data };
}
