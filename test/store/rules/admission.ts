import { describe, expect, test } from "@jest/globals";
import {
  admit,
  admitted,
  appPut,
  commandOf,
  commitOf,
  decided,
  eachTime,
  loaded,
  type Make,
  operationOf,
  requestOf,
  sessionOf,
  withUid,
} from "../samples";

export function admissionRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme", { rate_limit: 50 }));
    await made.store.putApp(appPut("other"));
    await made.store.createSession(sessionOf("call"), []);
    return made;
  });

  describe("quota", () => {
    test("is counted per app and address, in windows of one second that the first request opens", async () => {
      const { store, advance } = subject();
      await store.putApp(appPut("acme", { rate_limit: 2 }));
      const ask = () => store.admit(requestOf());
      expect(await ask()).toMatchObject({
        outcome: "admitted",
        quota: { limit: 2, remaining: 1, reset_ms: 1000, exceeded: false },
      });
      await advance(600);
      expect(await ask()).toMatchObject({ outcome: "admitted", quota: { remaining: 0, reset_ms: 400 } });
      expect(await ask()).toEqual({
        outcome: "quota",
        quota: { limit: 2, remaining: 0, reset_ms: 400, exceeded: true },
      });
      expect((await store.admit(requestOf({ address: "192.0.2.2" }))).outcome).toBe("admitted");
      expect((await store.admit(requestOf({ app_id: "other" }))).outcome).toBe("admitted");
      await advance(399);
      expect((await ask()).outcome).toBe("quota");
      await advance(1);
      expect(await ask()).toMatchObject({ outcome: "admitted", quota: { remaining: 1, reset_ms: 1000 } });
    });

    test("0 is the gateway's default", async () => {
      const { store } = subject();
      const ask = () => store.admit(requestOf({ app_id: "other", default_rate_limit: 1 }));
      expect(await ask()).toMatchObject({ outcome: "admitted", quota: { limit: 1, remaining: 0 } });
      expect((await ask()).outcome).toBe("quota");
    });

    test("a changed limit holds in the running window", async () => {
      const { store } = subject();
      await store.admit(requestOf());
      await store.putApp(appPut("acme", { rate_limit: 1 }));
      expect((await store.admit(requestOf())).outcome).toBe("quota");
    });

    test("every request that passed the key counts, refused and replayed ones too", async () => {
      const { store } = subject();
      await decided(store, "call", withUid("uid"), 202);
      const refused = commandOf({ guards: [{ field: "state", one_of: ["ringing"], error: "session_not_answered" }] });
      const outcomes: string[] = [];
      const remaining: number[] = [];
      for (const changes of [
        { held: true },
        { session_uuid: "none" },
        { session_uuid: "call", command: withUid("uid") },
        { session_uuid: "call", command: refused },
      ]) {
        const answer = await store.admit(requestOf(changes));
        outcomes.push(answer.outcome);
        if (answer.outcome !== "key") remaining.push(answer.quota.remaining);
      }
      expect(outcomes).toEqual(["held", "session_gone", "replay", "refused"]);
      expect(remaining).toEqual([48, 47, 46, 45]);
      for (let i = 0; i < 3; i++) await store.admit(requestOf({ digest: "wrong" }));
      expect(await store.admit(requestOf())).toMatchObject({ quota: { remaining: 44 } });
    });

    test("admin requests are counted by address", async () => {
      const { store, advance } = subject();
      expect(await store.countAdmin("192.0.2.1", 1)).toEqual({
        limit: 1,
        remaining: 0,
        reset_ms: 1000,
        exceeded: false,
      });
      expect(await store.countAdmin("192.0.2.1", 1)).toMatchObject({ remaining: 0, exceeded: true });
      expect(await store.countAdmin("192.0.2.2", 1)).toMatchObject({ exceeded: false });
      expect(await store.admit(requestOf())).toMatchObject({ quota: { remaining: 49 } });
      await advance(1000);
      expect(await store.countAdmin("192.0.2.1", 1)).toMatchObject({ exceeded: false });
    });
  });

  test("an unknown app and a wrong key are the same", async () => {
    const { store } = subject();
    expect(await store.admit(requestOf({ app_id: "none" }))).toEqual({ outcome: "key" });
    expect(await store.admit(requestOf({ digest: "digest of other" }))).toEqual({ outcome: "key" });
  });

  test("without a command the session is answered, and nothing is changed", async () => {
    const { store } = subject();
    const before = await loaded(store, "call");
    const answer = await store.admit(requestOf({ session_uuid: "call" }));
    expect(answer).toMatchObject({ outcome: "admitted", app: { app_id: "acme" }, session: before, room: null });
    expect(await store.admit(requestOf())).toMatchObject({ outcome: "admitted", session: null, room: null });
    expect(await loaded(store, "call")).toEqual(before);
  });

  test("with one it has a pending operation more, by the store's clock", async () => {
    const { store, advance } = subject();
    await advance(7);
    const before = await loaded(store, "call");
    const command = commandOf({ timeout_ms: 15_000, cooldown: { group: "heavy", ms: 2000 } });
    const after = await admitted(store, "call", command);
    const { operation_id, command_uid } = command;
    const deadline = (await store.now()) + 15_000;
    const operation = { operation_id, command: "playback/start", command_uid, uid_given: false, deadline };
    const pending = { ...operation, timeout_ms: 15_000, group: "heavy", taken: false };
    expect(after.state).toEqual({ ...before.state, operations: [pending] });
    expect(after.version).toBe(before.version + 1);
    expect(await loaded(store, "call")).toEqual(after);
    expect(before.state.operations).toEqual([]);
  });

  describe("cooldowns", () => {
    const heavy = () => commandOf({ cooldown: { group: "heavy", ms: 2000 } });

    test("commands of one group share a window, per session", async () => {
      const { store, advance } = subject();
      await store.createSession(sessionOf("second"), []);
      await admitted(store, "call", heavy());
      await advance(500);
      expect(await admit(store, "call", heavy())).toMatchObject({ outcome: "cooldown", retry_after_ms: 1500 });
      await admitted(store, "call", commandOf({ cooldown: { group: "seek", ms: 100 } }));
      await admitted(store, "second", heavy());
      await advance(1499);
      expect(await admit(store, "call", heavy())).toMatchObject({ outcome: "cooldown", retry_after_ms: 1 });
      await advance(1);
      await admitted(store, "call", heavy());
    });

    test("a refused request opens none", async () => {
      const { store } = subject();
      const cooldown = { group: "heavy", ms: 2000 };
      const refused = commandOf({
        cooldown,
        guards: [{ field: "state", one_of: ["ringing"], error: "session_not_answered" }],
      });
      expect((await admit(store, "call", refused)).outcome).toBe("refused");
      await admitted(store, "call", heavy());
    });

    test("an operation that is taken back reopens its window, but not that of a later one", async () => {
      const { store, advance } = subject();
      await decided(store, "call", heavy(), "free");
      const slow = heavy();
      const before = await admitted(store, "call", slow);
      await advance(2000);
      await admitted(store, "call", heavy());
      const now = await loaded(store, "call");
      const operation = operationOf(before, slow);
      await store.commit(commitOf(now, {}, { decided: [{ operation, status: "free" }] }));
      expect((await admit(store, "call", heavy())).outcome).toBe("cooldown");
    });

    test.each([202, 504] as const)("one that was answered %i keeps it", async (status) => {
      const { store } = subject();
      await decided(store, "call", heavy(), status);
      expect((await admit(store, "call", heavy())).outcome).toBe("cooldown");
    });
  });
}
