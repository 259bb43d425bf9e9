/** The story of a call or a room: events with its name, numbered from 1, as the gateway would tell them. */
import { randomUUID } from "node:crypto";
import { type Data, exampleOf, own } from "./samples";

/** One event, with the bytes that go over the wire at each attempt. */
export interface Told {
  /** `webhook-id`. */
  readonly id: string;
  readonly event: string;
  readonly sequence: number;
  readonly body: string;
}

export class Story {
  /** Session uuid or room id. */
  readonly source: string;
  #sequence = 0;

  constructor(
    readonly kind: "call" | "room",
    readonly app_id: string,
    node: string,
    uuid: string = randomUUID(),
  ) {
    this.source = `${node}${kind === "room" ? "-room" : ""}-${uuid}`;
  }

  /** The next event, by the document's example unless there is other data. */
  next(event: string, data: Data = exampleOf(event)): Told {
    return this.at(++this.#sequence, event, data);
  }

  /** Numbers that other events had, which the receiver never sees: they went to the dead letters. */
  skip(events: number): void {
    this.#sequence += events;
  }

  /** An event with a number of its own. @param write how the body is written; JSON without blanks by default */
  at(sequence: number, event: string, data: Data, write: (body: Data) => string = JSON.stringify): Told {
    const name = this.kind === "room" ? "room_id" : "session_uuid";
    const frame = { event, [name]: this.source, sequence, timestamp: new Date().toISOString(), app_id: this.app_id };
    const body = write({ ...frame, data: own(data, { [name]: this.source }) });
    return { id: `${this.source}.${sequence}`, event, sequence, body };
  }

  /** The next event, with more in its frame or other bytes than the gateway writes today. */
  written(event: string, write: (body: Data) => string, data: Data = exampleOf(event)): Told {
    return this.at(++this.#sequence, event, data, write);
  }
}

/** A call that rings, is answered, hears something, is asked, confers, and ends; in this order. */
export const lifeOfCall = [
  "call.new",
  "call.answered",
  "command.result",
  "playback.started",
  "dtmf",
  "digits.collected",
  "playback.file_not_found",
  "playback.stopped",
  "conference.member.joined",
  "conference.member.muted",
  "conference.member.unmuted",
  "conference.member.left",
  "call.hangup",
  "recording.completed",
] as const;
