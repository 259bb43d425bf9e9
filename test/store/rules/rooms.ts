import { describe, expect, test } from "@jest/globals";
import {
  admit,
  admitRoom,
  admittedRoom,
  appPut,
  commandOf,
  commitOf,
  decidedRoom,
  eachTime,
  endedRoom,
  eventOf,
  loadedRoom,
  type Make,
  memberOf,
  names,
  operationOf,
  requestOf,
  roomNamed,
  roomOf,
  sessionOf,
  turn,
  withUid,
} from "../samples";

export function roomRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    await made.store.putApp(appPut("other"));
    await made.store.createSession(sessionOf("call"), []);
    return made;
  });

  test("one that is created is found as it is, with the settings of its app", async () => {
    const { store } = subject();
    expect(await store.createRoom(roomOf("room"))).toEqual({ outcome: "created" });
    expect(await store.loadRoom("room")).toMatchObject({
      state: roomOf("room"),
      version: 1,
      app: await store.app("acme"),
    });
    expect(await store.loadRoom("none")).toBeNull();
    expect(await store.loadSession("room")).toBeNull();
    expect(await store.loadRoom("call")).toBeNull();
  });

  test("without its app there is none", async () => {
    const { store } = subject();
    expect(await store.createRoom(roomOf("room", { app_id: "none" }))).toEqual({ outcome: "no_app" });
    expect(await store.loadRoom("room")).toBeNull();
  });

  describe("names", () => {
    const named = (room_id: string, changes = {}) => roomOf(room_id, { name: "support", ...changes });

    test("are unique among the open and opening rooms of an app", async () => {
      const { store } = subject();
      expect(await roomNamed(store, "acme", "support")).toBeNull();
      await store.createRoom(named("one", { state: "opening" }));
      expect(await store.createRoom(named("two"))).toEqual({ outcome: "name_taken", room_id: "one" });
      expect(await store.loadRoom("two")).toBeNull();
      await store.commit(commitOf(await loadedRoom(store, "one"), { state: "open" }));
      expect(await store.createRoom(named("two"))).toEqual({ outcome: "name_taken", room_id: "one" });
      expect(await store.createRoom(named("theirs", { app_id: "other" }))).toEqual({ outcome: "created" });
      expect(await roomNamed(store, "acme", "support")).toBe("one");
      expect(await roomNamed(store, "other", "support")).toBe("theirs");
      expect(await roomNamed(store, "none", "support")).toBeNull();
    });

    test.each(["closing", "ended"] as const)(
      "are free once the room is %s, and stay with the next one",
      async (state) => {
        const { store } = subject();
        await store.createRoom(named("one"));
        await store.commit(commitOf(await loadedRoom(store, "one"), { state }));
        expect(await roomNamed(store, "acme", "support")).toBeNull();
        expect(await store.createRoom(named("two"))).toEqual({ outcome: "created" });
        if (state === "closing") await endedRoom(store, "one");
        expect(await roomNamed(store, "acme", "support")).toBe("two");
      },
    );

    test("of a room that could not be opened are free again", async () => {
      const { store } = subject();
      await store.createRoom(named("one", { state: "opening" }));
      await endedRoom(store, "one");
      expect(await store.createRoom(named("two"))).toEqual({ outcome: "created" });
    });
  });

  test("one that is opening is found by nobody but its core", async () => {
    const { store } = subject();
    await store.createRoom(roomOf("room", { state: "opening" }));
    await store.createRoom(roomOf("theirs", { state: "opening", app_id: "other" }));
    expect(await store.rooms("acme", 10, null)).toEqual({ items: [], next: null });
    expect((await admitRoom(store, "room", commandOf())).outcome).toBe("room_gone");
    expect((await store.admit(requestOf({ room_id: "room", ended: true }))).outcome).toBe("room_gone");
    expect((await store.admit(requestOf({ room_id: "theirs" }))).outcome).toBe("room_gone");
    const join = requestOf({ session_uuid: "call", room_id: "room", command: commandOf() });
    expect((await store.admit(join)).outcome).toBe("room_gone");
    const opened = commitOf(await loadedRoom(store, "room"), { state: "open" }, { events: [eventOf(1)] });
    expect(await store.commit(opened)).toBe("committed");
    expect((await store.rooms("acme", 10, null)).items.map(({ room }) => room.room_id)).toEqual(["room"]);
    expect((await store.admit(join)).outcome).toBe("admitted");
    expect(names(await turn(store))).toEqual(["room:1"]);
  });

  test("pages: newest first, only open ones, with how many are in each", async () => {
    const { store } = subject();
    for (let i = 1; i <= 5; i++) await store.createRoom(roomOf(`room${i}`, { created_at: i }));
    await store.createRoom(roomOf("opening", { created_at: 3, state: "opening" }));
    await store.createRoom(roomOf("theirs", { created_at: 3, app_id: "other" }));
    await store.commit(commitOf(await loadedRoom(store, "room2"), { state: "closing" }));
    for (const uuid of ["a", "b"]) await store.createSession(sessionOf(uuid, memberOf("room4")), []);
    const shown: string[][] = [];
    let after: Parameters<typeof store.rooms>[2] = null;
    do {
      const { items, next }: Awaited<ReturnType<typeof store.rooms>> = await store.rooms("acme", 2, after);
      shown.push(items.map(({ room, member_count }) => `${room.room_id} ${member_count}`));
      after = next;
    } while (after !== null);
    expect(shown).toEqual([
      ["room5 0", "room4 2"],
      ["room3 0", "room1 0"],
    ]);
    expect(await store.rooms("none", 2, null)).toEqual({ items: [], next: null });
  });

  test("a page that ends with the last one has no next", async () => {
    const { store } = subject();
    await store.createRoom(roomOf("opening", { created_at: 1, state: "opening" }));
    await store.createRoom(roomOf("one", { created_at: 2 }));
    expect((await store.rooms("acme", 1, null)).next).toBeNull();
  });

  describe("commands", () => {
    const heavy = () => commandOf({ cooldown: { group: "conference_play", ms: 2000 } });

    test("have their own operations, windows and deadlines", async () => {
      const { store, advance } = subject();
      await store.createRoom(roomOf("room"));
      const command = heavy();
      const before = await admittedRoom(store, "room", command);
      expect(before.version).toBe(2);
      const deadline = (await store.now()) + 2000;
      expect(operationOf(before, command)).toMatchObject({ group: "conference_play", deadline, taken: false });
      expect((await admitRoom(store, "room", heavy())).outcome).toBe("cooldown");
      expect((await admit(store, "call", heavy())).outcome).toBe("admitted");
      await advance(2000);
      const overdue = await store.overdue(10);
      expect(overdue).toContainEqual({ id: "room", app_id: "acme", operation_id: command.operation_id });
      await store.commit(commitOf(await loadedRoom(store, "room"), { operations: [] }));
      expect((await store.overdue(10)).map(({ id }) => id)).toEqual(["call"]);
    });

    test("that were taken back leave the window and the uid free", async () => {
      const { store } = subject();
      await store.createRoom(roomOf("room"));
      await decidedRoom(store, "room", { ...heavy(), command_uid: "uid", uid_given: true }, "free");
      await decidedRoom(store, "room", { ...heavy(), command_uid: "uid", uid_given: true }, 202);
      expect((await admitRoom(store, "room", withUid("uid"))).outcome).toBe("replay");
    });

    test("an ended room answers the uids it has seen for 24 h, to its own app only", async () => {
      const { store, advance } = subject();
      await store.createRoom(roomOf("room"));
      await decidedRoom(store, "room", withUid("uid"), 202);
      await endedRoom(store, "room");
      expect((await admitRoom(store, "room", withUid("uid"))).outcome).toBe("replay");
      expect((await admitRoom(store, "room", withUid("new"))).outcome).toBe("room_gone");
      const stranger = requestOf({ app_id: "other", room_id: "room", command: withUid("uid") });
      expect((await store.admit(stranger)).outcome).toBe("room_gone");
      await advance(86_400_000);
      await store.sweep();
      expect((await admitRoom(store, "room", withUid("uid"))).outcome).toBe("room_gone");
    });

    test("another writer's commit is a conflict, and one of a call's id is nothing to a room", async () => {
      const { store } = subject();
      await store.createRoom(roomOf("room"));
      const before = await loadedRoom(store, "room");
      await admittedRoom(store, "room", commandOf());
      expect(await store.commit(commitOf(before, { name: "changed" }))).toBe("conflict");
      const now = await loadedRoom(store, "room");
      expect(await store.commit({ ...commitOf(now), id: "call" })).toBe("gone");
      expect(await store.commit({ ...commitOf(now), app_id: "other" })).toBe("gone");
      expect(await store.commit(commitOf(now, { sequence: 7 }))).toBe("committed");
      expect((await loadedRoom(store, "room")).state.sequence).toBe(7);
    });
  });
}
