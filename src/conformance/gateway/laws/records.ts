/** What the gateway says at the end about all that was: the events once more and live, held against the webhooks. */
import { isDeepStrictEqual } from "node:util";
import { Broken, type Check, Skipped } from "../../check";
import { expectStatus, type KitApp } from "../ground/app";
import type { JsonObject } from "../ground/client";
import type { Delivery, Endpoint } from "../ground/endpoint";
import type { World } from "../world";
import type { Source } from "./laws";

/** What is on its way is given so long. */
const patienceMs = 8_000;
/** Calls and rooms that are looked at, and of these for each name of an event. */
const sampled = 80;
const sampledByName = 4;

const isRoom = (source: string): boolean => source.includes("-room-");

/** Every page of a list of events, up to its end. */
export async function allEvents(app: KitApp, source: string, limit = 1000): Promise<readonly JsonObject[]> {
  const all: JsonObject[] = [];
  for (let after = 0; ; ) {
    const kind = isRoom(source) ? "conferences" : "sessions";
    const answer = await app.get(`/api/v1/${kind}/${source}/events?after=${after}&limit=${limit}`);
    expectStatus(answer, 200);
    const { events, next_after } = answer.body ?? {};
    if (!Array.isArray(events) || typeof next_after !== "number")
      throw new Error("a page without events or next_after");
    if (events.length === 0) return all;
    if (next_after <= after || events.length > limit)
      throw new Broken({
        expected: "pages that go on",
        got: `${events.length} events, next_after ${next_after}`,
        exchanges: [answer.exchange],
      });
    all.push(...events);
    after = next_after;
  }
}

/** What belongs into the list of this call or room, of all that the app was told. */
function belongs(source: string): (event: Delivery) => boolean {
  return (event) => event.source === source || (isRoom(source) && event.data.room_id === source);
}

const nameOf = (event: JsonObject): string =>
  `${String(event.session_uuid ?? event.room_id)} #${String(event.sequence)} ${String(event.event)}`;

/** @throws Broken unless the list has the bodies of these webhooks and of no others, those of each call in their order */
async function sameEvents(world: World, app: KitApp, { endpoint, source }: Source): Promise<void> {
  const before = world.laws.firsts(app.app_id).filter(belongs(source));
  const listed = await allEvents(app, source);
  const wrong = (expected: string, got: string): Broken =>
    new Broken({ expected, got, seen: [...endpoint.lines(before), ...listed.slice(-12).map(nameOf)] });
  const numbers = new Map<string, number>();
  for (const event of listed) {
    const own = String(event.session_uuid ?? event.room_id);
    const number = Number(event.sequence);
    if (number <= (numbers.get(own) ?? 0))
      throw wrong(`events of ${source} in their order, each once`, `${nameOf(event)} after #${numbers.get(own)}`);
    numbers.set(own, number);
    const came = await endpoint.within(patienceMs, () => world.laws.first(app.app_id, own, number));
    if (!came) throw wrong("a webhook for each event that is listed", `none for ${nameOf(event)}`);
    if (!isDeepStrictEqual(JSON.parse(came.text), event))
      throw wrong(`the event as it was sent: ${came.text}`, JSON.stringify(event));
  }
  const lost = before.find(
    (each) =>
      !listed.some(
        (event) => event.sequence === each.sequence && (event.session_uuid ?? event.room_id) === each.source,
      ),
  );
  if (lost)
    throw wrong(
      `${lost.event} #${lost.sequence} of ${lost.source} in the list of ${source}`,
      `${listed.length} others`,
    );
}

/** Some of each kind: those with events of every name first. */
function sample(world: World): Source[] {
  const all = whole(world).map((each) => ({ ...each, names: new Set<string>() }));
  const byKey = new Map(all.map((each) => [`${each.endpoint.app_id} ${each.source}`, each]));
  for (const app of world.apps)
    for (const { source, event } of world.laws.firsts(app.app_id))
      byKey.get(`${app.app_id} ${source}`)?.names.add(event);
  const counts = new Map<string, number>();
  const chosen = all.filter(({ names }) => {
    const wanted = [...names].some((name) => (counts.get(name) ?? 0) < sampledByName);
    if (wanted) for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    return wanted;
  });
  return [...new Set([...chosen, ...all])].slice(0, sampled);
}

/** What all is known of, of apps that are still there. */
function whole(world: World): Source[] {
  return world.laws.sources.filter((each) => world.laws.whole(each) && appOf(world, each.endpoint) !== undefined);
}

function appOf(world: World, { app_id }: Endpoint): KitApp | undefined {
  return world.apps.find((app) => app.app_id === app_id && !app.removed);
}

/** Calls of an app that live. */
async function liveCalls(app: KitApp): Promise<ReadonlySet<string>> {
  const live = new Set<string>();
  for (let cursor: unknown = null; ; ) {
    const answer = await app.get(`/api/v1/sessions?limit=100${typeof cursor === "string" ? `&cursor=${cursor}` : ""}`);
    expectStatus(answer, 200);
    const { sessions, next_cursor } = answer.body ?? {};
    if (Array.isArray(sessions)) for (const { session_uuid } of sessions) live.add(String(session_uuid));
    if (next_cursor === null || live.size === 0) return live;
    cursor = next_cursor;
  }
}

export const records: readonly Check<World>[] = [
  {
    id: "records/told",
    title: "Of every call and room that was made the app was told",
    clause: "webhooks: call.new, conference.created",
    profile: "minimal",
    last: true,
    async run(world) {
      const made = whole(world).filter(({ endpoint }) => endpoint.wanted?.length === 0);
      if (made.length === 0) throw new Skipped("No call was made.");
      for (const { endpoint, source } of made) {
        const found = await endpoint.within(patienceMs, () =>
          endpoint.deliveries.find((each) => each.source === source),
        );
        if (!found) throw new Broken({ expected: `events of ${source}`, got: "none", seen: endpoint.lines() });
      }
    },
  },
  {
    id: "records/hangup",
    title: "Of every call that is over the app was told that it is",
    clause: "webhooks: call.hangup",
    profile: "minimal",
    last: true,
    async run(world) {
      const open = whole(world).filter(({ endpoint, source }) => {
        return (
          !isRoom(source) &&
          endpoint.wanted?.length === 0 &&
          !endpoint.of(source).some(({ event }) => event === "call.hangup")
        );
      });
      const live = new Map<string, ReadonlySet<string>>();
      for (const { endpoint, source } of open) {
        const app = appOf(world, endpoint);
        if (!app) continue;
        const lives = live.get(app.app_id) ?? (await liveCalls(app));
        live.set(app.app_id, lives);
        if (!lives.has(source)) await endpoint.event("call.hangup", { source }, patienceMs);
      }
    },
  },
  {
    id: "records/events",
    title: "The lists of events of calls and rooms are what was sent, all of it and in its order",
    clause: "listSessionEvents, listRoomEvents",
    profile: "minimal",
    last: true,
    limitMs: 60_000,
    async run(world) {
      const looked = sample(world);
      if (looked.length === 0) throw new Skipped("No call was made.");
      for (const each of looked) {
        const app = appOf(world, each.endpoint);
        if (app) await sameEvents(world, app, each);
      }
    },
  },
  {
    id: "records/stream",
    title: "The stream that was open all the time has every event that was sent, once, in order, and no other",
    clause: "streamEvents",
    profile: "minimal",
    last: true,
    async run(world) {
      const main = await world.main();
      const feed = await world.feed(main);
      const sent = world.laws.firsts(main.app_id);
      if (sent.length === 0) throw new Skipped("No event came.");
      const wrong = (expected: string, got: string): Broken =>
        new Broken({ expected, got, exchanges: [feed.exchange], seen: feed.lines() });
      for (const { id, event } of sent)
        await feed.until(`${event} ${id}`, () => feed.ids.has(id) || undefined, patienceMs);
      const byId = new Map(world.laws.firsts(main.app_id).map((each) => [each.id, each]));
      const numbers = new Map<string, number>();
      const seen = new Set<string>();
      for (const { id, event, data } of feed.events) {
        if (seen.has(id)) throw wrong("each event once", `${event} ${id} twice`);
        seen.add(id);
        const came =
          byId.get(id) ??
          (await main.endpoint.within(patienceMs, () => main.endpoint.deliveries.find((each) => each.id === id)));
        if (!came) throw wrong("events that were sent as webhooks", `${event} ${id}`);
        if (came.text !== data || came.event !== event) throw wrong(`${came.event}, ${came.text}`, `${event}, ${data}`);
        if (came.sequence <= (numbers.get(came.source) ?? 0))
          throw wrong("the order of each call", `${event} #${came.sequence} after #${numbers.get(came.source)}`);
        numbers.set(came.source, came.sequence);
      }
    },
  },
];
