/**
 * What a receiver of all events knows of calls and rooms, by the contract alone: each event is held against what was told
 * before it, and what it leads to can be compared with what the gateway says. Violations throw.
 */
import type { EventData, EventName } from "../../src/contract";

/** An event as it was sent, by the id of the call or room whose number it has. */
export type Told = {
  readonly [E in EventName]: {
    readonly event: E;
    readonly source: string;
    readonly sequence: number;
    readonly data: EventData<E>;
  };
}[EventName];

type Result = EventData<"command.result">;

/** From the body of a webhook. */
export function toldBy(body: string): Told {
  const { event, session_uuid, room_id, sequence, data } = JSON.parse(body);
  return { event, source: session_uuid ?? room_id, sequence, data };
}

/** Steps of the end of a call, in their order. */
const ends: Partial<Record<EventName, number>> = {
  "playback.stopped": 1,
  "digits.collected": 2,
  "conference.member.left": 3,
  "command.result": 4,
  "call.hangup": 5,
};

/** What calls and rooms have in common: their numbers, what plays, and their last event. */
class Story {
  sequence = 0;
  over = false;
  /** Uid of the playback that sounds. */
  playing: string | null = null;

  constructor(readonly id: string) {}

  protected demand(held: boolean, told: Told, why: string): void {
    if (!held) throw new Error(`${this.id} #${told.sequence} ${told.event}: ${why} ${JSON.stringify(told.data)}`);
  }

  protected number(told: Told, first: EventName): void {
    this.demand(told.sequence === this.sequence + 1, told, `came after #${this.sequence}`);
    this.demand((told.event === first) === (told.sequence === 1), told, `${first} is the first of all, and once`);
    this.sequence = told.sequence;
  }

  protected started(told: Told, command_uid: string): void {
    this.demand(this.playing === null, told, `while ${this.playing} plays`);
    this.playing = command_uid;
  }

  protected stopped(told: Told, command_uid: string): void {
    this.demand(this.playing === command_uid, told, `while ${this.playing} plays`);
    this.playing = null;
  }
}

export class CallStory extends Story {
  answered = false;
  /** Uid of the collection under way. */
  collecting: string | null = null;
  room: { readonly room_id: string; readonly muted: boolean } | null = null;
  /** Recordings that were told of as completed. */
  readonly completed = new Set<string>();
  /** Uids of recordings whose begin was told. */
  readonly recorded = new Set<string>();
  /** How far its end has come. */
  #ending = 0;

  take(told: Told): void {
    this.number(told, "call.new");
    if (told.event !== "recording.completed") this.demand(!this.over, told, "after call.hangup");
    this.#order(told);
    switch (told.event) {
      case "call.answered":
        this.demand(!this.answered, told, "answered twice");
        this.answered = true;
        break;
      case "playback.started":
        this.started(told, told.data.command_uid);
        break;
      case "playback.stopped":
        this.stopped(told, told.data.command_uid);
        break;
      case "digits.collected":
        this.demand(this.collecting === told.data.command_uid, told, `while ${this.collecting} collects`);
        this.collecting = null;
        break;
      case "recording.completed":
        this.demand(!this.completed.has(told.data.recording_id), told, "completed twice");
        this.completed.add(told.data.recording_id);
        break;
      case "command.result":
        this.demand(!told.data.command.startsWith("room/"), told, "a room's");
        this.#result(told, told.data);
        break;
      case "call.hangup":
        this.demand(this.playing === null && this.collecting === null && this.room === null, told, "with loose ends");
        this.over = true;
        break;
      case "conference.member.joined":
      case "conference.member.left":
      case "conference.member.muted":
      case "conference.member.unmuted":
        this.demand(told.data.session_uuid === this.id, told, "of another call");
        this.#member(told);
        break;
      case "call.new":
      case "dtmf":
      case "playback.file_not_found":
        break;
      default:
        this.demand(false, told, "a room's");
    }
  }

  /** Once the end has begun, only the rest of it comes. */
  #order(told: Told): void {
    const rank = ends[told.event] ?? 0;
    const handedBack = this.#ending === 4 && told.event === "recording.completed";
    if (!this.over && !handedBack) this.demand(rank >= this.#ending, told, "within the end of the call");
    const { reason, error } = { reason: null, error: null, ...told.data };
    if (reason === "hangup" || error === "Session ended") this.#ending = rank;
  }

  #result(told: Told, { command, command_uid, success }: Result): void {
    if (!success) return;
    if (command === "record/start") this.recorded.add(command_uid);
    if (command !== "play_and_get_digits") return;
    this.demand(this.collecting === null, told, `while ${this.collecting} collects`);
    this.collecting = command_uid;
  }

  #member(told: Extract<Told, { readonly event: `conference.member.${string}` }>): void {
    const { room_id } = told.data;
    if (told.event === "conference.member.joined") {
      this.demand(this.room === null, told, `a member of ${this.room?.room_id}`);
      this.demand(this.answered, told, "before the answer");
      this.room = { room_id, muted: told.data.muted };
      return;
    }
    this.demand(this.room?.room_id === room_id, told, `a member of ${this.room?.room_id}`);
    if (told.event === "conference.member.left") {
      this.room = null;
      return;
    }
    const muted = told.event === "conference.member.muted";
    this.demand(this.room?.muted === !muted, told, "nothing new");
    this.room = { room_id, muted };
  }
}

export class RoomStory extends Story {
  take(told: Told): void {
    this.demand(!this.over, told, "after conference.destroyed");
    this.number(told, "conference.created");
    switch (told.event) {
      case "conference.created":
      case "conference.play.file_not_found":
        break;
      case "conference.play.started":
        this.started(told, told.data.command_uid);
        break;
      case "conference.play.stopped":
        this.stopped(told, told.data.command_uid);
        break;
      case "command.result":
        this.demand(told.data.command.startsWith("room/"), told, "a call's");
        break;
      case "conference.destroyed":
        this.demand(this.playing === null, told, "with loose ends");
        this.over = true;
        break;
      default:
        this.demand(false, told, "a call's");
    }
  }
}

/** All that an app was told. */
export class Stories {
  readonly calls = new Map<string, CallStory>();
  readonly rooms = new Map<string, RoomStory>();
  /** By their operation_id. */
  readonly results = new Map<string, Result>();
  /** How often each event came. */
  readonly seen = new Map<string, number>();

  take(told: Told): void {
    const { source, event } = told;
    this.seen.set(event, (this.seen.get(event) ?? 0) + 1);
    if (told.event === "command.result") {
      const { operation_id } = told.data;
      if (this.results.has(operation_id)) throw new Error(`${source}: two results ${JSON.stringify(told.data)}`);
      this.results.set(operation_id, told.data);
    }
    if (source.includes("-room-")) this.room(source).take(told);
    else this.call(source).take(told);
  }

  call(id: string): CallStory {
    const story = this.calls.get(id) ?? new CallStory(id);
    this.calls.set(id, story);
    return story;
  }

  room(id: string): RoomStory {
    const story = this.rooms.get(id) ?? new RoomStory(id);
    this.rooms.set(id, story);
    return story;
  }
}

/**
 * A room's list of events, with those of its members, in its order: members come after its creation and are gone before
 * its destruction. @returns who is in it after the last of them
 */
export function membersBy(room_id: string, list: readonly Told[]): Set<string> {
  const members = new Set<string>();
  let open = false;
  for (const told of list) {
    const { event, source, sequence } = told;
    const demand = (held: boolean) => {
      if (!held) throw new Error(`${room_id}: ${event} of ${source} #${sequence}, members: ${[...members]}`);
    };
    if (event === "conference.created") open = true;
    demand(open);
    if (event === "conference.member.joined") demand(!members.has(source) && members.add(source) !== undefined);
    if (event === "conference.member.left") demand(members.delete(source));
    if (event === "conference.member.muted" || event === "conference.member.unmuted") demand(members.has(source));
    if (event === "conference.destroyed") {
      demand(members.size === 0);
      open = false;
    }
  }
  return members;
}
