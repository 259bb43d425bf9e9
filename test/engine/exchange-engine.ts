/** What a gateway has of an `Exchange`: its engine, as small as it can be by the inner ports. */
import { type Cause, gatewayCauses } from "../../src/engines/causes";
import type { Leg, LegEnd, LegHandler, Refusal } from "../../src/engines/control/leg";
import { Switchboard } from "../../src/engines/control/switchboard";
import type { EndedBy, Engine, EngineCommands, EngineRoomCommands, Sink, Verdict } from "../../src/engines/engine";
import { MediaFiles } from "../../src/media/files";
import type { Channel, Exchange } from "./exchange";
import { silent } from "./place";

class ChannelLeg implements Leg {
  handler: LegHandler | null = null;
  readonly caller_id = "1";
  readonly did: string;
  readonly app_id: string | null;
  readonly #exchange: Exchange;
  readonly #channel: Channel;

  constructor(exchange: Exchange, channel: Channel) {
    this.#exchange = exchange;
    this.#channel = channel;
    this.did = channel.did;
    this.app_id = channel.app_id;
  }

  open(): Promise<void> {
    return this.#exchange.ask("open a call");
  }

  ring(): void {
    this.#exchange.asked.push(`ring ${this.#channel.session_uuid}`);
  }

  early(): void {}

  async answer(): Promise<void> {
    await this.#exchange.ask(`answer ${this.#channel.session_uuid}`);
    if (this.#channel.answered) return;
    this.#channel.answered = true;
    this.handler?.onAnswered();
  }

  refuse(refusal: Refusal): void {
    this.#channel.end = refusal;
    this.#exchange.channels.delete(this.#channel.session_uuid);
  }

  async hangup(cause: Cause, by: EndedBy): Promise<void> {
    const { session_uuid, answered } = this.#channel;
    await this.#exchange.ask(`hang up ${session_uuid}`);
    if (!this.#exchange.channels.has(session_uuid)) return;
    const { name, q850, sip } = cause;
    this.#exchange.end(session_uuid, { by, cause: name, q850, sipStatus: answered ? null : sip });
  }

  async handBack(): Promise<boolean> {
    await this.#exchange.ask(`hand back ${this.#channel.session_uuid}`);
    this.#channel.handedBack = true;
    return true;
  }

  release(): void {}

  happened(): void {}
}

/** One gateway's engine for an exchange. */
export class ExchangeEngine implements Engine {
  readonly kind = "asterisk";
  readonly commands: EngineCommands;
  readonly roomCommands: EngineRoomCommands;
  readonly switchboard: Switchboard;
  readonly media = new MediaFiles({ allowLocalhost: true, log: silent });
  isConnected = true;
  isReading = false;
  readonly #legs = new Map<string, ChannelLeg>();
  #sink: Sink | null = null;
  /** Of the resync that runs, or ran last. */
  synced: Promise<void> = Promise.resolve();

  constructor(readonly exchange: Exchange) {
    const { media } = this;
    this.switchboard = new Switchboard({ server: exchange, media, recordingMaxMs: 60_000, log: silent });
    this.commands = this.switchboard.commands;
    this.roomCommands = this.switchboard.roomCommands;
    exchange.engines.add(this);
  }

  get node(): string {
    return this.exchange.node;
  }

  async start(sink: Sink): Promise<void> {
    await this.media.start();
    this.#sink = sink;
    this.switchboard.start(sink);
    if (this.isReading) await this.resync();
  }

  connected(): boolean {
    return this.isConnected;
  }

  reads(own: boolean): void {
    this.isReading = own;
    this.switchboard.reads(own);
    if (!own) this.#legs.clear();
    // What goes wrong is for the test to see, by `synced`.
    else if (this.#sink) this.resync().catch(() => undefined);
  }

  /** As after each connection. */
  resync(): Promise<void> {
    this.synced = this.#resync();
    return this.synced;
  }

  offer(channel: Channel): Promise<Verdict> {
    return this.switchboard.offer(channel.session_uuid, this.#leg(channel));
  }

  ended(session_uuid: string, end: LegEnd): void {
    if (this.isConnected) this.#legs.get(session_uuid)?.handler?.onEnd(end);
  }

  /** The dialplan, or the caller, has done this. */
  handler(session_uuid: string): LegHandler {
    const handler = this.#legs.get(session_uuid)?.handler;
    if (!handler) throw new Error("nobody has this call");
    return handler;
  }

  cancel(id: string, operation_id: string): void {
    this.switchboard.cancel(id, operation_id);
  }

  openRoom(room_id: string): Promise<void> {
    return this.switchboard.openRoom(room_id);
  }

  closeRoom(room_id: string): Promise<void> {
    return this.switchboard.closeRoom(room_id);
  }

  end(session_uuid: string, cause: string): void {
    this.switchboard.end(session_uuid, cause);
  }

  drain(): void {
    this.switchboard.drain();
  }

  /** Its calls stay up. */
  async close(): Promise<void> {
    this.drain();
    for (const { session_uuid } of this.exchange.channels.values()) await this.exchange.stopRecording(session_uuid);
    this.reads(false);
    this.exchange.engines.delete(this);
    await this.media.close();
  }

  async #resync(): Promise<void> {
    const sink = this.#sink;
    if (!sink) throw new Error("not started");
    const { calls, rooms } = await sink.survivors(this.node);
    const { exchange, switchboard } = this;
    for (const { room_id, playback } of rooms) {
      if (!exchange.rooms.has(room_id)) sink.emitRoom({ room_id, type: "lost" });
      else if (!switchboard.has(room_id)) {
        await exchange.stop(room_id);
        switchboard.adoptRoom(room_id, playback);
      }
    }
    const { name: cause, q850: q850_cause } = gatewayCauses.MEDIA_SERVER_LOST;
    for (const survivor of calls) {
      const { session_uuid } = survivor;
      const channel = exchange.channels.get(session_uuid);
      if (channel && switchboard.has(session_uuid)) continue;
      if (channel) {
        await exchange.stop(session_uuid);
        switchboard.adopt(survivor, this.#leg(channel));
      } else if (switchboard.has(session_uuid)) switchboard.lostCall(session_uuid);
      else sink.emit({ session_uuid, type: "hangup", cause, q850_cause, sip_status: null, by: "gateway", lost: true });
    }
    for (const channel of exchange.channels.values()) {
      if (!channel.answered && !switchboard.has(channel.session_uuid)) void this.offer(channel);
    }
  }

  #leg(channel: Channel): ChannelLeg {
    const leg = new ChannelLeg(this.exchange, channel);
    this.#legs.set(channel.session_uuid, leg);
    return leg;
  }
}
