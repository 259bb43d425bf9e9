/**
 * Asterisk by ARI. Its dialplan hands calls to an application of ours; what happens to them is told by a websocket, and what
 * is to happen is asked for by HTTP. Its calls outlive this process: another one takes them up.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../log";
import type { MediaFiles } from "../../media/files";
import { SwitchedEngine } from "../control/engine";
import { Switchboard } from "../control/switchboard";
import { Refused, type Sink } from "../engine";
import { Ari, at, unlessGone } from "./ari";
import { type AriEvent, type Channel, readInfo } from "./dialect";
import { AsteriskLeg } from "./leg";
import { OwnChannels } from "./own_channels";
import { AsteriskServer } from "./server";
import { AriSocket } from "./socket";
import { takeOver } from "./takeover";

export interface AsteriskOptions {
  readonly node: string;
  /** Root of its HTTP server: ARI is below it. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** The Stasis application that its dialplan hands calls to; default "voicegate". */
  readonly app?: string;
  /** How long the media server may take to take a command. */
  readonly commandTimeoutMs: number;
  /** Of one recording. */
  readonly recordingMaxMs: number;
  readonly media: MediaFiles;
  readonly log: Log;
}

/** The one that all of this was tried with. */
const knownVersion = 22;
/** As long as its events are not read: is it there? */
const pingEveryMs = 1000;
const againMs = 10;
/** Events that come while it is found out what there is. */
const maxBacklog = 100_000;
/** Nothing is done with them, and there are many. */
const unwanted = ["ChannelVarset", "ChannelDialplan", "ChannelConnectedLine", "ChannelCallerId", "DeviceStateChanged"];

export class AsteriskEngine extends SwitchedEngine {
  readonly kind = "asterisk";
  readonly node: string;
  readonly #options: AsteriskOptions;
  readonly #app: string;
  readonly #log: Log;
  readonly #ari: Ari;
  readonly #own: OwnChannels;
  readonly #server: AsteriskServer;
  protected readonly switchboard: Switchboard;
  readonly #socket: AriSocket;
  /** By their channels. */
  readonly #legs = new Map<string, AsteriskLeg>();
  #sink: Sink | null = null;
  /** Are its events this instance's to read? */
  #reading = false;
  /** They are read, and what was missed is put right. */
  #ready = false;
  #whenReady: (() => void) | null = null;
  #backlog: AriEvent[] | null = null;
  /** When the Asterisk that is known here began to run. */
  #started: string | null = null;
  #answers = false;
  #pings: NodeJS.Timeout | undefined;

  constructor(options: AsteriskOptions) {
    super();
    this.#options = options;
    const { node, app = "voicegate", commandTimeoutMs: timeoutMs, recordingMaxMs, media } = options;
    const log = options.log;
    this.node = node;
    this.#app = app;
    this.#log = log;
    this.#ari = new Ari({ ...options, timeoutMs });
    this.#own = new OwnChannels({ ari: this.#ari, app, timeoutMs, log });
    const connected = () => this.#ready && !this.closing;
    this.#server = new AsteriskServer(
      { ari: this.#ari, own: this.#own, app, timeoutMs, log, connected },
      {
        played: (target, play, offset_ms) => switchboard.played(target, play, offset_ms),
        playFailed: (target, play) => switchboard.playFailed(target, play),
        recorded: (recording_id, failure) => switchboard.recorded(recording_id, failure),
      },
    );
    const switchboard: Switchboard = new Switchboard({ server: this.#server, media, recordingMaxMs, log });
    switchboard.reads(false);
    this.switchboard = switchboard;
    this.#socket = new AriSocket({
      ari: this.#ari,
      app,
      log,
      opened: () => void this.#takeOver(),
      event: (event) => this.#take(event),
      closed: () => this.#unready(),
    });
  }

  /** Resolves when its events are read, or cannot be so soon: then they are as soon as it is there. */
  async start(sink: Sink): Promise<void> {
    this.#sink = sink;
    this.switchboard.start(sink);
    await this.#ping();
    if (!this.#reading) return;
    let timer: NodeJS.Timeout | undefined;
    const ready = new Promise<void>((resolve) => {
      this.#whenReady = resolve;
      timer = setTimeout(resolve, this.#options.commandTimeoutMs);
    });
    this.#socket.open();
    await ready;
    clearTimeout(timer);
  }

  connected(): boolean {
    // Also while what it has is taken up: that may take longer than a lease, which is for those who can be reached.
    return !this.closing && (this.#reading ? this.#ready || this.#backlog !== null : this.#answers);
  }

  reads(own: boolean): void {
    if (this.#reading === own) return;
    this.#reading = own;
    if (own) {
      if (this.#sink && !this.closing) this.#socket.open();
    } else this.#leave();
  }

  /** Calls and rooms stay, for whoever reads its events next; what this process plays and records ends. */
  protected async shutDown(): Promise<void> {
    clearTimeout(this.#pings);
    this.drain();
    if (this.#ready) await this.#server.quiet();
    await this.#own.dropped();
    this.#leave();
    this.#ari.close();
  }

  #leave(): void {
    this.#socket.close();
    this.#unready();
    this.switchboard.reads(false);
    this.#own.forget();
    this.#legs.clear();
    this.#server.abandon().catch((err: unknown) => this.#log.warn({ err }, "a recording could not be left"));
  }

  #unready(): void {
    this.#ready = false;
    this.#backlog = null;
  }

  async #ping(): Promise<void> {
    const answers = await this.#ari.request("GET", "/asterisk/ping").then(
      () => true,
      // Why not is in the log already.
      () => false,
    );
    if (answers !== this.#answers) this.#log.info({ node: this.node, answers }, "Asterisk by ARI");
    this.#answers = answers;
    if (!this.closing) this.#pings = setTimeout(() => void this.#ping(), pingEveryMs);
  }

  async #takeOver(): Promise<void> {
    const { node, app, sink } = { node: this.node, app: this.#app, sink: this.#sink };
    if (!sink) return;
    const backlog: AriEvent[] = [];
    this.#backlog = backlog;
    const current = () => this.#backlog === backlog;
    try {
      await this.#greet();
      if (!current()) return;
      await takeOver({
        node,
        app,
        sink,
        current,
        ari: this.#ari,
        own: this.#own,
        server: this.#server,
        switchboard: this.switchboard,
        legs: this.#legs,
        log: this.#log,
        newLeg: (session_uuid, channel) => this.#newLeg(session_uuid, channel, []),
        arrived: (channel) => this.#arrived(channel, []),
      });
      if (!current()) return;
      this.#backlog = null;
      this.#ready = true;
      this.#socket.steady();
      this.#whenReady?.();
      for (const event of backlog) this.#take(event);
    } catch (err) {
      if (!current()) return;
      this.#log.warn({ node, err }, "Asterisk: what it has could not be taken up, and is tried again");
      this.#socket.again();
    }
  }

  async #greet(): Promise<void> {
    const { version, started } = readInfo(await this.#ari.request("GET", "/asterisk/info"));
    if (Number.parseInt(version, 10) !== knownVersion)
      this.#log.warn({ version }, `Asterisk: this version was not tried, ${knownVersion} was`);
    await this.#filter();
    if (this.#started !== null && this.#started !== started) {
      this.#log.warn({ node: this.node }, "Asterisk has begun anew");
      this.#own.forget();
      this.#server.lost();
      this.switchboard.lost();
    }
    this.#started = started;
  }

  /** The application is there a moment after its websocket: from then on nothing that happens is missed. */
  async #filter(): Promise<void> {
    const disallowed = unwanted.map((type) => ({ type }));
    const until = performance.now() + this.#options.commandTimeoutMs;
    const ask = () => this.#ari.request("PUT", at`/applications/${this.#app}/eventFilter`, { disallowed });
    while (!(await unlessGone(ask()))) {
      if (performance.now() > until) throw new Refused("late");
      await delay(againMs);
    }
  }

  #take(event: AriEvent): void {
    if (this.#backlog) {
      if (this.#backlog.push(event) > maxBacklog) this.#socket.again();
      return;
    }
    if (!("channel" in event)) {
      this.#server.onEvent(event);
      return;
    }
    const { channel } = event;
    if (this.#own.isOwn(channel.id)) {
      if (event.type === "StasisStart") this.#own.entered(channel.id);
      else if (event.type === "StasisEnd") this.#own.ended(channel.id);
      return;
    }
    const leg = this.#legs.get(channel.id);
    if (event.type === "StasisStart") this.#arrived(channel, event.args);
    else if (event.type === "ChannelStateChange") leg?.onState(channel.state);
    else if (event.type === "ChannelDtmfReceived") leg?.onDigit(event.digit, event.duration_ms);
    else if (event.type === "ChannelHangupRequest") leg?.onHangupRequest(event.soft);
    else if (event.type === "ChannelDestroyed") leg?.onDestroyed(event.cause);
  }

  #arrived(channel: Channel, args: readonly string[]): void {
    // It comes for a second time, back from the dialplan: what it was before is over.
    this.#legs.get(channel.id)?.onDestroyed(0);
    const session_uuid = `${this.node}-${randomUUID()}`;
    void this.switchboard.offer(session_uuid, this.#newLeg(session_uuid, channel, args));
  }

  #newLeg(session_uuid: string, channel: Channel, args: readonly string[]): AsteriskLeg {
    const leg = new AsteriskLeg(session_uuid, channel, args, {
      ari: this.#ari,
      app: this.#app,
      server: this.#server,
      log: this.#log,
      released: () => {
        if (this.#legs.get(channel.id) === leg) this.#legs.delete(channel.id);
      },
    });
    this.#legs.set(channel.id, leg);
    return leg;
  }
}
