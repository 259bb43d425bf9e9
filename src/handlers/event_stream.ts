/** The events of an app as server-sent events (WHATWG HTML, section 9.2): one reader, from one place of the feed on. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { App, Feed, Store } from "../store/store";

export interface EventStreamOptions {
  readonly store: Pick<Store, "feed" | "watch" | "app">;
  readonly app: App;
  /** Where to begin in the app's feed. */
  readonly position: string;
  /** False: what the reader had seen last is not kept any more. */
  readonly known: boolean;
  /** Only events of this call; undefined: all. */
  readonly session_uuid: string | undefined;
  /** A silence so long is broken by a comment. */
  readonly heartbeatMs: number;
  /** A reader that takes so long for what he was given is cut off. */
  readonly slowMs: number;
  /** Once, when it is over. */
  readonly closed: () => void;
}

/** Events that are asked for at a time. */
const page_events = 100;
/** Events are handed out together up to about so many characters. */
const chunk_chars = 16_384;

/** How soon a reader that lost its connection may come again (milliseconds). */
const greeting = "retry: 1000\n\n";
const forgotten = ": events before this are not kept\n\n";
const heartbeat = ":\n\n";
const tooSlow = ": cut off, because events were not read as fast as they came\n\n";
/** By a reader who was too slow, or because so many came, or long ones, that they did not stay for long. */
const missed = ": cut off, because events were forgotten before they were read\n\n";

type Told = Feed["events"][number];

/** None of the three can hold a line break: an id, a name, and JSON as it is written. */
const line = ({ event: { id, event, body } }: Told): string => `id: ${id}\nevent: ${event}\ndata: ${body}\n\n`;

const finished = { done: true, value: undefined } as const;

/**
 * Holds at most one page of the feed, and asks for the next one only when that was taken: what a reader does not read stays
 * in the store, until it is forgotten there.
 */
export class EventStream implements AsyncIterableIterator<string> {
  readonly #options: EventStreamOptions;
  readonly #unwatch: () => void;
  #position: string;
  #page: readonly Told[] = [];
  /** The next one of the page. */
  #at = 0;
  /** There may be more without being told. */
  #more = true;
  #greeted = false;
  #over = false;
  /** When the last chunk was handed out, by `performance.now()`. */
  #given = performance.now();
  /** Ends the wait that is under way. */
  #wake: (() => void) | null = null;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#unwatch = options.store.watch(options.app.app_id, () => this.#grown());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    if (this.#over) return finished;
    if (!this.#greeted) {
      this.#greeted = true;
      return this.#give(this.#options.known ? greeting : greeting + forgotten);
    }
    if (performance.now() - this.#given > this.#options.slowMs) return this.#last(tooSlow);
    try {
      return await this.#following();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** At once, also while somebody waits for the next chunk. */
  async return(): Promise<IteratorResult<string, undefined>> {
    this.#close();
    return finished;
  }

  async #following(): Promise<IteratorResult<string, undefined>> {
    const { store, app, heartbeatMs } = this.#options;
    for (;;) {
      const text = this.#takePage();
      if (text !== "") return this.#give(text);
      if (performance.now() - this.#given >= heartbeatMs)
        return (await this.#holds()) ? this.#give(heartbeat) : finished;
      if (!this.#more) {
        await this.#wait();
        if (this.#over) return finished;
        continue;
      }
      // A long past is read page by page, and a store in memory waits for nothing: others come first.
      if (this.#page.length > 0) await nextTurn();
      this.#more = false;
      const { events, position, gap } = await store.feed(app.app_id, this.#position, page_events);
      if (!(await this.#holds())) return finished;
      if (gap) return this.#last(missed);
      this.#position = position;
      this.#page = events;
      this.#at = 0;
      // A page that is not full may end before a gap.
      if (events.length > 0) this.#more = true;
    }
  }

  /**
   * Is the app still the one that asked? Looked at after its events were read, so that they are his: one that was made anew
   * under the same id has events of its own.
   */
  async #holds(): Promise<boolean> {
    if (this.#over) return false;
    const app = await this.#options.store.app(this.#options.app.app_id);
    if (app?.created_at !== this.#options.app.created_at) this.#close();
    return !this.#over;
  }

  /** What is left of the page, as much as goes into one chunk; "" at its end. */
  #takePage(): string {
    let text = "";
    while (text.length < chunk_chars) {
      const told = this.#page[this.#at];
      if (told === undefined) break;
      this.#at += 1;
      if (this.#wanted(told)) text += line(told);
    }
    return text;
  }

  #wanted({ source }: Told): boolean {
    const { session_uuid } = this.#options;
    return session_uuid === undefined || source === session_uuid;
  }

  /** Until the feed has grown, the stream is over, or it is time for a heartbeat. */
  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const left = this.#options.heartbeatMs - (performance.now() - this.#given);
      const wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, left));
      this.#wake = wake;
    });
  }

  #grown(): void {
    this.#more = true;
    this.#wake?.();
  }

  #give(value: string): IteratorResult<string, undefined> {
    this.#given = performance.now();
    return { done: false, value };
  }

  #last(value: string): IteratorResult<string, undefined> {
    this.#close();
    return this.#give(value);
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#page = [];
    this.#unwatch();
    this.#wake?.();
    this.#options.closed();
  }
}
