/** Media server and store compared: what one of them has and the other one has not, twice in a row, is put right. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Loaded, Session } from "../../src/store/store";
import { session } from "./facts";
import { Place, PlayedEngine } from "./place";

/** Between two audits, with what they take. */
const roundMs = 10_500;

let own: PlayedEngine;
let far: PlayedEngine;
let here: Place;
beforeEach(async () => {
  jest.useFakeTimers({ now: 1_700_000_000_000, doNotFake: ["setImmediate", "nextTick", "queueMicrotask", "hrtime"] });
  own = new PlayedEngine("own");
  far = new PlayedEngine("far", "freeswitch");
  here = await Place.open([own, far]);
  here.sessions.start();
});
afterEach(async () => {
  await here.close();
  jest.useRealTimers();
});

const audits = (count: number) => jest.advanceTimersByTimeAsync(count * roundMs);

async function loaded(session_uuid: string): Promise<Loaded<Session>> {
  const found = await here.store.loadSession(session_uuid);
  if (!found) throw new Error("the call is not there");
  return found;
}

/** As another instance would. */
async function commit(session_uuid: string, changes: Partial<Session>, life: "ended" | "closing"): Promise<void> {
  const { state, version, revision } = await loaded(session_uuid);
  const named = { id: session_uuid, app_id: "a", version, revision, fence: null, nonce: randomUUID() };
  const outcome = await here.store.commit({ ...named, state: { ...state, ...changes }, life, events: [], decided: [] });
  expect(outcome).toBe("committed");
}

/** A call in the store, of which nobody here was told. */
async function unseen(node: string): Promise<string> {
  const session_uuid = `${node}-${randomUUID()}`;
  await here.store.createSession({ ...session({}), session_uuid, node, app_id: "a" }, []);
  return session_uuid;
}

test("a call and a room that the store does not know any more are ended in their media server", async () => {
  const [session_uuid, other] = [await here.call("own"), await here.call("own")];
  const opening = await here.sessions.createRoom("a", "standup", session_uuid);
  if (opening.outcome !== "created") throw new Error(opening.outcome);
  const { room_id } = opening;
  await commit(session_uuid, { state: "ended" }, "ended");
  const place = await here.store.loadRoom(room_id);
  if (!place) throw new Error("the room is not there");
  const { state, version, revision } = place;
  const named = { id: room_id, app_id: "a", version, revision, fence: null, nonce: "n" };
  const over = { state: { ...state, state: "ended" as const }, life: "ended" as const, events: [], decided: [] };
  await here.store.commit({ ...named, ...over });
  await audits(1);
  expect([own.ended, own.closedRooms]).toEqual([[], []]);
  await audits(1);
  expect([own.ended, own.closedRooms]).toEqual([[session_uuid], [room_id]]);
  expect([here.sessions.live, here.sessions.rooms]).toEqual([1, 0]);
  expect(await here.names(other)).toEqual(["call.new"]);
});

test("a call and a room of this process that nobody here knows have lost their media server", async () => {
  const session_uuid = await unseen("own");
  const opening = await here.sessions.createRoom("a", "standup", session_uuid);
  if (opening.outcome !== "created") throw new Error(opening.outcome);
  const room = await here.store.loadRoom(opening.room_id);
  if (!room) throw new Error("the room is not there");
  const room_id = `own-room-${randomUUID()}`;
  await here.store.createRoom({ ...room.state, room_id, name: "other" });
  await audits(1);
  expect(await here.names(session_uuid)).toEqual([]);
  await audits(1);
  expect(await here.told(session_uuid)).toMatchObject([{ event: "call.hangup", data: { cause: "MEDIA_SERVER_LOST" } }]);
  expect(await here.names(room_id)).toEqual(["conference.destroyed"]);
  expect(await here.names(opening.room_id)).toEqual(["conference.created"]);
});

test("what is new at each audit is left alone", async () => {
  const calls: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const session_uuid = await unseen("own");
    calls.push(session_uuid);
    await audits(1);
    await commit(session_uuid, { state: "ended" }, "ended");
  }
  for (const session_uuid of calls) expect(await here.names(session_uuid)).toEqual([]);
});

test("a call of a media server elsewhere is this instance's from now on, unless it has ended", async () => {
  await unseen("far");
  await commit(await unseen("far"), { state: "ended" }, "closing");
  expect(here.sessions.counts("far")).toEqual({ sessions: 0, rooms: 0 });
  await audits(2);
  expect(here.sessions.counts("far")).toEqual({ sessions: 1, rooms: 0 });
  expect(far.ended).toEqual([]);
});

test("a node that another instance has is not looked at", async () => {
  const beside = await Place.open([new PlayedEngine("far", "freeswitch")], {}, here);
  beside.sessions.start();
  await unseen("far");
  await audits(2);
  expect([here.sessions.live, beside.sessions.live]).toEqual([1, 0]);
  await beside.close();
});
