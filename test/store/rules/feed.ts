import { EventEmitter, once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import type { StoredEvent } from "../../../src/store/store";
import {
  appPut,
  closeOf,
  commitOf,
  eachTime,
  endedRoom,
  eventOf,
  loaded,
  type Make,
  roomOf,
  sessionOf,
} from "../samples";

const DAY = 86_400_000;

/** Everything that an app's calls and rooms tell, in one line. */
export function feedRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    const { store } = made;
    await store.putApp(appPut("acme"));
    await store.putApp(appPut("other"));
    for (const uuid of ["one", "two"]) await store.createSession(sessionOf(uuid), []);
    return made;
  });
  let told = 0;
  /** Webhook ids, by the names of the events. */
  const ids = new Map<string, string>();
  const named = (source: string, name: string): StoredEvent => {
    told += 1;
    const id = `${source}.${told}`;
    ids.set(name, id);
    return eventOf(told, name, { id });
  };
  const tell = async (uuid: string, ...names: string[]) => {
    const { store } = subject();
    const events = names.map((name) => named(uuid, name));
    await store.commit(commitOf(await loaded(store, uuid), {}, { events }));
  };
  const idOf = (name: string): string => ids.get(name) ?? name;
  const position = async (name: string | null = null) =>
    subject().store.feedPosition("acme", name === null ? null : idOf(name));
  const read = async (from: string, limit = 10) => {
    const { events, position: next, gap } = await subject().store.feed("acme", from, limit);
    return { names: events.map(({ event }) => event.event), next, gap };
  };

  test("begins where it ends now, and goes on from page to page in the order of the commits", async () => {
    const { store } = subject();
    await tell("one", "before");
    const { position: end, known } = await position();
    expect(known).toBe(true);
    expect(await read(end)).toEqual({ names: [], next: end, gap: false });
    await store.createRoom(roomOf("room"));
    await tell("two", "a", "b");
    await endedRoom(store, "room", [named("room", "c")]);
    await tell("one", "d");
    const first = await read(end, 3);
    expect(first).toMatchObject({ names: ["a", "b", "c"], gap: false });
    const second = await read(first.next, 3);
    expect(second).toMatchObject({ names: ["d"], gap: false });
    expect(await read(second.next)).toEqual({ names: [], next: second.next, gap: false });
    expect(second.next).toBe((await position()).position);
  });

  test("an app sees its own alone", async () => {
    const { store } = subject();
    await tell("one", "a");
    const { position: theirs } = await store.feedPosition("other", null);
    expect(await store.feed("other", theirs, 10)).toMatchObject({ events: [], gap: false });
    expect(await store.feedPosition("other", idOf("a"))).toMatchObject({ known: false });
    expect(await store.feed("none", "", 10)).toMatchObject({ events: [] });
  });

  test("goes on behind an event by its webhook id", async () => {
    await tell("one", "a", "b", "c");
    const behind = await position("b");
    expect(behind.known).toBe(true);
    expect(await read(behind.position)).toMatchObject({ names: ["c"], gap: false });
    const last = await position("c");
    expect(last).toEqual({ ...(await position()), known: true });
    await tell("two", "d", "e");
    expect(await read((await position("d")).position)).toMatchObject({ names: ["e"], gap: false });
  });

  test("one that is not known leads to where the feed begins", async () => {
    const { advance } = subject();
    await tell("one", "a");
    const unknown = await position("unknown");
    expect(unknown.known).toBe(false);
    expect(await read(unknown.position)).toMatchObject({ names: ["a"], gap: false });
    await advance(DAY);
    await tell("two", "b");
    expect(await read((await position("unknown")).position)).toMatchObject({ names: ["b"], gap: false });
    expect(await position("a")).toMatchObject({ known: false });
  });

  test("an empty feed has a beginning, too", async () => {
    const empty = await position("unknown");
    expect(empty.known).toBe(false);
    expect(await read(empty.position)).toEqual({ names: [], next: empty.position, gap: false });
    await tell("one", "a");
    expect(await read(empty.position)).toMatchObject({ names: ["a"], gap: false });
  });

  describe("an event leaves it after 24 h, also while its call lives", () => {
    test("a reader that is behind is told of the gap, and goes on", async () => {
      const { store, advance } = subject();
      const { position: start } = await position();
      await tell("one", "a");
      await advance(DAY - 1);
      await store.sweep();
      await tell("two", "b");
      expect(await read(start)).toMatchObject({ names: ["a", "b"], gap: false });
      await advance(1);
      const behind = await read(start);
      expect(behind).toMatchObject({ names: ["b"], gap: true });
      expect(await read(behind.next)).toMatchObject({ names: [], gap: false });
      expect((await store.sessionEvents("acme", "one", 0, 10)).events).toHaveLength(1);
    });

    test("when nothing is left, too", async () => {
      const { advance } = subject();
      const { position: start } = await position();
      await tell("one", "a");
      await advance(DAY);
      const behind = await read(start);
      expect(behind).toMatchObject({ names: [], gap: true });
      await tell("one", "b");
      expect(await read(behind.next)).toMatchObject({ names: ["b"], gap: false });
    });

    test("who has read all misses nothing by waiting", async () => {
      const { advance } = subject();
      await tell("one", "a");
      const { position: end } = await position();
      await advance(2 * DAY);
      expect(await read(end)).toEqual({ names: [], next: end, gap: false });
    });
  });

  test("a place in the feed of a deleted app is none in that of one that was made anew under its id", async () => {
    const { store } = subject();
    await tell("one", "a", "b");
    const { position: old } = await position("a");
    await store.closeApp(closeOf("acme"));
    expect(await store.feed("acme", old, 10)).toMatchObject({ events: [] });
    await store.putApp(appPut("acme"));
    expect(await position("a")).toMatchObject({ known: false });
    for (const uuid of ["new", "newer"]) await store.createSession(sessionOf(uuid), [named(uuid, `of ${uuid}`)]);
    await tell("one", "late");
    const anew = await read(old);
    expect(anew).toMatchObject({ names: ["of new", "of newer"], gap: true });
    expect(await read(anew.next)).toMatchObject({ names: [], gap: false });
  });

  describe("who watches", () => {
    test("is called when it may have grown, and when the app is deleted", async () => {
      const { store } = subject();
      const grown = new EventEmitter();
      const end = store.watch("acme", () => grown.emit("grown"));
      const { position: start } = await position();
      await Promise.all([once(grown, "grown"), tell("one", "a")]);
      expect(await read(start)).toMatchObject({ names: ["a"] });
      await Promise.all([once(grown, "grown"), store.createSession(sessionOf("three"), [named("three", "b")])]);
      await Promise.all([once(grown, "grown"), store.closeApp(closeOf("acme"))]);
      end();
      end();
    });

    test("is not called any more once it has ended that; others are", async () => {
      const { store } = subject();
      const grown = new EventEmitter();
      let calls = 0;
      const count = () => {
        calls += 1;
      };
      const [first, second] = [store.watch("acme", count), store.watch("acme", count)];
      first();
      second();
      const end = store.watch("acme", () => grown.emit("grown"));
      await Promise.all([once(grown, "grown"), tell("one", "a")]);
      end();
      expect(calls).toBe(0);
    });
  });
}
