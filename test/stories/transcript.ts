/**
 * What an app was told of a call or a room, so that it can be compared: one line for each event, with all that it says but
 * for what is another one each time. Masked are ids (a call, a room and a recording by who or what it is), times, and the
 * origin of URLs. Offsets and durations are left out, for they depend on how fast the machine is, but for one: what was played to
 * its end was played as far as its file is long, to the millisecond.
 */
import type { Received } from "../receiver";

/** Of each call, or new each time; `file_path` says the same as `urls`. */
const left = ["operation_id", "timestamp", "recording_id", "duration", "duration_ms", "file_path", "code"];

/** @param names of calls and rooms, by their ids */
export function transcript(events: readonly Received[], names: ReadonlyMap<string, string>): string[] {
  return events.map(({ event, data }) => {
    const facts = Object.entries(data).flatMap(([name, value]) => {
      if (left.includes(name) || (name === "offset_ms" && Object(data).reason !== "completed")) return [];
      return value === null ? [] : [`${name}=${saidOf(name, value, names)}`];
    });
    return [event, ...facts].join(" ");
  });
}

function saidOf(name: string, value: unknown, names: ReadonlyMap<string, string>): string {
  if (name === "recording_url") return "there";
  if (Array.isArray(value)) return value.map((each) => saidOf(name, each, names)).join(",");
  const text = String(value);
  return names.get(text) ?? text.replace(/^https?:\/\/[^/]+/, "");
}
