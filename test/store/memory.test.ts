import { describe, expect, test } from "@jest/globals";
import { MemoryStore, type MemoryStoreOptions } from "../../src/store/memory";
import type { Settlement } from "../../src/store/store";
import {
  admit,
  admitted,
  appPut,
  commitOf,
  decided,
  ended,
  eventOf,
  eventsOf,
  loaded,
  names,
  only,
  requestOf,
  sessionOf,
  settlementOf,
  type Tried,
  turn,
  withUid,
} from "./samples";
import { storeSuite } from "./suite";

function memory(bounds: MemoryStoreOptions["bounds"] = {}): Tried {
  let now = Date.UTC(2024, 0, 1);
  const store = new MemoryStore({ now: () => now, bounds });
  return {
    store,
    advance: (ms) => {
      now += ms;
    },
  };
}

storeSuite("memory", () => memory());

describe("bounds of the memory store", () => {
  async function filled(bounds: MemoryStoreOptions["bounds"], ...calls: string[]): Promise<Tried> {
    const subject = memory(bounds);
    await subject.store.putApp(appPut("acme"));
    for (const uuid of calls) await subject.store.createSession(sessionOf(uuid), []);
    return subject;
  }
  const outcome = async (subject: Tried, call: string, uid: string) =>
    (await admit(subject.store, call, withUid(uid, { fingerprint: "another" }))).outcome;

  test("a session forgets its oldest uid", async () => {
    const subject = await filled({ uids_per_subject: 2 }, "call", "quiet");
    await decided(subject.store, "quiet", withUid("kept"), 202);
    for (const uid of ["one", "two", "three"]) await decided(subject.store, "call", withUid(uid), 202);
    expect(await outcome(subject, "call", "two")).toBe("uid_used");
    expect(await outcome(subject, "call", "three")).toBe("uid_used");
    expect(await outcome(subject, "quiet", "kept")).toBe("uid_used");
    expect(await outcome(subject, "call", "one")).toBe("admitted");
  });

  test("an app forgets its oldest uid, and no other app's", async () => {
    const subject = await filled({ uids_per_app: 2 }, "one", "two");
    const { store } = subject;
    await store.putApp(appPut("other"));
    await store.createSession(sessionOf("foreign", { app_id: "other" }), []);
    const foreign = requestOf({ app_id: "other", session_uuid: "foreign", command: withUid("kept") });
    await store.admit(foreign);
    await decided(store, "one", withUid("first"), 202);
    await ended(store, "one");
    await decided(store, "two", withUid("second"), 202);
    await decided(store, "two", withUid("taken back"), "free");
    expect(await outcome(subject, "one", "first")).toBe("session_gone");
    await decided(store, "two", withUid("third"), 202);
    expect(await outcome(subject, "two", "second")).toBe("uid_used");
    expect((await store.admit({ ...foreign, command: withUid("kept") })).outcome).toBe("uid_busy");
  });

  test("what is forgotten with its session takes no other uid's place", async () => {
    const subject = await filled({ uids_per_app: 2 }, "lasting", "short");
    const { store, advance } = subject;
    await decided(store, "lasting", withUid("kept"), 202);
    await decided(store, "short", withUid("uid"), 202);
    await ended(store, "short");
    await advance(86_400_000);
    await store.sweep();
    await decided(store, "lasting", withUid("new"), 202);
    expect(await outcome(subject, "lasting", "kept")).toBe("uid_used");
  });

  test("an app forgets its session that ended first", async () => {
    const subject = await filled({ ended_per_app: 1 }, "one", "two");
    for (const uuid of ["one", "two"]) {
      await decided(subject.store, uuid, withUid("uid"), 202);
      await ended(subject.store, uuid);
    }
    expect(await outcome(subject, "one", "uid")).toBe("session_gone");
    expect(await outcome(subject, "two", "uid")).toBe("uid_used");
  });

  test("a session gives up its oldest event that is not under way, and says so", async () => {
    const { store } = await filled({ queued_per_source: 3 }, "call");
    await store.commit(commitOf(await loaded(store, "call"), {}, { events: eventsOf(1, 2) }));
    const first = only(await turn(store));
    await store.commit(commitOf(await loaded(store, "call"), {}, { events: eventsOf(3, 5) }));
    const next = await turn(store, { settled: [settlementOf(first)] });
    expect(next).toMatchObject({ stale: 0, dropped: 2 });
    expect(names(next)).toEqual(["call:4"]);
    expect(await turn(store)).toMatchObject({ dropped: 0 });
  });

  test("an app gives up its oldest event that is not under way", async () => {
    const { store } = await filled({ queued_per_app: 3 }, "one", "two", "three");
    const add = async (uuid: string, from: number, to: number) =>
      store.commit(commitOf(await loaded(store, uuid), {}, { events: eventsOf(from, to) }));
    await add("one", 1, 1);
    expect(names(await turn(store))).toEqual(["one:1"]);
    await add("two", 1, 1);
    await add("three", 1, 2);
    const next = await turn(store);
    expect(names(next)).toEqual(["three:1"]);
    expect(next.dropped).toBe(1);
  });

  /** Commits one event of each name, numbered from `from`. */
  async function add(subject: Tried, uuid: string, from: number, ...events: string[]): Promise<void> {
    const numbered = events.map((event, i) => eventOf(from + i, event));
    await subject.store.commit(commitOf(await loaded(subject.store, uuid), {}, { events: numbered }));
  }
  /** Takes and delivers all that a subject has. */
  async function delivered({ store }: Tried): Promise<string[]> {
    const all: string[] = [];
    let settled: Settlement[] = [];
    for (;;) {
      const { taken } = await turn(store, { settled });
      if (taken.length === 0) return all;
      all.push(...taken.map(({ queue, event }) => `${queue}:${event.sequence} ${event.event}`));
      settled = taken.map((each) => settlementOf(each));
    }
  }

  test.each(["queued_per_source", "queued_per_app"])("%s: digits are given up first, ends never", async (bound) => {
    const subject = await filled({ [bound]: 3 }, "call");
    await add(subject, "call", 1, "playback.stopped", "dtmf", "command.result", "dtmf", "playback.started", "dtmf");
    await add(subject, "call", 7, "command.result", "call.hangup", "dtmf", "command.result");
    expect(await turn(subject.store, { want: 0 })).toMatchObject({ dropped: 6 });
    const kept = ["call:3 command.result", "call:7 command.result", "call:8 call.hangup", "call:10 command.result"];
    expect(await delivered(subject)).toEqual(kept);
  });

  test("ends of calls and commands are given up only when an app would exhaust the process", async () => {
    const subject = await filled({ queued_per_app: 2, needed_per_app: 3 }, "one", "two");
    await add(subject, "one", 1, "command.result", "call.hangup");
    await add(subject, "two", 1, "command.result", "dtmf", "call.hangup");
    expect(await turn(subject.store, { want: 0 })).toMatchObject({ dropped: 2 });
    expect((await delivered(subject)).sort()).toEqual([
      "one:2 call.hangup",
      "two:1 command.result",
      "two:3 call.hangup",
    ]);
  });

  test("an event that is given up takes the attempts made at it along, and the next one its place", async () => {
    const { store, advance } = await filled({ queued_per_source: 1 }, "call");
    await store.commit(commitOf(await loaded(store, "call"), {}, { events: eventsOf(1, 1) }));
    await turn(store, { settled: [settlementOf(only(await turn(store)), { retry_in_ms: 500 })] });
    await store.commit(commitOf(await loaded(store, "call"), {}, { events: eventsOf(2, 2) }));
    await advance(500);
    expect(only(await turn(store))).toMatchObject({ event: { sequence: 2 }, attempts: 0 });
  });

  test("what was handed out is not changed by what comes later", async () => {
    const { store } = await filled({}, "call");
    const before = await loaded(store, "call");
    const kept = JSON.stringify(before);
    await admitted(store, "call", withUid("uid"));
    await ended(store, "call");
    await store.putApp(appPut("acme", { webhook_url: "" }));
    expect(JSON.stringify(before)).toBe(kept);
  });

  test("its own clock tells epoch milliseconds and does not run backwards", async () => {
    const store = new MemoryStore();
    const first = await store.now();
    expect(Number.isInteger(first)).toBe(true);
    expect(first).toBeGreaterThan(Date.UTC(2020, 0, 1));
    expect(await store.now()).toBeGreaterThanOrEqual(first);
  });
});
