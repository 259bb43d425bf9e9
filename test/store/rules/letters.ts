import { describe, expect, test } from "@jest/globals";
import type { Settlement, Taken } from "../../../src/store/store";
import {
  appPut,
  closeOf,
  commitOf,
  eachTime,
  eventOf,
  loadedRoom,
  type Make,
  names,
  only,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
} from "../samples";

const DAY = 86_400_000;

/** What could not be delivered, and its second chance. */
export function letterRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    await made.store.putApp(appPut("other"));
    return made;
  });
  /** Commits these events of a call of this name, each with an id of its own. */
  const tell = async (uuid: string, count = 1) => {
    const events = Array.from({ length: count }, (_, i) => eventOf(i + 1, "dtmf", { id: `${uuid}.${i + 1}` }));
    await subject().store.createSession(sessionOf(uuid), events);
  };
  /** Settles everything that is due with this verdict, until nothing is. */
  const settle = async (verdict: Settlement["verdict"] = "dead"): Promise<Taken[]> => {
    const all: Taken[] = [];
    let { taken } = await turn(subject().store);
    while (taken.length > 0) {
      all.push(...taken);
      ({ taken } = await turn(subject().store, { settled: taken.map((each) => settlementOf(each, verdict)) }));
    }
    return all;
  };
  const ids = async (limit = 100, before: number | null = null) => {
    const { letters, next } = await subject().store.deadLetters("acme", limit, before);
    return { ids: letters.map(({ event }) => event.id), next };
  };
  const replay = (webhook_ids: readonly string[] | null, nonce = `replay of ${webhook_ids}`) =>
    subject().store.replayDeadLetters("acme", webhook_ids, nonce);

  test("an event that is given up becomes one, with its attempts", async () => {
    const { store, advance } = subject();
    await tell("call", 2);
    const first = only(await turn(store));
    await turn(store, { settled: [settlementOf(first, { retry_in_ms: 500 })] });
    await advance(500);
    const again = only(await turn(store));
    await turn(store, { settled: [settlementOf(again, "dead")] });
    const died_at = await store.now();
    expect(await store.deadLetters("acme", 10, null)).toEqual({
      letters: [{ event: first.event, source: "call", died_at, attempts: 2 }],
      next: null,
    });
    expect(await store.countDeadLetters()).toBe(1);
    expect(await store.deadLetters("other", 10, null)).toEqual({ letters: [], next: null });
    expect(await store.deadLetters("none", 10, null)).toEqual({ letters: [], next: null });
  });

  test("of a room as well", async () => {
    const { store } = subject();
    await store.createRoom(roomOf("room"));
    await store.commit(commitOf(await loadedRoom(store, "room"), {}, { events: [eventOf(1)] }));
    await settle();
    expect((await store.deadLetters("acme", 10, null)).letters).toMatchObject([{ source: "room", attempts: 1 }]);
  });

  test("a 410 makes one of its event, and of all that follow without an attempt", async () => {
    const { store } = subject();
    await tell("call", 3);
    await settle("disable");
    const { letters } = await store.deadLetters("acme", 10, null);
    expect(letters.map(({ event, attempts }) => `${event.sequence} ${attempts}`)).toEqual(["3 0", "2 0", "1 1"]);
  });

  test("what was tried before the webhooks were turned off keeps its attempts, and gets none more", async () => {
    const { store } = subject();
    await tell("one");
    const waiting = only(await turn(store));
    await turn(store, { settled: [settlementOf(waiting, { retry_in_ms: 60_000 })] });
    await tell("two");
    const { taken } = await turn(store, { settled: [settlementOf(only(await turn(store)), "disable")] });
    expect(taken).toMatchObject([{ queue: "one", attempts: 1, mode: "disabled" }]);
    await turn(store, { settled: taken.map((each) => settlementOf(each, "dead")) });
    expect((await store.deadLetters("acme", 1, null)).letters).toMatchObject([{ source: "one", attempts: 1 }]);
  });

  test("no letter is made of what was delivered, nor of a settlement that came too late or ran twice", async () => {
    const { store, advance } = subject();
    await tell("one");
    const first = only(await turn(store));
    await advance(3000);
    const second = only(await turn(store));
    expect(await turn(store, { settled: [settlementOf(first, "dead")] })).toMatchObject({ stale: 1 });
    expect((await ids()).ids).toEqual([]);
    await turn(store, { settled: [settlementOf(second)] });
    await tell("two");
    const settled = [settlementOf(only(await turn(store)), "dead")];
    await turn(store, { settled });
    expect(await turn(store, { settled })).toMatchObject({ stale: 1 });
    expect((await ids()).ids).toEqual(["two.1"]);
  });

  test("pages: newest first; what comes and goes meanwhile moves no other", async () => {
    for (const uuid of ["a", "b", "c", "d", "e"]) {
      await tell(uuid);
      await settle();
    }
    const first = await ids(2);
    expect(first.ids).toEqual(["e.1", "d.1"]);
    await tell("f");
    await settle();
    await replay(["c.1"]);
    const second = await ids(1, first.next);
    expect(second.ids).toEqual(["b.1"]);
    expect(await ids(1, second.next)).toEqual({ ids: ["a.1"], next: null });
  });

  test("are kept for 7 days", async () => {
    const { store, advance } = subject();
    await tell("old");
    await settle();
    await advance(7 * DAY - 1);
    await tell("new");
    await settle();
    expect((await ids()).ids).toEqual(["new.1", "old.1"]);
    await advance(1);
    expect((await ids()).ids).toEqual(["new.1"]);
    expect(await replay(["old.1"])).toBeNull();
    await store.sweep();
    expect(await store.countDeadLetters()).toBe(1);
  });

  describe("a replay", () => {
    test("delivers each by itself, at once, with attempts and time anew", async () => {
      const { store, advance } = subject();
      await tell("call", 3);
      await settle();
      await advance(1000);
      expect(await replay(null)).toBe(3);
      expect((await ids()).ids).toEqual([]);
      expect(await store.appsWithEvents()).toEqual(["acme"]);
      const { taken } = await turn(store);
      expect(taken.map(({ event }) => event.id).sort()).toEqual(["call.1", "call.2", "call.3"]);
      expect(new Set(taken.map(({ queue }) => queue)).size).toBe(3);
      const since = await store.now();
      for (const each of taken) expect(each).toMatchObject({ source: "call", attempts: 0, since, mode: "normal" });
      const settled = taken.map((each) => settlementOf(each));
      expect(await turn(store, { settled })).toMatchObject({ stale: 0, taken: [] });
      expect(await store.appsWithEvents()).toEqual([]);
      expect((await ids()).ids).toEqual([]);
    });

    test("holds up nothing of its call, and is not held up by it", async () => {
      const { store } = subject();
      await tell("call", 2);
      const second = only(await turn(store, { settled: [settlementOf(only(await turn(store)), "dead")] }));
      expect(await replay(["call.1"])).toBe(1);
      const replayed = only(await turn(store));
      expect(replayed.event.id).toBe("call.1");
      expect(await turn(store, { settled: [settlementOf(second)] })).toMatchObject({ stale: 0 });
      expect(await turn(store, { settled: [settlementOf(replayed)] })).toMatchObject({ stale: 0, next_due_ms: null });
    });

    test("that fails is tried again, and comes back when it dies again, with all attempts made", async () => {
      const { store, advance } = subject();
      await tell("call");
      await settle();
      await replay(["call.1"]);
      const first = only(await turn(store));
      const since = await store.now();
      await turn(store, { settled: [settlementOf(first, { retry_in_ms: 500 })] });
      await advance(500);
      const second = only(await turn(store));
      expect(second).toMatchObject({ attempts: 1, since });
      await turn(store, { settled: [settlementOf(second, "dead")] });
      const { letters } = await store.deadLetters("acme", 10, null);
      expect(letters).toMatchObject([{ source: "call", attempts: 3, died_at: await store.now() }]);
      expect(await replay(["call.1"], "once more")).toBe(1);
      expect((await settle("delivered")).map(({ event }) => event.id)).toEqual(["call.1"]);
      expect((await ids()).ids).toEqual([]);
    });

    test("with an id that is not among them queues nothing", async () => {
      const { store } = subject();
      await tell("call", 2);
      await settle();
      expect(await replay(["call.1", "none"])).toBeNull();
      expect((await ids()).ids).toEqual(["call.2", "call.1"]);
      expect(await replay(["call.1", "call.1"])).toBe(1);
      expect(await replay(["call.1"], "another")).toBeNull();
      expect(await store.replayDeadLetters("other", null, "theirs")).toBe(0);
      expect(await store.replayDeadLetters("none", null, "nobody's")).toBe(0);
      expect(await store.replayDeadLetters("none", ["call.2"], "nobody's")).toBeNull();
    });

    test("that ran twice is one, and answered as before, also after it was delivered", async () => {
      await tell("call", 2);
      await settle();
      expect([await replay(null, "nonce"), await replay(null, "nonce")]).toEqual([2, 2]);
      expect(await settle("delivered")).toHaveLength(2);
      expect(await replay(null, "nonce")).toBe(2);
      expect(await replay(null, "another")).toBe(0);
    });

    test("while the webhooks are off goes back without an attempt, and without an address as well", async () => {
      const { store } = subject();
      await tell("call");
      await settle("disable");
      await replay(null, "while off");
      expect((await settle()).map(({ mode }) => mode)).toEqual(["disabled"]);
      expect((await store.deadLetters("acme", 10, null)).letters).toMatchObject([{ source: "call", attempts: 1 }]);
      await store.putApp(appPut("acme", { webhook_url: "" }));
      expect(await replay(null, "nowhere")).toBe(1);
      expect(names(await turn(store))).toEqual([]);
      expect((await store.deadLetters("acme", 10, null)).letters).toMatchObject([{ source: "call", attempts: 1 }]);
    });
  });

  test("a deleted app leaves none, and makes none", async () => {
    const { store } = subject();
    await tell("one");
    await settle();
    await tell("two", 2);
    await store.closeApp(closeOf("acme"));
    expect((await settle()).map(({ mode }) => mode)).toEqual(["closing", "closing"]);
    expect(await store.countDeadLetters()).toBe(0);
    await store.putApp(appPut("acme"));
    expect((await ids()).ids).toEqual([]);
    expect(await replay(["one.1"])).toBeNull();
  });
}
