/** One call: offered → ringing → early → answered → ended. Joins the caller's leg with what the call hears. */
import type { Body, EventName } from "../../contract";
import type { MediaFiles } from "../../media/files";
import { type Cause, gatewayCauses } from "../causes";
import type { EndedBy, EngineEvent, OperationRef, Outcome, RecordingFile, Refusal, Survivor } from "../engine";
import { Audio, type CallEvent } from "./audio";
import type { Leg, LegEnd, LegHandler } from "./leg";
import { Membership } from "./membership";
import { namesOf } from "./names";
import type { PlaybackMeans } from "./playback";
import type { Recordings } from "./recordings";
import type { Room } from "./room";
import { Turns } from "./turns";

/** What the engine lends to its calls. */
export interface Surroundings extends Pick<PlaybackMeans, "server" | "log"> {
  readonly media: MediaFiles;
  readonly recordings: Recordings;
  emit(event: EngineEvent): void;
  /** The call is over: its last event was told, its media is closed. */
  ended(call: Call): void;
}

interface CallEnd extends LegEnd {
  /** The media server lost the call. */
  readonly lost: boolean;
}

export class Call implements LegHandler {
  readonly session_uuid: string;
  readonly #leg: Leg;
  readonly #around: Surroundings;
  readonly #turns = new Turns();
  readonly #audio: Audio;
  readonly #membership: Membership;
  #state: "offered" | "ringing" | "early" | "answered" | "handed_back" | "ended" = "offered";
  /** Also while it is offered, by the dialplan of the media server. */
  #answered = false;
  #lost = false;
  #endedBy: EndedBy | null = null;
  /** Operations that the next answer confirms. */
  readonly #answering = new Set<string>();
  /** An end that came while the call was being offered: told once it was accepted. */
  #overtaken: CallEnd | null = null;

  constructor(session_uuid: string, leg: Leg, around: Surroundings) {
    this.session_uuid = session_uuid;
    this.#leg = leg;
    this.#around = around;
    let plays = 0;
    const { server, log, media } = around;
    const means = { server, log, media: media.share(), target: session_uuid, nextPlay: () => ++plays };
    const emit = (event: CallEvent) => this.emit(event);
    this.#audio = new Audio(means, this.#turns, { emit, opening: () => this.#early() });
    const interrupt = () => this.#audio.silence("replaced");
    const confirm = (event: CallEvent) => this.#confirm(event);
    this.#membership = new Membership({
      server,
      log,
      call: session_uuid,
      turns: this.#turns,
      emit,
      confirm,
      interrupt,
    });
    leg.handler = this;
  }

  /** The gateway takes the call. */
  accepted(): void {
    this.#state = "ringing";
    this.#leg.happened("call.new");
    if (!this.#overtaken) this.#leg.ring();
    if (this.#answered) this.onAnswered();
    if (this.#overtaken) this.#end(this.#overtaken);
  }

  /**
   * In place of `accepted`, for a call that another process has begun. Nobody goes on with what it was playing or collecting:
   * it is silent by now.
   */
  adopted({ state, playback, collecting, room: stay }: Survivor, room: Room | null): void {
    this.#state = state;
    this.#answered = state === "answered" || state === "handed_back";
    if (room && stay) this.#membership.adopted(room, stay.muted);
    if (playback) this.emit({ type: "playback.stopped", ...playback, reason: "stopped" });
    if (collecting) {
      const { command_uid } = collecting;
      this.emit({ type: "digits.collected", command_uid, digits: "", terminator: null, status: "unknown" });
    }
    if (this.#overtaken) this.#end(this.#overtaken);
  }

  async answer({ operation_id }: OperationRef): Promise<void> {
    this.#turns.check();
    if (this.#state === "answered") {
      this.#confirm({ type: "answered", operation_id });
      return;
    }
    this.#answering.add(operation_id);
    try {
      await this.#leg.answer();
    } catch (err) {
      this.#answering.delete(operation_id);
      throw err;
    }
    // Else it was answered, and may have ended since.
    if (this.#answering.has(operation_id)) this.#turns.check();
  }

  /** Ends the call towards the caller. */
  async hangup(cause: Cause, by: EndedBy): Promise<void> {
    if (this.#state !== "ended") await this.#leg.hangup(cause, by);
  }

  /** The dialplan of the media server goes on with it, in silence; where there is none, the call ends. */
  handBack(): Promise<void> {
    return this.#turns.take(async () => {
      await this.#audio.silence("stopped");
      this.#turns.check();
      if (!(await this.#leg.handBack())) return;
      // A dialplan that ends it at once may be heard of before the answer: what was asked for was done.
      if (this.#endedBy === "media_server") return;
      this.#turns.check();
      this.#state = "handed_back";
      this.#silent("gone");
      this.emit({ type: "handed_back" });
    });
  }

  /** The media server has lost it. */
  lost(): void {
    this.#lost = true;
    const cause = gatewayCauses.MEDIA_SERVER_LOST;
    const { session_uuid } = this;
    // Towards the caller it may still be there, and a leg of our own says here that it has ended.
    this.#leg.hangup(cause, "gateway").catch((err) => {
      this.#around.log.debug({ session_uuid, err }, "a lost call could not be hung up");
    });
    const sipStatus = this.#answered ? null : cause.sip;
    this.onEnd({ by: "gateway", cause: cause.name, q850: cause.q850, sipStatus });
  }

  /** Another process goes on with it: nothing more is told here. */
  abandon(): void {
    this.#state = "ended";
    this.#silent("unreachable");
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
    const alive = () => this.#state !== "ended" && this.#state !== "handed_back";
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

  onAnswered(): void {
    this.#answered = true;
    if (this.#state !== "ringing" && this.#state !== "early") return;
    this.#state = "answered";
    const [operation_id = null, ...others] = this.#answering;
    this.#answering.clear();
    this.emit({ type: "answered", operation_id });
    for (const other of others) this.#confirm({ type: "answered", operation_id: other });
  }

  onDigit(digit: string, duration_ms: number): void {
    if (this.#state === "offered" || this.#state === "handed_back" || this.#state === "ended") return;
    this.emit({ type: "dtmf", digit, duration_ms });
    this.#audio.key(digit);
  }

  onEnd(end: LegEnd): void {
    this.#ended({ ...end, lost: this.#lost });
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

  #early(): void {
    if (this.#state !== "ringing") return;
    this.#state = "early";
    this.#leg.early();
    this.emit({ type: "early" });
  }

  /** What was going on is over, and nothing is told of it. */
  #silent(why: Refusal): void {
    this.#turns.end(why);
    this.#audio.end();
    this.#membership.end();
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
    this.#endedBy = by;
    this.#turns.end();
    const unfinished = this.#audio.end();
    this.#membership.end();
    this.#leg.release();
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
