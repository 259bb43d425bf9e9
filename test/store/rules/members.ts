import { describe, expect, test } from "@jest/globals";
import type { Session } from "../../../src/store/store";
import {
  admitRoom,
  admittedRoom,
  appPut,
  closeOf,
  commandOf,
  commitOf,
  eachTime,
  ended,
  endedRoom,
  loaded,
  loadedRoom,
  type Make,
  memberOf,
  requestOf,
  roomOf,
  sessionOf,
} from "../samples";

/** Who is in a room is known from the calls alone. */
export function memberRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    await made.store.putApp(appPut("other"));
    await made.store.createRoom(roomOf("room"));
    for (const uuid of ["one", "two", "three"]) await made.store.createSession(sessionOf(uuid), []);
    return made;
  });
  const change = async (uuid: string, changes: Partial<Session>) => {
    const { store } = subject();
    await store.commit(commitOf(await loaded(store, uuid), changes));
  };
  const members = async (room_id = "room") =>
    (await subject().store.members("acme", room_id)).map(({ session_uuid }) => session_uuid);

  test("in the order of their joining, as each commit says", async () => {
    const { store } = subject();
    expect(await members()).toEqual([]);
    await change("two", memberOf("room", 20));
    await change("one", { ...memberOf("room", 30, true), caller_id: "+1" });
    await change("three", memberOf("room", 10));
    expect(await store.members("acme", "room")).toEqual([
      { session_uuid: "three", caller_id: "+15550100", muted: false, joined_at: 10 },
      { session_uuid: "two", caller_id: "+15550100", muted: false, joined_at: 20 },
      { session_uuid: "one", caller_id: "+1", muted: true, joined_at: 30 },
    ]);
    await change("one", memberOf("room", 30));
    expect((await store.members("acme", "room"))[2]).toMatchObject({ session_uuid: "one", muted: false });
    await change("two", { room: null });
    expect(await members()).toEqual(["three", "one"]);
    await change("two", memberOf("room", 40));
    expect(await members()).toEqual(["three", "one", "two"]);
  });

  test("a call is in one room at a time", async () => {
    const { store } = subject();
    await store.createRoom(roomOf("second"));
    await change("one", memberOf("room"));
    await change("one", memberOf("second"));
    expect([await members("room"), await members("second")]).toEqual([[], ["one"]]);
  });

  test.each(["closing", "ended"] as const)("a call that is %s is in none, whatever it says", async (life) => {
    const { store } = subject();
    await change("one", memberOf("room"));
    await store.commit(commitOf(await loaded(store, "one"), {}, { life }));
    expect(await members()).toEqual([]);
  });

  test("a closing room has its members until they have left, an ended one has none", async () => {
    const { store } = subject();
    await change("one", memberOf("room", 1));
    await change("two", memberOf("room", 2));
    await store.commit(commitOf(await loadedRoom(store, "room"), { state: "closing" }));
    expect(await members()).toEqual(["one", "two"]);
    await change("one", { room: null });
    expect(await members()).toEqual(["two"]);
    await endedRoom(store, "room");
    expect(await members()).toEqual([]);
  });

  test("nobody is told of another app's, and those of a deleted app are still known", async () => {
    const { store } = subject();
    await change("one", memberOf("room"));
    expect(await store.members("other", "room")).toEqual([]);
    expect(await store.members("acme", "none")).toEqual([]);
    await store.closeApp(closeOf("acme"));
    expect(await members()).toEqual(["one"]);
  });

  test("an ended call that was committed twice leaves once", async () => {
    const { store } = subject();
    await change("one", memberOf("room", 1));
    await change("two", memberOf("room", 2));
    const end = commitOf(await loaded(store, "one"), { state: "ended" });
    expect([await store.commit(end), await store.commit(end)]).toEqual(["committed", "committed"]);
    expect(await members()).toEqual(["two"]);
    expect((await store.rooms("acme", 1, null)).items).toMatchObject([{ member_count: 1 }]);
  });

  describe("idle rooms", () => {
    const idle = (ms = 1000, limit = 10) => subject().store.idleRooms(ms, limit);

    test("one without members since its creation, or since the last one left; the longest first", async () => {
      const { store, advance } = subject();
      await advance(400);
      await store.createRoom(roomOf("theirs", { app_id: "other" }));
      await change("one", memberOf("room"));
      await advance(600);
      expect(await idle()).toEqual([]);
      await advance(400);
      expect(await idle()).toEqual(["theirs"]);
      await change("two", memberOf("room"));
      await change("one", { room: null });
      await advance(5000);
      expect(await idle()).toEqual(["theirs"]);
      await ended(store, "two");
      await advance(999);
      expect(await idle()).toEqual(["theirs"]);
      await advance(1);
      expect(await idle()).toEqual(["theirs", "room"]);
      expect(await idle(1000, 1)).toEqual(["theirs"]);
      expect(await idle(1001)).toEqual(["theirs"]);
    });

    test("a command that is admitted begins the time anew, one that is refused does not", async () => {
      const { store, advance } = subject();
      await advance(600);
      await admittedRoom(store, "room", commandOf());
      await advance(600);
      expect(await idle()).toEqual([]);
      const join = requestOf({ session_uuid: "one", room_id: "room", command: commandOf() });
      expect((await store.admit(join)).outcome).toBe("admitted");
      await advance(600);
      expect(await idle()).toEqual([]);
      const refused = commandOf({ barred: "recording_not_available" });
      expect((await admitRoom(store, "room", refused)).outcome).toBe("refused");
      await store.admit(requestOf({ room_id: "room" }));
      await advance(400);
      expect(await idle()).toEqual(["room"]);
    });

    test("one that has been opening for so long, and none that is closing or over", async () => {
      const { store, advance } = subject();
      await store.createRoom(roomOf("opening", { state: "opening" }));
      await store.createRoom(roomOf("closing"));
      await store.commit(commitOf(await loadedRoom(store, "closing"), { state: "closing" }));
      await endedRoom(store, "room");
      await advance(1000);
      expect(await idle()).toEqual(["opening"]);
      await endedRoom(store, "opening");
      expect(await idle(0)).toEqual([]);
    });

    test("those of a deleted app go with it", async () => {
      const { store, advance } = subject();
      await store.closeApp(closeOf("acme"));
      await advance(29_999);
      await store.sweep();
      expect(await idle()).toEqual(["room"]);
      await advance(1);
      await store.sweep();
      expect(await idle()).toEqual([]);
    });
  });
}
