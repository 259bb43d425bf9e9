/** One story: who calls, what the app does, and what it was told. */
import type { EventName } from "../../src/contract";
import type { Stage } from "../calls/stage";
import { did, type StoryCaller } from "./callers";
import type { StoryPlace } from "./place";
import { transcript } from "./transcript";

export interface Party {
  readonly session_uuid: string;
  readonly caller: StoryCaller;
}

export class Telling {
  readonly #names = new Map<string, string>();
  readonly #callers: StoryCaller[] = [];

  constructor(
    readonly stage: Stage,
    readonly place: StoryPlace,
  ) {}

  /** Somebody whose call was offered, and told of. */
  async ringing(name = "caller"): Promise<Party> {
    const { receiver } = this.stage;
    const before = receiver.events.length;
    const caller = await this.place.dial(this.stage, `49${this.#callers.length + 1}`);
    this.#callers.push(caller);
    const offered = await receiver.until(() => receiver.events.slice(before).find(({ event }) => event === "call.new"));
    this.#names.set(offered.source, name);
    return { session_uuid: offered.source, caller };
  }

  /** Somebody whose call was answered. */
  async talking(name = "caller"): Promise<Party> {
    const party = await this.ringing(name);
    await this.stage.done(party.session_uuid, "answer", { command_uid: "take" });
    await party.caller.talk();
    return party;
  }

  /** What nobody hears to its end. */
  long(): string[] {
    return [this.stage.files.tone(60_000)];
  }

  async room(name: string): Promise<string> {
    const room_id = await this.stage.room(name);
    this.#names.set(room_id, "room");
    return room_id;
  }

  /** The app ends it. */
  async end({ session_uuid, caller }: Party): Promise<void> {
    await this.stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    await caller.hungUp();
  }

  /** All that was told of a call or a room until this. */
  async told(id: string, last: EventName = "call.hangup"): Promise<string[]> {
    return transcript(await this.stage.receiver.story(id, last), this.#names);
  }

  async close(): Promise<void> {
    for (const caller of this.#callers) await caller.close();
  }
}

/** What every call begins with; of the first who calls. */
export const calling = (caller = 1) => `call.new caller_id=49${caller} did=${did} direction=inbound`;
export const answering = [
  "call.answered command_uid=take success=true",
  "command.result command=answer command_uid=take success=true",
];
