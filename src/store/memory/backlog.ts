import type { StoredEvent } from "../store";
import { Chain, type Linked } from "./chain";

export interface OutboxBounds {
  /**
   * A call or room that would queue more gives events up that are not under way: the oldest digit, without one the oldest of
   * another kind, but nothing that ends a call or a command.
   */
  readonly queued_per_source: number;
  /** The same for an app: one whose receiver is down for long loses events of its own, and no other app's. */
  readonly queued_per_app: number;
  /** With nothing else left to give up an app queues up to so many; then the oldest goes, whatever it tells. */
  readonly needed_per_app: number;
  /** The same three by the length of the bodies, in characters. */
  readonly queued_chars_per_source: number;
  readonly queued_chars_per_app: number;
  readonly needed_chars_per_app: number;
}

/** What goes first when there is no room: 0 before 1, 2 only when one app would exhaust the process. */
type Rank = 0 | 1 | 2;
const ranks: ReadonlyMap<string, Rank> = new Map([
  ["dtmf", 0],
  ["command.result", 2],
  ["call.hangup", 2],
]);

export type Counts = [digits: number, others: number, needed: number];

/** Of a call or room: its events in their order, how many of each rank, and the length of their bodies. */
interface SourceQueue<B> {
  readonly events: Queued<B>[];
  readonly counts: Counts;
  chars: number;
}

export interface Queued<B> extends Linked<Queued<B>> {
  readonly event: StoredEvent;
  readonly rank: Rank;
  readonly box: B;
}

/** All events that wait in one outbox, in the order of their commits, and which of them goes when they are too many. */
export class Backlog<B extends SourceQueue<B>> {
  private readonly orders = [new Chain<Queued<B>>(), new Chain<Queued<B>>(), new Chain<Queued<B>>()] as const;
  private chars = 0;

  constructor(
    private readonly bounds: OutboxBounds,
    private readonly underWay: (queued: Queued<B>) => boolean,
  ) {}

  append(event: StoredEvent, box: B): void {
    const queued: Queued<B> = { event, rank: ranks.get(event.event) ?? 1, box, older: null, newer: null };
    box.events.push(queued);
    box.counts[queued.rank] += 1;
    box.chars += event.body.length;
    this.chars += event.body.length;
    this.orders[queued.rank].append(queued);
  }

  /** Its place in its queue is left to the caller. */
  remove(queued: Queued<B>): void {
    const { box, event, rank } = queued;
    box.counts[rank] -= 1;
    box.chars -= event.body.length;
    this.chars -= event.body.length;
    this.orders[rank].remove(queued);
  }

  /** What must go next, after something was added to this box; null when nothing must, or may. */
  excess(box: B): Queued<B> | null {
    const { bounds, chars } = this;
    if (box.events.length > bounds.queued_per_source || box.chars > bounds.queued_chars_per_source) {
      const oldest = this.oldestIn(box, 0) ?? this.oldestIn(box, 1);
      if (oldest !== null) return oldest;
    }
    const [digits, others, needed] = this.orders;
    const size = digits.size + others.size + needed.size;
    if (size <= bounds.queued_per_app && chars <= bounds.queued_chars_per_app) return null;
    const exhausts = size > bounds.needed_per_app || chars > bounds.needed_chars_per_app;
    return this.oldestOf(0) ?? this.oldestOf(1) ?? (exhausts ? this.oldestOf(2) : null);
  }

  private oldestIn(box: B, rank: Rank): Queued<B> | null {
    if (box.counts[rank] === 0) return null;
    return box.events.find((queued) => queued.rank === rank && !this.underWay(queued)) ?? null;
  }

  private oldestOf(rank: Rank): Queued<B> | null {
    let { oldest } = this.orders[rank];
    while (oldest !== null && this.underWay(oldest)) oldest = oldest.newer;
    return oldest;
  }
}
