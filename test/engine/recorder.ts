/** The gateway as an engine sees it: takes calls as the test says, and writes down every event. */
import { EventEmitter, once } from "node:events";
import type { EngineEvent, EngineRoomEvent, Offer, Sink, Survivors, Verdict } from "../../src/engines/engine";

export type EventOf<T extends EngineEvent["type"]> = Extract<EngineEvent, { type: T }>;

export type RoomEventOf<T extends EngineRoomEvent["type"]> = Extract<EngineRoomEvent, { type: T }>;

export class Recorder implements Sink {
  readonly events: EngineEvent[] = [];
  readonly roomEvents: EngineRoomEvent[] = [];
  readonly offers: Offer[] = [];
  /** What the next calls are told. */
  verdict: () => Promise<Verdict> | Verdict = () => "accepted";
  readonly #news = new EventEmitter().setMaxListeners(100);

  async offer(call: Offer): Promise<Verdict> {
    this.offers.push(call);
    this.#news.emit("news");
    return this.verdict();
  }

  /** What was there before the engine. */
  before: Survivors = { calls: [], rooms: [] };

  async survivors(): Promise<Survivors> {
    return this.before;
  }

  emit(event: EngineEvent): void {
    this.events.push(event);
    this.#news.emit("news");
  }

  emitRoom(event: EngineRoomEvent): void {
    this.roomEvents.push(event);
    this.#news.emit("news");
  }

  /** Events of a call in their order, without those types that the test has no interest in. */
  of(session_uuid: string, ...without: EngineEvent["type"][]): EngineEvent[] {
    return this.events.filter((event) => event.session_uuid === session_uuid && !without.includes(event.type));
  }

  types(session_uuid: string, ...without: EngineEvent["type"][]): string[] {
    return this.of(session_uuid, ...without).map(({ type }) => type);
  }

  /** The `nth` event of a type, now or as soon as it comes. */
  async event<T extends EngineEvent["type"]>(session_uuid: string, type: T, nth = 1): Promise<EventOf<T>> {
    const isIt = (event: EngineEvent): event is EventOf<T> =>
      event.session_uuid === session_uuid && event.type === type;
    for (;;) {
      const found = this.events.filter(isIt)[nth - 1];
      if (found) return found;
      await once(this.#news, "news");
    }
  }

  ofRoom(room_id: string): EngineRoomEvent[] {
    return this.roomEvents.filter((event) => event.room_id === room_id);
  }

  roomTypes(room_id: string): string[] {
    return this.ofRoom(room_id).map(({ type }) => type);
  }

  /** The `nth` event of a type of a room, now or as soon as it comes. */
  async roomEvent<T extends EngineRoomEvent["type"]>(room_id: string, type: T, nth = 1): Promise<RoomEventOf<T>> {
    const isIt = (event: EngineRoomEvent): event is RoomEventOf<T> => event.room_id === room_id && event.type === type;
    for (;;) {
      const found = this.roomEvents.filter(isIt)[nth - 1];
      if (found) return found;
      await once(this.#news, "news");
    }
  }

  /** The end of the playback that this command began, now or as soon as it comes. */
  async stopped(session_uuid: string, command_uid: string): Promise<EventOf<"playback.stopped">> {
    for (let nth = 1; ; nth++) {
      const event = await this.event(session_uuid, "playback.stopped", nth);
      if (event.command_uid === command_uid) return event;
    }
  }

  /** How a recording ended, now or as soon as it is told. */
  async recorded(recording_id: string): Promise<EventOf<"recording.stopped">> {
    for (;;) {
      for (const event of this.events) {
        if (event.type === "recording.stopped" && event.recording_id === recording_id) return event;
      }
      await once(this.#news, "news");
    }
  }

  /** The event of a call at this place in their order, now or as soon as it comes. */
  async at(session_uuid: string, index: number): Promise<EngineEvent> {
    for (;;) {
      const event = this.of(session_uuid)[index];
      if (event) return event;
      await once(this.#news, "news");
    }
  }

  /** The `nth` offer, now or as soon as it comes. */
  async offered(nth = 1): Promise<Offer> {
    for (;;) {
      const offer = this.offers[nth - 1];
      if (offer) return offer;
      await once(this.#news, "news");
    }
  }
}
