import type { Member, Overdue, Page, PageMark, Room, RoomSummary, Session, Subject } from "../store";
import type { Context } from "./context";
import { memberFacts } from "./encoding";
import { clock, members, page } from "./lua/listing";

/** What is asked of many calls and rooms at once. */
export class Listing {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async sessions(app_id: string, limit: number, after: PageMark | null): Promise<Page<Session>> {
    const [more, ...texts] = await this.#page(app_id, "s", limit, after);
    const items = texts.map((text): Session => JSON.parse(text));
    return { items, next: nextOf(more, items.at(-1)) };
  }

  async rooms(app_id: string, limit: number, after: PageMark | null): Promise<Page<RoomSummary>> {
    const [more, ...texts] = await this.#page(app_id, "r", limit, after);
    const items: RoomSummary[] = [];
    for (let i = 0; i + 1 < texts.length; i += 2) {
      const room: Room = JSON.parse(texts[i] ?? "");
      items.push({ room, member_count: Number(texts[i + 1]) });
    }
    return { items, next: nextOf(more, items.at(-1)?.room) };
  }

  async members(app_id: string, room_id: string): Promise<readonly Member[]> {
    const { connection, keys, owners } = this.#context;
    const owner = await owners.find(room_id);
    if (owner?.app_id !== app_id) return [];
    const answer = await connection.run(members, keys.app(app_id), room_id, owner.epoch);
    const texts = textsOf(answer);
    const found: Member[] = [];
    for (let i = 0; i + 1 < texts.length; i += 2) {
      found.push({ session_uuid: texts[i] ?? "", ...memberFacts(texts[i + 1] ?? "") });
    }
    return found;
  }

  async overdue(limit: number): Promise<readonly Overdue[]> {
    const { connection, keys } = this.#context;
    const now = Number(await connection.run(clock, keys.active));
    const late = await this.#earliest("dl", now, limit);
    return late.map(({ app_id, name }) => {
      const end = name.lastIndexOf(" ");
      return { id: name.slice(0, end), app_id, operation_id: name.slice(end + 1) };
    });
  }

  async idleRooms(idle_ms: number, limit: number): Promise<readonly string[]> {
    const { connection, keys } = this.#context;
    const now = Number(await connection.run(clock, keys.active));
    return (await this.#earliest("idle", now - idle_ms, limit)).map(({ name }) => name);
  }

  /** Of the schedules of all apps what stands before this time, the earliest first. */
  async #earliest(
    schedule: string,
    until: number,
    limit: number,
  ): Promise<{ app_id: string; name: string; at: number }[]> {
    const { connection, keys, active } = this.#context;
    const app_ids = await active.all();
    const answers = await connection.batch(
      app_ids.map((app_id) => {
        const range = ["-inf", until, "WITHSCORES", "LIMIT", 0, limit] as const;
        return ["ZRANGEBYSCORE", keys.app(app_id) + schedule, ...range] as const;
      }),
    );
    const found: { app_id: string; name: string; at: number }[] = [];
    app_ids.forEach((app_id, place) => {
      const texts = textsOf(answers[place]);
      for (let i = 0; i + 1 < texts.length; i += 2)
        found.push({ app_id, name: texts[i] ?? "", at: Number(texts[i + 1]) });
    });
    return found.sort((one, other) => one.at - other.at).slice(0, limit);
  }

  async #page(app_id: string, kind: "s" | "r", limit: number, after: PageMark | null): Promise<readonly string[]> {
    const { connection, keys } = this.#context;
    const mark = after === null ? [] : [after.created_at, after.id];
    return textsOf(await connection.run(page, keys.app(app_id), kind, limit, ...mark));
  }
}

function nextOf(more: string | undefined, last: Subject | undefined): PageMark | null {
  if (more !== "1" || last === undefined) return null;
  return { created_at: last.created_at, id: "session_uuid" in last ? last.session_uuid : last.room_id };
}

function textsOf(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : [];
}
