/** One call: offered → ringing → early → answered → ended. Joins the caller's leg with what the call hears. */
import type { Body, EventName } from "../../contract";
import type { MediaFiles } from "../../media/files";
import {
  type EndedBy,
  type EngineEvent,
  type OperationRef,
  type Outcome,
  type RecordingFile,
  Refused,
} from "../engine";
import { Audio, type CallEvent } from "./audio";
import { Keypad, type KeyWay } from "./keypad";
import type { Leg, LegEnd, LegHandler } from "./leg";
import { Membership } from "./membership";
import type { PlaybackMeans } from "./playback";
import type { Recordings } from "./recordings";
import type { Room } from "./room";
import { type Cause, causeOf } from "./sip/causes";
import type { RemoteMedia } from "./sip/sdp";
import { Turns } from "./turns";

/** What the engine lends to its calls. */
export interface Surroundings extends Pick<PlaybackMeans, "link" | "log"> {
  readonly media: MediaFiles;
  readonly recordings: Recordings;
  emit(event: EngineEvent): void;
  /** The call is over: its last event was told, its media is closed. */
  ended(call: Call): void;
}

/** The canonical events that an engine event leads to. */
const names: { readonly [T in EngineEvent["type"]]: readonly EventName[] } = {
  early: [],
  answered: ["call.answered", "command.result"],
  dtmf: ["dtmf"],
  "playback.started": ["playback.started", "command.result"],
  "playback.moved": [],
  "playback.stopped": ["playback.stopped"],
  "playback.file_not_found": ["playback.file_not_found"],
  "digits.started": ["command.result"],
  "digits.collected": ["digits.collected"],
  "room.joined": ["conference.member.joined", "command.result"],
  "room.left": ["conference.member.left"],
  "room.muted": ["conference.member.muted", "command.result"],
  "recording.started": [],
  // The file is there; where it goes from here is nothing that a caller could see.
  "recording.stopped": ["recording.completed"],
  handed_back: [],
  failed: ["command.result"],
  hangup: ["call.hangup"],
};

function namesOf(event: CallEvent): readonly EventName[] {
  if (event.type === "room.muted" && !event.muted) return ["conference.member.unmuted", "command.result"];
  if (event.type === "room.left" && event.operation_id !== null) return ["conference.member.left", "command.result"];
  return names[event.type];
}

interface CallEnd extends LegEnd {
  /** The media process lost the call. */
  readonly lost: boolean;
}

export class Call implements LegHandler {
  readonly session_uuid: string;
  readonly #leg: Leg;
  readonly #around: Surroundings;
  readonly #turns = new Turns();
  readonly #audio: Audio;
  readonly #membership: Membership;
  readonly #keypad = new Keypad();
  #state: "offered" | "ringing" | "early" | "answered" | "ended" = "offered";
  /** Where the media process receives this call's RTP. */
  #port = 0;
  #remote: RemoteMedia | null = null;
  /** An end that came while the call was being offered: told once it was accepted. */
  #overtaken: CallEnd | null = null;

  constructor(session_uuid: string, leg: Leg, around: Surroundings) {
    this.session_uuid = session_uuid;
    this.#leg = leg;
    this.#around = around;
    let plays = 0;
    const { link, log, media } = around;
    const means = { link, log, media: media.share(), target: session_uuid, nextPlay: () => ++plays };
    const emit = (event: CallEvent) => this.emit(event);
    this.#audio = new Audio(means, this.#turns, { emit, opening: () => this.#early() });
    const interrupt = () => this.#audio.silence("replaced");
    const confirm = (event: CallEvent) => this.#confirm(event);
    this.#membership = new Membership({ link, log, call: session_uuid, turns: this.#turns, emit, confirm, interrupt });
    leg.handler = this;
  }

  /**
   * The gateway takes the call.
   * @param port where the media process receives this call's RTP
   */
  accepted(port: number): void {
    this.#port = port;
    this.#state = "ringing";
    this.#leg.happened("call.new");
    if (this.#overtaken) this.#end(this.#overtaken);
    else this.#leg.ring();
  }

  async answer(operation: OperationRef): Promise<void> {
    // A media process that hangs would leave the caller in silence.
    if (this.#state !== "answered") await this.#around.link.ping();
    if (this.#state === "ended") throw new Refused("gone");
    const first = this.#state !== "answered";
    this.#state = "answered";
    if (first) {
      this.#leg.answer(this.#port);
      this.#tellMedia();
    }
    const event = { type: "answered", operation_id: operation.operation_id } as const;
    if (first) this.emit(event);
    else this.#confirm(event);
  }

  /**
   * Ends the call towards the caller.
   * @param lost the media process lost it
   */
  hangup(cause: Cause, by: EndedBy, lost = false): void {
    if (this.#state === "ended") return;
    this.#leg.hangup(cause);
    const sipStatus = this.#state === "answered" ? null : cause.sip;
    this.#ended({ by, cause: cause.name, q850: cause.q850, sipStatus, lost });
  }

  startPlayback(body: Body<"startPlayback">, operation: OperationRef): Promise<void> {
    return this.#audio.startPlayback(body, operation);
  }

  playSilence(body: Body<"playSilence">, operation: OperationRef): Promise<void> {
    return this.#audio.playSilence(body, operation);
  }

  stopPlayback(): Promise<Outcome> {
    return this.#immediate(this.#audio.stopPlayback());
  }

  pausePlayback(paused: boolean): Promise<Outcome> {
    return this.#immediate(this.#audio.pausePlayback(paused));
  }

  seekPlayback(offset_ms: number): Promise<Outcome> {
    return this.#immediate(this.#audio.seekPlayback(offset_ms));
  }

  playAndGetDigits(body: Body<"playAndGetDigits">, operation: OperationRef): Promise<void> {
    return this.#audio.playAndGetDigits(body, operation);
  }

  /** @param room null: there is none of this name any more */
  joinRoom(room: Room | null, body: Body<"joinRoom">, operation: OperationRef): Promise<void> {
    return this.#membership.join(room, body, operation);
  }

  leaveRoom(operation: OperationRef): Promise<void> {
    return this.#membership.leave(operation);
  }

  mute(muted: boolean, operation: OperationRef): Promise<void> {
    return this.#membership.mute(muted, operation);
  }

  startRecording(file: RecordingFile, operation: OperationRef): Promise<Outcome> {
    const alive = () => this.#state !== "ended";
    return this.#immediate(this.#around.recordings.start(this.session_uuid, file, operation, alive));
  }

  stopRecording(): Promise<Outcome> {
    return this.#immediate(this.#around.recordings.stop(this.session_uuid).then(() => undefined));
  }

  /** What this operation began, or would begin, ends; its outcome was told already. */
  cancel(operation_id: string): void {
    this.#turns.withdraw(operation_id);
    this.#audio.cancel(operation_id);
    this.#membership.cancel(operation_id);
    this.#around.recordings.cancel(operation_id);
  }

  onEnd(end: LegEnd): void {
    this.#ended({ ...end, lost: false });
  }

  onDigit(digit: string, duration_ms: number): void {
    this.key("info", digit, duration_ms);
  }

  onRemote(remote: RemoteMedia): void {
    this.#remote = remote;
    this.#tellMedia();
  }

  /** A key, by whatever way: told as an event, and given to what collects. */
  key(way: KeyWay, digit: string, duration_ms: number): void {
    if (this.#state === "offered" || this.#state === "ended") return;
    if (!this.#keypad.press(way, digit, duration_ms)) return;
    this.emit({ type: "dtmf", digit, duration_ms });
    this.#audio.key(digit);
  }

  /** Tells an event of this call, the caller as well. */
  emit(event: CallEvent): void {
    this.#tell(event);
    this.#happened(namesOf(event));
  }

  played(play: number, offset_ms: number): void {
    this.#audio.played(play, offset_ms);
  }

  playFailed(play: number): void {
    this.#audio.playFailed(play);
  }

  /** No RTP of the caller comes any more. */
  mediaTimeout(): void {
    this.hangup(causeOf("MEDIA_TIMEOUT"), "media_server");
  }

  #early(): void {
    if (this.#state !== "ringing") return;
    this.#state = "early";
    this.#leg.early(this.#port);
    this.emit({ type: "early" });
  }

  /** Before the answer a caller sends nothing, and on hold he need not, whatever he may: his silence is no time-out then. */
  #tellMedia(): void {
    if (!this.#remote) return;
    const { link, log } = this.#around;
    const { send, receive } = this.#remote;
    const remote = { ...this.#remote, receive: receive && send && this.#state === "answered" };
    link.remote(this.session_uuid, remote).catch((err) => {
      if (this.#state !== "ended") log.warn({ session_uuid: this.session_uuid, err }, "media of a caller not set");
    });
  }

  /** A command whose result follows at once. */
  async #immediate(command: Promise<Outcome>): Promise<Outcome> {
    const outcome = await command;
    this.#happened(["command.result"]);
    return outcome;
  }

  #ended(end: CallEnd): void {
    if (this.#state === "offered") this.#overtaken ??= end;
    else if (this.#state !== "ended") this.#end(end);
  }

  #end({ by, cause, q850, sipStatus, lost }: CallEnd): void {
    this.#state = "ended";
    this.#turns.end();
    const unfinished = this.#audio.end();
    this.#membership.end();
    this.#around.link.close(this.session_uuid);
    const end = { type: "hangup", cause, q850_cause: q850, sip_status: sipStatus, by, ...unfinished } as const;
    this.emit(lost ? { ...end, lost } : end);
    this.#around.ended(this);
  }

  /** It is so already: the app is told of the command's result, and of no event. */
  #confirm(event: CallEvent): void {
    this.#tell(event);
    this.#happened(["command.result"]);
  }

  #tell(event: CallEvent): void {
    this.#around.emit({ session_uuid: this.session_uuid, ...event });
  }

  #happened(events: readonly EventName[]): void {
    for (const event of events) this.#leg.happened(event);
  }
}
