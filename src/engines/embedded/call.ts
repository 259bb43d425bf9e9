/** One call: offered → ringing → early → answered → ended. Joins the caller's leg with what the call hears. */
import type { Body, EventName } from "../../contract";
import type { MediaFiles } from "../../media/files";
import { type EndedBy, type EngineEvent, type OperationRef, type Outcome, Refused } from "../engine";
import { Audio, type CallEvent } from "./audio";
import { Keypad, type KeyWay } from "./keypad";
import type { Leg, LegEnd, LegHandler } from "./leg";
import type { PlaybackMeans } from "./playback";
import { type Cause, causeOf } from "./sip/causes";
import type { RemoteMedia } from "./sip/sdp";

/** What the engine lends to its calls. */
export interface Surroundings extends Pick<PlaybackMeans, "link" | "log"> {
  readonly media: MediaFiles;
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
  "playback.advanced": [],
  "playback.stopped": ["playback.stopped"],
  "playback.file_not_found": ["playback.file_not_found"],
  "digits.started": ["command.result"],
  "digits.collected": ["digits.collected"],
  failed: ["command.result"],
  hangup: ["call.hangup"],
};

export class Call implements LegHandler {
  readonly session_uuid: string;
  readonly #leg: Leg;
  readonly #around: Surroundings;
  readonly #audio: Audio;
  readonly #keypad = new Keypad();
  #state: "offered" | "ringing" | "early" | "answered" | "ended" = "offered";
  /** Where the media process receives this call's RTP. */
  #port = 0;
  #remote: RemoteMedia | null = null;
  /** An end that came while the call was being offered: told once it was accepted. */
  #overtaken: LegEnd | null = null;

  constructor(session_uuid: string, leg: Leg, around: Surroundings) {
    this.session_uuid = session_uuid;
    this.#leg = leg;
    this.#around = around;
    let plays = 0;
    const { link, log, media } = around;
    const means = { link, log, media: media.share(), call: session_uuid, nextPlay: () => ++plays };
    this.#audio = new Audio(means, { emit: (event) => this.#emit(event), opening: () => this.#early() });
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
    this.#tell({ type: "answered", operation_id: operation.operation_id });
    this.#happened(first ? names.answered : ["command.result"]);
  }

  /** Ends the call towards the caller. */
  hangup(cause: Cause, by: EndedBy): void {
    if (this.#state === "ended") return;
    this.#leg.hangup(cause);
    const sipStatus = this.#state === "answered" ? null : cause.sip;
    this.onEnd({ by, cause: cause.name, q850: cause.q850, sipStatus });
  }

  startPlayback(body: Body<"startPlayback">, operation: OperationRef): Promise<void> {
    return this.#audio.startPlayback(body, operation);
  }

  async stopPlayback(): Promise<Outcome> {
    const outcome = await this.#audio.stopPlayback();
    this.#happened(["command.result"]);
    return outcome;
  }

  playAndGetDigits(body: Body<"playAndGetDigits">, operation: OperationRef): Promise<void> {
    return this.#audio.playAndGetDigits(body, operation);
  }

  cancel(operation_id: string): void {
    this.#audio.cancel(operation_id);
  }

  onEnd(end: LegEnd): void {
    if (this.#state === "offered") this.#overtaken ??= end;
    else if (this.#state !== "ended") this.#end(end);
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
    this.#emit({ type: "dtmf", digit, duration_ms });
    this.#audio.key(digit);
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
    this.#emit({ type: "early" });
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

  #end({ by, cause, q850, sipStatus }: LegEnd): void {
    this.#state = "ended";
    const unfinished = this.#audio.end();
    this.#around.link.close(this.session_uuid);
    this.#emit({ type: "hangup", cause, q850_cause: q850, sip_status: sipStatus, by, ...unfinished });
    this.#around.ended(this);
  }

  #emit(event: CallEvent): void {
    this.#tell(event);
    this.#happened(names[event.type]);
  }

  #tell(event: CallEvent): void {
    this.#around.emit({ session_uuid: this.session_uuid, ...event });
  }

  #happened(events: readonly EventName[]): void {
    for (const event of events) this.#leg.happened(event);
  }
}
