import type { EventList, Feed, Store } from "../store";
import type { Context } from "./context";
import { PAGE_BYTES } from "./letters";
import { feed, position, roomEvents, sessionEvents } from "./lua/feed";
import { tidy } from "./lua/upkeep";
import { eventOf } from "./records";
import type { Keeper } from "./removal";

/** What one step of a sweep forgets at most, of each kind. */
const STEP = 200;

/** What an app's calls and rooms have told: of each by itself, and in one line. A place in that line is `<epoch>.<number>`. */
export class Log implements Keeper {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async session(app_id: string, session_uuid: string, after: number, limit: number): Promise<EventList> {
    const { connection, keys } = this.#context;
    const answer = await connection.run(sessionEvents, keys.app(app_id), session_uuid, after, limit, PAGE_BYTES);
    const events = texts(answer).map((record) => eventOf(record, session_uuid));
    return { events: events.map((event) => ({ number: event.sequence, event })) };
  }

  async room(app_id: string, room_id: string, after: number, limit: number): Promise<EventList> {
    const { connection, keys } = this.#context;
    for (let from: string | number = after; ; ) {
      const answer = await connection.run(roomEvents, keys.app(app_id), room_id, from, limit, PAGE_BYTES);
      const [go_on = "", ...told] = texts(answer);
      if (go_on === "") return { events: told.map(numbered) };
      from = go_on;
    }
  }

  async position(app_id: string, webhook_id: string | null): ReturnType<Store["feedPosition"]> {
    const { connection, keys, retention_ms } = this.#context;
    const [, source = "", sequence = ""] = /^(.+)\.(\d{1,15})$/s.exec(webhook_id ?? "") ?? [];
    const answer = await connection.run(position, keys.app(app_id), webhook_id ?? "", source, sequence, retention_ms);
    if (!Array.isArray(answer)) return { position: "", known: webhook_id === null };
    const [epoch, number, known] = answer;
    return { position: `${epoch}.${number}`, known: known === 1 };
  }

  async feed(app_id: string, from: string, limit: number): Promise<Feed> {
    const { connection, keys, retention_ms } = this.#context;
    const [, of = "", after = ""] = /^(\d+)\.(\d{1,15})$/.exec(from) ?? [];
    const answer = await connection.run(feed, keys.app(app_id), of, after, limit, PAGE_BYTES, retention_ms);
    if (!Array.isArray(answer)) return { events: [], position: from, gap: false };
    const [epoch, here, gap, ...told] = answer;
    const events = told.map(String).map((text) => {
      const head = text.indexOf("\n");
      const source = text.slice(0, head);
      return { source, event: eventOf(text, source, head + 1) };
    });
    return { events, position: `${epoch}.${here}`, gap: gap === 1 };
  }

  /** Forgets what has outlived its time. */
  async sweep(app_id: string, epoch: string): Promise<void> {
    const { connection, keys } = this.#context;
    while ((await connection.run(tidy, keys.app(app_id), epoch, STEP)) !== 1);
  }
}

/** An event of a room's list. */
function numbered(text: string): EventList["events"][number] {
  const head = text.indexOf("\n");
  const [number, source = ""] = text.slice(0, head).split("\t");
  return { number: Number(number), event: eventOf(text, source, head + 1) };
}

function texts(answer: unknown): readonly string[] {
  if (!Array.isArray(answer)) throw new TypeError("a page is answered by a list");
  return answer.map(String);
}
