import { describe, expect, test } from "@jest/globals";
import {
  appPut,
  commitOf,
  eachTime,
  eventOf,
  eventsOf,
  loaded,
  type Make,
  names,
  only,
  receiver,
  sessionOf,
  settlementOf,
  turn,
} from "../samples";

export function outboxRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    return made;
  });
  const call = (uuid: string, events = eventsOf(1, 3)) => subject().store.createSession(sessionOf(uuid), events);

  describe("order", () => {
    test("one event of a session at a time, the next once it is settled; sessions do not wait for each other", async () => {
      const { store } = subject();
      await call("one");
      await call("two");
      const first = await turn(store);
      expect(names(first)).toEqual(["one:1", "two:1"]);
      expect(names(await turn(store))).toEqual([]);
      const [one] = first.taken;
      if (one === undefined) throw new Error("nothing was taken");
      expect(names(await turn(store, { settled: [settlementOf(one)] }))).toEqual(["one:2"]);
    });

    test("the event is handed out as it was committed, with what an attempt needs", async () => {
      const { store } = subject();
      await call("one", [eventOf(1, "call.new")]);
      const taken = only(await turn(store));
      expect(taken.event).toEqual(eventOf(1, "call.new"));
      expect(taken).toMatchObject({ app_id: "acme", queue: "one", source: "one", attempts: 0, mode: "normal" });
      expect(taken.since).toBe(taken.event.created_at);
      expect(taken.webhook_url).toBe("https://receiver.example/hook");
      expect(taken.secrets).toHaveLength(1);
    });

    test("no app is asked about another, and those with something to do are named", async () => {
      const { store } = subject();
      await store.putApp(appPut("other"));
      expect(await store.appsWithEvents()).toEqual([]);
      await call("one", [eventOf(1)]);
      expect(await store.appsWithEvents()).toEqual(["acme"]);
      expect(names(await turn(store, { app_id: "other" }))).toEqual([]);
      expect(await turn(store, { app_id: "none" })).toEqual({
        taken: [],
        stale: 0,
        dropped: 0,
        closing: false,
        next_due_ms: null,
      });
      const taken = only(await turn(store));
      expect(await store.appsWithEvents()).toEqual(["acme"]);
      await turn(store, { settled: [settlementOf(taken)] });
      expect(await store.appsWithEvents()).toEqual([]);
    });

    test("not more than wanted, and not more under way than the limit, over all turns", async () => {
      const { store } = subject();
      for (let i = 1; i <= 5; i++) await call(`call${i}`, [eventOf(1)]);
      expect(names(await turn(store, { want: 0 }))).toEqual([]);
      expect(names(await turn(store, { want: 2, limit: 3 }))).toEqual(["call1:1", "call2:1"]);
      const third = await turn(store, { want: 2, limit: 3 });
      expect(names(third)).toEqual(["call3:1"]);
      expect(names(await turn(store, { limit: 3 }))).toEqual([]);
      const settled = third.taken.map((taken) => settlementOf(taken));
      expect(names(await turn(store, { limit: 3, settled }))).toEqual(["call4:1"]);
    });
  });

  describe("what does not count", () => {
    test("a settlement with the token of an earlier hand-out", async () => {
      const { store, advance } = subject();
      await call("one");
      const first = only(await turn(store));
      await advance(3000);
      const second = only(await turn(store));
      expect(second.event).toEqual(first.event);
      expect(second.token).not.toBe(first.token);
      const late = await turn(store, { settled: [settlementOf(first)] });
      expect(late).toMatchObject({ stale: 1, taken: [] });
      expect(names(await turn(store, { settled: [settlementOf(second)] }))).toEqual(["one:2"]);
    });

    test.each([-1, 1])("a settlement with the right token and a sequence off by %i", async (off) => {
      const { store } = subject();
      await call("one");
      const first = only(await turn(store));
      const settled = only(await turn(store, { settled: [settlementOf(first)] }));
      const wrong = { ...settlementOf(settled), sequence: settled.event.sequence + off };
      expect(await turn(store, { settled: [wrong] })).toMatchObject({ stale: 1, taken: [] });
      expect(names(await turn(store, { settled: [settlementOf(settled)] }))).toEqual(["one:3"]);
    });

    test("a second settlement of what is settled, retried or unknown", async () => {
      const { store } = subject();
      await call("one");
      const first = only(await turn(store));
      const delivered = settlementOf(first);
      const unknown = { ...delivered, queue: "none" };
      expect(await turn(store, { settled: [delivered, delivered, unknown], want: 0 })).toMatchObject({ stale: 2 });
      const second = settlementOf(only(await turn(store)), { retry_in_ms: 1000 });
      expect(await turn(store, { settled: [second, { ...second, verdict: "delivered" }] })).toMatchObject({ stale: 1 });
      expect(await turn(store, { app_id: "none", settled: [second] })).toMatchObject({ stale: 1 });
    });
  });

  describe("leases", () => {
    test("what was not settled in time is handed out again, and an end of lease is no attempt", async () => {
      const { store, advance } = subject();
      await call("one");
      await turn(store, { lease_ms: 500 });
      await advance(499);
      expect(names(await turn(store))).toEqual([]);
      await advance(1);
      const again = only(await turn(store));
      expect(again.event.sequence).toBe(1);
      expect(again.attempts).toBe(0);
    });

    test("it is due from the end of its lease, ahead of what came later", async () => {
      const { store, advance } = subject();
      await call("one", [eventOf(1)]);
      await turn(store, { lease_ms: 100 });
      await advance(150);
      await call("two", [eventOf(1)]);
      expect(names(await turn(store, { want: 1 }))).toEqual(["one:1"]);
    });

    test("it makes room for others once its lease has ended", async () => {
      const { store, advance } = subject();
      await call("one", [eventOf(1)]);
      await call("two", [eventOf(1)]);
      await turn(store, { limit: 1, lease_ms: 100 });
      expect(names(await turn(store, { limit: 1 }))).toEqual([]);
      await advance(100);
      const both = await turn(store, { limit: 2 });
      expect(names(both).sort()).toEqual(["one:1", "two:1"]);
    });
  });

  describe("verdicts", () => {
    test("a retry comes after its delay, before what follows, with its attempts counted", async () => {
      const { store, advance } = subject();
      await call("one");
      const first = only(await turn(store));
      const waiting = await turn(store, { settled: [settlementOf(first, { retry_in_ms: 700 })] });
      expect(waiting).toEqual({ taken: [], stale: 0, dropped: 0, closing: false, next_due_ms: 700 });
      await store.commit(commitOf(await loaded(store, "one"), {}, { events: [eventOf(4)] }));
      await advance(699);
      expect(await turn(store)).toMatchObject({ taken: [], next_due_ms: 1 });
      await advance(1);
      const second = only(await turn(store));
      expect(second).toMatchObject({ event: { sequence: 1 }, attempts: 1 });
      await turn(store, { settled: [settlementOf(second, { retry_in_ms: 100 })] });
      await advance(100);
      const third = only(await turn(store));
      expect(third).toMatchObject({ event: { sequence: 1 }, attempts: 2 });
      expect(only(await turn(store, { settled: [settlementOf(third)] }))).toMatchObject({
        event: { sequence: 2 },
        attempts: 0,
      });
    });

    test("a dead one moves on like a delivered one", async () => {
      const { store } = subject();
      await call("one");
      const first = only(await turn(store));
      const second = only(await turn(store, { settled: [settlementOf(first, "dead")] }));
      expect(second).toMatchObject({ event: { sequence: 2 }, attempts: 0, mode: "normal" });
    });

    test("disable turns the webhooks of the app off until it is put again", async () => {
      const { store, advance } = subject();
      await call("one");
      await call("two");
      const { taken } = await turn(store);
      const [one, two] = taken;
      if (one === undefined || two === undefined) throw new Error("two were not taken");
      await turn(store, { settled: [settlementOf(two, { retry_in_ms: 60_000 })] });
      await advance(5);
      const off = await turn(store, { settled: [settlementOf(one, "disable")] });
      expect((await store.app("acme"))?.webhook_disabled_at).toBe(await store.now());
      // What waited for its next attempt will have none, and does not wait for it.
      expect(names(off).sort()).toEqual(["one:2", "two:1"]);
      expect(off.taken.map((each) => each.mode)).toEqual(["disabled", "disabled"]);
      await advance(5);
      const settled = off.taken.map((each) => settlementOf(each, "disable"));
      const rest = await turn(store, { settled });
      expect(rest.taken.map((each) => each.mode)).toEqual(["disabled", "disabled"]);
      expect((await store.app("acme"))?.webhook_disabled_at).toBe((await store.now()) - 5);
      expect(await store.putApp(appPut("acme"))).toMatchObject({ app: { webhook_disabled_at: null } });
      const on = await turn(store, { settled: rest.taken.map((each) => settlementOf(each, "dead")) });
      expect(on.taken.map((each) => each.mode)).toEqual(["normal"]);
    });
  });

  test.each(["https://elsewhere.example/", receiver])("a 410 turns nothing off that was put since: %s", async (url) => {
    const { store, advance } = subject();
    await call("one");
    const before = only(await turn(store));
    await store.putApp(appPut("acme", { webhook_url: url }));
    const again = only(await turn(store, { settled: [settlementOf(before, "disable")] }));
    expect((await store.app("acme"))?.webhook_disabled_at).toBeNull();
    expect(again).toMatchObject({ event: { sequence: 1 }, attempts: 1, webhook_url: url, mode: "normal" });
    await advance(5);
    await turn(store, { settled: [settlementOf(again, "disable")] });
    expect((await store.app("acme"))?.webhook_disabled_at).toBe(await store.now());
  });

  describe("settings", () => {
    test("the address and the secrets are those of the moment of the attempt", async () => {
      const { store, advance } = subject();
      await store.putApp({ ...appPut("new"), created: { digest: "new", secret: "first" } });
      await store.createSession(sessionOf("one", { app_id: "new" }), [eventOf(1)]);
      const attempt = async () => {
        const taken = only(await turn(store, { app_id: "new" }));
        await turn(store, { app_id: "new", settled: [settlementOf(taken, { retry_in_ms: 0 })], want: 0 });
        return taken;
      };
      expect((await attempt()).secrets).toEqual(["first"]);
      await store.rotateSecret("new", "second", 1000);
      await store.putApp(appPut("new", { webhook_url: "https://elsewhere.example/" }));
      expect(await attempt()).toMatchObject({
        secrets: ["second", "first"],
        webhook_url: "https://elsewhere.example/",
      });
      await advance(999);
      await store.rotateSecret("new", "third", 1000);
      expect((await attempt()).secrets).toEqual(["third", "second", "first"]);
      await advance(1);
      await store.sweep();
      expect((await attempt()).secrets).toEqual(["third", "second"]);
      await advance(999);
      expect((await attempt()).secrets).toEqual(["third"]);
    });

    test("without an address nothing is queued, and what was queued is not sent", async () => {
      const { store } = subject();
      await call("one");
      await call("two");
      const taken = only(await turn(store, { want: 1 }));
      await store.putApp(appPut("acme", { webhook_url: "" }));
      expect(await turn(store)).toEqual({ taken: [], stale: 0, dropped: 0, closing: false, next_due_ms: null });
      await store.commit(commitOf(await loaded(store, "one"), {}, { events: [eventOf(4)] }));
      await call("three");
      expect(await turn(store, { settled: [settlementOf(taken)] })).toMatchObject({ taken: [], stale: 0 });
      expect(await store.appsWithEvents()).toEqual([]);
      await store.putApp(appPut("acme"));
      await store.commit(commitOf(await loaded(store, "one"), {}, { events: [eventOf(5)] }));
      const next = only(await turn(store));
      expect(next.event.sequence).toBe(5);
      expect(await turn(store, { settled: [settlementOf(next)] })).toMatchObject({ stale: 0, next_due_ms: null });
    });

    test("what happens while there is no address is not sent once there is one", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme", { webhook_url: "" }));
      await call("one", [eventOf(1)]);
      await store.commit(commitOf(await loaded(store, "one"), { sequence: 2 }, { events: [eventOf(2)] }));
      expect(await store.appsWithEvents()).toEqual([]);
      await store.putApp(appPut("acme"));
      expect(names(await turn(store))).toEqual([]);
    });
  });

  test("the time of the next turn: at once, when something is due, or when there is room again", async () => {
    const { store, advance } = subject();
    await call("one", [eventOf(1)]);
    await call("two", [eventOf(1)]);
    expect(await turn(store, { want: 1, lease_ms: 400 })).toMatchObject({ next_due_ms: 0 });
    expect(await turn(store, { limit: 1 })).toMatchObject({ taken: [], next_due_ms: 400 });
    await advance(100);
    const two = only(await turn(store));
    expect(await turn(store)).toMatchObject({ next_due_ms: null });
    const retried = await turn(store, { settled: [settlementOf(two, { retry_in_ms: 900 })], limit: 1 });
    expect(retried).toMatchObject({ taken: [], next_due_ms: 900 });
  });
}
