/**
 * The embedded engine: a media server inside the gateway. SIP and call control run in this process, RTP in a child; the
 * sandbox's simulated callers take the same way without a socket.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Log } from "../../log";
import type { MediaFiles } from "../../media/files";
import {
  type Engine,
  type EngineCommands,
  Refused,
  type Sandbox,
  type ScriptStep,
  type Sink,
  type Verdict,
} from "../engine";
import { Call, type Surroundings } from "./call";
import { type Leg, type Refusal, SipLeg } from "./leg";
import { MediaLink } from "./media/link";
import { SimulatedCaller } from "./sandbox";
import { type Cause, causeOf, gatewayCauses } from "./sip/causes";
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
  readonly media: MediaFiles;
  readonly log: Log;
}

/** Calls that are being offered at a time. How many there may be once they are taken is for the sink to say. */
const maxOffers = 1000;
/** What the gateway ends calls with on its own account. */
const ownCauses: Readonly<Record<string, Cause | undefined>> = gatewayCauses;

export class EmbeddedEngine implements Engine, Sandbox {
  readonly kind = "embedded";
  /** New at each start, so that a session of an earlier run is never taken for one of this. Hexadecimal: never `room`. */
  readonly node = randomBytes(6).toString("hex");
  readonly commands: EngineCommands = {
    answer: async (session_uuid, _body, operation) => {
      await this.#call(session_uuid).answer(operation);
      return undefined;
    },
    hangup: async (session_uuid, { cause }) => {
      this.#call(session_uuid).hangup(causeOf(cause), "app");
      return undefined;
    },
    // There is no dialplan here to hand the call back to: this media server ends it.
    disconnect: async (session_uuid) => {
      this.#call(session_uuid).hangup(causeOf("NORMAL_CLEARING"), "media_server");
      return undefined;
    },
    startPlayback: async (session_uuid, body, operation) => {
      await this.#call(session_uuid).startPlayback(body, operation);
      return undefined;
    },
    stopPlayback: async (session_uuid) => this.#call(session_uuid).stopPlayback(),
    playAndGetDigits: async (session_uuid, body, operation) => {
      await this.#call(session_uuid).playAndGetDigits(body, operation);
      return undefined;
    },
  };
  readonly #options: EmbeddedOptions;
  readonly #link: MediaLink;
  readonly #sip: SipServer;
  /** Calls that have not ended, those that are being offered included. */
  readonly #calls = new Map<string, Call>();
  readonly #callers = new Map<string, SimulatedCaller>();
  readonly #offers = new Set<Promise<Verdict>>();
  #sink: Sink | null = null;
  #sipPort: number | null = null;
  #draining = false;
  #closing: Promise<void> | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    const { sip, rtp, commandTimeoutMs, log } = options;
    const { portMin, portMax, timeoutMs: rtpTimeoutMs } = rtp;
    const link = { host: sip.host, portMin, portMax, rtpTimeoutMs, ackTimeoutMs: commandTimeoutMs, log };
    this.#link = new MediaLink(link, {
      onDigit: (call, digit, duration_ms) => this.#calls.get(call)?.key("rfc4733", digit, duration_ms),
      onPlayed: (call, play, offset_ms) => this.#calls.get(call)?.played(play, offset_ms),
      onPlayFailed: (call, play) => this.#calls.get(call)?.playFailed(play),
      onTimeout: (call) => this.#calls.get(call)?.mediaTimeout(),
      onPressed: (call, step) => this.#callers.get(call)?.pressed(step),
      onLost: () => {
        for (const call of this.#calls.values()) call.hangup(gatewayCauses.MEDIA_SERVER_LOST, "gateway");
      },
    });
    this.#sip = new SipServer({ ...sip, log }, (call) => {
      void this.#offer(this.#newSession(), new SipLeg(call, sip.publicHost ?? sip.host));
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
    this.#sink = sink;
    await this.#link.start();
    try {
      this.#sipPort = (await this.#sip.listen()).port;
    } catch (error) {
      await this.#link.shutdown();
      throw error;
    }
  }

  connected(): boolean {
    return this.#closing === null && this.#link.connected();
  }

  cancel(session_uuid: string, operation_id: string): void {
    this.#calls.get(session_uuid)?.cancel(operation_id);
  }

  end(session_uuid: string, cause: string): void {
    const known = ownCauses[cause] ?? { ...causeOf("NORMAL_CLEARING"), name: cause };
    this.#calls.get(session_uuid)?.hangup(known, "gateway");
  }

  drain(): void {
    this.#draining = true;
    this.#sip.drain();
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
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

  /** @throws Refused("gone") */
  #call(session_uuid: string): Call {
    const call = this.#calls.get(session_uuid);
    if (!call) throw new Refused("gone");
    return call;
  }

  /** Never rejects. The leg has its handler, or was refused, before this returns. */
  #offer(session_uuid: string, leg: Leg): Promise<Verdict> {
    const offer = this.#admit(session_uuid, leg).finally(() => this.#offers.delete(offer));
    this.#offers.add(offer);
    return offer;
  }

  async #admit(session_uuid: string, leg: Leg): Promise<Verdict> {
    const { media, log } = this.#options;
    const sink = this.#sink;
    if (!sink || this.#draining) return this.#refuse(session_uuid, leg, "unavailable");
    if (this.#offers.size >= maxOffers) return this.#refuse(session_uuid, leg, "overloaded");
    const surroundings: Surroundings = {
      media,
      log,
      link: this.#link,
      emit: (event) => sink.emit(event),
      ended: () => this.#forget(session_uuid),
    };
    const call = new Call(session_uuid, leg, surroundings);
    this.#calls.set(session_uuid, call);
    try {
      const { port } = await this.#link.open(session_uuid, leg.transport);
      const { caller_id, did } = leg;
      const verdict = await sink.offer({ session_uuid, caller_id, did });
      if (verdict !== "accepted") return this.#refuse(session_uuid, leg, verdict);
      call.accepted(port);
      return verdict;
    } catch (err) {
      log.error({ session_uuid, err }, "call could not be offered");
      return this.#refuse(session_uuid, leg, "unavailable");
    }
  }

  #refuse(session_uuid: string, leg: Leg, refusal: Refusal): Refusal {
    const { caller_id, did } = leg;
    this.#options.log.info({ caller_id, did, refusal }, "call refused");
    leg.refuse(refusal);
    this.#link.close(session_uuid);
    this.#forget(session_uuid);
    return refusal;
  }

  #forget(session_uuid: string): void {
    this.#calls.delete(session_uuid);
    this.#callers.delete(session_uuid);
  }

  async #shutDown(): Promise<void> {
    this.drain();
    for (const call of this.#calls.values()) call.hangup(gatewayCauses.SERVER_SHUTDOWN, "gateway");
    // Calls that are being offered have heard it, too, and tell of their end once they are accepted.
    await Promise.all(this.#offers);
    await this.#sip.close();
    await this.#link.shutdown();
  }
}
