import type { DeadLetter, DeadLetterPage } from "../store";
import { Page } from "./page";
import { type Listed, Series } from "./series";

/** How long a dead letter is kept. */
const KEEP_MS = 7 * 86_400_000;
/** A replay is known again as long as fewer than these came after it. */
const REPLAYS = 8;

export interface LetterBounds {
  /** The oldest dead letter of an app is forgotten when it would keep more. */
  readonly letters_per_app: number;
  /** The same by the length of their bodies, in characters. */
  readonly letter_chars_per_app: number;
  /** Bounds a page of them in the same way. */
  readonly page_chars: number;
}

interface Kept extends Listed {
  readonly letter: DeadLetter;
  /** In the order of their death: places in the list. */
  readonly number: number;
}

/** What could not be delivered to an app, in the order in which it was given up. */
export class DeadLetters {
  private readonly order = new Series<Kept>(({ number }) => number);
  private readonly byId = new Map<string, Kept>();
  private readonly replays: { readonly nonce: string; readonly answer: number | null }[] = [];
  private last = 0;
  /** Length of the bodies of all. */
  private chars = 0;

  constructor(private readonly bounds: LetterBounds) {}

  get size(): number {
    return this.order.size;
  }

  add(letter: DeadLetter): void {
    const before = this.byId.get(letter.event.id);
    if (before !== undefined) this.remove(before);
    this.last += 1;
    const kept: Kept = { letter, number: this.last, gone: false };
    this.order.append(kept);
    this.byId.set(letter.event.id, kept);
    this.chars += letter.event.body.length;
    const { letters_per_app, letter_chars_per_app } = this.bounds;
    while (this.order.size > letters_per_app || this.chars > letter_chars_per_app) this.removeOldest();
  }

  page(limit: number, before: number | null, now: number): DeadLetterPage {
    const page = new Page<DeadLetter>(limit, this.bounds.page_chars);
    let last = 0;
    for (const { letter, number } of this.order.before(before ?? this.last + 1)) {
      if (letter.died_at + KEEP_MS <= now) break;
      if (!page.add(letter, letter.event)) return { letters: page.items, next: last };
      last = number;
    }
    return { letters: page.items, next: null };
  }

  /** Takes these out to be delivered once more; none when one is not there. A repeat is answered as before. */
  replay(nonce: string, webhook_ids: readonly string[] | null, now: number, queue: (letter: DeadLetter) => void) {
    const before = this.replays.find((replay) => replay.nonce === nonce);
    if (before !== undefined) return before.answer;
    this.expire(now);
    const chosen = webhook_ids === null ? [...this.order.after(0)] : this.named(webhook_ids);
    const answer = chosen?.length ?? null;
    this.replays.push({ nonce, answer });
    if (this.replays.length > REPLAYS) this.replays.shift();
    // All of them before the first is queued: what has no room there comes back, and must find none of these in its way.
    for (const kept of chosen ?? []) this.remove(kept);
    for (const { letter } of chosen ?? []) queue(letter);
    return answer;
  }

  expire(now: number): void {
    for (let { oldest } = this.order; oldest !== undefined; { oldest } = this.order) {
      if (oldest.letter.died_at + KEEP_MS > now) return;
      this.remove(oldest);
    }
  }

  private named(webhook_ids: readonly string[]): readonly Kept[] | null {
    const chosen = new Set<Kept>();
    for (const id of webhook_ids) {
      const kept = this.byId.get(id);
      if (kept === undefined) return null;
      chosen.add(kept);
    }
    return [...chosen];
  }

  private removeOldest(): void {
    const { oldest } = this.order;
    if (oldest !== undefined) this.remove(oldest);
  }

  private remove(kept: Kept): void {
    kept.gone = true;
    this.byId.delete(kept.letter.event.id);
    this.chars -= kept.letter.event.body.length;
    this.order.lost();
  }
}
