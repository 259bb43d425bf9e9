/** Rooms from their opening to their end, whatever the media server does meanwhile. */
import { describe, expect, test } from "@jest/globals";
import { Refused } from "../../src/engines/engine";
import type { Store } from "../../src/store/store";
import { away } from "../errors/failing";
import { Place, PlayedEngine } from "./place";

const never = () => new Promise<never>(() => undefined);

async function place(engine = new PlayedEngine()) {
  return { engine, place: await Place.open([engine]) };
}

describe("opening", () => {
  test("tells of the room and counts it; its name is taken then", async () => {
    const { place: here } = await place();
    const room_id = await here.room("standup");
    expect(room_id).toMatch(/^played-room-[0-9a-f-]{36}$/);
    expect(await here.told(room_id)).toMatchObject([
      { event: "conference.created", room_id, sequence: 1, data: { room_id, name: "standup" } },
    ]);
    expect(await here.sessions.createRoom("a", "standup", null)).toEqual({ outcome: "name_taken", room_id });
    expect(here.sessions.counts("played")).toEqual({ sessions: 0, rooms: 1 });
    expect(await here.sessions.createRoom("nobody", "other", null)).toEqual({ outcome: "no_app" });
    await here.close();
  });

  test.each([
    ["refuses", () => Promise.reject(new Refused("unreachable"))],
    ["does not answer", never],
  ])("a media server that %s: unreachable, and the name is free", async (_, openRoom) => {
    const { place: here, engine } = await place();
    engine.openRoom = openRoom;
    await expect(here.sessions.createRoom("a", "standup", null)).rejects.toEqual(new Refused("unreachable"));
    expect(engine.closedRooms).toHaveLength(1);
    expect(await here.names(engine.closedRooms[0] ?? "")).toEqual([]);
    expect(here.sessions.rooms).toBe(0);
    engine.openRoom = async () => undefined;
    await here.room("standup");
    await here.close();
  });

  test("on the least loaded node that can be reached, or on that of a call", async () => {
    const engines = [new PlayedEngine("busy"), new PlayedEngine("idle"), new PlayedEngine("away")] as const;
    engines[2].isConnected = false;
    const here = await Place.open(engines);
    const session_uuid = await here.call("busy");
    expect(await here.room("first")).toMatch(/^idle-room-/);
    expect(await here.sessions.createRoom("a", "second", session_uuid)).toMatchObject({
      outcome: "created",
      room_id: expect.stringMatching(/^busy-room-/),
    });
    await here.close();
  });

  test("without a media server: the name is looked at first", async () => {
    const { place: here, engine } = await place();
    const room_id = await here.room("standup");
    engine.isConnected = false;
    expect(await here.sessions.createRoom("a", "standup", null)).toEqual({ outcome: "name_taken", room_id });
    await expect(here.sessions.createRoom("a", "other", null)).rejects.toEqual(new Refused("unreachable"));
    await here.close();
  });

  test("of an app that is deleted meanwhile", async () => {
    const { place: here, engine } = await place();
    engine.openRoom = async () => {
      const closed = await here.store.closeApp({ app_id: "a", nonce: "n", keep_ms: 60_000 });
      await Promise.all((closed?.rooms ?? []).map((room_id) => here.sessions.closeRoom(room_id)));
    };
    expect(await here.sessions.createRoom("a", "standup", null)).toEqual({ outcome: "no_app" });
    expect(engine.closedRooms.length).toBeGreaterThan(0);
    expect(here.sessions.rooms).toBe(0);
    await here.close();
  });
});

describe("closing", () => {
  test("the members leave before it is destroyed; nobody else sees it from its begin on", async () => {
    const { place: here, engine } = await place();
    const room_id = await here.room("standup");
    const session_uuid = await here.member(room_id);
    engine.onCloseRoom = async () => {
      const { items } = await here.store.rooms("a", 10, null);
      expect(items).toEqual([]);
      here.sessions.emit({ session_uuid, type: "room.left", operation_id: null, room_id, reason: "removed" });
    };
    await here.sessions.closeRoom(room_id);
    const told = await here.told(room_id);
    expect(told.map(({ event }) => event)).toEqual([
      "conference.created",
      "conference.member.joined",
      "conference.member.left",
      "conference.destroyed",
    ]);
    expect(told[2]?.data).toMatchObject({ session_uuid, room_id, reason: "removed" });
    expect(await here.names(session_uuid)).toContain("conference.member.left");
    expect(here.sessions.rooms).toBe(0);
    await here.close();
  });

  test("many at once: one does it, and all others wait for it", async () => {
    const { place: here, engine } = await place();
    const room_id = await here.room("standup");
    await Promise.all(Array.from({ length: 20 }, () => here.sessions.closeRoom(room_id)));
    expect(await here.names(room_id)).toEqual(["conference.created", "conference.destroyed"]);
    expect(engine.closedRooms).toEqual([room_id]);
    await here.sessions.closeRoom(room_id);
    expect(await here.names(room_id)).toHaveLength(2);
    await here.close();
  });

  test("a media server that is dead holds nothing up, and a join that it tells of later is none", async () => {
    const { place: here, engine } = await place();
    const room_id = await here.room("standup");
    const [member, late] = [await here.member(room_id), await here.call()];
    const operation = await here.admit("joinRoom", late);
    const pending = await here.admit("playRoom", room_id);
    engine.onCloseRoom = never;
    await here.sessions.closeRoom(room_id);
    expect((await here.told(member)).at(-1)).toMatchObject({ data: { reason: "removed" } });
    const told = await here.told(room_id);
    expect(told.slice(-3).map(({ event }) => event)).toEqual([
      "conference.member.left",
      "command.result",
      "conference.destroyed",
    ]);
    expect(told.at(-2)?.data).toMatchObject({ operation_id: pending.operation_id, error: "Room ended" });
    here.sessions.emit({ session_uuid: late, type: "room.joined", ...operation, room_id, muted: false });
    const { data } = await here.event(late, "command.result");
    expect(data).toMatchObject({ operation_id: operation.operation_id, success: false, error: "Room ended" });
    expect(engine.cancelled).toEqual([operation.operation_id]);
    await here.close();
  });

  test("a join that was told of, and is not stored yet, is waited for", async () => {
    const { place: here, engine } = await place();
    const room_id = await here.room("standup");
    const session_uuid = await here.call();
    const operation = await here.admit("joinRoom", session_uuid);
    let store = () => {};
    const stored = new Promise<void>((resolve) => {
      store = resolve;
    });
    const { real } = here.failing;
    const commit: Store["commit"] = async (state) => {
      if (state.id === session_uuid) await stored;
      return real.commit(state);
    };
    // After everything that could be done without it.
    engine.onCloseRoom = async () => void setImmediate(store);
    await here.failing.while({ commit }, async () => {
      here.sessions.emit({ session_uuid, type: "room.joined", ...operation, room_id, muted: false });
      await here.sessions.closeRoom(room_id);
    });
    expect((await here.names(room_id)).slice(1)).toEqual([
      "conference.member.joined",
      "conference.member.left",
      "conference.destroyed",
    ]);
    expect((await here.store.loadSession(session_uuid))?.state.room).toBeNull();
    await here.close();
  });

  test("lost by the media server: its members are orphans", async () => {
    const { place: here, engine } = await place();
    const room_id = await here.room("standup");
    const session_uuid = await here.member(room_id);
    here.sessions.emitRoom({ room_id, type: "lost" });
    await here.event(room_id, "conference.destroyed");
    expect((await here.told(session_uuid)).at(-1)).toMatchObject({ data: { reason: "orphan" } });
    expect(engine.closedRooms).toEqual([]);
    await here.close();
  });

  test("the store fails in between: whoever asked is told, and it is done at the next try", async () => {
    const { place: here } = await place();
    const room_id = await here.room("standup");
    const session_uuid = await here.member(room_id);
    here.sessions.start();
    await here.failing.while({ members: away }, () =>
      expect(here.sessions.closeRoom(room_id)).rejects.toThrow("the store is away"),
    );
    await here.event(room_id, "conference.destroyed");
    expect((await here.told(session_uuid)).at(-1)).toMatchObject({ data: { reason: "removed" } });
    await here.close();
  });

  test("idle for too long: it goes; one with a member stays", async () => {
    const here = await Place.open([new PlayedEngine()], { roomIdleMs: 1000 });
    const [empty, full] = [await here.room("empty"), await here.room("full")];
    await here.member(full);
    here.failing.forward(2000);
    here.sessions.start();
    await here.event(empty, "conference.destroyed");
    expect(await here.names(full)).not.toContain("conference.destroyed");
    await here.close();
  });

  test("the end of the gateway takes those rooms along that live in it", async () => {
    const here = await Place.open([new PlayedEngine("own"), new PlayedEngine("other", "freeswitch")]);
    const session_uuid = await here.call("own");
    const [first, second] = [await here.room("first"), await here.room("second")];
    expect([first, second].map((room_id) => room_id.slice(0, 5)).sort()).toEqual(["other", "other"]);
    const own = await here.sessions.createRoom("a", "third", session_uuid);
    await here.sessions.endAll("SERVER_SHUTDOWN");
    expect(own.outcome === "created" && (await here.names(own.room_id))).toContain("conference.destroyed");
    expect(await here.names(first)).toEqual(["conference.created"]);
    expect(here.sessions.rooms).toBe(2);
    await here.close();
  });
});
