import { expect, test } from "@jest/globals";
import {
  admit,
  admitted,
  appPut,
  commandOf,
  commitOf,
  decided,
  eachTime,
  ended,
  loaded,
  type Make,
  operationOf,
  requestOf,
  sessionOf,
  withUid,
} from "../samples";

const DAY = 86_400_000;

export function uidRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    await made.store.putApp(appPut("other"));
    await made.store.createSession(sessionOf("call"), []);
    return made;
  });

  test("one that is undecided is busy, with another body it is used", async () => {
    const { store } = subject();
    await admitted(store, "call", withUid("uid"));
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("uid_busy");
    expect((await admit(store, "call", withUid("uid", { fingerprint: "another" }))).outcome).toBe("uid_used");
  });

  test.each([202, 504] as const)("one that was answered %i is answered so again", async (status) => {
    const { store } = subject();
    const first = withUid("uid", { timeout_ms: 15_000 });
    await decided(store, "call", first, status);
    const { operation_id } = first;
    const answer = { outcome: "replay", status, operation_id, timeout_ms: 15_000 };
    expect(await admit(store, "call", withUid("uid", { timeout_ms: 9 }))).toMatchObject(answer);
    expect((await loaded(store, "call")).state.operations).toEqual([]);
    expect((await admit(store, "call", withUid("uid", { fingerprint: "another" }))).outcome).toBe("uid_used");
  });

  test("one that was taken back is free, for another command as well", async () => {
    const { store } = subject();
    await decided(store, "call", withUid("uid"), "free");
    await admitted(store, "call", withUid("uid", { fingerprint: "another" }));
  });

  test("taking back an earlier operation does not free the uid of a later one", async () => {
    const { store } = subject();
    const first = withUid("uid");
    const before = await admitted(store, "call", first);
    const operation = operationOf(before, first);
    const take_back = { decided: [{ operation, status: "free" as const }] };
    await store.commit(commitOf(before, { operations: [] }, take_back));
    await admitted(store, "call", withUid("uid"));
    await store.commit(commitOf(await loaded(store, "call"), {}, take_back));
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("uid_busy");
  });

  test("one that the gateway made up is not remembered", async () => {
    const { store } = subject();
    const command_uid = "made up";
    await decided(store, "call", commandOf({ command_uid }), 202);
    await admitted(store, "call", withUid(command_uid));
    await admitted(store, "call", commandOf({ command_uid, fingerprint: "another" }));
  });

  test("each session has its own", async () => {
    const { store } = subject();
    await store.createSession(sessionOf("second"), []);
    await admitted(store, "call", withUid("uid"));
    await admitted(store, "second", withUid("uid"));
  });

  test("an ended session answers those that it has seen for 24 h, to its own app only", async () => {
    const { store, advance } = subject();
    await decided(store, "call", withUid("uid"), 202);
    await ended(store, "call");
    expect((await admit(store, "call", withUid("unseen"))).outcome).toBe("session_gone");
    expect((await store.admit(requestOf({ session_uuid: "call" }))).outcome).toBe("session_gone");
    const stranger = requestOf({ app_id: "other", session_uuid: "call", command: withUid("uid") });
    expect((await store.admit(stranger)).outcome).toBe("session_gone");
    await advance(DAY - 1);
    await store.sweep();
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("replay");
    expect((await admit(store, "call", withUid("uid", { fingerprint: "another" }))).outcome).toBe("uid_used");
    await advance(1);
    await store.sweep();
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("session_gone");
    // Nothing is left of it, not even its name.
    await store.createSession(sessionOf("call"), []);
    expect((await loaded(store, "call")).version).toBe(1);
  });

  test("what was open when the session ended is decided by nobody: not seen", async () => {
    const { store } = subject();
    await admitted(store, "call", withUid("uid"));
    await ended(store, "call");
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("session_gone");
  });

  test("a live session remembers for as long as it lives", async () => {
    const { store, advance } = subject();
    await decided(store, "call", withUid("uid"), 202);
    await advance(2 * DAY);
    await store.sweep();
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("replay");
  });
}
