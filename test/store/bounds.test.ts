/** What the memory store keeps for those who missed it, and how much of it at most. */
import { expect, test } from "@jest/globals";
import { MemoryStore, type MemoryStoreOptions } from "../../src/store/memory";
import type { EventList, Store } from "../../src/store/store";
import {
  appPut,
  commitOf,
  endedRoom,
  eventOf,
  loaded,
  loadedRoom,
  memberOf,
  requestOf,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
} from "./samples";

async function filled(options: MemoryStoreOptions): Promise<Store> {
  const store = new MemoryStore(options);
  await store.putApp(appPut("acme"));
  for (const uuid of ["one", "two"]) await store.createSession(sessionOf(uuid, memberOf("room")), []);
  await store.createRoom(roomOf("room"));
  return store;
}
const numbers = ({ events }: EventList) => events.map(({ number }) => number);
/** Commits the next events of a call, each with an id of its own. */
async function tell(store: Store, uuid: string, count: number, room_id: string | null = null): Promise<void> {
  const before = await loaded(store, uuid);
  const { sequence } = before.state;
  const events = Array.from({ length: count }, (_, i) => {
    return eventOf(sequence + i + 1, "dtmf", { id: `${uuid}.${sequence + i + 1}`, room_id });
  });
  await store.commit(commitOf(before, { sequence: sequence + count }, { events }));
}
async function feed(store: Store, position: string, limit = 100) {
  const { events, position: next, gap } = await store.feed("acme", position, limit);
  return { ids: events.map(({ event }) => event.id), next, gap };
}

test("an app forgets its oldest event, and no other app's", async () => {
  const store = await filled({ bounds: { logged_per_app: 4 } });
  await store.putApp(appPut("other"));
  await store.createSession(sessionOf("theirs", { app_id: "other" }), [eventOf(1)]);
  const { position } = await store.feedPosition("acme", null);
  await tell(store, "one", 2);
  expect(await store.feedPosition("acme", "one.1")).toMatchObject({ known: true });
  await tell(store, "two", 3);
  expect(numbers(await store.sessionEvents("acme", "one", 0, 10))).toEqual([2]);
  expect(numbers(await store.sessionEvents("acme", "two", 0, 10))).toEqual([1, 2, 3]);
  expect(await feed(store, position)).toMatchObject({ ids: ["one.2", "two.1", "two.2", "two.3"], gap: true });
  expect(await store.feedPosition("acme", "one.1")).toMatchObject({ known: false });
  expect(numbers(await store.sessionEvents("other", "theirs", 0, 10))).toEqual([1]);
});

test("a call that tells too much forgets its own alone; a reader of the feed is told of what is missing, once", async () => {
  const store = await filled({ bounds: { logged_per_source: 2 } });
  const { position } = await store.feedPosition("acme", null);
  await tell(store, "two", 1);
  await tell(store, "one", 4);
  await tell(store, "two", 1);
  expect(numbers(await store.sessionEvents("acme", "one", 0, 10))).toEqual([3, 4]);
  expect(numbers(await store.sessionEvents("acme", "two", 0, 10))).toEqual([1, 2]);
  const before = await feed(store, position);
  expect(before).toMatchObject({ ids: ["two.1"], gap: false });
  const behind = await feed(store, before.next);
  expect(behind).toMatchObject({ ids: ["one.3", "one.4", "two.2"], gap: true });
  expect(await feed(store, behind.next)).toMatchObject({ ids: [], gap: false });
  // Whoever was cut off there comes back with the last id he has, and is not cut off once more.
  const back = await store.feedPosition("acme", "two.1");
  expect(back.known).toBe(true);
  expect(await feed(store, back.position)).toMatchObject({ ids: ["one.3", "one.4", "two.2"], gap: false });
});

test("pages of the feed end before a gap", async () => {
  const store = await filled({ bounds: { logged_per_source: 3 } });
  const { position } = await store.feedPosition("acme", null);
  await tell(store, "two", 1);
  await tell(store, "one", 4);
  const first = await feed(store, position, 1);
  expect(first).toMatchObject({ ids: ["two.1"], gap: false });
  const second = await feed(store, first.next, 2);
  expect(second).toMatchObject({ ids: ["one.2", "one.3"], gap: true });
  expect(await feed(store, second.next, 2)).toMatchObject({ ids: ["one.4"], gap: false });
});

test("a room that is told too much forgets the oldest of its list; its members keep theirs", async () => {
  const store = await filled({ bounds: { logged_per_source: 3 } });
  await store.commit(commitOf(await loadedRoom(store, "room"), {}, { events: [eventOf(1, "conference.created")] }));
  await tell(store, "one", 2, "room");
  await tell(store, "two", 2, "room");
  expect(numbers(await store.roomEvents("acme", "room", 0, 10))).toEqual([3, 4, 5]);
  expect(numbers(await store.sessionEvents("acme", "one", 0, 10))).toEqual([1, 2]);
  await tell(store, "one", 2, "room");
  expect(numbers(await store.sessionEvents("acme", "one", 0, 10))).toEqual([2, 3, 4]);
  expect(numbers(await store.roomEvents("acme", "room", 0, 10))).toEqual([5, 6, 7]);
  expect(numbers(await store.roomEvents("acme", "room", 5, 1))).toEqual([6]);
});

test("what went with a member leaves room in the list of its room, wherever it stood", async () => {
  let now = Date.UTC(2024, 0, 1);
  const store = await filled({ now: () => now, bounds: { logged_per_source: 3 } });
  const listed = async () => numbers(await store.roomEvents("acme", "room", 0, 10));
  const own = async (sequence: number) => {
    const events = [eventOf(sequence, "dtmf", { id: `room.${sequence}` })];
    await store.commit(commitOf(await loadedRoom(store, "room"), {}, { events }));
  };
  // The first of these leaves the list by its bound, and must not be missed there once more when its call goes.
  await tell(store, "one", 1, "room");
  await tell(store, "two", 1, "room");
  await tell(store, "one", 2, "room");
  expect(await listed()).toEqual([2, 3, 4]);
  await store.commit(commitOf(await loaded(store, "one"), { state: "ended" }));
  now += 86_400_000;
  await store.sweep();
  expect(await listed()).toEqual([2]);
  await own(1);
  await own(2);
  expect(await listed()).toEqual([2, 5, 6]);
  await own(3);
  expect(await listed()).toEqual([5, 6, 7]);
});

test("a room of which nothing is kept goes on with its numbers", async () => {
  const store = await filled({ bounds: { logged_per_app: 1 } });
  await tell(store, "one", 1, "room");
  await tell(store, "two", 1);
  expect(numbers(await store.roomEvents("acme", "room", 0, 10))).toEqual([]);
  await tell(store, "one", 1, "room");
  expect(numbers(await store.roomEvents("acme", "room", 0, 10))).toEqual([2]);
});

test("thousands of events in the bounds of a few: each list has the newest", async () => {
  const store = await filled({ bounds: { logged_per_source: 50, logged_per_app: 80 } });
  for (let i = 0; i < 200; i++) {
    await tell(store, "one", 7, i % 2 === 0 ? "room" : null);
    await tell(store, "two", 5, "room");
  }
  const last = (to: number, count: number) => Array.from({ length: count }, (_, i) => to - count + 1 + i);
  const one = numbers(await store.sessionEvents("acme", "one", 0, 100));
  const two = numbers(await store.sessionEvents("acme", "two", 0, 100));
  expect(one).toEqual(last(1400, one.length));
  expect(two).toEqual(last(1000, two.length));
  expect(one.length + two.length).toBe(80);
  const room = numbers(await store.roomEvents("acme", "room", 0, 100));
  expect(room).toEqual(last(1700, room.length));
  expect(room.length).toBeGreaterThan(40);
  const { position } = await store.feedPosition("acme", "unknown");
  expect((await feed(store, position)).ids).toHaveLength(80);
});

test("events are kept for as long as they are to be, shorter than what is remembered of a call, or longer", async () => {
  for (const eventRetentionMs of [1000, 3 * 86_400_000]) {
    let now = Date.UTC(2024, 0, 1);
    const store = await filled({ now: () => now, eventRetentionMs });
    await tell(store, "one", 1);
    const before = await loaded(store, "one");
    await store.commit(commitOf(before, { state: "ended" }, { events: [eventOf(2)] }));
    now += eventRetentionMs - 1;
    await store.sweep();
    expect(numbers(await store.sessionEvents("acme", "one", 0, 10))).toEqual([1, 2]);
    expect((await store.admit(requestOf({ session_uuid: "one", ended: true }))).outcome).toBe("admitted");
    now += 1;
    await store.sweep();
    expect(numbers(await store.sessionEvents("acme", "one", 0, 10))).toEqual([]);
  }
});

test("an app has so many rooms that have not ended, and no more", async () => {
  const store = await filled({ bounds: { rooms_per_app: 2 } });
  expect(await store.createRoom(roomOf("second", { state: "opening" }))).toEqual({ outcome: "created" });
  expect(await store.createRoom(roomOf("third"))).toEqual({ outcome: "full" });
  expect(await store.createRoom(roomOf("third", { name: "name of room" }))).toMatchObject({ outcome: "name_taken" });
  expect(await store.createRoom(roomOf("room"))).toEqual({ outcome: "created" });
  await store.commit(commitOf(await loadedRoom(store, "room"), { state: "closing" }));
  expect(await store.createRoom(roomOf("third"))).toEqual({ outcome: "full" });
  await endedRoom(store, "room");
  expect(await store.createRoom(roomOf("third"))).toEqual({ outcome: "created" });
});

test("an app forgets its oldest dead letter; one that is queued again and does not fit goes back", async () => {
  const store = await filled({ bounds: { letters_per_app: 2, queued_per_app: 1 } });
  const letters = async () => (await store.deadLetters("acme", 10, null)).letters.map(({ event }) => event.id);
  for (let i = 0; i < 3; i++) {
    await tell(store, "one", 1);
    const { taken } = await turn(store);
    await turn(store, { settled: taken.map((each) => settlementOf(each, "dead")) });
  }
  expect(await letters()).toEqual(["one.3", "one.2"]);
  expect(await store.replayDeadLetters("acme", null, "nonce")).toBe(2);
  const { taken, dropped } = await turn(store);
  expect(taken.map(({ event }) => event.id)).toEqual(["one.3"]);
  expect(dropped).toBe(0);
  expect(await letters()).toEqual(["one.2"]);
});
