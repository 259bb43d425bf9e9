import { describe, expect, test } from "@jest/globals";
import type { EventList, StoredEvent } from "../../../src/store/store";
import {
  appPut,
  closeOf,
  commitOf,
  eachTime,
  ended,
  endedRoom,
  eventOf,
  eventsOf,
  loaded,
  loadedRoom,
  type Make,
  memberOf,
  requestOf,
  roomOf,
  sessionOf,
} from "../samples";

const DAY = 86_400_000;

/** What calls and rooms have told, for those who missed it. */
export function logRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    await made.store.putApp(appPut("other"));
    return made;
  });
  const tell = async (uuid: string, ...events: StoredEvent[]) => {
    const { store } = subject();
    await store.commit(commitOf(await loaded(store, uuid), {}, { events }));
  };
  const tellRoom = async (room_id: string, ...events: StoredEvent[]) => {
    const { store } = subject();
    await store.commit(commitOf(await loadedRoom(store, room_id), {}, { events }));
  };
  const numbers = ({ events }: EventList) => events.map(({ number }) => number);
  /** As `number:name` */
  const listed = ({ events }: EventList) => events.map(({ number, event }) => `${number}:${event.event}`);
  const member = (sequence: number, event: string, room_id: string) =>
    eventOf(sequence, event, { room_id, id: `${event} of ${sequence}` });

  test("events of a call behind a sequence, as they were committed, no more than asked for", async () => {
    const { store } = subject();
    await store.createSession(sessionOf("call"), [eventOf(1, "call.new")]);
    await tell("call", eventOf(2), eventOf(3));
    expect((await store.sessionEvents("acme", "call", 0, 10)).events).toEqual([
      { number: 1, event: eventOf(1, "call.new") },
      { number: 2, event: eventOf(2) },
      { number: 3, event: eventOf(3) },
    ]);
    expect(numbers(await store.sessionEvents("acme", "call", 0, 2))).toEqual([1, 2]);
    expect(numbers(await store.sessionEvents("acme", "call", 2, 2))).toEqual([3]);
    expect(numbers(await store.sessionEvents("acme", "call", 3, 2))).toEqual([]);
    expect(numbers(await store.sessionEvents("acme", "none", 0, 2))).toEqual([]);
    expect(numbers(await store.sessionEvents("other", "call", 0, 2))).toEqual([]);
    expect(numbers(await store.sessionEvents("none", "call", 0, 2))).toEqual([]);
  });

  test("also those that are not delivered anywhere, and a commit that ran twice tells once", async () => {
    const { store } = subject();
    await store.putApp(appPut("acme", { webhook_url: "" }));
    await store.createSession(sessionOf("call"), [eventOf(1)]);
    await store.createSession(sessionOf("call"), [eventOf(1)]);
    const commit = commitOf(await loaded(store, "call"), {}, { events: [eventOf(2)] });
    await store.commit(commit);
    await store.commit(commit);
    expect(await store.commit({ ...commit, nonce: "another", events: [eventOf(3)] })).toBe("conflict");
    expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([1, 2]);
    expect(await store.appsWithEvents()).toEqual([]);
  });

  describe("of a room", () => {
    test("its own and those of its members that name it, by a number of its own", async () => {
      const { store } = subject();
      await store.createRoom(roomOf("room", { state: "opening" }));
      await store.createRoom(roomOf("second"));
      await tellRoom("room", eventOf(1, "conference.created"));
      await store.createSession(sessionOf("call"), eventsOf(1, 2));
      await tell("call", member(3, "joined", "room"), eventOf(4), member(5, "left", "room"));
      await tell("call", member(6, "joined", "second"));
      await tellRoom("room", eventOf(2, "conference.play.started"));
      const list = await store.roomEvents("acme", "room", 0, 10);
      expect(listed(list)).toEqual(["1:conference.created", "2:joined", "3:left", "4:conference.play.started"]);
      expect(list.events[1]?.event).toEqual(member(3, "joined", "room"));
      expect(listed(await store.roomEvents("acme", "room", 1, 2))).toEqual(["2:joined", "3:left"]);
      expect(listed(await store.roomEvents("acme", "second", 0, 10))).toEqual(["1:joined"]);
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([1, 2, 3, 4, 5, 6]);
      expect(listed(await store.roomEvents("other", "room", 0, 10))).toEqual([]);
      expect(listed(await store.roomEvents("acme", "call", 0, 10))).toEqual([]);
      expect(listed(await store.sessionEvents("acme", "room", 0, 10))).toEqual([]);
    });

    test("one that is not there, or over, keeps nothing of those who name it", async () => {
      const { store } = subject();
      await store.createRoom(roomOf("room"));
      await store.createSession(sessionOf("call", memberOf("room")), []);
      await tell("call", member(1, "joined", "none"));
      await endedRoom(store, "room", [eventOf(1, "conference.destroyed")]);
      await tell("call", member(2, "left", "room"));
      expect(listed(await store.roomEvents("acme", "none", 0, 10))).toEqual([]);
      expect(listed(await store.roomEvents("acme", "room", 0, 10))).toEqual(["1:conference.destroyed"]);
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([1, 2]);
    });

    test("what a member told goes with the member, the numbers of the others stay", async () => {
      const { store, advance } = subject();
      await store.createRoom(roomOf("room"));
      await store.createSession(sessionOf("call"), [member(1, "joined", "room")]);
      await tellRoom("room", eventOf(1, "conference.play.started"));
      await ended(store, "call", [member(2, "left", "room")]);
      await advance(DAY);
      await store.sweep();
      expect(listed(await store.roomEvents("acme", "room", 0, 10))).toEqual(["2:conference.play.started"]);
      await tellRoom("room", eventOf(2, "conference.play.stopped"));
      expect(listed(await store.roomEvents("acme", "room", 2, 10))).toEqual(["4:conference.play.stopped"]);
    });
  });

  describe("are kept", () => {
    const ask = async (changes: Parameters<typeof requestOf>[0]) =>
      (await subject().store.admit(requestOf({ ended: true, ...changes }))).outcome;

    test("as long as the call lives, and 24 h after its end", async () => {
      const { store, advance } = subject();
      await store.createSession(sessionOf("call"), [eventOf(1)]);
      await advance(3 * DAY);
      await store.sweep();
      await ended(store, "call", [eventOf(2)]);
      await advance(DAY - 1);
      await store.sweep();
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([1, 2]);
      expect(await ask({ session_uuid: "call" })).toBe("admitted");
      await advance(1);
      await store.sweep();
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([]);
      expect(await ask({ session_uuid: "call" })).toBe("session_gone");
    });

    test("as long as the room lives, and 24 h after its end; then its members still have theirs", async () => {
      const { store, advance } = subject();
      await store.createRoom(roomOf("room"));
      await tellRoom("room", eventOf(1, "conference.created"));
      await store.createSession(sessionOf("call"), [member(1, "joined", "room")]);
      await advance(3 * DAY);
      await store.sweep();
      await store.commit(commitOf(await loadedRoom(store, "room"), { state: "closing" }));
      await endedRoom(store, "room", [eventOf(2, "conference.destroyed")]);
      await advance(DAY - 1);
      await store.sweep();
      expect(numbers(await store.roomEvents("acme", "room", 0, 10))).toEqual([1, 2, 3]);
      expect(await ask({ room_id: "room" })).toBe("admitted");
      await advance(1);
      await store.sweep();
      expect(numbers(await store.roomEvents("acme", "room", 0, 10))).toEqual([]);
      expect(await ask({ room_id: "room" })).toBe("room_gone");
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([1]);
    });

    test("of one that never came to its end until 24 h after it was given up", async () => {
      const { store, advance } = subject();
      await store.createSession(sessionOf("call"), [eventOf(1)]);
      await store.commit(commitOf(await loaded(store, "call"), { state: "ended" }, { life: "closing" }));
      await advance(DAY);
      await store.sweep();
      expect(await ask({ session_uuid: "call" })).toBe("admitted");
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([1]);
      await advance(DAY);
      await store.sweep();
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([]);
      expect(await ask({ session_uuid: "call" })).toBe("session_gone");
    });

    test("not longer than their app: one that is made anew under its id sees nothing of them", async () => {
      const { store } = subject();
      await store.createSession(sessionOf("call"), [eventOf(1)]);
      await store.closeApp(closeOf("acme"));
      await store.putApp(appPut("acme"));
      await ended(store, "call", [eventOf(2)]);
      expect(numbers(await store.sessionEvents("acme", "call", 0, 10))).toEqual([]);
      expect(await ask({ session_uuid: "call" })).toBe("session_gone");
    });
  });
}
