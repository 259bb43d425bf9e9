/** Where sounds come out at FreeSWITCH: on a call by itself, or in a conference, to one of its members or to all. */
import type { Log } from "../../log";
import type { Sound } from "../control/media_server";
import { Refused } from "../engine";
import { breakOff, type Command, playback, playRoom, seek, seekRoom, stopRoom, volumeRoom } from "./commands";
import type { FreeswitchEvent } from "./event";
import type { Link } from "./link";
import type { SoundNames } from "./sound_names";

/** How a sound ended. `offset_ms`: where; null where FreeSWITCH does not say. Of silence since it began. */
export interface SoundEnd {
  readonly how: "done" | "broken";
  readonly offset_ms: number | null;
}

/** The methods throw `Refused`. */
export interface Outlet {
  /**
   * Resolves once it sounds. From then on its end is told by its tag, unless a `stop` has asked for it.
   * @returns false when FreeSWITCH cannot play it
   */
  start(tag: string, sound: Sound, from_ms: number, volume: number): Promise<boolean>;
  /** Breaks it off. */
  stop(tag: string): Promise<SoundEnd>;
  /** @returns false when it had ended, or cannot be moved */
  seek(sound: Sound, offset_ms: number): Promise<boolean>;
  volume(volume: number): Promise<void>;
  /** Whatever sounds there, or is about to, does not. Not waited for. */
  hush(): void;
}

/** What FreeSWITCH answers when there is no such call. */
export function checkChannel(reply: string): void {
  if (reply.startsWith("+OK")) return;
  if (/^-ERR (?:no such channel|invalid session id|cannot locate session)/i.test(reply)) throw new Refused("gone");
  throw new Error(`FreeSWITCH refuses a command: ${JSON.stringify(reply.slice(0, 200))}`);
}

/** @param event of the end of a sound on a call by itself; the end of the call is told as if the sound had been played */
export function endOf(event: FreeswitchEvent): SoundEnd {
  const samples = event.number("variable_playback_last_offset_pos");
  const perMs = (event.number("Channel-Write-Codec-Rate") ?? 8000) / 1000;
  const done = event.get("Playback-Status") === "done" && event.get("Hangup-Cause") === "";
  return {
    how: done ? "done" : "broken",
    offset_ms: samples === null || perMs < 1 ? null : Math.floor(samples / perMs),
  };
}

/** Steps of the gateway are 3 dB, of FreeSWITCH's file volume 1 dB. */
const decibels = (volume: number): number => volume * 3;

/** What outlets have in common. */
export interface OutletMeans {
  readonly link: Link;
  readonly names: SoundNames;
  readonly log: Log;
}

export class ChannelOutlet implements Outlet {
  readonly #link: Link;
  readonly #names: SoundNames;
  readonly #log: Log;
  readonly #channel: string;

  constructor({ link, names, log }: OutletMeans, channel: string) {
    this.#link = link;
    this.#names = names;
    this.#log = log;
    this.#channel = channel;
  }

  /** Before the answer FreeSWITCH opens early media for it by itself. */
  start(tag: string, sound: Sound, from_ms: number): Promise<boolean> {
    const skipped = "samples" in sound ? from_ms : 0;
    return this.#names.find(sound, from_ms, async (name) => {
      const command = playback(this.#channel, tag, name, skipped);
      // PLAYBACK_START, or, for a file that is not there, the end of the application without one.
      const event = await this.#link.confirmed(this.#channel, `begun ${tag}`, command, checkChannel);
      if (event.name === "PLAYBACK_START") return true;
      if (event.get("Hangup-Cause") !== "") throw new Refused("gone");
      return false;
    });
  }

  async stop(tag: string): Promise<SoundEnd> {
    const command = breakOff(this.#channel, false);
    return endOf(await this.#link.confirmed(this.#channel, `ended ${tag}`, command, checkChannel));
  }

  async seek(sound: Sound, offset_ms: number): Promise<boolean> {
    // Silence has no place that could be gone to.
    if (!("samples" in sound)) return false;
    const reply = await this.#link.request(seek(this.#channel, offset_ms));
    if (reply.startsWith("-ERR No file handle")) return false;
    checkChannel(reply);
    return true;
  }

  async volume(): Promise<void> {
    throw new Refused("unsupported");
  }

  /** What waits in the queue of the call vanishes, too. */
  hush(): void {
    const channel = this.#channel;
    this.#link
      .request(breakOff(channel, true))
      .catch((err) => this.#log.debug({ channel, err }, "a call could not be hushed"));
  }
}

export class ConferenceOutlet implements Outlet {
  readonly #link: Link;
  readonly #names: SoundNames;
  readonly #log: Log;
  readonly #room: string;
  readonly #member: number | null;

  /** @param member null: all of them */
  constructor({ link, names, log }: OutletMeans, room: string, member: number | null) {
    this.#link = link;
    this.#names = names;
    this.#log = log;
    this.#room = room;
    this.#member = member;
  }

  /** The offset follows right behind: a frame of the begin may be heard. */
  start(tag: string, sound: Sound, from_ms: number, volume: number): Promise<boolean> {
    return this.#names.find(sound, from_ms, async (name) => {
      const played = this.#link.request(playRoom(this.#room, this.#member, tag, name));
      const skipped = "samples" in sound && from_ms > 0 ? this.#link.request(this.#seek(from_ms)) : null;
      const [reply] = await Promise.all([played, skipped]);
      if (/^-ERR \(play\) File/.test(reply)) return false;
      this.#check(reply);
      if (volume !== 0) await this.volume(volume);
      return true;
    });
  }

  async stop(tag: string): Promise<SoundEnd> {
    let ended = false;
    try {
      await this.#link.confirmed(null, `ended ${tag}`, stopRoom(this.#room, this.#member), (reply) => {
        // Its end is on its way, or was told.
        ended = !reply.startsWith("+OK") || reply.startsWith("+OK Stopped 0 files");
        if (ended) throw new Refused("gone");
      });
      return { how: "broken", offset_ms: null };
    } catch (err) {
      if (ended) return { how: "done", offset_ms: null };
      throw err;
    }
  }

  async seek(sound: Sound, offset_ms: number): Promise<boolean> {
    if (!("samples" in sound)) return false;
    return (await this.#link.request(this.#seek(offset_ms))).startsWith("+OK");
  }

  async volume(volume: number): Promise<void> {
    await this.#link.request(volumeRoom(this.#room, decibels(volume)));
  }

  hush(): void {
    this.#link
      .request(stopRoom(this.#room, this.#member))
      .catch((err) => this.#log.debug({ room_id: this.#room, err }, "a room could not be hushed"));
  }

  #seek(offset_ms: number): Command {
    return seekRoom(this.#room, this.#member, offset_ms);
  }

  /** A conference or a member that is not there: the call, or all of them, have left just now. */
  #check(reply: string): void {
    if (!reply.startsWith("+OK")) throw new Refused("gone");
  }
}
