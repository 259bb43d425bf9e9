import type { Settlement, StoredEvent, Taken, Turn, TurnResult } from "../store";
import { Chain, type Linked } from "./chain";
import { type Entry, Schedule } from "./schedule";

export interface OutboxBounds {
  /** The oldest event of a session that is not under way goes when it would queue more. */
  readonly events_per_session: number;
  /** The same for an app: one whose receiver is down for long loses its oldest events, and no other app's. */
  readonly events_per_app: number;
}

/** Where an app wants its events now: read at each attempt, so that a change holds from the next one. */
export interface Receiver {
  readonly app_id: string;
  readonly webhook_url: string;
  readonly secrets: readonly string[];
  readonly mode: Taken["mode"];
}

interface Queued extends Linked<Queued> {
  readonly event: StoredEvent;
  readonly box: Box;
}

/** The queue of one session. It is in `due` or in `fly`, never in both, and gone once it is empty. */
interface Box {
  readonly session_uuid: string;
  readonly queue: Queued[];
  /** Of the hand-out under way. */
  token: number;
  /** Attempts made at the head. */
  attempts: number;
  /** Place in `due`; null while under way. */
  waiting: Entry<Box> | null;
  leased_until: number;
}

/**
 * The events of one app that were not delivered yet: a queue per session, one timetable of what is due, and what is
 * under way. A settlement counts only with the token of the running hand-out and the number of the event it was for.
 */
export class Outbox {
  private readonly boxes = new Map<string, Box>();
  private readonly due = new Schedule<Box>();
  private readonly fly = new Set<Box>();
  /** All events in the order of their commits, for the bound of the app. */
  private readonly order = new Chain<Queued>();
  /** No lease ends before this. */
  private leases_from = Number.POSITIVE_INFINITY;
  private tokens = 0;
  private dropped = 0;

  constructor(private readonly bounds: OutboxBounds) {}

  get empty(): boolean {
    return this.boxes.size === 0;
  }

  append(session_uuid: string, events: readonly StoredEvent[], now: number): void {
    if (events.length === 0) return;
    let box = this.boxes.get(session_uuid);
    if (box === undefined) {
      box = { session_uuid, queue: [], token: 0, attempts: 0, waiting: null, leased_until: 0 };
      this.boxes.set(session_uuid, box);
      box.waiting = this.due.add(now, box);
    }
    for (const event of events) {
      const queued: Queued = { event, box, older: null, newer: null };
      box.queue.push(queued);
      this.order.append(queued);
    }
    this.keepBounds(box);
  }

  /** True when it counted, false when it came too late. */
  settle(settlement: Settlement, now: number, receiver: Receiver): boolean {
    const box = this.boxes.get(settlement.session_uuid);
    if (box === undefined || !this.fly.has(box) || box.token !== settlement.token) return false;
    const head = box.queue[0];
    if (head === undefined || head.event.sequence !== settlement.sequence) return false;
    this.fly.delete(box);
    if (typeof settlement.verdict === "object") {
      box.attempts += 1;
      // What cannot be delivered any more, or only once more, has nothing to wait for.
      this.wait(box, receiver.mode === "normal" ? now + Math.max(0, settlement.verdict.retry_in_ms) : now);
    } else {
      this.remove(head);
      if (box.queue.length > 0) this.wait(box, now);
    }
    return true;
  }

  take(turn: Turn, now: number, receiver: Receiver): Omit<TurnResult, "stale"> {
    this.endLeases(now);
    if (receiver.webhook_url === "") this.clear();
    const taken: Taken[] = [];
    const { app_id, webhook_url, secrets, mode } = receiver;
    for (let first = this.due.first; first !== undefined && first.at <= now; first = this.due.first) {
      if (taken.length >= turn.want || this.fly.size >= turn.limit) break;
      const box = first.value;
      this.due.remove(first);
      box.waiting = null;
      const head = box.queue[0];
      if (head === undefined) throw new Error("a queue without events is due");
      this.tokens += 1;
      box.token = this.tokens;
      box.leased_until = now + turn.lease_ms;
      this.leases_from = Math.min(this.leases_from, box.leased_until);
      this.fly.add(box);
      const { session_uuid, token, attempts } = box;
      taken.push({ app_id, session_uuid, event: head.event, token, attempts, webhook_url, secrets, mode });
    }
    const { dropped } = this;
    this.dropped = 0;
    return { taken, dropped, next_due_ms: this.nextDue(turn.limit, now) };
  }

  /** Everything that waits for its next attempt is due now. */
  hurry(now: number): void {
    for (const box of this.boxes.values()) if (box.waiting !== null && box.waiting.at > now) this.wait(box, now);
  }

  /** Forgets all queues but those that are under way. */
  private clear(): void {
    for (let first = this.due.first; first !== undefined; first = this.due.first) {
      for (const queued of [...first.value.queue]) this.remove(queued);
    }
  }

  private wait(box: Box, at: number): void {
    if (box.waiting !== null) this.due.remove(box.waiting);
    box.waiting = this.due.add(at, box);
  }

  /** What was handed out and not settled in time is due from the end of its lease: ahead of what came later. */
  private endLeases(now: number): void {
    if (this.leases_from > now) return;
    this.leases_from = Number.POSITIVE_INFINITY;
    for (const box of this.fly) {
      if (box.leased_until > now) {
        this.leases_from = Math.min(this.leases_from, box.leased_until);
      } else {
        this.fly.delete(box);
        this.wait(box, box.leased_until);
      }
    }
  }

  private nextDue(limit: number, now: number): number | null {
    const first = this.due.first;
    if (first === undefined) return null;
    let at = first.at;
    if (this.fly.size >= limit) {
      let room_at = Number.POSITIVE_INFINITY;
      for (const box of this.fly) room_at = Math.min(room_at, box.leased_until);
      at = Math.max(at, room_at);
    }
    return Math.max(0, at - now);
  }

  private keepBounds(box: Box): void {
    while (box.queue.length > this.bounds.events_per_session) {
      const oldest = box.queue.find((queued) => !this.underWay(queued));
      if (oldest === undefined) break;
      this.drop(oldest);
    }
    while (this.order.size > this.bounds.events_per_app) {
      let oldest = this.order.oldest;
      while (oldest !== null && this.underWay(oldest)) oldest = oldest.newer;
      if (oldest === null) break;
      this.drop(oldest);
    }
  }

  private underWay(queued: Queued): boolean {
    return this.fly.has(queued.box) && queued.box.queue[0] === queued;
  }

  private drop(queued: Queued): void {
    this.remove(queued);
    this.dropped += 1;
  }

  private remove(queued: Queued): void {
    const { box } = queued;
    const place = box.queue.indexOf(queued);
    if (place === 0) {
      box.queue.shift();
      box.attempts = 0;
    } else {
      box.queue.splice(place, 1);
    }
    this.order.remove(queued);
    if (box.queue.length > 0) return;
    if (box.waiting !== null) this.due.remove(box.waiting);
    box.waiting = null;
    this.boxes.delete(box.session_uuid);
  }
}
