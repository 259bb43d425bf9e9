/** Long events: what the memory store keeps is bounded by the length of their bodies, not only by their number. */
import { describe, expect, test } from "@jest/globals";
import { MemoryStore, type MemoryStoreOptions } from "../../src/store/memory";
import type { Store, StoredEvent } from "../../src/store/store";
import {
  appPut,
  commitOf,
  endedRoom,
  eventOf,
  loaded,
  memberOf,
  only,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
} from "./samples";

async function filled(bounds: MemoryStoreOptions["bounds"]): Promise<Store> {
  const store = new MemoryStore({ bounds });
  await store.putApp(appPut("acme"));
  await store.createRoom(roomOf("room"));
  for (const uuid of ["one", "two"]) await store.createSession(sessionOf(uuid, memberOf("room")), []);
  return store;
}

/** Commits events of a call with bodies of these lengths. */
async function tell(store: Store, uuid: string, lengths: readonly number[], more: Partial<StoredEvent> = {}) {
  const before = await loaded(store, uuid);
  const { sequence } = before.state;
  const events = lengths.map((length, i) => {
    const number = sequence + i + 1;
    const event = eventOf(number, "playback.started", { body: "x".repeat(length), ...more });
    return { ...event, id: `${uuid}.${number}` };
  });
  await store.commit(commitOf(before, { sequence: sequence + lengths.length }, { events }));
}
const idsOf = (events: readonly { readonly event: StoredEvent }[]) => events.map(({ event }) => event.id);
const listed = async (store: Store, uuid: string) => idsOf((await store.sessionEvents("acme", uuid, 0, 100)).events);
const room = async (store: Store) => idsOf((await store.roomEvents("acme", "room", 0, 100)).events);

describe("the log", () => {
  test("an app forgets its oldest events, as many as one that is long needs", async () => {
    const store = await filled({ logged_chars_per_app: 100 });
    const { position } = await store.feedPosition("acme", null);
    await tell(store, "one", [30, 30]);
    await tell(store, "two", [40]);
    expect([await listed(store, "one"), await listed(store, "two")]).toEqual([["one.1", "one.2"], ["two.1"]]);
    await tell(store, "two", [31]);
    expect([await listed(store, "one"), await listed(store, "two")]).toEqual([[], ["two.1", "two.2"]]);
    const { events, gap } = await store.feed("acme", position, 100);
    expect([idsOf(events), gap]).toEqual([["two.1", "two.2"], true]);
    // What went leaves room as long as it was.
    await tell(store, "one", [29]);
    expect([await listed(store, "one"), await listed(store, "two")]).toEqual([["one.3"], ["two.1", "two.2"]]);
  });

  test("a call forgets its own, a room those of its guests out of its list alone", async () => {
    const store = await filled({ logged_chars_per_source: 100 });
    await tell(store, "one", [50, 50], { room_id: "room" });
    await tell(store, "two", [60], { room_id: "room" });
    expect(await room(store)).toEqual(["two.1"]);
    expect([await listed(store, "one"), await listed(store, "two")]).toEqual([["one.1", "one.2"], ["two.1"]]);
    await tell(store, "one", [50], { room_id: "room" });
    expect([await listed(store, "one"), await room(store)]).toEqual([["one.2", "one.3"], ["one.3"]]);
    await tell(store, "two", [50], { room_id: "room" });
    expect([await listed(store, "two"), await room(store)]).toEqual([["two.2"], ["one.3", "two.2"]]);
  });

  test("an event that is longer than all that may be kept is kept nowhere", async () => {
    const store = await filled({ logged_chars_per_source: 100 });
    await tell(store, "one", [101, 10], { room_id: "room" });
    await tell(store, "two", [101], { room_id: "room" });
    expect([await listed(store, "one"), await listed(store, "two")]).toEqual([["one.2"], []]);
    expect(await room(store)).toEqual(["one.2"]);
    await tell(store, "one", [90], { room_id: "room" });
    expect(await room(store)).toEqual(["one.2", "one.3"]);
  });

  test("what ended and was forgotten leaves room as long as it was", async () => {
    let now = Date.UTC(2024, 0, 1);
    const store = new MemoryStore({ now: () => now, bounds: { logged_chars_per_app: 100 } });
    await store.putApp(appPut("acme"));
    await store.createSession(sessionOf("one"), []);
    await store.createRoom(roomOf("room"));
    await endedRoom(store, "room", [eventOf(1, "conference.destroyed", { id: "room.1", body: "x".repeat(90) })]);
    now += 86_400_000;
    await store.sweep();
    await tell(store, "one", [50, 50]);
    expect(await listed(store, "one")).toEqual(["one.1", "one.2"]);
  });

  test("a page ends before it gets long, and has one event at least; the next one goes on there", async () => {
    const store = await filled({ page_chars: 100 });
    const { position } = await store.feedPosition("acme", null);
    await tell(store, "one", [60, 40, 1, 200, 99], { room_id: "room" });
    const pages = [["one.1", "one.2"], ["one.3"], ["one.4"], ["one.5"], []];
    let [call, place, at] = [0, 0, position];
    for (const page of pages) {
      const ofCall = await store.sessionEvents("acme", "one", call, 100);
      const ofRoom = await store.roomEvents("acme", "room", place, 100);
      const feed = await store.feed("acme", at, 100);
      expect([idsOf(ofCall.events), idsOf(ofRoom.events), idsOf(feed.events)]).toEqual([page, page, page]);
      expect(feed.gap).toBe(false);
      call = ofCall.events.at(-1)?.number ?? call;
      place = ofRoom.events.at(-1)?.number ?? place;
      at = feed.position;
    }
  });
});

describe("the outbox", () => {
  const taken = async (store: Store) => {
    const all: string[] = [];
    let result = await turn(store);
    const { dropped } = result;
    for (; result.taken.length > 0; ) {
      all.push(...idsOf(result.taken));
      result = await turn(store, { settled: result.taken.map((each) => settlementOf(each)) });
    }
    return { all, dropped };
  };

  test.each(["queued_chars_per_source", "queued_chars_per_app"])("%s: digits go first, ends never", async (bound) => {
    const store = await filled({ [bound]: 100 });
    await tell(store, "one", [40]);
    await tell(store, "one", [10, 10], { event: "dtmf" });
    await tell(store, "one", [20]);
    await tell(store, "one", [40], { event: "call.hangup" });
    expect(await taken(store)).toEqual({ all: ["one.1", "one.4", "one.5"], dropped: 2 });
    await tell(store, "one", [60, 40, 1]);
    await tell(store, "one", [80], { event: "command.result" });
    expect(await taken(store)).toEqual({ all: ["one.8", "one.9"], dropped: 2 });
    await tell(store, "one", [80, 80], { event: "command.result" });
    expect(await taken(store)).toEqual({ all: ["one.10", "one.11"], dropped: 0 });
  });

  test("ends go, too, before an app exhausts the process; what is under way stays", async () => {
    const store = await filled({ queued_chars_per_app: 50, needed_chars_per_app: 100 });
    await tell(store, "one", [60, 30], { event: "command.result" });
    const first = only(await turn(store));
    await tell(store, "two", [40], { event: "command.result" });
    expect(await turn(store, { settled: [settlementOf(first)] })).toMatchObject({ stale: 0, dropped: 1 });
  });
});

test("an app forgets its oldest dead letters, and their pages end before they get long", async () => {
  const store = await filled({ letter_chars_per_app: 100, page_chars: 70 });
  await tell(store, "one", [60, 30, 20, 50]);
  for (let { taken } = await turn(store); taken.length > 0; ) {
    ({ taken } = await turn(store, { settled: taken.map((each) => settlementOf(each, "dead")) }));
  }
  const first = await store.deadLetters("acme", 10, null);
  expect(idsOf(first.letters)).toEqual(["one.4", "one.3"]);
  const second = await store.deadLetters("acme", 10, first.next);
  expect([idsOf(second.letters), second.next]).toEqual([["one.2"], null]);
});

test("a replay of more than the queue holds: what has no room comes back, and none is counted twice", async () => {
  const store = await filled({ letter_chars_per_app: 100, queued_chars_per_app: 50 });
  const die = async () => {
    for (let { taken } = await turn(store); taken.length > 0; ) {
      ({ taken } = await turn(store, { settled: taken.map((each) => settlementOf(each, "dead")) }));
    }
  };
  const letters = async () => idsOf((await store.deadLetters("acme", 10, null)).letters);
  await tell(store, "one", [20, 20]);
  await die();
  expect(await store.replayDeadLetters("acme", null, "first")).toBe(2);
  await tell(store, "two", [50]);
  expect(await letters()).toEqual(["one.2", "one.1"]);
  await die();
  expect(await store.replayDeadLetters("acme", null, "second")).toBe(3);
  expect(await letters()).toHaveLength(await store.countDeadLetters());
  await die();
  expect((await letters()).sort()).toEqual(["one.1", "one.2", "two.1"]);
  expect(await store.countDeadLetters()).toBe(3);
});
