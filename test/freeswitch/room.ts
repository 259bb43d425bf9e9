/** A conference at the replayed FreeSWITCH: there as long as somebody is in it. */
import { type Exchange, headersOf, type ReplayChannel } from "./channel";
import { Template } from "./recorded";
import { openSound } from "./sound";

const conference = "09-conference";
const templates = {
  add: new Template(conference, "Action: add-member"),
  delete: new Template(conference, "Action: del-member"),
  mute: new Template(conference, "Action: mute-member"),
  unmute: new Template(conference, "Action: unmute-member"),
  play: new Template(conference, "Action: play-file\n"),
  done: new Template(conference, "Action: play-file-done"),
  memberDone: new Template(conference, "play-file-member-done"),
  destroy: new Template(conference, "Action: conference-destroy"),
};

interface RoomPlay {
  readonly name: string;
  readonly pcm: Int16Array;
  /** Null: to all. */
  readonly member: ReplayChannel | null;
  timer: NodeJS.Timeout;
  offset: number;
  begun: number;
  /** Of each who hears it. */
  readonly silent: Map<ReplayChannel, () => void>;
}

export class ReplayRoom {
  readonly name: string;
  readonly #exchange: Exchange;
  readonly #members = new Map<number, ReplayChannel>();
  readonly muted = new Set<number>();
  #plays: RoomPlay[] = [];
  /** The last that was asked for, in dB. */
  volume = 0;

  constructor(exchange: Exchange, name: string) {
    this.#exchange = exchange;
    this.name = name;
  }

  get size(): number {
    return this.#members.size;
  }

  numberOf(channel: ReplayChannel): number | null {
    for (const [number, member] of this.#members) if (member === channel) return number;
    return null;
  }

  add(channel: ReplayChannel, muted: boolean): void {
    let number = 1;
    // Numbers are used again.
    while (this.#members.has(number)) number++;
    this.#members.set(number, channel);
    if (muted) this.muted.add(number);
    channel.room = this;
    channel.variables.set("conference_member_id", String(number));
    this.#tell(templates.add, channel, number);
    for (const play of this.#plays) if (play.member === null) this.#hears(play, channel);
  }

  remove(channel: ReplayChannel, more: Readonly<Record<string, string>>): void {
    const number = this.numberOf(channel);
    if (number === null) return;
    this.#members.delete(number);
    this.muted.delete(number);
    channel.room = null;
    for (const play of this.#plays) {
      if (play.member === channel) this.#end(play);
      else this.#deaf(play, channel);
    }
    this.#tell(templates.delete, channel, number, more);
    if (this.size > 0) return;
    for (const play of this.#plays) this.#drop(play);
    this.#exchange.tell(templates.destroy.about("", { "Conference-Name": this.name, "Conference-Size": 0 }));
  }

  /** `conference <room> …`, of a room that is there. */
  command(words: readonly string[]): string {
    const [verb = "", first = "", second] = words;
    if (verb === "json_list") return this.#list();
    if (verb === "mute" || verb === "unmute") return this.#mute(Number(first), verb);
    if (verb === "play") return this.#play(first, second);
    const target = verb === "stop" || verb === "file_seek" ? second : undefined;
    const member = target === undefined ? null : (this.#members.get(Number(target)) ?? null);
    const plays = this.#plays.filter((play) => play.member === member);
    if (verb === "stop") {
      for (const play of plays) setTimeout(() => this.#end(play), this.#exchange.frameMs);
      return `+OK Stopped ${plays.length} files.\n`;
    }
    if (plays.length === 0) return "-ERR no reply\n";
    if (verb === "file_seek") for (const play of plays) this.#sound(play, Number(first) * 8);
    else if (verb === "file-vol") this.volume = Number(first);
    else return "-ERR no reply\n";
    return verb === "file-vol" ? "+OK volume changed\n" : `+OK seek to position ${Number(first) * 8}\n`;
  }

  #list(): string {
    const members = [...this.#members].map(([id, { uuid, caller }]) => ({
      type: "caller",
      id,
      flags: { can_hear: true, can_speak: !this.muted.has(id) },
      uuid,
      caller_id_number: caller.caller_id,
    }));
    return JSON.stringify([{ conference_name: this.name, member_count: this.size, members }], null, "\t");
  }

  #mute(number: number, verb: "mute" | "unmute"): string {
    const member = this.#members.get(number);
    if (!member) return `-ERR Non-Existant ID ${number}\n`;
    if (verb === "mute") this.muted.add(number);
    else this.muted.delete(number);
    setTimeout(() => this.#tell(templates[verb], member, number), this.#exchange.frameMs);
    return `+OK ${verb} ${number}\n`;
  }

  #play(name: string, target: string | undefined): string {
    const member = target === undefined ? null : this.#members.get(Number(target));
    if (member === undefined) return `-ERR Member: ${target} not found.\n`;
    const file = name.replace(/^\{[^}]*\}/, "");
    const pcm = openSound(file);
    if (!pcm) return `-ERR (play) File: ${file} not found.\n`;
    if (this.#plays.some((play) => play.member === member))
      this.#exchange.beyond("a file behind another one in a room");
    const never = setTimeout(() => undefined, 0);
    const play: RoomPlay = { name, pcm, member, timer: never, offset: 0, begun: 0, silent: new Map() };
    this.#plays.push(play);
    this.#sound(play, 0);
    if (!member)
      this.#exchange.tell(templates.play.about("", { "Conference-Name": this.name, File: name, my_id: null }));
    return `+OK (play) Playing file ${name}${member ? ` to member ${target}` : ""}\n`;
  }

  #sound(play: RoomPlay, offset: number): void {
    clearTimeout(play.timer);
    for (const channel of play.silent.keys()) this.#deaf(play, channel);
    play.offset = Math.min(offset, play.pcm.length);
    play.begun = performance.now();
    for (const channel of play.member ? [play.member] : this.#members.values()) this.#hears(play, channel);
    play.timer = setTimeout(() => this.#end(play), (play.pcm.length - play.offset) / 8);
  }

  #hears(play: RoomPlay, channel: ReplayChannel): void {
    const passed = Math.round((performance.now() - play.begun) * 8);
    play.silent.set(channel, channel.hearing.begin(play.pcm, Math.min(play.pcm.length, play.offset + passed)));
  }

  #deaf(play: RoomPlay, channel: ReplayChannel): void {
    play.silent.get(channel)?.();
    play.silent.delete(channel);
  }

  #end(play: RoomPlay): void {
    if (!this.#plays.includes(play)) return;
    this.#drop(play);
    const fields = { "Conference-Name": this.name, File: play.name, my_id: null, ...headersOf(play.name) };
    const number = play.member && this.numberOf(play.member);
    if (play.member) this.#tell(templates.memberDone, play.member, number ?? 0, fields);
    else this.#exchange.tell(templates.done.about("", fields));
  }

  #drop(play: RoomPlay): void {
    clearTimeout(play.timer);
    for (const channel of [...play.silent.keys()]) this.#deaf(play, channel);
    this.#plays = this.#plays.filter((other) => other !== play);
  }

  #tell(
    template: Template,
    channel: ReplayChannel,
    number: number,
    more: Readonly<Record<string, string | null>> = {},
  ): void {
    const fields = { "Conference-Name": this.name, "Conference-Size": this.size, "Member-ID": number, ...more };
    this.#exchange.tell(channel.event(template, fields));
  }
}
