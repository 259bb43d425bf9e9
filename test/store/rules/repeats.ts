import { describe, expect, test } from "@jest/globals";
import {
  admit,
  admitted,
  appPut,
  closeOf,
  commandOf,
  commitOf,
  decided,
  eachTime,
  ended,
  endedRoom,
  eventOf,
  eventsOf,
  loaded,
  loadedRoom,
  type Make,
  names,
  only,
  operationOf,
  requestOf,
  roomNamed,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
  withUid,
} from "../samples";
import { walk } from "../walk";

/** "Every call may run twice, or run without its caller learning it." */
export function repeatRules(make: Make): void {
  describe("of one call", () => {
    const subject = eachTime(async () => {
      const made = await make();
      await made.store.putApp(appPut("acme"));
      await made.store.createSession(sessionOf("call"), []);
      return made;
    });

    test("an admission: its own operation is no repeat of it, its own window does not hold it back", async () => {
      const { store } = subject();
      const command = withUid("uid", { cooldown: { group: "heavy", ms: 2000 } });
      const first = await admit(store, "call", command);
      expect(first.outcome).toBe("admitted");
      expect(await admit(store, "call", command)).toEqual(first);
      const another = { ...command, operation_id: "another" };
      expect((await admit(store, "call", another)).outcome).toBe("uid_busy");
    });

    test("an admission takes the quota once, so that its second run is not refused what the first was given", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme", { rate_limit: 1 }));
      const command = commandOf();
      const first = await admit(store, "call", command);
      expect(first).toMatchObject({ outcome: "admitted", quota: { remaining: 0 } });
      expect(await admit(store, "call", command)).toEqual(first);
      expect((await admit(store, "call", commandOf())).outcome).toBe("quota");
    });

    test("an admission is not repeated for whoever has the wrong key", async () => {
      const { store } = subject();
      const command = commandOf();
      await admitted(store, "call", command);
      const wrong = requestOf({ session_uuid: "call", command, digest: "wrong" });
      expect(await store.admit(wrong)).toEqual({ outcome: "key" });
    });

    test("an admission shows what the session has become since", async () => {
      const { store } = subject();
      const command = commandOf();
      const before = await admitted(store, "call", command);
      await store.commit(commitOf(before, { caller_id: "changed" }));
      expect(await admitted(store, "call", command)).toEqual(await loaded(store, "call"));
    });

    test("a commit is done once, and known as done", async () => {
      const { store } = subject();
      const commit = commitOf(await loaded(store, "call"), { sequence: 2 }, { events: eventsOf(1, 2) });
      expect(await store.commit(commit)).toBe("committed");
      const after = await loaded(store, "call");
      expect(await store.commit(commit)).toBe("committed");
      expect(await loaded(store, "call")).toEqual(after);
      const first = only(await turn(store));
      const second = only(await turn(store, { settled: [settlementOf(first)] }));
      expect(names(await turn(store, { settled: [settlementOf(second)] }))).toEqual([]);
    });

    test("a commit is known also after other writers came in between", async () => {
      const { store } = subject();
      const commit = commitOf(await loaded(store, "call"), { sequence: 1 }, { events: [eventOf(1)] });
      expect(await store.commit(commit)).toBe("committed");
      await admitted(store, "call", commandOf());
      await store.commit(commitOf(await loaded(store, "call"), { caller_id: "changed" }));
      expect(await store.commit(commit)).toBe("committed");
      expect((await loaded(store, "call")).state.caller_id).toBe("changed");
    });

    test("another commit on the same version is none", async () => {
      const { store } = subject();
      const before = await loaded(store, "call");
      const commit = commitOf(before);
      expect(await store.commit(commit)).toBe("committed");
      expect(await store.commit({ ...commit, nonce: "another" })).toBe("conflict");
    });

    test("the commit that ended the session is known", async () => {
      const { store } = subject();
      const commit = commitOf(await loaded(store, "call"), { state: "ended" }, { events: [eventOf(1)] });
      expect(await store.commit(commit)).toBe("committed");
      expect(await store.commit(commit)).toBe("committed");
      expect(await store.commit({ ...commit, nonce: "another" })).toBe("gone");
      const last = only(await turn(store));
      expect(names(await turn(store, { settled: [settlementOf(last)] }))).toEqual([]);
    });

    test("a decision that ran twice does not touch what came in between", async () => {
      const { store } = subject();
      const command = withUid("uid");
      const before = await admitted(store, "call", command);
      const operation = operationOf(before, command);
      const commit = commitOf(before, { operations: [] }, { decided: [{ operation, status: "free" }] });
      await store.commit(commit);
      await decided(store, "call", withUid("uid"), 202);
      expect(await store.commit(commit)).toBe("committed");
      expect((await admit(store, "call", withUid("uid"))).outcome).toBe("replay");
    });

    test("a session is created once, and known as created after it changed and after it ended", async () => {
      const { store } = subject();
      const session = sessionOf("new");
      expect(await store.createSession(session, [eventOf(1)])).toBe(true);
      await store.commit(commitOf(await loaded(store, "new"), { caller_id: "changed" }));
      expect(await store.createSession(session, [eventOf(1)])).toBe(true);
      expect((await loaded(store, "new")).state.caller_id).toBe("changed");
      await ended(store, "new");
      expect(await store.createSession(session, [eventOf(1)])).toBe(true);
      expect(await store.loadSession("new")).toBeNull();
      const event = only(await turn(store));
      expect(names(await turn(store, { settled: [settlementOf(event)] }))).toEqual([]);
    });

    test("a uuid that another app has is not created", async () => {
      const { store } = subject();
      await store.putApp(appPut("other"));
      expect(await store.createSession(sessionOf("call", { app_id: "other" }), [])).toBe(false);
    });

    test("an app that is created is shown as created again, with its one secret", async () => {
      const { store } = subject();
      const put = { ...appPut("new"), created: { digest: "new", secret: "made up" } };
      const first = await store.putApp(put);
      expect(first.outcome).toBe("created");
      expect(await store.putApp(put)).toEqual(first);
      expect((await store.putApp(appPut("new"))).outcome).toBe("replaced");
      await store.createSession(sessionOf("one", { app_id: "new" }), [eventOf(1)]);
      expect(only(await turn(store, { app_id: "new" })).secrets).toEqual(["made up"]);
    });

    test("a secret is rotated once", async () => {
      const { store } = subject();
      await store.putApp({ ...appPut("new"), created: { digest: "new", secret: "first" } });
      await store.rotateSecret("new", "second", 1000);
      expect(await store.rotateSecret("new", "second", 1000)).toBe(true);
      await store.createSession(sessionOf("one", { app_id: "new" }), [eventOf(1)]);
      expect(only(await turn(store, { app_id: "new" })).secrets).toEqual(["second", "first"]);
    });

    test("a deletion is told as it was, and does not touch an app that was made anew since", async () => {
      const { store } = subject();
      const close = closeOf("acme");
      expect(await store.closeApp(close)).toEqual({ sessions: ["call"], rooms: [] });
      expect(await store.closeApp(close)).toEqual({ sessions: ["call"], rooms: [] });
      expect(await store.closeApp(closeOf("acme"))).toBeNull();
      await store.putApp(appPut("acme"));
      expect(await store.closeApp(close)).toEqual({ sessions: ["call"], rooms: [] });
      expect(await store.app("acme")).toMatchObject({ app_id: "acme" });
    });

    test("a room is created once, and known as created after it changed, ended, or lost its name to another", async () => {
      const { store } = subject();
      const room = roomOf("room", { state: "opening", name: "support" });
      expect(await store.createRoom(room)).toEqual({ outcome: "created" });
      expect(await store.createRoom(room)).toEqual({ outcome: "created" });
      await store.commit(commitOf(await loadedRoom(store, "room"), { state: "open" }));
      expect(await store.createRoom(room)).toEqual({ outcome: "created" });
      expect((await loadedRoom(store, "room")).state.state).toBe("open");
      await endedRoom(store, "room");
      await store.createRoom(roomOf("next", { name: "support" }));
      expect(await store.createRoom(room)).toEqual({ outcome: "created" });
      expect(await store.loadRoom("room")).toBeNull();
      expect(await roomNamed(store, "acme", "support")).toBe("next");
    });

    test("the commit that closed a room, and the one that ended it, are known", async () => {
      const { store } = subject();
      await store.createRoom(roomOf("room", { name: "support" }));
      const closing = commitOf(await loadedRoom(store, "room"), { state: "closing" }, { events: [eventOf(1)] });
      expect([await store.commit(closing), await store.commit(closing)]).toEqual(["committed", "committed"]);
      await store.createRoom(roomOf("next", { name: "support" }));
      const end = commitOf(await loadedRoom(store, "room"), { state: "ended" }, { events: [eventOf(2)] });
      expect([await store.commit(end), await store.commit(end)]).toEqual(["committed", "committed"]);
      expect([await store.commit(closing), await roomNamed(store, "acme", "support")]).toEqual(["committed", "next"]);
      expect((await store.roomEvents("acme", "room", 0, 10)).events).toHaveLength(2);
    });

    test("a settlement that ran twice counts once, and what was taken without anybody learning it comes back", async () => {
      const { store, advance } = subject();
      await store.commit(commitOf(await loaded(store, "call"), { sequence: 3 }, { events: eventsOf(1, 3) }));
      const settled = [settlementOf(only(await turn(store)))];
      await turn(store, { settled });
      expect(await turn(store, { settled })).toMatchObject({ stale: 1, taken: [] });
      await advance(3000);
      expect(only(await turn(store))).toMatchObject({ event: { sequence: 2 }, attempts: 0 });
    });
  });

  test.each([1, 2])("whatever is done: each call twice answers as each call once (seed %i)", async (seed) => {
    const [once, twice] = [await make(), await make()];
    try {
      const steps = 2000;
      const expected = await walk(once, () => false, seed, steps);
      expect(await walk(twice, () => true, seed, steps)).toEqual(expected);
      const outcomes = new Set(expected.map(({ answer }) => (typeof answer === "string" ? answer : "")));
      const answers = [
        "admitted",
        "uid_busy",
        "uid_used",
        "replay",
        "cooldown",
        "refused",
        "session_gone",
        "room_gone",
      ];
      for (const seen of [...answers, "committed", "conflict", "created", "name_taken"]) {
        expect(outcomes).toContain(seen);
      }
    } finally {
      await once.store.close();
      await twice.store.close();
    }
  });
}
