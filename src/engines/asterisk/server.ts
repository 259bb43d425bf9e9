/** Asterisk as call control wants it: one sound after the other, in and out of rooms, on and off tape. */
import type { Log } from "../../log";
import type { MediaListener, MediaServer, Position, Sound } from "../control/media_server";
import { Refused } from "../engine";
import type { Ari } from "./ari";
import { Conference } from "./conference";
import type { AriEvent } from "./dialect";
import { Line, type LineMeans } from "./line";
import type { OwnChannels } from "./own_channels";
import type { Run } from "./run";
import type { Speaker } from "./speaker";
import { Tape, type TapeMeans } from "./tape";

export interface ServerOptions {
  readonly ari: Ari;
  readonly own: OwnChannels;
  readonly app: string;
  readonly timeoutMs: number;
  readonly log: Log;
  /** Are its events read? */
  readonly connected: () => boolean;
}

export class AsteriskServer implements MediaServer {
  readonly #options: ServerOptions;
  readonly #lines = new Map<string, Line>();
  readonly #rooms = new Map<string, Conference>();
  readonly #runs = new Map<string, Run>();
  /** By the names of what is recorded. */
  readonly #tapes = new Map<string, Tape>();
  /** Those whose files are not closed. */
  readonly #open = new Set<Tape>();
  readonly #lineMeans: LineMeans;
  readonly #tapeMeans: TapeMeans;
  readonly #listener: MediaListener;

  constructor(options: ServerOptions, listener: MediaListener) {
    this.#options = options;
    this.#listener = listener;
    const shared = { ari: options.ari, own: options.own, timeoutMs: options.timeoutMs, log: options.log };
    this.#lineMeans = { ...shared, runs: this.#runs, listener };
    this.#tapeMeans = { ...shared, app: options.app, tapes: this.#tapes };
  }

  /** A call of this channel, which is in that room already, or in none. */
  addLine(call: string, channel: string, room: string | null = null): Line {
    const line = new Line(call, channel, room, this.#lineMeans);
    this.#lines.set(call, line);
    return line;
  }

  /** The call is about to end. */
  endLine(call: string): void {
    this.#lines.get(call)?.speaker.leave();
  }

  /** The call is over. */
  removeLine(call: string): void {
    this.#lines.get(call)?.dispose();
    this.#lines.delete(call);
  }

  /** A room whose bridge is there already. */
  addRoom(room: string): void {
    if (!this.#rooms.has(room)) this.#rooms.set(room, new Conference(room, this.#lineMeans));
  }

  hasRoom(room: string): boolean {
    return this.#rooms.has(room);
  }

  async play(target: string, play: number, sound: Sound, from_ms: number, paused: boolean, volume: number) {
    await this.#speaker(target).play(play, sound, from_ms, paused, volume);
  }

  async pause(target: string, paused: boolean): Promise<Position | null> {
    return this.#speaker(target).pause(paused);
  }

  async seek(target: string, offset_ms: number): Promise<Position | null> {
    return this.#speaker(target).seek(offset_ms);
  }

  async volume(target: string, volume: number): Promise<Position | null> {
    return this.#speaker(target).volume(volume);
  }

  async stop(target: string): Promise<Position | null> {
    return this.#speaker(target).stop();
  }

  async openRoom(room: string): Promise<void> {
    this.check();
    const conference = this.#rooms.get(room) ?? new Conference(room, this.#lineMeans);
    await conference.open();
    this.#rooms.set(room, conference);
  }

  closeRoom(room: string): void {
    const conference = this.#rooms.get(room);
    this.#rooms.delete(room);
    if (!conference) return;
    const { log } = this.#options;
    const members = [...this.#lines.values()].filter((line) => line.room === room);
    // One by one, and not only with their bridge: what plays to one of them goes on outside.
    Promise.all(members.map((line) => line.leave()))
      .catch((err: unknown) => log.warn({ room, err }, "a call did not leave its room"))
      .then(() => conference.destroy())
      .catch((err: unknown) => log.warn({ room, err }, "a room stays with the media server"));
  }

  async join(call: string, room: string, muted: boolean): Promise<void> {
    if (!this.#rooms.has(room)) throw new Refused("gone");
    await this.#line(call).join(room, muted);
  }

  async leave(call: string): Promise<void> {
    await this.#line(call).leave();
  }

  async mute(call: string, muted: boolean): Promise<void> {
    await this.#line(call).mute(muted);
  }

  async record(call: string, recording_id: string, path: string, max_ms: number) {
    const { log } = this.#options;
    const line = this.#line(call);
    const ended = (failure: string | null) => {
      if (line.tape === tape) line.tape = null;
      if (failure !== null) log.warn({ call, recording_id, reason: failure }, "recording could not be written");
      this.#listener.recorded(recording_id, failure);
    };
    const tape = new Tape({ recording_id, channel: line.id, path, max_ms, ended }, this.#tapeMeans);
    this.#open.add(tape);
    void tape.closed.then(() => this.#open.delete(tape));
    const failure = await tape.start();
    if (failure !== null) log.warn({ call, recording_id, reason: failure }, "recording could not begin");
    else {
      line.tape = tape;
      if (line.whisper !== null) await tape.tap(line.whisper);
    }
    return { failure };
  }

  async stopRecording(call: string): Promise<void> {
    const line = this.#line(call);
    if (line.tape) await line.tape.stop();
    else await line.check();
  }

  async ping(): Promise<void> {
    this.check();
    await this.#options.ari.request("GET", "/asterisk/ping");
  }

  /** Work on a call's channel that would wait behind what plays there. @throws Refused */
  async around(call: string, work: () => Promise<unknown>): Promise<void> {
    await this.#line(call).speaker.around(work);
  }

  /** The call goes on without the gateway: out of its room, silent and not recorded. @throws Refused */
  async release(call: string): Promise<void> {
    const line = this.#line(call);
    await line.speaker.stop();
    await line.leave();
    await line.tape?.stop();
  }

  /** What Asterisk tells of sounds and recordings. */
  onEvent(event: AriEvent): void {
    if (event.type === "PlaybackStarted") this.#runs.get(event.id)?.onStarted();
    else if (event.type === "PlaybackFinished") this.#runs.get(event.id)?.onFinished(event.failed);
    else if (event.type === "RecordingStarted") this.#tapes.get(event.name)?.onStarted(event.name, event.at);
    else if (event.type === "RecordingFinished") this.#tapes.get(event.name)?.onEnded(event.name, null);
    else if (event.type === "RecordingFailed") this.#tapes.get(event.name)?.onEnded(event.name, event.reason);
  }

  /** Events were lost: what has ended meanwhile is told now. @throws Refused */
  async verify(): Promise<void> {
    for (const run of [...this.#runs.values()]) await run.verify();
    for (const tape of [...this.#open]) await tape.verify();
  }

  /** Asterisk has begun anew: nothing of what it had is left. Rooms are opened again when somebody wants into them. */
  lost(): void {
    for (const tape of [...this.#open]) tape.lost();
    for (const conference of this.#rooms.values()) conference.dispose();
    this.#rooms.clear();
  }

  /** Another process has all of it from now on. */
  async abandon(): Promise<void> {
    for (const line of this.#lines.values()) line.dispose();
    for (const conference of this.#rooms.values()) conference.dispose();
    this.#lines.clear();
    this.#rooms.clear();
    await Promise.all([...this.#open].map((tape) => tape.abandon()));
  }

  /** Stops what plays and ends what is recorded: the calls go on without this process. Resolves once the files are closed. */
  async quiet(): Promise<void> {
    const { log } = this.#options;
    const tapes = [...this.#open];
    const speakers = [...this.#lines.values(), ...this.#rooms.values()].map(({ speaker }) => speaker);
    const done = [...speakers.map((speaker) => speaker.stop()), ...tapes.map((tape) => tape.stop())];
    for (const each of await Promise.allSettled(done)) {
      if (each.status === "rejected") log.warn({ err: each.reason }, "not everything could be stopped");
    }
    await this.#closed(tapes);
    for (const each of [...this.#lines.values(), ...this.#rooms.values()]) each.dispose();
  }

  /** What was recorded of this call is closed, or will not be so soon. */
  async taped(call: string): Promise<void> {
    const tape = this.#lines.get(call)?.tape;
    if (tape) await this.#closed([tape]);
  }

  async #closed(tapes: readonly Tape[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.timeoutMs);
    });
    await Promise.race([Promise.all(tapes.map(({ closed }) => closed)), late]);
    clearTimeout(timer);
  }

  /** Can it be asked for anything now? @throws Refused */
  check(): void {
    if (!this.#options.connected()) throw new Refused("unreachable");
  }

  /** @throws Refused */
  #line(call: string): Line {
    this.check();
    const line = this.#lines.get(call);
    if (!line) throw new Refused("gone");
    return line;
  }

  /** @throws Refused */
  #speaker(target: string): Speaker {
    this.check();
    const speaker = (this.#lines.get(target) ?? this.#rooms.get(target))?.speaker;
    if (!speaker) throw new Refused("gone");
    return speaker;
  }
}
