/** Lists by pages: of calls and of rooms. */
import type { Check } from "../../check";
import { Skipped } from "../../check";
import { expectStatus, type KitApp } from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import { expectSame, expectThat } from "../ground/expectation";
import type { World } from "../world";

/** `limit` when it is left out, by the document. */
const usual = 50;

interface List {
  readonly path: string;
  readonly key: "sessions" | "rooms";
  readonly id: "session_uuid" | "room_id";
  /** Makes one more. @returns its id */
  make(app: KitApp): Promise<string>;
}

const sessions: List = {
  path: "/api/v1/sessions",
  key: "sessions",
  id: "session_uuid",
  make: async (app) => (await app.call()).source,
};
const rooms: List = {
  path: "/api/v1/conferences",
  key: "rooms",
  id: "room_id",
  make: async (app) => (await app.room()).source,
};

export const pages: readonly Check<World>[] = [
  ...[sessions, rooms].flatMap((list) => [walk(list), whole(list), among(list)]),
  {
    id: "pages/sessions/shown",
    title: "A call is shown in the list as it is shown alone",
    clause: "listSessions, getSession",
    profile: "full",
    async run(world) {
      const { app, ids } = await five(world, sessions);
      const [id = ""] = ids;
      const listed = (await page(app, sessions, "?limit=100")).items.find(({ session_uuid }) => session_uuid === id);
      const alone = await app.get(`/api/v1/sessions/${id}`);
      expectSame("the call in the list", listed, alone.body, { answers: [alone] });
    },
  },
  {
    id: "pages/rooms/shown",
    title: "A room is shown in the list by its name, its beginning and the number of its members",
    clause: "listRooms, getRoom",
    profile: "full",
    async run(world) {
      const { app, ids } = await five(world, rooms);
      const [room_id = ""] = ids;
      const listed = (await page(app, rooms, "?limit=100")).items.find((item) => item.room_id === room_id);
      const alone = await app.get(`/api/v1/conferences/${room_id}`);
      const { name, created_at } = alone.body ?? {};
      expectSame("the room in the list", listed, { room_id, name, created_at, member_count: 0 }, { answers: [alone] });
    },
  },
];

/** An app with five, in the order of their making. */
function five(world: World, list: List): Promise<{ readonly app: KitApp; readonly ids: readonly string[] }> {
  return world.once(`five ${list.key}`, async () => {
    const app = await world.app();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await list.make(app));
    return { app, ids };
  });
}

interface Page {
  readonly answer: Answer;
  readonly items: readonly JsonObject[];
  readonly next: string | null;
}

async function page(app: KitApp, { path, key }: List, query = ""): Promise<Page> {
  const answer = await app.get(path + query);
  expectStatus(answer, 200);
  const { [key]: items, next_cursor } = Object(answer.body);
  return { answer, items, next: next_cursor };
}

function walk(list: List): Check<World> {
  const { key, id } = list;
  return {
    id: `pages/${key}/walk`,
    title: `The ${key} of an app are listed newest first, page by page, each once`,
    clause: key === "sessions" ? "listSessions" : "listRooms",
    profile: "full",
    async run(world) {
      const { app, ids } = await five(world, list);
      const newest = [...ids].reverse();
      for (const limit of [1, 2, 3, 5, 6]) {
        const found: unknown[] = [];
        const sizes: number[] = [];
        const answers: Answer[] = [];
        for (let cursor = ""; sizes.length <= ids.length; ) {
          const { answer, items, next } = await page(app, list, `?limit=${limit}${cursor}`);
          answers.push(answer);
          sizes.push(items.length);
          found.push(...items.map((item) => item[id]));
          if (next === null) break;
          cursor = `&cursor=${encodeURIComponent(next)}`;
        }
        expectSame(`${key}, ${limit} on a page,`, found, newest, { answers });
        expectThat(
          sizes.slice(0, -1).every((size) => size === limit),
          `pages of ${limit}, but for the last`,
          sizes,
          { answers },
        );
      }
    },
  };
}

function whole(list: List): Check<World> {
  const { key } = list;
  return {
    id: `pages/${key}/usual`,
    title: `Without a limit there are ${usual} ${key} on a page`,
    clause: key === "sessions" ? "listSessions" : "listRooms",
    profile: "full",
    async run(world) {
      if (key === "sessions" && world.caller.kind !== "sandbox")
        throw new Skipped("So many calls are placed in the sandbox alone.");
      const app = await world.app({ webhook_url: "" });
      await Promise.all(Array.from({ length: usual + 1 }, () => list.make(app)));
      const first = await page(app, list);
      expectSame("how many on a page without a limit:", first.items.length, usual, { answers: [first.answer] });
      const all = await page(app, list, `?limit=${usual * 2}`);
      expectSame(`how many on a page of ${usual * 2}:`, all.items.length, usual + 1, { answers: [all.answer] });
      expectSame("next_cursor at the end", all.next, null, { answers: [all.answer] });
      await app.remove();
    },
  };
}

function among(list: List): Check<World> {
  const { key, id } = list;
  return {
    id: `pages/${key}/own`,
    title: `Another app does not see them, and unknown query parameters are ignored`,
    clause: key === "sessions" ? "listSessions" : "listRooms",
    profile: "full",
    async run(world) {
      const { app, ids } = await five(world, list);
      const foreign = await page(await world.other(), list, "?limit=100");
      const seen = foreign.items.filter((item) => ids.includes(String(item[id])));
      expectSame(`${key} of another app`, seen, [], { answers: [foreign.answer] });
      const plain = await page(app, list, "?limit=100");
      const odd = await page(app, list, "?limit=100&colour=red&LIMIT=1&after=3&app_id=other");
      const about = { answers: [plain.answer, odd.answer] };
      expectSame(
        "the same list",
        odd.items.map((item) => item[id]),
        plain.items.map((item) => item[id]),
        about,
      );
    },
  };
}
