/** FreeSWITCH by its event socket. */
import type { Log } from "../../log";
import type { MediaFiles } from "../../media/files";
import { SwitchedEngine } from "../control/engine";
import { Switchboard } from "../control/switchboard";
import type { Sink, Verdict } from "../engine";
import { Census } from "./census";
import { isChannel } from "./commands";
import type { FreeswitchEvent } from "./event";
import { type ChannelFacts, FreeswitchLeg, factsOf } from "./leg";
import { Link, type LinkTimings, linkTimings } from "./link";
import { FreeswitchServer } from "./server";

export interface FreeswitchOptions {
  readonly node: string;
  /** Of its event socket. */
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** How long the media server may take to take a command. */
  readonly commandTimeoutMs: number;
  /** Of one recording. */
  readonly recordingMaxMs: number;
  readonly media: MediaFiles;
  readonly log: Log;
  readonly timings?: LinkTimings;
}

export class FreeswitchEngine extends SwitchedEngine {
  readonly kind = "freeswitch";
  readonly node: string;
  readonly #log: Log;
  readonly #link: Link;
  readonly #server: FreeswitchServer;
  protected readonly switchboard: Switchboard;
  readonly #census: Census;
  readonly #legs = new Map<string, FreeswitchLeg>();
  readonly #offers = new Set<Promise<Verdict>>();
  #sink: Sink | null = null;
  #reading = false;

  constructor(options: FreeswitchOptions) {
    super();
    const { node, host, port, password, commandTimeoutMs, recordingMaxMs, media, log, timings = linkTimings } = options;
    this.node = node;
    this.#log = log;
    const link = new Link(
      { node, host, port, password, replyMs: commandTimeoutMs, timings, log },
      {
        catchUp: (core) => this.#catchUp(core),
        onEvent: (event) => this.#onEvent(event),
      },
    );
    const server = new FreeswitchServer({
      node,
      link,
      log,
      listener: {
        played: (target, play, offset_ms) => switchboard.played(target, play, offset_ms),
        playFailed: (target, play) => switchboard.playFailed(target, play),
        recorded: (recording_id, failure) => switchboard.recorded(recording_id, failure),
      },
    });
    const switchboard: Switchboard = new Switchboard({ server, media, recordingMaxMs, log });
    this.#link = link;
    this.#server = server;
    this.switchboard = switchboard;
    this.#census = new Census({
      node,
      link,
      server,
      switchboard,
      log,
      reading: () => this.#reading,
      leg: (uuid) => this.#legs.get(uuid),
      newLeg: (facts, answered) => this.#newLeg(facts, answered),
      offer: (facts) => this.#offer(facts),
    });
  }

  /** Resolves at once: a FreeSWITCH that is not there yet is waited for in the background. */
  async start(sink: Sink): Promise<void> {
    this.#sink = sink;
    this.switchboard.start(sink);
    this.#link.start();
  }

  connected(): boolean {
    return !this.closing && this.#link.connected;
  }

  reads(own: boolean): void {
    this.#reading = own;
    this.switchboard.reads(own);
    if (!own) this.#abandon();
    this.#link.reads(own);
  }

  /** Calls go on at FreeSWITCH, where another instance, or this one after its next start, finds them. */
  protected async shutDown(): Promise<void> {
    this.drain();
    await Promise.all(this.#offers);
    // The files that it plays are gone with this process.
    await this.#server.hush();
    this.reads(false);
    this.#link.close();
  }

  #abandon(): void {
    this.#server.abandon();
    this.#legs.clear();
  }

  async #catchUp(core: string): Promise<void> {
    if (this.#sink) await this.#census.take(core, this.#sink);
  }

  #onEvent(event: FreeswitchEvent): void {
    const uuid = event.channel;
    const leg = this.#legs.get(uuid);
    switch (event.name) {
      case "CHANNEL_PARK":
        if (!this.#link.met(`parked ${uuid}`, event)) this.#parked(event);
        return;
      case "CHANNEL_ANSWER":
        leg?.onAnswered();
        return;
      case "DTMF":
        if (leg) this.#digit(leg, event);
        return;
      case "CHANNEL_HANGUP_COMPLETE":
        this.#link.gone(uuid);
        leg?.onHangup(event);
        return;
      default:
        this.#server.onEvent(event);
    }
  }

  /** A call that is parked for the first time, unanswered. Those that come back from a conference are known. */
  #parked(event: FreeswitchEvent): void {
    const state = event.get("Answer-State");
    const inbound = event.get("Call-Direction") === "inbound";
    if (inbound && (state === "ringing" || state === "early")) this.#offer(factsOf(event, this.#log));
  }

  #offer(facts: ChannelFacts): void {
    const { uuid } = facts;
    const session_uuid = this.#server.channels.sessionOf(uuid);
    if (!isChannel(uuid)) {
      this.#log.warn({ node: this.node }, "a channel has an id of a form that no session may have, and is left alone");
      return;
    }
    if (this.#legs.has(uuid) || this.switchboard.has(session_uuid)) return;
    this.#server.add(uuid);
    const offer = this.switchboard.offer(session_uuid, this.#newLeg(facts, false));
    this.#offers.add(offer);
    void offer.finally(() => this.#offers.delete(offer));
  }

  #newLeg(facts: ChannelFacts, answered: boolean): FreeswitchLeg {
    const { uuid } = facts;
    const leg: FreeswitchLeg = new FreeswitchLeg(facts, answered, {
      link: this.#link,
      log: this.#log,
      handingBack: () => this.#handingBack(uuid),
      released: () => this.#released(uuid, leg),
    });
    this.#legs.set(uuid, leg);
    return leg;
  }

  /** Nobody could end its recording any more, and it leaves its room. */
  async #handingBack(uuid: string): Promise<void> {
    const channel = this.#server.channels.find(uuid);
    if (!channel) return;
    channel.room = null;
    if (channel.recording) await this.#server.recorder.stop(channel);
  }

  #released(uuid: string, leg: FreeswitchLeg): void {
    if (this.#legs.get(uuid) !== leg) return;
    this.#legs.delete(uuid);
    this.#link.gone(uuid);
    const channel = this.#server.channels.find(uuid);
    if (channel) this.#server.recorder.callEnded(channel);
    this.#server.remove(uuid);
  }

  /** Its length comes in samples of the telephone-event clock, 8 kHz. */
  #digit(leg: FreeswitchLeg, event: FreeswitchEvent): void {
    const digit = event.get("DTMF-Digit").toUpperCase();
    if (/^[0-9A-D*#]$/.test(digit)) leg.onDigit(digit, Math.round((event.number("DTMF-Duration") ?? 0) / 8));
  }
}
