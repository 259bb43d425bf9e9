/**
 * The embedded engine: a media server inside the gateway. SIP and call control run in this process, RTP in a child; the
 * sandbox's simulated callers take the same way without a socket.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Log } from "../../log";
import type { MediaFiles } from "../../media/files";
import { SwitchedEngine } from "../control/engine";
import type { Refusal } from "../control/leg";
import { Switchboard } from "../control/switchboard";
import type { Sandbox, ScriptStep, Sink, Verdict } from "../engine";
import { type Caller, SipCaller } from "./caller";
import { EmbeddedLeg } from "./leg";
import { MediaLink } from "./media/link";
import { SimulatedCaller } from "./sandbox";
import { SipServer } from "./sip/server";

export interface EmbeddedOptions {
  readonly sip: {
    /** Address of SIP and RTP. */
    readonly host: string;
    /** 0: a free one. */
    readonly port: number;
    /** Stands in Contact and SDP in place of `host`. */
    readonly publicHost: string | null;
    /** Name to password; null: no authentication. */
    readonly users: ReadonlyMap<string, string> | null;
  };
  readonly rtp: { readonly portMin: number; readonly portMax: number; readonly timeoutMs: number };
  /** How long the media process may take to take a command. */
  readonly commandTimeoutMs: number;
  /** Of one recording. */
  readonly recordingMaxMs: number;
  readonly media: MediaFiles;
  readonly log: Log;
}

export class EmbeddedEngine extends SwitchedEngine implements Sandbox {
  readonly kind = "embedded";
  /** New at each start, so that a session of an earlier run is never taken for one of this. Hexadecimal: never `room`. */
  readonly node = randomBytes(6).toString("hex");
  readonly #options: EmbeddedOptions;
  readonly #link: MediaLink;
  readonly #sip: SipServer;
  protected readonly switchboard: Switchboard;
  readonly #legs = new Map<string, EmbeddedLeg>();
  readonly #callers = new Map<string, SimulatedCaller>();
  #sipPort: number | null = null;

  constructor(options: EmbeddedOptions) {
    super();
    this.#options = options;
    const { sip, rtp, commandTimeoutMs, recordingMaxMs, media, log } = options;
    const { portMin, portMax, timeoutMs: rtpTimeoutMs } = rtp;
    const settings = { host: sip.host, portMin, portMax, rtpTimeoutMs, ackTimeoutMs: commandTimeoutMs, log };
    const link = new MediaLink(settings, {
      onDigit: (call, digit, duration_ms) => this.#legs.get(call)?.key("rfc4733", digit, duration_ms),
      onPlayed: (target, play, offset_ms) => switchboard.played(target, play, offset_ms),
      onPlayFailed: (target, play) => switchboard.playFailed(target, play),
      onRecorded: (_call, recording_id, failure) => switchboard.recorded(recording_id, failure),
      onTimeout: (call) => this.#legs.get(call)?.mediaTimeout(),
      onPressed: (call, step) => this.#callers.get(call)?.pressed(step),
      onLost: () => switchboard.lost(),
    });
    const switchboard: Switchboard = new Switchboard({ server: link, media, recordingMaxMs, log });
    this.#link = link;
    this.switchboard = switchboard;
    this.#sip = new SipServer({ ...sip, log }, (call) => {
      void this.#offer(this.#newSession(), new SipCaller(call, sip.publicHost ?? sip.host));
    });
  }

  /** Port of SIP, UDP and TCP; null before `start`. */
  get sipPort(): number | null {
    return this.#sipPort;
  }

  /** Process id of the media process, null while there is none. */
  get mediaPid(): number | null {
    return this.#link.pid();
  }

  async start(sink: Sink): Promise<void> {
    this.switchboard.start(sink);
    await this.#link.start();
    try {
      this.#sipPort = (await this.#sip.listen()).port;
    } catch (error) {
      await this.#link.shutdown();
      throw error;
    }
  }

  connected(): boolean {
    return !this.closing && this.#link.connected();
  }

  reads(): void {
    // All that it has goes with this process: there is nothing that another instance could read.
  }

  override drain(): void {
    super.drain();
    this.#sip.drain();
  }

  async call(call: {
    readonly did: string;
    readonly caller_id: string;
    readonly script: readonly ScriptStep[];
  }): Promise<{ readonly session_uuid: string } | Refusal> {
    const session_uuid = this.#newSession();
    const caller = new SimulatedCaller({ ...call, call: session_uuid, link: this.#link });
    this.#callers.set(session_uuid, caller);
    const verdict = await this.#offer(session_uuid, caller);
    return verdict === "accepted" ? { session_uuid } : verdict;
  }

  #newSession(): string {
    return `${this.node}-${randomUUID()}`;
  }

  #offer(session_uuid: string, caller: Caller): Promise<Verdict> {
    const leg = new EmbeddedLeg(session_uuid, caller, this.#link, this.#options.log, () => {
      this.#legs.delete(session_uuid);
      this.#callers.delete(session_uuid);
    });
    this.#legs.set(session_uuid, leg);
    return this.switchboard.offer(session_uuid, leg);
  }

  protected async shutDown(): Promise<void> {
    this.drain();
    await this.switchboard.close();
    await this.#sip.close();
    await this.switchboard.closeRooms();
    await this.#link.shutdown();
    // A media process that did not end in time was killed: what it had not told by then, it never will.
    this.switchboard.lostRecordings();
  }
}
