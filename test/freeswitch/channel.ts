/** One call at the replayed FreeSWITCH. What it tells are recorded events, about this channel. */
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Template } from "./recorded";
import type { ReplayRoom } from "./room";
import { Hearing, openSound } from "./sound";

/** What it needs of the server that it is at. */
export interface Exchange {
  /** One frame of 20 ms at a real one; shorter here, so that tests are. */
  readonly frameMs: number;
  tell(event: string): void;
  room(name: string): ReplayRoom;
  /** A dialplan's extension: true when there is one. */
  extension(name: string, channel: ReplayChannel): boolean;
  /** What a real one would do in another way than this one. */
  beyond(what: string): void;
  gone(channel: ReplayChannel): void;
}

const templates = {
  park: new Template("02-inbound-park-cancel", "Event-Name: CHANNEL_PARK"),
  parkedAgain: new Template("09b-conference-leave", "Event-Name: CHANNEL_PARK", "Caller-Dialplan: inline"),
  answer: new Template("03-answer", "Event-Name: CHANNEL_ANSWER"),
  start: new Template("04-playback", "Event-Name: PLAYBACK_START", "my_play_id: xyz"),
  stop: new Template("04-playback", "Event-Name: PLAYBACK_STOP", "my_play_id: xyz"),
  complete: new Template("04-playback", "Event-Name: CHANNEL_EXECUTE_COMPLETE", "Application: playback"),
  recordStart: new Template("08-record", "Event-Name: RECORD_START"),
  recordStop: new Template("08-record", "Event-Name: RECORD_STOP"),
  dtmf: new Template("07-digits", "Event-Name: DTMF", "DTMF-Source: RTP"),
  cancelled: new Template("02-inbound-park-cancel", "Event-Name: CHANNEL_HANGUP_COMPLETE", "recv_cancel"),
  bye: new Template("02-inbound-park-cancel", "Event-Name: CHANNEL_HANGUP_COMPLETE", "recv_bye"),
  refused: new Template("10-hangup-transfer", "Event-Name: CHANNEL_HANGUP_COMPLETE", "send_refuse"),
  ended: new Template("10-hangup-transfer", "Event-Name: CHANNEL_HANGUP_COMPLETE", "send_bye"),
};
/** What the recorded playback had of its own. */
const strange = { my_play_id: null, timeout: null };
/** Q.850 of the causes that tests use. */
const q850: Readonly<Record<string, number | undefined>> = {
  UNALLOCATED_NUMBER: 1,
  NO_ROUTE_DESTINATION: 3,
  USER_BUSY: 17,
  CALL_REJECTED: 21,
  NORMAL_TEMPORARY_FAILURE: 41,
  SWITCH_CONGESTION: 42,
};

interface Play {
  readonly tag: string;
  /** As it was given, without an offset. */
  readonly name: string;
  readonly pcm: Int16Array;
  offset: number;
  begun: number;
  timer: NodeJS.Timeout;
  silent: () => void;
}

export interface Caller {
  readonly caller_id: string;
  readonly did: string;
  readonly variables?: Readonly<Record<string, string>>;
}

export class ReplayChannel {
  readonly uuid = randomUUID();
  readonly hearing = new Hearing();
  readonly variables = new Map<string, string>();
  answered = false;
  early = false;
  ringing = false;
  over = false;
  /** A `sched_hangup` of the dialplan that was not cancelled. */
  timed = true;
  room: ReplayRoom | null = null;
  readonly #exchange: Exchange;
  readonly caller: Caller;
  #play: Play | null = null;
  /** Messages that have not begun. */
  readonly #queue = new Set<NodeJS.Timeout>();
  readonly #recordings = new Map<string, number>();

  constructor(exchange: Exchange, caller: Caller) {
    this.#exchange = exchange;
    this.caller = caller;
    for (const [name, value] of Object.entries(caller.variables ?? {})) this.variables.set(name, value);
  }

  get application(): string {
    if (this.#play) return "playback";
    return this.room ? "conference" : "park";
  }

  /** About this channel, with what is so now. */
  event(template: Template, fields: Readonly<Record<string, string | number | null>>): string {
    const set = [...this.variables].map(([name, value]): [string, string] => [`variable_${name}`, value]);
    const { caller_id, did } = this.caller;
    const answerState = this.over ? "hangup" : this.answered ? "answered" : this.early ? "early" : "ringing";
    return template.about(this.uuid, {
      "Caller-Caller-ID-Number": caller_id,
      "Caller-Destination-Number": did,
      "Answer-State": answerState,
      ...Object.fromEntries(set),
      ...fields,
    });
  }

  park(again: boolean): void {
    this.#exchange.tell(this.event(again ? templates.parkedAgain : templates.park, {}));
  }

  dump(): string {
    return this.event(templates.park, { "Event-Name": "CHANNEL_DATA" });
  }

  answer(): void {
    if (this.answered) return;
    this.answered = true;
    this.#exchange.tell(this.event(templates.answer, {}));
  }

  press(digit: string, ms: number): void {
    this.#exchange.tell(this.event(templates.dtmf, { "DTMF-Digit": digit, "DTMF-Duration": ms * 8 }));
  }

  /** `sendmsg`: begins with the next frame. */
  execute(app: string, argument: string, tag: string): void {
    const timer = setTimeout(() => {
      this.#queue.delete(timer);
      if (app === "ring_ready") this.ringing = true;
      else if (app === "playback") this.#begin(argument, tag);
      else if (app === "conference") this.#enter(argument);
      else this.hangup("DESTINATION_OUT_OF_ORDER", "ended");
    }, this.#exchange.frameMs);
    this.#queue.add(timer);
  }

  /** `uuid_break`: of what plays, with the next frame; of nothing it changes nothing. */
  break(all: boolean): void {
    if (all) this.#flush();
    const play = this.#play;
    if (play) setTimeout(() => this.#stop(play, "break"), this.#exchange.frameMs);
  }

  seek(ms: number): boolean {
    const play = this.#play;
    if (!play) return false;
    this.#sound(play, ms * 8);
    return true;
  }

  record(file: string): void {
    this.#recordings.set(file, performance.now());
    writeFileSync(file, this.hearing.recorded(0, 0));
    this.#exchange.tell(this.event(templates.recordStart, { "Record-File-Path": file }));
  }

  /** @param file null: all; @returns false when there was none */
  stopRecord(file: string | null, more: Readonly<Record<string, string>> = {}): boolean {
    const files = file === null ? [...this.#recordings.keys()] : [file];
    const known = files.filter((name) => this.#recordings.has(name));
    for (const name of known) {
      writeFileSync(name, this.hearing.recorded(this.#recordings.get(name) ?? 0, performance.now()));
      this.#recordings.delete(name);
      this.#exchange.tell(this.event(templates.recordStop, { "Record-File-Path": name, ...more }));
    }
    return known.length > 0;
  }

  /** `uuid_transfer`: whatever ran ends, then the other extension begins. */
  transfer(extension: string): void {
    setTimeout(() => {
      if (this.over) return;
      this.#flush();
      if (this.#play) this.#end(this.#play, { "Application-Response": "PLAYBACK ERROR" }, null);
      this.room?.remove(this, {});
      if (extension === "park inline") this.park(true);
      else if (!this.#exchange.extension(extension, this)) this.hangup("NO_ROUTE_DESTINATION", "ended");
    }, this.#exchange.frameMs);
  }

  /** @param how who it was: FreeSWITCH by BYE or a final status, or the caller by BYE or CANCEL */
  hangup(cause: string, how: "ended" | "bye" | "cancelled"): void {
    if (this.over) return;
    this.over = true;
    const by = { "Hangup-Cause": cause };
    this.#flush();
    if (this.#play) this.#end(this.#play, by, "done");
    this.room?.remove(this, by);
    this.stopRecord(null, by);
    const template = how !== "ended" ? templates[how] : this.answered ? templates.ended : templates.refused;
    const answeredAt = this.answered ? "1795358818346502" : "0";
    const code = q850[cause] ?? 16;
    this.#exchange.tell(
      this.event(template, {
        ...by,
        "Caller-Channel-Answered-Time": answeredAt,
        variable_hangup_cause: cause,
        variable_hangup_cause_q850: code,
      }),
    );
    this.#exchange.gone(this);
  }

  #begin(argument: string, tag: string): void {
    if (this.#play) this.#exchange.beyond("a playback on top of another one");
    if (this.room) this.#exchange.beyond("a playback on top of a conference");
    const [given = "", offset = "0"] = argument.split("@@");
    const [, , name = ""] = /^(\{[^}]*\})?(.*)$/.exec(given) ?? [];
    const pcm = openSound(name);
    if (!pcm) {
      this.#complete(tag, argument, "FILE NOT FOUND");
      return;
    }
    if (!this.answered) this.early = true;
    const never = setTimeout(() => undefined, 0);
    this.#play = { tag, name: given, pcm, offset: 0, begun: 0, timer: never, silent: () => undefined };
    this.#exchange.tell(this.event(templates.start, { ...strange, "Playback-File-Path": given, ...headersOf(given) }));
    this.#sound(this.#play, Number(offset));
  }

  #sound(play: Play, offset: number): void {
    clearTimeout(play.timer);
    play.silent();
    play.offset = Math.min(offset, play.pcm.length);
    play.begun = performance.now();
    play.silent = this.hearing.begin(play.pcm, play.offset);
    play.timer = setTimeout(() => this.#stop(play, "done"), (play.pcm.length - play.offset) / 8);
  }

  #stop(play: Play, status: "done" | "break"): void {
    if (this.#play === play) this.#end(play, {}, status);
  }

  #end(play: Play, more: Readonly<Record<string, string>>, status: "done" | "break" | null): void {
    this.#play = null;
    clearTimeout(play.timer);
    play.silent();
    const passed = Math.floor(((performance.now() - play.begun) * 8) / 160) * 160;
    const whole = status === "done" && more["Hangup-Cause"] === undefined;
    const position = whole ? play.pcm.length : Math.min(play.pcm.length, play.offset + passed);
    const stopped = {
      ...strange,
      "Playback-File-Path": play.name,
      "Playback-Status": status ?? "done",
      variable_playback_last_offset_pos: position,
      ...headersOf(play.name),
    };
    if (status) this.#exchange.tell(this.event(templates.stop, { ...stopped, ...more }));
    this.#complete(play.tag, play.name, more["Application-Response"] ?? "FILE PLAYED", more);
  }

  #complete(tag: string, data: string, response: string, more: Readonly<Record<string, string>> = {}): void {
    const fields = { "Application-Data": data, "Application-UUID": tag, "Application-Response": response, ...more };
    this.#exchange.tell(this.event(templates.complete, fields));
  }

  #enter(argument: string): void {
    const [, name = "", flags = ""] = /^([^@]+)@[^+]*(.*)$/.exec(argument) ?? [];
    if (this.room || this.#play) this.#exchange.beyond("a conference on top of something else");
    this.answer();
    this.#exchange.room(name).add(this, flags.includes("mute"));
  }

  #flush(): void {
    for (const timer of this.#queue) clearTimeout(timer);
    this.#queue.clear();
  }
}

/** What stands in braces before a file name comes back as headers. */
export function headersOf(given: string): Record<string, string> {
  const inside = /^\{([^}]*)\}/.exec(given)?.[1] ?? "";
  const pairs = inside.split(",").flatMap((pair) => (pair.includes("=") ? [pair.split("=", 2)] : []));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}
