import type { EventList, Feed, StoredEvent } from "../store";
import { Chain, type Linked } from "./chain";
import { Page } from "./page";
import { type Listed, Series } from "./series";

export interface LogBounds {
  /** The oldest event of a call or room is forgotten when it would keep more. */
  readonly logged_per_source: number;
  /** The same for an app. */
  readonly logged_per_app: number;
  /** The same by the length of their bodies, in characters. */
  readonly logged_chars_per_source: number;
  readonly logged_chars_per_app: number;
  /** A page of events ends before its bodies are longer than this together, but not before its first one. */
  readonly page_chars: number;
}

/** What told something. Their ids are told apart: a room is not found where a call is asked for. */
export type SourceKind = "session" | "room";

/** An event as it is kept: in the list of its call or room, in that of a room that it names, and in the app's feed. */
interface Logged extends Listed {
  readonly event: StoredEvent;
  /** When it was committed, by the store's clock. */
  readonly at: number;
  /** From 1, without gaps as long as nothing is forgotten. */
  readonly position: number;
  readonly home: Source;
  /** The room in whose list it stands as well. */
  guest_of: Source | null;
  /** Its number in the list of the room, whether it is at home there or a guest. */
  in_room: number;
}

/** A call or room that has told something. */
interface Source extends Linked<Source> {
  readonly id: string;
  readonly kind: SourceKind;
  readonly list: Series<Logged>;
  /** Length of the bodies in its list. */
  chars: number;
  /** Number of the last event in the list of a room. */
  last: number;
  /** Null before its end. */
  forget_at: number | null;
}

/** The number in the list of a call, and in that of a room. */
const numberIn: Readonly<Record<SourceKind, (logged: Logged) => number>> = {
  session: ({ event }) => event.sequence,
  room: ({ in_room }) => in_room,
};

/**
 * What an app's calls and rooms have told: kept from the end of each for the time of retention, and in the feed for that
 * time from each event on. What a call told goes with the call, also out of the list of its room.
 */
export class Log {
  private readonly sources = new Map<string, Source>();
  private readonly ended = new Chain<Source>();
  /** All that is kept, in the order of the commits. */
  private readonly order = new Series<Logged>(({ position }) => position);
  /** By webhook id, from the first time that one is asked for: to keep it costs a sixth of a whole command. */
  private byId: Map<string, Logged> | null = null;
  /** Length of the bodies of all. */
  private chars = 0;
  /** Position of the last event. */
  private last = 0;

  /**
   * @param epoch tells this log from others of the same app id, in positions
   * @param isRoom is there a room of this id that has not ended?
   */
  constructor(
    private readonly bounds: LogBounds,
    private readonly retention_ms: number,
    private readonly epoch: number,
    private readonly isRoom: (room_id: string) => boolean,
  ) {}

  append(id: string, kind: SourceKind, events: readonly StoredEvent[], now: number): void {
    if (events.length === 0) return;
    const home = this.source(id, kind);
    for (const event of events) {
      const { room_id } = event;
      const guest_of = room_id !== null && this.isRoom(room_id) ? this.source(room_id, "room") : null;
      this.last += 1;
      const logged: Logged = { event, at: now, position: this.last, home, guest_of, in_room: 0, gone: false };
      const room = kind === "room" ? home : guest_of;
      if (room !== null) logged.in_room = ++room.last;
      this.order.append(logged);
      this.chars += event.body.length;
      this.byId?.set(event.id, logged);
      enter(home, logged);
      if (guest_of !== null) enter(guest_of, logged);
      // Only now: a long event may have to go itself, and goes out of all its lists.
      this.boundSource(home);
      if (guest_of !== null) this.boundSource(guest_of);
      this.bound();
    }
  }

  /** Is something kept of this call, or of this room? */
  has(id: string, kind: SourceKind): boolean {
    return this.sources.get(id)?.kind === kind;
  }

  session(session_uuid: string, after: number, limit: number): EventList {
    return this.list(session_uuid, "session", after, limit);
  }

  room(room_id: string, after: number, limit: number): EventList {
    return this.list(room_id, "room", after, limit);
  }

  /** A call or room has told its last. */
  end(id: string, now: number): void {
    const source = this.sources.get(id);
    if (source === undefined || source.forget_at !== null) return;
    source.forget_at = now + this.retention_ms;
    this.ended.append(source);
    this.dropEmpty(source);
  }

  /** Where the feed ends; or behind the event of this webhook id; or where the feed begins, when that is not known. */
  position(webhook_id: string | null, now: number): { readonly position: string; readonly known: boolean } {
    if (webhook_id === null) return { position: this.nameOf(this.last), known: true };
    this.byId ??= new Map(Array.from(this.order.after(0), (each) => [each.event.id, each]));
    const logged = this.byId.get(webhook_id);
    const known = logged !== undefined && logged.at > now - this.retention_ms;
    // Whoever comes back to where events are missing has been told so when he was cut off there: he goes on behind them.
    const [next] = this.fresh(known ? logged.position : 0, now);
    return { position: this.nameOf(next === undefined ? this.last : next.position - 1), known };
  }

  feed(position: string, limit: number, now: number): Feed {
    const after = this.numberOf(position);
    const page = new Page<Feed["events"][number]>(limit, this.bounds.page_chars);
    const { items: events } = page;
    let last = after;
    let gap = after === null;
    for (const { event, home, position: here } of this.fresh(after ?? 0, now)) {
      const missing = last !== null && here !== last + 1;
      // What is missing is told before what comes behind it, and not in the middle.
      if ((missing && events.length > 0) || !page.add({ source: home.id, event }, event)) {
        return { events, position: this.nameOf(last ?? 0), gap };
      }
      gap ||= missing;
      last = here;
    }
    if (events.length === 0) gap ||= after !== this.last;
    return { events, position: this.nameOf(events.length === 0 ? this.last : (last ?? 0)), gap };
  }

  /** Deletes what has outlived its time. */
  expire(now: number): void {
    for (let first = this.ended.oldest; first !== null; first = this.ended.oldest) {
      if (first.forget_at === null || first.forget_at > now) return;
      while (first.list.size > 0) this.forgetOldest(first);
      this.dropEmpty(first);
    }
  }

  private source(id: string, kind: SourceKind): Source {
    const known = this.sources.get(id);
    if (known !== undefined) return known;
    const list = new Series<Logged>(numberIn[kind]);
    const source: Source = { id, kind, list, chars: 0, last: 0, forget_at: null, older: null, newer: null };
    this.sources.set(id, source);
    return source;
  }

  private boundSource(source: Source): void {
    const { logged_per_source, logged_chars_per_source } = this.bounds;
    const { list } = source;
    while (list.size > logged_per_source || source.chars > logged_chars_per_source) this.forgetOldest(source);
  }

  private bound(): void {
    const { logged_per_app, logged_chars_per_app } = this.bounds;
    while (this.order.size > logged_per_app || this.chars > logged_chars_per_app) this.forget(this.order.oldest);
  }

  private list(id: string, kind: SourceKind, after: number, limit: number): EventList {
    const page = new Page<EventList["events"][number]>(limit, this.bounds.page_chars);
    const source = this.sources.get(id);
    if (source?.kind === kind) {
      for (const logged of source.list.after(after)) {
        if (!page.add({ number: numberIn[kind](logged), event: logged.event }, logged.event)) break;
      }
    }
    return { events: page.items };
  }

  /** Of the feed, behind this position. */
  private fresh(after: number, now: number): IterableIterator<Logged> {
    const old = now - this.retention_ms;
    return this.order.from(({ position, at }) => position <= after || at <= old);
  }

  /** Of this list: a guest only leaves it, and stays where it is at home. */
  private forgetOldest(source: Source): void {
    const { oldest } = source.list;
    if (oldest === undefined) return;
    if (oldest.home === source) {
      this.forget(oldest);
    } else {
      source.list.shift();
      source.chars -= oldest.event.body.length;
      oldest.guest_of = null;
    }
  }

  private forget(logged: Logged | undefined): void {
    if (logged === undefined) return;
    const { home, guest_of, event } = logged;
    logged.gone = true;
    if (this.byId?.get(event.id) === logged) this.byId.delete(event.id);
    this.order.lost();
    this.chars -= event.body.length;
    this.leave(home, logged);
    if (guest_of !== null) this.leave(guest_of, logged);
  }

  private leave(source: Source, { event }: Logged): void {
    source.list.lost();
    source.chars -= event.body.length;
    this.dropEmpty(source);
  }

  /** Before its end it stays even so: what comes next goes on with its numbers. */
  private dropEmpty(source: Source): void {
    if (source.forget_at === null || source.list.size > 0 || this.sources.get(source.id) !== source) return;
    this.sources.delete(source.id);
    this.ended.remove(source);
  }

  private nameOf(position: number): string {
    return `${this.epoch}.${position}`;
  }

  /** Null: a position of another log. */
  private numberOf(position: string): number | null {
    const [epoch, number] = position.split(".");
    return Number(epoch) === this.epoch ? Number(number) : null;
  }
}

function enter(source: Source, logged: Logged): void {
  source.list.append(logged);
  source.chars += logged.event.body.length;
}
