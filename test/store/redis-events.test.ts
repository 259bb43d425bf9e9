/** What is told in Redis: long lists, many letters at once, what other instances have told, and what is left in the end. */
import { EventEmitter, once } from "node:events";
import { expect, test } from "@jest/globals";
import type { Settlement, StoredEvent } from "../../src/store/store";
import { type RedisTried, redisPlace } from "../redis/place";
import {
  appPut,
  closeOf,
  commitOf,
  eachTime,
  ended,
  endedRoom,
  eventOf,
  loaded,
  loadedRoom,
  names,
  only,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
} from "./samples";

const DAY = 86_400_000;
const MIB = 1_048_576;
const place = redisPlace();
let subject: RedisTried;
const tried = eachTime(async () => {
  subject = await place.make();
  await subject.store.putApp(appPut("acme"));
  return subject;
});

/** Events of a call or room as the gateway numbers them. */
function told(source: string, from: number, to: number, changes: Partial<StoredEvent> = {}): StoredEvent[] {
  return Array.from({ length: to - from + 1 }, (_, i) => {
    return eventOf(from + i, "dtmf", { id: `${source}.${from + i}`, ...changes });
  });
}
const call = (uuid: string, events: StoredEvent[]) =>
  tried().store.createSession(sessionOf(uuid, { sequence: events.length }), events);
async function tell(uuid: string, events: readonly StoredEvent[]): Promise<void> {
  const { store } = tried();
  await store.commit(commitOf(await loaded(store, uuid), {}, { events }));
}
/** Settles all that is due with this verdict, until nothing is. */
async function settle(verdict: Settlement["verdict"] = "delivered"): Promise<number> {
  let { taken } = await turn(tried().store);
  let count = 0;
  while (taken.length > 0) {
    count += taken.length;
    ({ taken } = await turn(tried().store, { settled: taken.map((each) => settlementOf(each, verdict)) }));
  }
  return count;
}
/** Names of the keys of the app's epoch, without those of its settings. */
async function keys(): Promise<string[]> {
  const found = await place.lua("return redis.call('KEYS', KEYS[1] .. '*')", `${subject.prefix}{acme}:1:`);
  const all = Array.isArray(found) ? found.map(String) : [];
  return all.map((key) => key.slice(key.lastIndexOf("}:1:") + 4)).filter((key) => key !== "app");
}

test("who watches is told of what another instance commits, and of an app that it deletes", async () => {
  const { store, another } = subject;
  const other = another();
  const grown = new EventEmitter();
  const end = store.watch("acme", () => grown.emit("grown"));
  try {
    // The first is of its own accord: from then on only what is new is told.
    await once(grown, "grown");
    const { position } = await store.feedPosition("acme", null);
    await Promise.all([once(grown, "grown"), other.createSession(sessionOf("call"), told("call", 1, 1))]);
    expect((await store.feed("acme", position, 10)).events).toMatchObject([{ source: "call" }]);
    await Promise.all([once(grown, "grown"), other.closeApp(closeOf("acme"))]);
  } finally {
    end();
    await other.close();
  }
});

test("what was not delivered in a day after the end of its call is delivered, and then nothing is left of it", async () => {
  const { store, advance } = tried();
  await call("call", told("call", 1, 2));
  await ended(store, "call", told("call", 3, 3));
  await advance(DAY);
  await store.sweep();
  await store.sweep();
  expect((await store.sessionEvents("acme", "call", 0, 10)).events).toEqual([]);
  expect(await settle()).toBe(3);
  await advance(60_000);
  await store.sweep();
  expect(await keys()).toEqual(["log"]);
});

test("dead letters that are too old leave nothing", async () => {
  const { store, advance } = tried();
  await call("call", told("call", 1, 500));
  await ended(store, "call");
  expect(await settle("dead")).toBe(500);
  expect(await store.countDeadLetters()).toBe(500);
  await advance(7 * DAY);
  expect(await store.countDeadLetters()).toBe(0);
  await store.sweep();
  expect(await keys()).toEqual(["log"]);
});

test("nothing is left of a deleted app, whatever was under way in it", async () => {
  const { store, advance } = tried();
  await store.createRoom(roomOf("room"));
  await call("call", told("call", 1, 3, { room_id: "room" }));
  await store.commit(commitOf(await loadedRoom(store, "room"), {}, { events: told("room", 1, 2) }));
  await settle("dead");
  await store.replayDeadLetters("acme", ["call.1", "call.2"], "nonce");
  expect((await turn(store, { want: 1 })).taken).toHaveLength(1);
  await call("another", told("another", 1, 500));
  await store.closeApp(closeOf("acme"));
  await advance(30_000);
  await store.sweep();
  expect(await keys()).toEqual([]);
});

test("pages end before their bodies are a mebibyte together, and begin with one of any length", async () => {
  const { store } = tried();
  const body = "x".repeat(MIB / 2);
  await store.createRoom(roomOf("room"));
  const { position } = await store.feedPosition("acme", null);
  const long = [...told("call", 1, 2, { body, room_id: "room" }), ...told("call", 3, 3, { body: body + body + body })];
  await call("call", [...long, ...told("call", 4, 5)]);
  const numbers = async (after: number) =>
    (await store.sessionEvents("acme", "call", after, 10)).events.map(({ number }) => number);
  expect([await numbers(0), await numbers(1), await numbers(2), await numbers(3)]).toEqual([[1], [2], [3], [4, 5]]);
  expect((await store.roomEvents("acme", "room", 0, 10)).events).toMatchObject([{ number: 1 }]);
  const first = await store.feed("acme", position, 10);
  const second = await store.feed("acme", first.position, 10);
  expect([first, second].map(({ events }) => events.map(({ event }) => event.id))).toEqual([["call.1"], ["call.2"]]);
  await settle("dead");
  const letters = await store.deadLetters("acme", 10, null);
  expect(letters.letters.map(({ event }) => event.id)).toEqual(["call.5", "call.4"]);
  const next = await store.deadLetters("acme", 10, letters.next);
  expect(next.letters.map(({ event }) => event.body.length)).toEqual([3 * (MIB / 2)]);
});

test("thousands of letters are queued once more in one go, each once", async () => {
  const { store } = tried();
  const calls = ["one", "two", "three"];
  for (const uuid of calls) await call(uuid, told(uuid, 1, 800));
  await settle("dead");
  expect(await store.replayDeadLetters("acme", null, "nonce")).toBe(2400);
  expect(await store.countDeadLetters()).toBe(0);
  const taken: string[] = [];
  let settled: Settlement[] = [];
  for (;;) {
    const result = await turn(store, { settled });
    if (result.taken.length === 0) break;
    taken.push(...result.taken.map(({ event }) => event.id));
    settled = result.taken.map((each) => settlementOf(each));
  }
  expect(new Set(taken).size).toBe(2400);
  expect(taken).toHaveLength(2400);
  expect(await store.appsWithEvents()).toEqual([]);
});

test("what many members told who are forgotten is passed over in the list of their room", async () => {
  const { store, advance } = tried();
  await store.createRoom(roomOf("room"));
  const own = async (sequence: number) => {
    const events = told("room", sequence, sequence);
    await store.commit(commitOf(await loadedRoom(store, "room"), {}, { events }));
  };
  await own(1);
  for (let i = 0; i < 10; i++) await call(`member${i}`, told(`member${i}`, 1, 600, { room_id: "room" }));
  await own(2);
  for (let i = 0; i < 10; i++) await ended(store, `member${i}`);
  await settle();
  await advance(DAY);
  await store.sweep();
  const listed = async (after: number) =>
    (await store.roomEvents("acme", "room", after, 10)).events.map(({ number, event }) => `${number}:${event.id}`);
  expect(await listed(0)).toEqual(["1:room.1", "6002:room.2"]);
  expect(await listed(1)).toEqual(["6002:room.2"]);
  expect(await listed(6002)).toEqual([]);
  await endedRoom(store, "room", told("room", 3, 3));
  expect(await listed(6002)).toEqual(["6003:room.3"]);
});

test("many queues of an app without an address are cleared one turn after the other", async () => {
  const { store } = tried();
  for (let i = 0; i < 450; i++) await call(`call${i}`, told(`call${i}`, 1, 2));
  const [under_way] = (await turn(store, { want: 1 })).taken;
  if (under_way === undefined) throw new Error("nothing was taken");
  await store.putApp(appPut("acme", { webhook_url: "" }));
  let turns = 0;
  let due: number | null = 0;
  while (due !== null) {
    const { taken, next_due_ms } = await turn(store);
    expect(taken).toEqual([]);
    due = next_due_ms;
    turns += 1;
  }
  expect(turns).toBe(3);
  await store.putApp(appPut("acme"));
  // It was under way: what is behind it had no address for a while, and is sent all the same.
  expect(names(await turn(store, { settled: [settlementOf(under_way)] }))).toEqual([`${under_way.queue}:2`]);
});

test("what is told while there is no address takes along what waits behind the one under way", async () => {
  const { store } = tried();
  await call("call", told("call", 1, 3));
  const first = only(await turn(store));
  await store.putApp(appPut("acme", { webhook_url: "" }));
  await tell("call", told("call", 4, 4));
  await store.putApp(appPut("acme"));
  await tell("call", told("call", 5, 6));
  const retried = only(await turn(store, { settled: [settlementOf(first, { retry_in_ms: 0 })] }));
  expect(retried).toMatchObject({ event: { sequence: 1 }, attempts: 1 });
  const next = only(await turn(store, { settled: [settlementOf(retried)] }));
  expect(next).toMatchObject({ event: { sequence: 5 }, attempts: 0 });
  const last = only(await turn(store, { settled: [settlementOf(next)] }));
  expect(last.event.sequence).toBe(6);
  expect(await turn(store, { settled: [settlementOf(last)] })).toMatchObject({ stale: 0, next_due_ms: null });
  expect(
    await place.lua("return redis.call('HMGET', KEYS[1] .. '1:log', 'n', 'b')", `${subject.prefix}{acme}:`),
  ).toEqual(["0", "0"]);
});
