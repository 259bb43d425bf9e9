/**
 * The calls, rooms and recordings of one media node: all of an engine that does not depend on the kind of its media server.
 * An engine is one of these, a `MediaServer`, and legs.
 */
import type { Log } from "../../log";
import type { MediaFiles } from "../../media/files";
import { type Cause, causeOf, gatewayCauses } from "../causes";
import {
  type EngineCommands,
  type EngineEvent,
  type EngineRoomCommands,
  Refused,
  type Sink,
  type Survivor,
  type Unheard,
  type Verdict,
} from "../engine";
import { Call, type Surroundings } from "./call";
import { roomCommands, sessionCommands } from "./commands";
import type { Leg, Refusal } from "./leg";
import type { MediaListener, MediaServer } from "./media_server";
import { Recordings } from "./recordings";
import type { Room } from "./room";
import { Rooms } from "./rooms";

export interface SwitchboardOptions {
  readonly server: MediaServer;
  readonly media: MediaFiles;
  /** Of one recording. */
  readonly recordingMaxMs: number;
  readonly log: Log;
}

/** Calls that are being offered at a time. How many there may be once they are taken is for the sink to say. */
const maxOffers = 1000;
/** What the gateway ends calls with on its own account. */
const ownCauses: Readonly<Record<string, Cause | undefined>> = gatewayCauses;

export class Switchboard implements MediaListener {
  readonly commands: EngineCommands;
  readonly roomCommands: EngineRoomCommands;
  readonly #options: SwitchboardOptions;
  /** Calls that have not ended, those that are being offered included. */
  readonly #calls = new Map<string, Call>();
  readonly #rooms: Rooms;
  readonly #recordings: Recordings;
  readonly #offers = new Set<Promise<Verdict>>();
  #sink: Sink | null = null;
  #draining = false;
  #closed = false;
  /** Does this process read what the media server says? While another one does, it has the calls. */
  #reading = true;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    const { server, media, recordingMaxMs, log } = options;
    this.#rooms = new Rooms({ server, media, log, emit: (event) => this.#sink?.emitRoom(event) });
    this.#recordings = new Recordings({ server, log, maxMs: recordingMaxMs, emit: (event) => this.#tell(event) });
    this.commands = sessionCommands((session_uuid) => this.#call(session_uuid), this.#rooms);
    this.roomCommands = roomCommands((room_id) => this.#room(room_id));
  }

  start(sink: Sink): void {
    this.#sink = sink;
  }

  /** Calls that have not ended, with those that are being offered; and rooms. */
  has(id: string): boolean {
    return this.#player(id) !== undefined;
  }

  get sessions(): readonly string[] {
    return [...this.#calls.keys()];
  }

  /**
   * Never rejects. The leg has its handler, or was refused, before this returns; one that is another process's to offer, or
   * that is known, is left alone.
   */
  offer(session_uuid: string, leg: Leg): Promise<Verdict> {
    if (!this.#reading || this.has(session_uuid)) {
      this.#options.log.warn({ session_uuid, reading: this.#reading }, "call not offered: it is somebody's already");
      return Promise.resolve("unavailable");
    }
    const offer = this.#admit(session_uuid, leg).finally(() => this.#offers.delete(offer));
    this.#offers.add(offer);
    return offer;
  }

  /** A call that an earlier process, or one elsewhere, has begun, and that the media server goes on with. */
  adopt(survivor: Survivor, leg: Leg): void {
    const sink = this.#sink;
    const { session_uuid, room, recording } = survivor;
    // Whoever found it may have asked for long: by now it is another process's, or known.
    if (!sink || !this.#reading || this.has(session_uuid)) return;
    const call = this.#newCall(session_uuid, leg, sink);
    if (recording) this.#recordings.adopted(session_uuid, recording.recording_id);
    call.adopted(survivor, room && this.#rooms.find(room.room_id));
  }

  /** A room that is there already; before the calls that are in it. */
  adoptRoom(room_id: string, playback: Unheard | null): void {
    if (this.#reading) this.#rooms.adopt(room_id, playback);
  }

  cancel(id: string, operation_id: string): void {
    this.#calls.get(id)?.cancel(operation_id);
    this.#rooms.find(id)?.cancel(operation_id);
  }

  /** @throws Refused */
  async openRoom(room_id: string): Promise<void> {
    if (this.#closed || !this.#reading) throw new Refused("unreachable");
    await this.#rooms.open(room_id);
  }

  closeRoom(room_id: string): Promise<void> {
    return this.#rooms.close(room_id);
  }

  end(session_uuid: string, cause: string): void {
    const known = ownCauses[cause] ?? { ...causeOf("NORMAL_CLEARING"), name: cause };
    const { log } = this.#options;
    const ended = this.#calls.get(session_uuid)?.hangup(known, "gateway");
    ended?.catch((err) => log.warn({ session_uuid, cause, err }, "call could not be ended"));
  }

  played(target: string, play: number, offset_ms: number): void {
    this.#player(target)?.played(play, offset_ms);
  }

  playFailed(target: string, play: number): void {
    this.#player(target)?.playFailed(play);
  }

  recorded(recording_id: string, failure: string | null): void {
    this.#recordings.recorded(recording_id, failure);
  }

  /** The media server has lost this call, and whatever recorded it. */
  lostCall(session_uuid: string): void {
    this.#calls.get(session_uuid)?.lost();
    this.#recordings.lost(session_uuid);
  }

  /** The media server is gone, and with it every call. Rooms live on, in the next one. */
  lost(): void {
    for (const call of this.#calls.values()) call.lost();
    this.#recordings.lost();
    this.#rooms.lost();
  }

  /** Another process has the calls from now on, or this one again: it begins with none, and adopts what there is. */
  reads(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (reading) return;
    for (const call of this.#calls.values()) call.abandon();
    this.#calls.clear();
    this.#recordings.abandon();
    this.#rooms.abandon();
  }

  /** No new calls from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** Ends every call and room: those that are being offered, too, and tell of their end once they are accepted. */
  async close(): Promise<void> {
    this.#closed = true;
    this.drain();
    for (const session_uuid of this.sessions) this.end(session_uuid, "SERVER_SHUTDOWN");
    await Promise.all(this.#offers);
  }

  async closeRooms(): Promise<void> {
    await this.#rooms.closeAll();
  }

  /** What has not been told of recordings by now never will be. */
  lostRecordings(): void {
    this.#recordings.lost();
  }

  /** @throws Refused */
  #call(session_uuid: string): Call {
    const call = this.#calls.get(session_uuid);
    if (!call) throw new Refused(this.#reading ? "gone" : "unreachable");
    return call;
  }

  /** @throws Refused */
  #room(room_id: string): Room {
    const room = this.#rooms.find(room_id);
    if (!room) throw new Refused(this.#reading ? "gone" : "unreachable");
    return room;
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

  #newCall(session_uuid: string, leg: Leg, sink: Sink): Call {
    const { server, media, log } = this.#options;
    const surroundings: Surroundings = {
      server,
      media,
      log,
      recordings: this.#recordings,
      emit: (event) => sink.emit(event),
      ended: () => this.#calls.delete(session_uuid),
    };
    const call = new Call(session_uuid, leg, surroundings);
    this.#calls.set(session_uuid, call);
    return call;
  }

  async #admit(session_uuid: string, leg: Leg): Promise<Verdict> {
    const { log } = this.#options;
    const sink = this.#sink;
    if (!sink || this.#draining) return this.#refuse(leg, "unavailable");
    if (this.#offers.size >= maxOffers) return this.#refuse(leg, "overloaded");
    const call = this.#newCall(session_uuid, leg, sink);
    let refusal: Refusal = "unavailable";
    try {
      await leg.open();
      const { caller_id, did, app_id } = leg;
      const verdict = await sink.offer({ session_uuid, caller_id, did, app_id });
      // Another process has it, or will find it: it is not for this one to refuse either.
      if (this.#calls.get(session_uuid) !== call) return "unavailable";
      if (verdict === "accepted") {
        call.accepted();
        return verdict;
      }
      refusal = verdict;
    } catch (err) {
      // Who gives up just then is no fault of anybody's.
      if (err instanceof Refused && err.refusal === "gone") log.info({ session_uuid }, "call was given up");
      else log.error({ session_uuid, err }, "call could not be offered");
    }
    if (this.#calls.get(session_uuid) !== call) return refusal;
    this.#calls.delete(session_uuid);
    return this.#refuse(leg, refusal);
  }

  #refuse(leg: Leg, refusal: Refusal): Refusal {
    const { caller_id, did } = leg;
    this.#options.log.info({ caller_id, did, refusal }, "call refused");
    leg.refuse(refusal);
    leg.release();
    return refusal;
  }
}
