/** Laws of what a call or a room goes through: fed with its events in their order, from the first one on. */
import { operations } from "../../../../generated/operations";
import type { Delivery } from "../ground/endpoint";
import type { Breach, Law } from "./law";

/** What was told so late may have consequences that are still under way. */
const settledMs = 5_000;

const commands = Object.values(operations).flatMap(({ command, emits }) => (command ? [{ ...command, emits }] : []));
/** Names of the events that each command can cause, by its name. */
const emitted = new Map(commands.map(({ name, emits }) => [name as string, emits as readonly string[]]));
const ofRooms = new Set<string>(commands.flatMap(({ name, of }) => (of === "room" ? [name] : [])));

/** Whose uid an event has that several commands can bring about. */
const ownerOf: Readonly<Record<string, string>> = {
  "digits.collected": "play_and_get_digits",
  "recording.completed": "record/start",
};
/** What a command did that succeeded is told by this event, with its uid. */
const effects: Readonly<Record<string, string>> = {
  "playback/start": "playback.started",
  "playback/silence": "playback.started",
  play_and_get_digits: "digits.collected",
  "record/start": "recording.completed",
  "room/play": "conference.play.started",
};
/** The same, but it does not say who caused it. */
const nameless: Readonly<Record<string, string>> = {
  answer: "call.answered",
  hangup: "call.hangup",
  "conference/join": "conference.member.joined",
  "conference/leave": "conference.member.left",
  "conference/mute": "conference.member.muted",
  "conference/unmute": "conference.member.unmuted",
};

interface Result {
  readonly command: string;
  readonly success: boolean;
  readonly delivery: Delivery;
}

/** A call or a room, whichever it is by its events. */
export class Story {
  readonly #told: Delivery[] = [];
  readonly #count = new Map<string, number>();
  /** By command_uid. */
  readonly #results = new Map<string, Result>();
  readonly #operations = new Set<string>();
  readonly #started = new Set<string>();
  readonly #stopped = new Set<string>();
  readonly #collected = new Set<string>();
  readonly #recorded = new Set<string>();
  /** uid of what plays. */
  #playing: string | null = null;
  #member: { readonly room_id: unknown; muted: boolean } | null = null;
  #caller: unknown = null;

  constructor(readonly source: string) {}

  get ended(): boolean {
    return this.#has("call.hangup") || this.#has("conference.destroyed");
  }

  tell(delivery: Delivery, breach: Breach): void {
    const { event, sequence } = delivery;
    this.#subject(delivery, breach);
    const [begin, end] = isRoom(this.source)
      ? ["conference.created", "conference.destroyed"]
      : ["call.new", "call.hangup"];
    const law = isRoom(this.source) ? "room" : "call";
    if (sequence === 1 && event !== begin) breach(law, `${event} at the beginning`);
    if (event !== "recording.completed" && this.ended) breach(law, `#${sequence} ${event} after ${end}`);
    if ([begin, end, "call.answered"].includes(event) && this.#has(event)) breach(law, `a second ${event}`);
    this.#told.push(delivery);
    this.#count.set(event, (this.#count.get(event) ?? 0) + 1);
    this.#played(delivery, breach);
    this.#met(delivery, breach);
    this.#resulted(delivery, breach);
    if (event === end) this.#over(breach);
  }

  /** Judges what could not be told before all had come. */
  conclude(tell: (law: Law, got: string, delivery: Delivery) => void): void {
    for (const delivery of this.#told) {
      const { event, data } = delivery;
      const result = this.#results.get(String(data.command_uid));
      if (event === "command.result" || !result) continue;
      const owner = ownerOf[event] ?? result.command;
      if (result.command !== owner || !(emitted.get(owner) ?? []).includes(event))
        tell("cause", `${event} by ${result.command}`, delivery);
    }
    for (const [uid, { command, success, delivery }] of this.#results) {
      const effect = effects[command] ?? nameless[command];
      if (!success || effect === undefined || this.#pending(effect, delivery)) continue;
      const there = command in effects ? this.#effectsOf(effect)?.has(uid) : this.#has(effect);
      if (there === false) tell("effect", `${command} succeeded, and no ${effect} came`, delivery);
    }
  }

  /** It may still come: only a recording after the end of its call. */
  #pending(effect: string, { at }: Delivery): boolean {
    const last = this.#told.at(-1)?.at ?? at;
    if (effect === "recording.completed") return Date.now() - last < settledMs;
    return !this.ended && Date.now() - at < settledMs;
  }

  #effectsOf(event: string): ReadonlySet<string> | null {
    if (event.endsWith(".started")) return this.#started;
    // A recording that goes on is not whole yet, and neither is the collection of a call that goes on.
    if (!this.ended) return null;
    if (event === "digits.collected") return this.#collected;
    return event === "recording.completed" ? this.#recorded : null;
  }

  #has(event: string): boolean {
    return this.#count.has(event);
  }

  #subject({ event, source, data, text }: Delivery, breach: Breach): void {
    const own = isRoom(source) ? "room_id" : "session_uuid";
    if (data[own] !== undefined && data[own] !== source)
      breach("subject", `${event} of ${source} with ${own} ${String(data[own])} in its data`);
    const { session_uuid, room_id }: Record<string, unknown> = JSON.parse(text);
    if ((session_uuid === undefined) === (room_id === undefined))
      breach("subject", `${event} with both or none of session_uuid and room_id`);
    if (!/^[A-Za-z0-9]{1,16}-(room-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(source))
      breach("subject", `${event} of "${source}"`);
    if (event === "call.new") this.#caller = data.caller_id;
    else if (data.caller_id !== undefined && data.caller_id !== this.#caller)
      breach("subject", `${event} with caller_id ${String(data.caller_id)}, not ${String(this.#caller)}`);
  }

  #played({ event, data }: Delivery, breach: Breach): void {
    const uid = String(data.command_uid);
    if (event.endsWith(".started")) {
      if (this.#started.has(uid)) breach("playback", `a second ${event} of ${uid}`);
      if (this.#playing !== null) breach("playback", `${event} of ${uid} while ${this.#playing} plays`);
      this.#started.add(uid);
      this.#playing = uid;
    } else if (event.endsWith(".stopped")) {
      if (this.#stopped.has(uid)) breach("playback", `a second ${event} of ${uid}`);
      else if (!this.#started.has(uid)) breach("playback", `${event} of ${uid}, which never started`);
      this.#stopped.add(uid);
      if (this.#playing === uid) this.#playing = null;
    } else if (event === "digits.collected") {
      if (this.#collected.has(uid)) breach("digits", `a second ${event} of ${uid}`);
      this.#collected.add(uid);
    } else if (event === "recording.completed") {
      if (this.#recorded.has(uid)) breach("once", `a second ${event} of ${uid}`);
      this.#recorded.add(uid);
    }
  }

  #met({ event, data }: Delivery, breach: Breach): void {
    const { room_id } = data;
    if (event === "conference.member.joined") {
      if (this.#member) breach("member", `${event} while in ${String(this.#member.room_id)}`);
      this.#member = { room_id, muted: data.muted === true };
    } else if (event.startsWith("conference.member.")) {
      if (!this.#member) breach("member", `${event} while in no room`);
      else if (this.#member.room_id !== room_id)
        breach("member", `${event} of ${String(room_id)} while in ${String(this.#member.room_id)}`);
      if (event === "conference.member.left") {
        this.#member = null;
        return;
      }
      const muted = event === "conference.member.muted";
      if (this.#member?.muted === muted) breach("member", `a second ${event}`);
      if (this.#member) this.#member.muted = muted;
    }
  }

  #resulted(delivery: Delivery, breach: Breach): void {
    const { event, data } = delivery;
    if (event !== "command.result") return;
    const command = String(data.command);
    const uid = String(data.command_uid);
    const operation = String(data.operation_id);
    if (!emitted.has(command) || ofRooms.has(command) !== isRoom(this.source))
      breach("cause", `a result of "${command}" for ${this.source}`);
    if (this.#operations.has(operation)) breach("once", `a second result of the operation ${operation}`);
    if (this.#results.has(uid)) breach("once", `a second result of ${command} ${uid}`);
    this.#operations.add(operation);
    this.#results.set(uid, { command, success: data.success === true, delivery });
  }

  /** The call or the room is over. */
  #over(breach: Breach): void {
    if (this.#playing !== null) breach("ended", `${this.#playing} still plays`);
    if (this.#member) breach("ended", `still in ${String(this.#member.room_id)}`);
    for (const [uid, { command, success }] of this.#results)
      if (command === "play_and_get_digits" && success && !this.#collected.has(uid))
        breach("digits", `no digits.collected of ${uid} before the end`);
  }
}

const isRoom = (source: string): boolean => source.includes("-room-");
