/** What the store refuses of what was read of a media node, and of what was made of old settings. */
import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Store } from "../../../src/store/store";
import {
  appPut,
  commitOf,
  eachTime,
  ended,
  endedRoom,
  eventOf,
  loaded,
  loadedRoom,
  type Make,
  memberOf,
  roomOf,
  sessionOf,
} from "../samples";

export function fenceRules(make: Make): void {
  const subject = eachTime(make);
  let store: Store;
  beforeEach(async () => {
    ({ store } = subject());
    await store.putApp(appPut("acme"));
  });

  /** A call on this media node. */
  async function call(node = "node", changes = {}): Promise<string> {
    const id = `${node}-${randomUUID()}`;
    await store.createSession(sessionOf(id, { node, ...changes }), []);
    return id;
  }
  async function room(node = "node"): Promise<string> {
    const id = `${node}-room-${randomUUID()}`;
    await store.createRoom(roomOf(id, { node }));
    return id;
  }

  describe("calls and rooms of a node", () => {
    test("are those that have not ended, closing ones included, of every app", async () => {
      await store.putApp(appPut("other"));
      const [one, recorded, over] = [await call(), await call(), await call()];
      const theirs = await call("node", { app_id: "other" });
      const elsewhere = await call("second");
      const [open, closing, closed] = [await room(), await room(), await room()];
      await ended(store, over);
      await endedRoom(store, closed);
      const shut = await loadedRoom(store, closing);
      expect(await store.commit(commitOf(shut, { state: "closing" }))).toBe("committed");
      const told = await loaded(store, recorded);
      expect(await store.commit(commitOf(told, { state: "ended" }, { life: "closing" }))).toBe("committed");
      expect([...(await store.subjectsOf("node"))].sort()).toEqual([one, recorded, theirs, open, closing].sort());
      expect(await store.subjectsOf("second")).toEqual([elsewhere]);
      expect(await store.subjectsOf("nowhere")).toEqual([]);
    });

    test("take nothing any more that was read under a lower fence", async () => {
      const [id, room_id, other] = [await call(), await room(), await call("second")];
      await store.raiseFence("node", 7);
      await store.raiseFence("node", 7);
      await store.raiseFence("node", 5);
      const before = await loaded(store, id);
      const events = [eventOf(1)];
      expect(await store.commit(commitOf(before, {}, { fence: 6, events }))).toBe("fenced");
      expect(await store.loadSession(id)).toEqual(before);
      expect((await store.sessionEvents("acme", id, 0, 10)).events).toEqual([]);
      expect(await store.commit(commitOf(before, { sequence: 1 }, { fence: 7, events }))).toBe("committed");
      const place = await loadedRoom(store, room_id);
      expect(await store.commit(commitOf(place, {}, { fence: 6 }))).toBe("fenced");
      expect(await store.commit(commitOf(place, {}, { fence: 7 }))).toBe("committed");
      expect(await store.commit(commitOf(await loaded(store, other), {}, { fence: 1 }))).toBe("committed");
    });

    test("take what no media node has told whatever the fence", async () => {
      const id = await call();
      await store.raiseFence("node", Number.MAX_SAFE_INTEGER);
      expect(await store.commit(commitOf(await loaded(store, id)))).toBe("committed");
      expect(await store.commit(commitOf(await loaded(store, id), {}, { fence: Date.now() }))).toBe("fenced");
    });

    test("closing ones have the fence, too", async () => {
      const id = await call();
      const state = { state: "ended" } as const;
      expect(await store.commit(commitOf(await loaded(store, id), state, { life: "closing" }))).toBe("committed");
      await store.raiseFence("node", 7);
      const closing = await loaded(store, id);
      expect(await store.commit(commitOf(closing, {}, { life: "closing", fence: 6 }))).toBe("fenced");
    });

    test("have the fence of the last that told something", async () => {
      const id = await call();
      for (const fence of [3, 9])
        expect(await store.commit(commitOf(await loaded(store, id), {}, { fence }))).toBe("committed");
      expect(await store.commit(commitOf(await loaded(store, id), {}, { fence: 8 }))).toBe("fenced");
    });
  });

  describe("the checks of a commit", () => {
    test("a repeat is known before the fence, and an old version comes before it", async () => {
      const id = await call();
      const before = await loaded(store, id);
      const first = commitOf(before, memberOf("room"), { fence: 1 });
      expect(await store.commit(first)).toBe("committed");
      await store.raiseFence("node", 2);
      expect(await store.commit(first)).toBe("committed");
      expect(await store.commit(commitOf(before, {}, { fence: 1 }))).toBe("conflict");
      expect(await store.commit(commitOf(await loaded(store, id), {}, { fence: 1 }))).toBe("fenced");
      await ended(store, id);
      expect(await store.commit(commitOf(before, {}, { fence: 1 }))).toBe("gone");
    });

    test("settings that were put since are a conflict, of calls and of rooms", async () => {
      const [id, room_id] = [await call(), await room()];
      const [before, place] = [await loaded(store, id), await loadedRoom(store, room_id)];
      await store.putApp(appPut("acme", { events: ["dtmf"] }));
      expect(await store.commit(commitOf(before, {}, { events: [eventOf(1, "call.answered")] }))).toBe("conflict");
      expect(await store.commit(commitOf(place))).toBe("conflict");
      const after = await loaded(store, id);
      expect(after).toMatchObject({ state: before.state, version: before.version, app: { events: ["dtmf"] } });
      expect(after.revision).not.toBe(before.revision);
      expect(await store.commit(commitOf(after))).toBe("committed");
      expect(await store.commit(commitOf(await loadedRoom(store, room_id)))).toBe("committed");
    });
  });
}
