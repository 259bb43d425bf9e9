import type { DeadLetter, Settlement, StoredEvent, Taken, Turn, TurnResult } from "../store";
import { Backlog, type Counts, type OutboxBounds, type Queued } from "./backlog";
import { type Entry, Schedule } from "./schedule";

/** Where an app wants its events now: read at each attempt, so that a change holds from the next one. */
export interface Receiver {
  /** Another one after each `putApp`. */
  readonly revision: number;
  readonly webhook_url: string;
  readonly secrets: readonly string[];
  readonly mode: Taken["mode"];
}

/** Whose events they are: an app, or one that was deleted, which may be there beside one of the same id. */
export interface Sender {
  readonly closing: boolean;
  receiver(now: number): Receiver;
  disableWebhooks(now: number): void;
  /** Something was given up. */
  bury(letter: DeadLetter): void;
}

/** The queue of one call or room, or of one dead letter. It is in `due` or in `fly`, never in both, and gone once it is empty. */
interface Box {
  readonly name: string;
  readonly from: Sender;
  /** Session uuid or room id. */
  readonly source: string;
  /** What is delivered once more, and since when; null for a call or room. */
  readonly replay: { readonly letter: DeadLetter; readonly since: number } | null;
  readonly events: Queued<Box>[];
  /** How many of each rank. */
  readonly counts: Counts;
  /** Length of the bodies of its events. */
  chars: number;
  /** Of the hand-out under way. */
  token: number;
  /** Of the settings that it was handed out with. */
  revision: number;
  mode: Taken["mode"];
  /** Attempts made at the head. */
  attempts: number;
  /** Place in `due`; null while under way. */
  waiting: Entry<Box> | null;
  leased_until: number;
}

/**
 * The events of one app id that were not delivered yet: a queue per call and room, one timetable of what is due, and what is
 * under way. A settlement counts only with the token of the running hand-out and the number of the event it was for.
 */
export class Outbox {
  private readonly boxes = new Map<string, Box>();
  /** Who has a queue here, with all of its own. */
  private readonly senders = new Map<Sender, Set<Box>>();
  private readonly due = new Schedule<Box>();
  private readonly fly = new Set<Box>();
  private readonly backlog: Backlog<Box>;
  /** No lease ends before this. */
  private leases_from = Number.POSITIVE_INFINITY;
  private tokens = 0;
  private dropped = 0;

  constructor(bounds: OutboxBounds) {
    this.backlog = new Backlog(bounds, (queued) => this.fly.has(queued.box) && queued.box.events[0] === queued);
  }

  get empty(): boolean {
    return this.boxes.size === 0;
  }

  append(from: Sender, source: string, events: readonly StoredEvent[], now: number): void {
    if (events.length === 0) return;
    const box = this.boxes.get(source) ?? this.open(source, from, source, null, now);
    for (const event of events) this.backlog.append(event, box);
    this.bound(box, now);
  }

  /** Delivers a dead letter once more, by itself. */
  replay(from: Sender, letter: DeadLetter, now: number): void {
    const box = this.open(`replay:${letter.event.id}`, from, letter.source, { letter, since: now }, now);
    this.backlog.append(letter.event, box);
    this.bound(box, now);
  }

  turn(turn: Turn, now: number): TurnResult {
    let stale = 0;
    for (const settlement of turn.settled) if (!this.settle(settlement, now)) stale += 1;
    return { ...this.take(turn, now), stale };
  }

  /** Everything of this sender that waits for its next attempt is due now. */
  hurry(from: Sender, now: number): void {
    for (const box of this.senders.get(from) ?? []) {
      if (box.waiting !== null && box.waiting.at > now) this.wait(box, now);
    }
  }

  /** Forgets everything of this sender: a settlement of what is under way comes too late. */
  remove(from: Sender): void {
    for (const box of this.senders.get(from) ?? []) {
      this.fly.delete(box);
      this.clear(box);
    }
  }

  private open(name: string, from: Sender, source: string, replay: Box["replay"], now: number): Box {
    const lease = { token: 0, revision: 0, mode: "normal" as const, leased_until: 0 };
    const box: Box = {
      name,
      from,
      source,
      replay,
      events: [],
      counts: [0, 0, 0],
      chars: 0,
      ...lease,
      attempts: 0,
      waiting: null,
    };
    this.boxes.set(name, box);
    const own = this.senders.get(from);
    if (own === undefined) this.senders.set(from, new Set([box]));
    else own.add(box);
    box.waiting = this.due.add(now, box);
    return box;
  }

  /** Gives up what is too much after something was added to this box; a dead letter only goes back to where it was. */
  private bound(box: Box, now: number): void {
    for (let next = this.backlog.excess(box); next !== null; next = this.backlog.excess(box)) {
      if (next.box.replay === null) this.dropped += 1;
      else this.bury(next.box, next.event, 0, now);
      this.discard(next);
    }
  }

  private bury({ from, source, replay, attempts }: Box, event: StoredEvent, attempted: number, now: number): void {
    from.bury({ event, source, died_at: now, attempts: (replay?.letter.attempts ?? 0) + attempts + attempted });
  }

  /** True when it counted, false when it came too late. */
  private settle(settlement: Settlement, now: number): boolean {
    const box = this.boxes.get(settlement.queue);
    if (box === undefined || !this.fly.has(box) || box.token !== settlement.token) return false;
    const head = box.events[0];
    if (head === undefined || head.event.sequence !== settlement.sequence) return false;
    this.fly.delete(box);
    const { mode, revision } = box.from.receiver(now);
    // What an endpoint said of itself does not hold for the settings that replaced it meanwhile.
    const outdated = settlement.verdict === "disable" && box.revision !== revision;
    const verdict = outdated ? { retry_in_ms: 0 } : settlement.verdict;
    if (typeof verdict === "object") {
      box.attempts += 1;
      // What cannot be delivered any more, or only once more, has nothing to wait for.
      this.wait(box, mode === "normal" ? now + Math.max(0, verdict.retry_in_ms) : now);
    } else {
      if (verdict !== "delivered") this.bury(box, head.event, box.mode === "disabled" ? 0 : 1, now);
      this.discard(head);
      if (box.events.length > 0) this.wait(box, now);
      if (verdict === "disable") box.from.disableWebhooks(now);
    }
    return true;
  }

  private take(turn: Turn, now: number): Omit<TurnResult, "stale"> {
    this.endLeases(now);
    this.clearUnwanted(now);
    const taken: Taken[] = [];
    const { app_id } = turn;
    for (let first = this.due.first; first !== undefined && first.at <= now; first = this.due.first) {
      if (taken.length >= turn.want || this.fly.size >= turn.limit) break;
      const box = first.value;
      this.due.remove(first);
      box.waiting = null;
      const head = box.events[0];
      if (head === undefined) throw new Error("a queue without events is due");
      this.tokens += 1;
      box.token = this.tokens;
      box.leased_until = now + turn.lease_ms;
      this.leases_from = Math.min(this.leases_from, box.leased_until);
      this.fly.add(box);
      const { name: queue, source, token, attempts } = box;
      const { revision, webhook_url, secrets, mode } = box.from.receiver(now);
      box.revision = revision;
      box.mode = mode;
      const { event } = head;
      const since = box.replay?.since ?? event.created_at;
      taken.push({ app_id, queue, source, event, token, attempts, since, webhook_url, secrets, mode });
    }
    const { dropped } = this;
    this.dropped = 0;
    let closing = false;
    for (const from of this.senders.keys()) closing ||= from.closing;
    return { taken, dropped, closing, next_due_ms: this.nextDue(turn.limit, now) };
  }

  /** Forgets the queues of who wants no events any more, but for those that are under way; dead letters stay such. */
  private clearUnwanted(now: number): void {
    for (const [from, boxes] of this.senders) {
      if (from.receiver(now).webhook_url !== "") continue;
      for (const box of boxes) {
        if (box.waiting === null) continue;
        if (box.replay !== null) this.bury(box, box.replay.letter.event, 0, now);
        this.clear(box);
      }
    }
  }

  private clear(box: Box): void {
    for (const queued of [...box.events]) this.discard(queued);
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

  private discard(queued: Queued<Box>): void {
    const { box } = queued;
    const place = box.events.indexOf(queued);
    if (place === 0) {
      box.events.shift();
      box.attempts = 0;
    } else {
      box.events.splice(place, 1);
    }
    this.backlog.remove(queued);
    if (box.events.length > 0) return;
    if (box.waiting !== null) this.due.remove(box.waiting);
    box.waiting = null;
    this.boxes.delete(box.name);
    const own = this.senders.get(box.from);
    own?.delete(box);
    if (own?.size === 0) this.senders.delete(box.from);
  }
}
