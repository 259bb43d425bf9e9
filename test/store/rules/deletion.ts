import { describe, expect, test } from "@jest/globals";
import {
  admitted,
  appPut,
  closeOf,
  commandOf,
  commitOf,
  digestOf,
  eachTime,
  ended,
  endedRoom,
  eventOf,
  eventsOf,
  loaded,
  type Make,
  names,
  only,
  receiver,
  requestOf,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
} from "../samples";

export function deletionRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme", { dids: ["100"] }));
    return made;
  });

  test("the key and the numbers stop at once, and the app is not found", async () => {
    const { store } = subject();
    expect(await store.closeApp(closeOf("acme"))).toEqual({ sessions: [], rooms: [] });
    expect(await store.app("acme")).toBeNull();
    expect(await store.apps()).toEqual([]);
    expect(await store.authenticate("acme", digestOf("acme"))).toBe(false);
    expect(await store.admit(requestOf())).toEqual({ outcome: "key" });
    expect(await store.appForDid("100")).toBeNull();
    expect(await store.rotateSecret("acme", "secret", 1000)).toBe(false);
    expect(await store.createSession(sessionOf("late"), [])).toBe(false);
    expect((await store.putApp(appPut("other", { dids: ["100"] }))).outcome).toBe("created");
  });

  test("its live calls and rooms are told, and can still be ended", async () => {
    const { store } = subject();
    await store.createSession(sessionOf("one"), []);
    await store.createSession(sessionOf("two"), []);
    const close = closeOf("acme");
    await store.createRoom(roomOf("room"));
    await store.createRoom(roomOf("opening", { state: "opening" }));
    const alive = await store.closeApp(close);
    expect([...(alive?.sessions ?? [])].sort()).toEqual(["one", "two"]);
    expect([...(alive?.rooms ?? [])].sort()).toEqual(["opening", "room"]);
    expect((await loaded(store, "one")).app.app_id).toBe("acme");
    expect(await store.commit(commitOf(await loaded(store, "one"), { state: "ended" }))).toBe("committed");
    await endedRoom(store, "opening");
    expect(await store.closeApp(close)).toEqual({ sessions: ["two"], rooms: ["room"] });
  });

  test("a repeat does not free a number that another app has taken since, nor does the end of the deletion", async () => {
    const { store, advance } = subject();
    const close = closeOf("acme");
    await store.closeApp(close);
    await store.putApp(appPut("other", { dids: ["100"] }));
    await store.closeApp(close);
    expect((await store.appForDid("100"))?.app_id).toBe("other");
    await advance(30_000);
    await store.sweep();
    expect((await store.appForDid("100"))?.app_id).toBe("other");
  });

  test("an unknown app, and one that is deleted, is none", async () => {
    const { store, advance } = subject();
    expect(await store.closeApp(closeOf("nobody"))).toBeNull();
    await store.closeApp(closeOf("acme"));
    expect(await store.closeApp(closeOf("acme"))).toBeNull();
    await advance(30_000);
    await store.sweep();
    expect(await store.closeApp(closeOf("acme"))).toBeNull();
  });

  test("what has not ended in time goes all the same, and not before: calls, pending operations, events", async () => {
    const { store, advance } = subject();
    await store.createSession(sessionOf("call"), [eventOf(1)]);
    const command = commandOf();
    await admitted(store, "call", command);
    const under_way = only(await turn(store));
    await store.createSession(sessionOf("two"), [eventOf(1)]);
    await store.closeApp(closeOf("acme"));
    await advance(29_999);
    await store.sweep();
    expect((await loaded(store, "call")).state.operations).toMatchObject([{ operation_id: command.operation_id }]);
    expect(await store.overdue(10)).toHaveLength(1);
    expect(await store.appsWithEvents()).toEqual(["acme"]);
    await advance(1);
    await store.sweep();
    expect(await store.loadSession("call")).toBeNull();
    expect(await store.overdue(10)).toEqual([]);
    expect(await store.appsWithEvents()).toEqual([]);
    const nothing = { taken: [], stale: 1, dropped: 0, closing: false, next_due_ms: null };
    expect(await turn(store, { settled: [settlementOf(under_way)] })).toEqual(nothing);
    await store.putApp(appPut("acme"));
    expect(await store.sessions("acme", 10, null)).toEqual({ items: [], next: null });
    expect((await store.admit(requestOf({ session_uuid: "call" }))).outcome).toBe("session_gone");
  });

  test("each event is tried once more, at once", async () => {
    const { store } = subject();
    await store.createSession(sessionOf("one"), eventsOf(1, 3));
    const first = only(await turn(store));
    await turn(store, { settled: [settlementOf(first, { retry_in_ms: 60_000 })] });
    await store.createSession(sessionOf("two"), [eventOf(1)]);
    const under_way = await turn(store);
    expect(under_way.closing).toBe(false);
    await store.closeApp(closeOf("acme"));
    expect(await store.appsWithEvents()).toEqual(["acme"]);
    const told = await turn(store);
    expect(told.closing).toBe(true);
    const last = only(told);
    expect(last).toMatchObject({ queue: "one", event: { sequence: 1 }, attempts: 1, mode: "closing" });
    const settled = [settlementOf(only(under_way), { retry_in_ms: 60_000 }), settlementOf(last, "dead")];
    const rest = await turn(store, { settled });
    expect(rest.taken.map((each) => each.mode)).toEqual(["closing", "closing"]);
    await ended(store, "two", [eventOf(2)]);
    const last_ones = await turn(store, { settled: rest.taken.map((each) => settlementOf(each, "dead")) });
    expect(names(last_ones).sort()).toEqual(["one:3", "two:2"]);
    const none = await turn(store, { settled: last_ones.taken.map((each) => settlementOf(each)) });
    expect(none).toEqual({ taken: [], stale: 0, dropped: 0, closing: false, next_due_ms: null });
    expect(await store.appsWithEvents()).toEqual([]);
  });

  describe("of an app that is made anew meanwhile", () => {
    /** The old one has a live call and an event of it under way; the new one sends elsewhere. */
    async function again() {
      const { store, advance } = subject();
      await store.createSession(sessionOf("old"), [eventOf(1, "call.new")]);
      const under_way = only(await turn(store));
      await store.closeApp(closeOf("acme"));
      await advance(5);
      const changes = { dids: ["200"], webhook_url: "https://new.example/" };
      const made = await store.putApp({ ...appPut("acme", changes), digest: "new" });
      return { store, advance, under_way, made };
    }

    test("the new one has nothing of the old one", async () => {
      const { store, made } = await again();
      expect(made).toMatchObject({ outcome: "created", app: { created_at: await store.now(), dids: ["200"] } });
      expect(await store.sessions("acme", 10, null)).toEqual({ items: [], next: null });
      const request = requestOf({ digest: "new", session_uuid: "old" });
      expect((await store.admit(request)).outcome).toBe("session_gone");
      expect((await store.admit({ ...request, digest: digestOf("acme") })).outcome).toBe("key");
    });

    test("calls of the old one end under its settings, and their last events go to its address", async () => {
      const { store, under_way } = await again();
      expect((await loaded(store, "old")).app.webhook_url).toBe(receiver);
      await ended(store, "old", [eventOf(2, "call.hangup")]);
      await store.createSession(sessionOf("new"), [eventOf(1)]);
      const result = await turn(store, { settled: [settlementOf(under_way)] });
      expect(result).toMatchObject({ stale: 0, closing: true });
      const sent = result.taken.map(({ queue, event, webhook_url, mode }) => {
        return `${queue}:${event.sequence} ${mode} ${webhook_url}`;
      });
      expect(sent.sort()).toEqual(["new:1 normal https://new.example/", `old:2 closing ${receiver}`]);
      const settled = result.taken.map((each) => settlementOf(each));
      expect(await turn(store, { settled })).toMatchObject({ stale: 0, closing: false, next_due_ms: null });
    });

    test("both together have no more under way than the limit", async () => {
      const { store, under_way } = await again();
      await store.createSession(sessionOf("new"), [eventOf(1)]);
      expect(names(await turn(store, { limit: 1 }))).toEqual([]);
      expect(names(await turn(store, { limit: 1, settled: [settlementOf(under_way)] }))).toEqual(["new:1"]);
    });

    test("a 410 of the old one turns nothing of the new one off", async () => {
      const { store, under_way } = await again();
      await turn(store, { settled: [settlementOf(under_way, "disable")] });
      expect((await store.app("acme"))?.webhook_disabled_at).toBeNull();
    });

    test("the end of the old one does not touch the new one", async () => {
      const { store, advance } = await again();
      await store.createSession(sessionOf("new"), [eventOf(1)]);
      await advance(30_000);
      await store.sweep();
      expect(await store.loadSession("old")).toBeNull();
      expect(await store.app("acme")).toMatchObject({ webhook_url: "https://new.example/" });
      expect(await store.authenticate("acme", "new")).toBe(true);
      expect((await store.appForDid("200"))?.app_id).toBe("acme");
      const taken = only(await turn(store));
      expect(taken.queue).toBe("new");
      await ended(store, "new", [eventOf(2)]);
      expect(names(await turn(store, { settled: [settlementOf(taken)] }))).toEqual(["new:2"]);
    });
  });
}
