/** Events once more: the lists of calls and rooms, page by page. */
import { isDeepStrictEqual } from "node:util";
import { Broken, type Check } from "../../check";
import { expectStatus, type KitApp, type KitCall, type KitRoom } from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import type { Delivery } from "../ground/endpoint";
import { allEvents } from "../laws/records";
import type { World } from "../world";

interface Page {
  readonly answer: Answer;
  readonly events: readonly JsonObject[];
  readonly next_after: unknown;
}

async function page(app: KitApp, path: string, query: string): Promise<Page> {
  const answer = await app.get(`${path}/events${query}`);
  expectStatus(answer, 200);
  const { events, next_after } = answer.body ?? {};
  return { answer, events: Array.isArray(events) ? events : [], next_after };
}

const pathOf = (call: KitCall): string => `/api/v1/sessions/${call.source}`;

/** A call that is over, and what was sent of it: nobody changes either any more. */
function over(world: World): Promise<{ readonly call: KitCall; readonly sent: readonly Delivery[] }> {
  return world.once("a call that is over", async () => {
    const call = await (await world.main()).answered();
    await call.result("answer");
    await call.hangup();
    return { call, sent: call.events };
  });
}

/** A room in which a call was, and what was sent of both. */
interface Met {
  readonly call: KitCall;
  readonly room: KitRoom;
  readonly events: readonly Delivery[];
}

function met(world: World): Promise<Met> {
  return world.once("a room that was met in", async () => {
    const app = await world.main();
    const call = await app.answered();
    const room = await app.room(call.source);
    await call.done("joinRoom", { room_id: room.source });
    await call.done("mute");
    await call.hangup();
    const path = `/api/v1/conferences/${room.source}`;
    const answer = await world.request({ method: "DELETE", path, headers: app.headers });
    expectStatus(answer, 204);
    await room.event("conference.destroyed");
    return { call, room, events: [...room.events, ...call.events] };
  });
}

function differ(expected: string, got: string, { answer }: Page): Broken {
  return new Broken({ expected, got, exchanges: [answer.exchange] });
}

const numbers = (events: readonly JsonObject[]): string =>
  events.map(({ sequence, event }) => `#${String(sequence)} ${String(event)}`).join(", ");

export const events: readonly Check<World>[] = [
  {
    id: "events/same",
    title: "The events of a call, also of one that is over, are the bodies of its webhooks in their order",
    clause: "listSessionEvents",
    profile: "minimal",
    async run(world) {
      const { call, sent } = await over(world);
      const got = await page(call.app, pathOf(call), "");
      const bodies = sent.map(({ text }): JsonObject => JSON.parse(text));
      if (!isDeepStrictEqual(got.events, bodies)) throw differ(numbers(bodies), numbers(got.events), got);
      if (got.next_after !== bodies.length) throw differ(`next_after ${bodies.length}`, String(got.next_after), got);
    },
  },
  ...[1, 2, 3, 1000].map(
    (limit): Check<World> => ({
      id: `events/pages/${limit}`,
      title: `Pages of ${limit} have each event once, and next_after leads from one to the next`,
      clause: "listSessionEvents: after, limit",
      profile: "full",
      async run(world) {
        const { call, sent } = await over(world);
        let after = 0;
        for (;;) {
          const got = await page(call.app, pathOf(call), `?after=${after}&limit=${limit}`);
          const wanted = sent.slice(after, after + limit);
          const same =
            got.events.length === wanted.length && got.events.every(({ sequence }, n) => sequence === after + n + 1);
          if (!same) throw differ(`${wanted.length} events from #${after + 1} on`, numbers(got.events), got);
          const next = after + wanted.length;
          if (got.next_after !== next) throw differ(`next_after ${next}`, String(got.next_after), got);
          if (wanted.length === 0) return;
          after = next;
        }
      },
    }),
  ),
  {
    id: "events/beyond",
    title: "Behind the last event there is an empty page, and next_after stays what it was",
    clause: "listSessionEvents: after",
    profile: "full",
    async run(world) {
      const { call } = await over(world);
      for (const after of [1000, Number.MAX_SAFE_INTEGER]) {
        const got = await page(call.app, pathOf(call), `?after=${after}`);
        if (got.events.length > 0 || got.next_after !== after)
          throw differ(
            `no event, next_after ${after}`,
            `${got.events.length}, next_after ${String(got.next_after)}`,
            got,
          );
      }
    },
  },
  {
    id: "events/live",
    title: "An event is listed at once, while its call goes on",
    clause: "listSessionEvents",
    profile: "full",
    async run(world) {
      const call = await (await world.main()).call();
      const first = await call.event("call.new");
      const got = await page(call.app, pathOf(call), "");
      if (!isDeepStrictEqual(got.events[0], JSON.parse(first.text)))
        throw differ(first.text, JSON.stringify(got.events[0]), got);
      await call.done("answer");
      const more = await page(call.app, pathOf(call), `?after=${first.sequence}`);
      const names = more.events.map(({ event }) => event).join(", ");
      if (names !== "call.answered, command.result") throw differ("call.answered, command.result", names, more);
      await call.hangup();
    },
  },
  {
    id: "events/own",
    title:
      "The events of a call or a room of another app are refused, and once it is over nobody else is told that it was",
    clause: "listSessionEvents, listRoomEvents: 403, 404",
    profile: "full",
    async run(world) {
      const app = await world.main();
      const other = await world.other();
      const call = await app.call();
      const room = await app.room(call.source);
      expectStatus(await other.get(`${pathOf(call)}/events`), 403);
      expectStatus(await other.get(`/api/v1/conferences/${room.source}/events`), 403);
      await call.hangup();
      const { call: ended } = await over(world);
      expectStatus(await other.get(`${pathOf(ended)}/events`), 404);
    },
  },
  {
    id: "events/room",
    title: "The events of a room are its own and those of its members that name it, as they were sent",
    clause: "listRoomEvents",
    profile: "full",
    async run(world) {
      const { call, room, events } = await met(world);
      const wanted = events.filter(({ source, data }) => source === room.source || data.room_id === room.source);
      const got = await page(room.app, `/api/v1/conferences/${room.source}`, "");
      for (const { text, event, sequence } of wanted)
        if (!got.events.some((each) => isDeepStrictEqual(each, JSON.parse(text))))
          throw differ(`${event} #${sequence}`, numbers(got.events), got);
      if (got.events.length !== wanted.length)
        throw differ(numbers(wanted.map(({ text }) => JSON.parse(text))), numbers(got.events), got);
      const names = got.events.map(({ event }) => event);
      const order = [
        "conference.created",
        "conference.member.joined",
        "conference.member.muted",
        "conference.member.left",
        "conference.destroyed",
      ];
      const own = names.filter((name) => order.includes(String(name)));
      if (own.join() !== order.join()) throw differ(order.join(", "), own.join(", "), got);
      if (got.events.some(({ event, session_uuid }) => event === "call.hangup" && session_uuid === call.source))
        throw differ("no event that does not name the room", "call.hangup", got);
    },
  },
  ...[1, 2].map(
    (limit): Check<World> => ({
      id: `events/room-pages/${limit}`,
      title: `Pages of ${limit} have each event of a room once, by a counter of this list`,
      clause: "listRoomEvents: after, limit",
      profile: "full",
      async run(world) {
        const { room } = await met(world);
        const all = await page(room.app, `/api/v1/conferences/${room.source}`, "");
        const walked = await allEvents(room.app, room.source, limit);
        if (!isDeepStrictEqual(walked, all.events)) throw differ(numbers(all.events), numbers(walked), all);
        const beyond = await page(room.app, `/api/v1/conferences/${room.source}`, `?after=${String(all.next_after)}`);
        if (beyond.events.length > 0 || beyond.next_after !== all.next_after)
          throw differ(
            `no event, next_after ${String(all.next_after)}`,
            `${beyond.events.length}, next_after ${String(beyond.next_after)}`,
            beyond,
          );
      },
    }),
  ),
];
