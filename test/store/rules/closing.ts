import { describe, expect, test } from "@jest/globals";
import {
  admit,
  admitRoom,
  admitted,
  admittedRoom,
  appPut,
  closeOf,
  commandOf,
  commitOf,
  decided,
  eachTime,
  ended,
  endedRoom,
  eventOf,
  loaded,
  loadedRoom,
  type Make,
  names,
  operationOf,
  requestOf,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
  withUid,
} from "../samples";

const DAY = 86_400_000;

/** Calls and rooms that are gone for everybody who asks, and not over yet; and what can be asked of those that are. */
export function closingRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    const { store } = made;
    await store.putApp(appPut("acme"));
    await store.putApp(appPut("other"));
    await store.createSession(sessionOf("call"), []);
    await store.createRoom(roomOf("room"));
    return made;
  });
  const closed = async (events = [eventOf(1, "call.hangup")]) => {
    const { store } = subject();
    const commit = commitOf(await loaded(store, "call"), { state: "ended" }, { life: "closing", events });
    expect(await store.commit(commit)).toBe("committed");
    return commit;
  };

  test("a closing call is not found and not listed, but loaded and committed", async () => {
    const { store } = subject();
    const commit = await closed();
    expect(await store.commit(commit)).toBe("committed");
    expect(await store.commit({ ...commit, nonce: "another" })).toBe("conflict");
    expect((await store.admit(requestOf({ session_uuid: "call" }))).outcome).toBe("session_gone");
    expect((await store.admit(requestOf({ app_id: "other", session_uuid: "call" }))).outcome).toBe("session_gone");
    expect(await store.sessions("acme", 10, null)).toEqual({ items: [], next: null });
    expect(await store.closeApp(closeOf("other"))).toEqual({ sessions: [], rooms: [] });
    const more = { life: "closing" as const, events: [eventOf(2)] };
    expect(await store.commit(commitOf(await loaded(store, "call"), { unfinished: [] }, more))).toBe("committed");
    const last = commitOf(await loaded(store, "call"), {}, { events: [eventOf(3, "recording.completed")] });
    expect([await store.commit(last), await store.commit(last)]).toEqual(["committed", "committed"]);
    expect(await store.loadSession("call")).toBeNull();
    const sent: string[] = [];
    for (let taken = (await turn(store)).taken; taken.length > 0; ) {
      sent.push(...taken.map(({ event }) => event.event));
      taken = (await turn(store, { settled: taken.map((each) => settlementOf(each)) })).taken;
    }
    expect(sent).toEqual(["call.hangup", "dtmf", "recording.completed"]);
  });

  test("a closing room is gone as well, and joins of it", async () => {
    const { store } = subject();
    await store.commit(commitOf(await loadedRoom(store, "room"), { state: "closing" }));
    expect((await admitRoom(store, "room", commandOf())).outcome).toBe("room_gone");
    const join = requestOf({ session_uuid: "call", room_id: "room", command: commandOf() });
    expect((await store.admit(join)).outcome).toBe("room_gone");
    expect((await loaded(store, "call")).state.operations).toEqual([]);
    expect(await store.closeApp(closeOf("acme"))).toEqual({ sessions: ["call"], rooms: [] });
    await endedRoom(store, "room", [eventOf(1)]);
    expect(names(await turn(store))).toEqual(["room:1"]);
  });

  test("what is pending in a closing room is overdue in its time, and answered as pending", async () => {
    const { store, advance } = subject();
    const command = withUid("uid", { timeout_ms: 1000 });
    await admittedRoom(store, "room", command);
    await store.commit(commitOf(await loadedRoom(store, "room"), { state: "closing" }));
    expect((await admitRoom(store, "room", withUid("uid"))).outcome).toBe("uid_busy");
    expect((await admitRoom(store, "room", command)).outcome).toBe("admitted");
    await advance(1000);
    expect(await store.overdue(10)).toMatchObject([{ id: "room", operation_id: command.operation_id }]);
    const now = await loadedRoom(store, "room");
    const operation = operationOf(now, command);
    const decision = { decided: [{ operation, status: 202 as const }], life: "closing" as const };
    await store.commit(commitOf(now, { operations: [] }, decision));
    expect(await store.overdue(10)).toEqual([]);
    expect((await admitRoom(store, "room", withUid("uid"))).outcome).toBe("replay");
  });

  test("a closing call answers the uids it has seen, and not what its end left open", async () => {
    const { store } = subject();
    await decided(store, "call", withUid("uid"), 202);
    await admitted(store, "call", withUid("open"));
    const more = { life: "closing" as const };
    await store.commit(commitOf(await loaded(store, "call"), { state: "ended", operations: [] }, more));
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("replay");
    expect((await admit(store, "call", withUid("open"))).outcome).toBe("session_gone");
    expect((await admit(store, "call", withUid("unseen"))).outcome).toBe("session_gone");
  });

  test("one that never comes to its end is forgotten after 24 h, an ended one 24 h after its end", async () => {
    const { store, advance } = subject();
    await store.createSession(sessionOf("second"), []);
    for (const uuid of ["call", "second"]) {
      await decided(store, uuid, withUid("uid"), 202);
      await store.commit(commitOf(await loaded(store, uuid), { state: "ended" }, { life: "closing" }));
    }
    await advance(DAY - 1);
    await store.sweep();
    expect((await loaded(store, "call")).state.state).toBe("ended");
    await ended(store, "second");
    await advance(1);
    await store.sweep();
    expect(await store.loadSession("call")).toBeNull();
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("session_gone");
    expect((await admit(store, "second", withUid("uid"))).outcome).toBe("replay");
    await advance(DAY - 1);
    await store.sweep();
    expect((await admit(store, "second", withUid("uid"))).outcome).toBe("session_gone");
  });

  describe("a request that ended ones will do for", () => {
    const ask = (changes: Parameters<typeof requestOf>[0]) =>
      subject().store.admit(requestOf({ ended: true, ...changes }));
    const nothing = { outcome: "admitted", session: null, room: null };

    test("gets live ones as any other", async () => {
      const { store } = subject();
      const [session, room] = [await loaded(store, "call"), await loadedRoom(store, "room")];
      expect(await ask({ session_uuid: "call" })).toMatchObject({ outcome: "admitted", session, room: null });
      expect(await ask({ room_id: "room" })).toMatchObject({ outcome: "admitted", session: null, room });
      expect((await ask({ app_id: "other", session_uuid: "call" })).outcome).toBe("session_foreign");
      expect((await ask({ app_id: "other", room_id: "room" })).outcome).toBe("room_foreign");
    });

    test.each(["closing", "ended"] as const)(
      "is admitted to own ones that are %s, as long as they are remembered",
      async (life) => {
        const { store, advance } = subject();
        await store.commit(commitOf(await loaded(store, "call"), { state: "ended" }, { life }));
        await store.commit(commitOf(await loadedRoom(store, "room"), {}, { life }));
        expect(await ask({ session_uuid: "call" })).toMatchObject(nothing);
        expect(await ask({ room_id: "room" })).toMatchObject(nothing);
        expect((await ask({ app_id: "other", session_uuid: "call" })).outcome).toBe("session_gone");
        expect((await ask({ app_id: "other", room_id: "room" })).outcome).toBe("room_gone");
        expect((await store.admit(requestOf({ session_uuid: "call" }))).outcome).toBe("session_gone");
        await advance(DAY);
        await store.sweep();
        expect((await ask({ session_uuid: "call" })).outcome).toBe("session_gone");
        expect((await ask({ room_id: "room" })).outcome).toBe("room_gone");
      },
    );

    test("is not admitted to what there never was", async () => {
      expect((await ask({ session_uuid: "none" })).outcome).toBe("session_gone");
      expect((await ask({ room_id: "none" })).outcome).toBe("room_gone");
    });
  });
}
