import type { StoredEvent } from "../store";

/** A page of events while it is filled: bounded by their number and by the length of their bodies, so that none is huge. */
export class Page<T> {
  readonly items: T[] = [];
  private chars = 0;

  constructor(
    private readonly limit: number,
    private readonly max_chars: number,
  ) {}

  /** False when it has no room for this one: then it is left out. The first one always fits. */
  add(item: T, { body }: StoredEvent): boolean {
    if (this.items.length >= this.limit) return false;
    if (this.items.length > 0 && this.chars + body.length > this.max_chars) return false;
    this.items.push(item);
    this.chars += body.length;
    return true;
  }
}
