import { describe, expect, test } from "@jest/globals";
import type { Page, PageMark, Session } from "../../../src/store/store";
import {
  admitted,
  appPut,
  commandOf,
  commitOf,
  eachTime,
  ended,
  eventOf,
  eventsOf,
  loaded,
  type Make,
  names,
  operationOf,
  requestOf,
  sessionOf,
  settlementOf,
  turn,
} from "../samples";

export function sessionRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    await made.store.putApp(appPut("other"));
    return made;
  });

  describe("sessions", () => {
    test("one that is created is found as it is, with the settings of its app as they are now", async () => {
      const { store } = subject();
      const session = sessionOf("call", { state: "ringing", sequence: 1 });
      expect(await store.createSession(session, [eventOf(1)])).toBe(true);
      expect(await store.loadSession("call")).toMatchObject({
        state: session,
        version: 1,
        app: await store.app("acme"),
      });
      expect(names(await turn(store))).toEqual(["call:1"]);
      await store.putApp(appPut("acme", { events: ["dtmf"] }));
      expect((await loaded(store, "call")).app.events).toEqual(["dtmf"]);
    });

    test("without its app there is none", async () => {
      const { store } = subject();
      expect(await store.createSession(sessionOf("call", { app_id: "none" }), [eventOf(1)])).toBe(false);
      expect(await store.loadSession("call")).toBeNull();
      expect(await store.appsWithEvents()).toEqual([]);
    });

    test("an ended one is found no more", async () => {
      const { store } = subject();
      await store.createSession(sessionOf("call"), []);
      await ended(store, "call");
      expect(await store.loadSession("call")).toBeNull();
      expect(await store.sessions("acme", 10, null)).toEqual({ items: [], next: null });
      expect((await store.admit(requestOf({ session_uuid: "call" }))).outcome).toBe("session_gone");
    });
  });

  describe("pages", () => {
    async function pages(limit: number, between: () => Promise<void>): Promise<string[][]> {
      const { store } = subject();
      const found: string[][] = [];
      let after: PageMark | null = null;
      do {
        const { items, next }: Page<Session> = await store.sessions("acme", limit, after);
        found.push(items.map((session) => session.session_uuid));
        after = next;
        await between();
      } while (after !== null);
      return found;
    }
    const nothing = async () => undefined;

    test("newest first, equal times by uuid, of this app only, whatever the order of arrival", async () => {
      const { store } = subject();
      for (const [uuid, created_at] of [
        ["b", 2],
        ["e", 3],
        ["a", 1],
        ["d", 2],
        ["c", 2],
      ] as const) {
        await store.createSession(sessionOf(uuid, { created_at }), []);
      }
      await store.createSession(sessionOf("foreign", { app_id: "other", created_at: 2 }), []);
      expect(await pages(2, nothing)).toEqual([["e", "d"], ["c", "b"], ["a"]]);
      expect(await pages(5, nothing)).toEqual([["e", "d", "c", "b", "a"]]);
      expect(await store.sessions("none", 5, null)).toEqual({ items: [], next: null });
    });

    test("what comes and goes meanwhile moves no other", async () => {
      const { store } = subject();
      for (let i = 1; i <= 6; i++) await store.createSession(sessionOf(`call${i}`, { created_at: i }), []);
      let later = 7;
      const leaving = ["call5", "call4", "call1"];
      const found = await pages(2, async () => {
        await store.createSession(sessionOf(`call${later}`, { created_at: later++ }), []);
        const leaves = leaving.shift();
        if (leaves !== undefined) await ended(store, leaves);
      });
      expect(found).toEqual([
        ["call6", "call5"],
        ["call4", "call3"],
        ["call2", "call1"],
      ]);
    });
  });

  describe("commits", () => {
    test("the state and the events are there, and the version is another", async () => {
      const { store } = subject();
      await store.createSession(sessionOf("call", { state: "ringing" }), []);
      const before = await loaded(store, "call");
      const commit = commitOf(before, { state: "answered", sequence: 1 }, { events: [eventOf(1)] });
      expect(await store.commit(commit)).toBe("committed");
      const after = await loaded(store, "call");
      expect(after.state).toEqual({ ...before.state, state: "answered", sequence: 1 });
      expect(after.version).toBeGreaterThan(before.version);
      expect(names(await turn(store))).toEqual(["call:1"]);
    });

    test("one that another writer came before is a conflict: neither state nor events nor decisions", async () => {
      const { store } = subject();
      await store.createSession(sessionOf("call"), []);
      const command = commandOf({ command_uid: "uid", uid_given: true, cooldown: { group: "heavy", ms: 2000 } });
      const before = await admitted(store, "call", command);
      const operation = operationOf(before, command);
      const other = await admitted(store, "call", commandOf());
      const changes = { events: [eventOf(1)], decided: [{ operation, status: "free" as const }] };
      expect(await store.commit(commitOf(before, { operations: [], sequence: 1 }, changes))).toBe("conflict");
      expect(await loaded(store, "call")).toEqual(other);
      expect(await store.appsWithEvents()).toEqual([]);
      const again = requestOf({ session_uuid: "call", command: { ...command, operation_id: "again" } });
      expect((await store.admit(again)).outcome).toBe("uid_busy");
    });

    test("an unknown session, an ended one, or the app of another: gone, without events", async () => {
      const { store } = subject();
      await store.createSession(sessionOf("call"), []);
      const before = await loaded(store, "call");
      const more = { events: [eventOf(1)] };
      expect(await store.commit({ ...commitOf(before, {}, more), id: "none" })).toBe("gone");
      expect(await store.commit({ ...commitOf(before, {}, more), app_id: "other" })).toBe("gone");
      expect(await store.commit({ ...commitOf(before, {}, more), app_id: "none" })).toBe("gone");
      await ended(store, "call");
      expect(await store.commit(commitOf(before, {}, more))).toBe("gone");
      expect(await store.commit(commitOf({ ...before, version: before.version + 1 }, {}, more))).toBe("gone");
      expect(await store.appsWithEvents()).toEqual([]);
    });

    test("the last events of an ended session are still delivered, in their order", async () => {
      const { store } = subject();
      await store.createSession(sessionOf("call"), [eventOf(1)]);
      await ended(store, "call", eventsOf(2, 3));
      const seen: string[] = [];
      let settled: Parameters<typeof turn>[1] = {};
      for (let i = 0; i < 4; i++) {
        const result = await turn(store, settled);
        seen.push(...names(result));
        settled = { settled: result.taken.map((taken) => settlementOf(taken)) };
      }
      expect(seen).toEqual(["call:1", "call:2", "call:3"]);
    });
  });

  describe("deadlines", () => {
    test("what is pending is overdue from its deadline on, the longest first, until it is pending no more", async () => {
      const { store, advance } = subject();
      await store.createSession(sessionOf("call"), []);
      await store.createSession(sessionOf("foreign", { app_id: "other" }), []);
      const slow = commandOf({ timeout_ms: 3000 });
      const quick = commandOf({ timeout_ms: 1000 });
      const foreign = commandOf({ timeout_ms: 2000 });
      await admitted(store, "call", slow);
      await admitted(store, "call", quick);
      await store.admit(requestOf({ app_id: "other", session_uuid: "foreign", command: foreign }));
      await advance(999);
      expect(await store.overdue(10)).toEqual([]);
      await advance(1);
      const first = { id: "call", app_id: "acme", operation_id: quick.operation_id };
      const second = { id: "foreign", app_id: "other", operation_id: foreign.operation_id };
      const third = { id: "call", app_id: "acme", operation_id: slow.operation_id };
      expect(await store.overdue(10)).toEqual([first]);
      await advance(2000);
      expect(await store.overdue(10)).toEqual([first, second, third]);
      expect(await store.overdue(2)).toEqual([first, second]);
      const now = await loaded(store, "call");
      const operations = now.state.operations.filter(({ operation_id }) => operation_id !== quick.operation_id);
      await store.commit(commitOf(now, { operations }));
      expect(await store.overdue(10)).toEqual([second, third]);
      await ended(store, "call");
      expect(await store.overdue(10)).toEqual([second]);
    });

    test("what an end leaves pending is not overdue", async () => {
      const { store, advance } = subject();
      await store.createSession(sessionOf("call"), []);
      const pending = await admitted(store, "call", commandOf());
      await store.commit(commitOf(pending, { state: "ended" }));
      await advance(10_000);
      expect(await store.overdue(10)).toEqual([]);
    });

    test("one that was taken is still pending: its deadline stands", async () => {
      const { store, advance } = subject();
      await store.createSession(sessionOf("call"), []);
      const command = commandOf({ timeout_ms: 1000 });
      const before = await admitted(store, "call", command);
      const operation = { ...operationOf(before, command), taken: true };
      const operations = [operation];
      await store.commit(commitOf(before, { operations }, { decided: [{ operation, status: 202 }] }));
      await advance(1000);
      expect((await store.overdue(10)).map((late) => late.operation_id)).toEqual([operation.operation_id]);
    });
  });
}
