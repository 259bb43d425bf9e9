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
  type EngineEvent,
  type EngineRoomCommands,
  Refused,
  type Sandbox,
  type ScriptStep,
  type Sink,
  type Verdict,
} from "../engine";
import { Call, type Surroundings } from "./call";
import { roomCommands, sessionCommands } from "./commands";
import { type Leg, type Refusal, SipLeg } from "./leg";
import { MediaLink } from "./media/link";
import { Recordings } from "./recordings";
import type { Room } from "./room";
import { Rooms } from "./rooms";
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
  /** Of one recording. */
  readonly recordingMaxMs: number;
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
  readonly commands: EngineCommands;
  readonly roomCommands: EngineRoomCommands;
  readonly #options: EmbeddedOptions;
  readonly #link: MediaLink;
  readonly #sip: SipServer;
  /** Calls that have not ended, those that are being offered included. */
  readonly #calls = new Map<string, Call>();
  readonly #callers = new Map<string, SimulatedCaller>();
  readonly #rooms: Rooms;
  readonly #recordings: Recordings;
  readonly #offers = new Set<Promise<Verdict>>();
  #sink: Sink | null = null;
  #sipPort: number | null = null;
  #draining = false;
  #closing: Promise<void> | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    const { sip, rtp, commandTimeoutMs, recordingMaxMs, media, log } = options;
    const { portMin, portMax, timeoutMs: rtpTimeoutMs } = rtp;
    const settings = { host: sip.host, portMin, portMax, rtpTimeoutMs, ackTimeoutMs: commandTimeoutMs, log };
    const link = new MediaLink(settings, {
      onDigit: (call, digit, duration_ms) => this.#calls.get(call)?.key("rfc4733", digit, duration_ms),
      onPlayed: (target, play, offset_ms) => this.#player(target)?.played(play, offset_ms),
      onPlayFailed: (target, play) => this.#player(target)?.playFailed(play),
      onRecorded: (_call, recording_id, failure) => this.#recordings.recorded(recording_id, failure),
      onTimeout: (call) => this.#calls.get(call)?.mediaTimeout(),
      onPressed: (call, step) => this.#callers.get(call)?.pressed(step),
      onLost: () => this.#lost(),
    });
    this.#link = link;
    this.#rooms = new Rooms({ link, media, log, emit: (event) => this.#sink?.emitRoom(event) });
    this.#recordings = new Recordings({ link, log, maxMs: recordingMaxMs, emit: (event) => this.#tell(event) });
    this.commands = sessionCommands((session_uuid) => this.#call(session_uuid), this.#rooms);
    this.roomCommands = roomCommands(this.#rooms);
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

  cancel(id: string, operation_id: string): void {
    this.#calls.get(id)?.cancel(operation_id);
    this.#rooms.find(id)?.cancel(operation_id);
  }

  async openRoom(room_id: string): Promise<void> {
    if (this.#closing !== null) throw new Refused("unreachable");
    await this.#rooms.open(room_id);
  }

  closeRoom(room_id: string): Promise<void> {
    return this.#rooms.close(room_id);
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

  #player(target: string): Call | Room | undefined {
    return this.#calls.get(target) ?? this.#rooms.find(target) ?? undefined;
  }

  /** Of a call that may have ended: its recordings are told of all the same. */
  #tell({ session_uuid, ...event }: EngineEvent): void {
    const call = this.#calls.get(session_uuid);
    if (call) call.emit(event);
    else this.#sink?.emit({ session_uuid, ...event });
  }

  /** The media process is gone, and with it every call. Rooms live on, in the next one. */
  #lost(): void {
    for (const call of this.#calls.values()) call.hangup(gatewayCauses.MEDIA_SERVER_LOST, "gateway", true);
    this.#recordings.lost();
    this.#rooms.lost();
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
      recordings: this.#recordings,
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
    await this.#rooms.closeAll();
    await this.#link.shutdown();
    // A media process that did not end in time was killed: what it had not told by then, it never will.
    this.#recordings.lost();
  }
}
