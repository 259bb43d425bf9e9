/**
 * A media server of the tests' own, by the inner ports of call control: it has calls and rooms whoever reads it, and does
 * what it is told at once.
 */
import { randomUUID } from "node:crypto";
import type { LegEnd } from "../../src/engines/control/leg";
import type { MediaServer, Position, Sound } from "../../src/engines/control/media_server";
import { Refused, type Verdict } from "../../src/engines/engine";
import type { ExchangeEngine } from "./exchange-engine";

/** A call as the media server has it. */
export interface Channel {
  readonly session_uuid: string;
  readonly did: string;
  readonly app_id: string | null;
  answered: boolean;
  room: string | null;
  muted: boolean;
  recording: string | null;
  /** The dialplan has it. */
  handedBack: boolean;
  /** How the caller was refused, or hung up. */
  end: string | null;
}

/** What a caller can choose. */
type Calling = Partial<Pick<Channel, "did" | "app_id" | "answered">>;

export class Exchange implements MediaServer {
  readonly channels = new Map<string, Channel>();
  readonly rooms = new Set<string>();
  /** What it was asked, such as `stop` and the target. */
  readonly asked: string[] = [];
  /** What is asked meets this first. */
  meet: (what: string) => Promise<void> = async () => undefined;
  readonly engines = new Set<ExchangeEngine>();
  readonly #playing = new Map<string, Position>();

  constructor(readonly node = "exchange") {}

  /** Whoever reads it, if anybody does. */
  get reader(): ExchangeEngine | null {
    return [...this.engines].find((engine) => engine.isReading) ?? null;
  }

  /** Somebody calls. @returns his session, and what the gateway said; null when there is none that reads */
  ring(calling: Calling = {}): { readonly session_uuid: string; readonly verdict: Promise<Verdict> | null } {
    const session_uuid = `${this.node}-${randomUUID()}`;
    const rest = { room: null, muted: false, recording: null, handedBack: false, end: null };
    const channel = { session_uuid, did: "2", app_id: null, answered: false, ...rest, ...calling };
    this.channels.set(session_uuid, channel);
    return { session_uuid, verdict: this.reader?.offer(channel) ?? null };
  }

  channel(session_uuid: string): Channel {
    const channel = this.channels.get(session_uuid);
    if (!channel) throw new Refused("gone");
    return channel;
  }

  /** A channel is gone, told to whoever reads. */
  end(session_uuid: string, end: LegEnd): void {
    const channel = this.channel(session_uuid);
    channel.end = end.cause;
    this.channels.delete(session_uuid);
    this.#playing.delete(session_uuid);
    this.reader?.ended(session_uuid, end);
    const { recording } = channel;
    if (recording) this.reader?.switchboard.recorded(recording, null);
  }

  hangUp(session_uuid: string): void {
    const { answered } = this.channel(session_uuid);
    this.end(session_uuid, { by: "caller", cause: "NORMAL_CLEARING", q850: 16, sipStatus: answered ? null : 487 });
  }

  /** What plays has been played to its end. */
  finish(target: string): void {
    const playing = this.#playing.get(target);
    if (!playing) throw new Error("nothing plays");
    this.#playing.delete(target);
    this.reader?.switchboard.played(target, playing.play, playing.offset_ms);
  }

  plays(target: string): boolean {
    return this.#playing.has(target);
  }

  async ask(what: string): Promise<void> {
    this.asked.push(what);
    await this.meet(what);
  }

  async play(target: string, play: number, _sound: Sound, from_ms: number): Promise<void> {
    await this.ask(`play ${target}`);
    this.#playing.set(target, { play, offset_ms: from_ms });
  }

  async pause(target: string): Promise<Position | null> {
    await this.ask(`pause ${target}`);
    return this.#playing.get(target) ?? null;
  }

  async seek(target: string, offset_ms: number): Promise<Position | null> {
    await this.ask(`seek ${target}`);
    const playing = this.#playing.get(target);
    if (!playing) return null;
    this.#playing.set(target, { ...playing, offset_ms });
    return { ...playing, offset_ms };
  }

  volume(target: string): Promise<Position | null> {
    return this.pause(target);
  }

  async stop(target: string): Promise<Position | null> {
    await this.ask(`stop ${target}`);
    const playing = this.#playing.get(target) ?? null;
    this.#playing.delete(target);
    return playing;
  }

  async openRoom(room: string): Promise<void> {
    await this.ask(`open ${room}`);
    this.rooms.add(room);
  }

  closeRoom(room: string): void {
    this.rooms.delete(room);
    this.#playing.delete(room);
    for (const channel of this.channels.values()) if (channel.room === room) channel.room = null;
  }

  async join(call: string, room: string, muted: boolean): Promise<void> {
    await this.ask(`join ${call}`);
    if (!this.rooms.has(room)) throw new Refused("gone");
    Object.assign(this.channel(call), { room, muted });
  }

  async leave(call: string): Promise<void> {
    await this.ask(`leave ${call}`);
    this.channel(call).room = null;
  }

  async mute(call: string, muted: boolean): Promise<void> {
    await this.ask(`mute ${call}`);
    this.channel(call).muted = muted;
  }

  async record(call: string, recording_id: string): Promise<{ readonly failure: string | null }> {
    await this.ask(`record ${call}`);
    this.channel(call).recording = recording_id;
    return { failure: null };
  }

  async stopRecording(call: string): Promise<void> {
    await this.ask(`stop recording ${call}`);
    const channel = this.channel(call);
    const { recording } = channel;
    channel.recording = null;
    if (recording) this.reader?.switchboard.recorded(recording, null);
  }

  ping(): Promise<void> {
    return this.ask("ping");
  }
}
