import type { StoredEvent } from "../store";
import { Chain, type Linked } from "./chain";

export interface OutboxBounds {
  /**
   * A session that would queue more gives events up that are not under way: the oldest digit, without one the oldest of
   * another kind, but nothing that ends a call or a command.
   */
  readonly events_per_session: number;
  /** The same for an app: one whose receiver is down for long loses events of its own, and no other app's. */
  readonly events_per_app: number;
  /** With nothing else left to give up an app queues up to so many; then the oldest goes, whatever it tells. */
  readonly needed_per_app: number;
}

/** What goes first when there is no room: 0 before 1, 2 only when one app would exhaust the process. */
type Rank = 0 | 1 | 2;
const ranks: ReadonlyMap<string, Rank> = new Map([
  ["dtmf", 0],
  ["command.result", 2],
  ["call.hangup", 2],
]);

export type Counts = [digits: number, others: number, needed: number];

/** Of a session: its events in their order, and how many of each rank. */
interface SessionQueue<B> {
  readonly queue: Queued<B>[];
  readonly counts: Counts;
}

export interface Queued<B> extends Linked<Queued<B>> {
  readonly event: StoredEvent;
  readonly rank: Rank;
  readonly box: B;
}

/** All events that wait in one outbox, in the order of their commits, and which of them goes when they are too many. */
export class Backlog<B extends SessionQueue<B>> {
  private readonly orders = [new Chain<Queued<B>>(), new Chain<Queued<B>>(), new Chain<Queued<B>>()] as const;

  constructor(
    private readonly bounds: OutboxBounds,
    private readonly underWay: (queued: Queued<B>) => boolean,
  ) {}

  append(event: StoredEvent, box: B): void {
    const queued: Queued<B> = { event, rank: ranks.get(event.event) ?? 1, box, older: null, newer: null };
    box.queue.push(queued);
    box.counts[queued.rank] += 1;
    this.orders[queued.rank].append(queued);
  }

  /** Its place in the queue of the session is left to the caller. */
  remove(queued: Queued<B>): void {
    queued.box.counts[queued.rank] -= 1;
    this.orders[queued.rank].remove(queued);
  }

  /** What must go next, after something was added to this box; null when nothing must, or may. */
  excess(box: B): Queued<B> | null {
    const { events_per_session, events_per_app, needed_per_app } = this.bounds;
    if (box.queue.length > events_per_session) {
      const oldest = this.oldestIn(box, 0) ?? this.oldestIn(box, 1);
      if (oldest !== null) return oldest;
    }
    const [digits, others, needed] = this.orders;
    const size = digits.size + others.size + needed.size;
    if (size <= events_per_app) return null;
    return this.oldestOf(0) ?? this.oldestOf(1) ?? (size > needed_per_app ? this.oldestOf(2) : null);
  }

  private oldestIn(box: B, rank: Rank): Queued<B> | null {
    if (box.counts[rank] === 0) return null;
    return box.queue.find((queued) => queued.rank === rank && !this.underWay(queued)) ?? null;
  }

  private oldestOf(rank: Rank): Queued<B> | null {
    let { oldest } = this.orders[rank];
    while (oldest !== null && this.underWay(oldest)) oldest = oldest.newer;
    return oldest;
  }
}
