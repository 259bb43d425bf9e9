/** What becomes of the calls and rooms of a media node that nobody hears any more, and of the node. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { away } from "../errors/failing";
import { Place, PlayedEngine } from "./place";

const leaseMs = 60;
const nodeLostMs = 150;
const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

interface Instance {
  readonly engine: PlayedEngine;
  readonly here: Place;
}

async function open(node: string, beside?: Place): Promise<Instance> {
  const engine = new PlayedEngine(node);
  const here = await Place.open([engine], { leaseMs, nodeLostMs }, beside);
  places.push(here);
  return { engine, here };
}

/** Two instances, of which the first one is about to fall silent. */
async function two(): Promise<{ first: Instance; second: Instance }> {
  const first = await open("first");
  return { first, second: await open("second", first.here) };
}

const isKnown = async ({ store }: Place, node: string): Promise<boolean> =>
  (await store.hold({ owner: "looker", nodes: [], lease_ms: 1, lost_ms: 1e9 })).some((lease) => lease.node === node);

describe("an instance that died", () => {
  test("its calls and rooms are ended in their order by another one, and its node is forgotten", async () => {
    const { first, second } = await two();
    const opening = await first.here.sessions.createRoom("a", "standup", null);
    if (opening.outcome !== "created") throw new Error(opening.outcome);
    const { room_id } = opening;
    const session_uuid = await first.here.call("first");
    const join = await first.here.admit("joinRoom", session_uuid);
    first.here.sessions.emit({ session_uuid, type: "room.joined", ...join, room_id, muted: false });
    await first.here.event(session_uuid, "conference.member.joined");
    const play = await first.here.admit("startPlayback", session_uuid);
    await first.here.failing.while({ hold: away, forgetNode: away }, async () => {
      await second.here.event(room_id, "conference.destroyed");
      while (await isKnown(second.here, "first")) await delay(5);
    });
    const told = await second.here.told(session_uuid);
    expect(told.slice(3)).toMatchObject([
      { event: "conference.member.left", data: { reason: "orphan" } },
      { event: "command.result", data: { operation_id: play.operation_id, success: false, error: "Session ended" } },
      { event: "call.hangup", data: { cause: "MEDIA_SERVER_LOST", q850_cause: 41, by: "gateway", sip_status: null } },
    ]);
    expect(told).toHaveLength(6);
    expect((await second.here.names(room_id)).filter((name) => name === "conference.destroyed")).toHaveLength(1);
    expect(await second.here.store.subjectsOf("first")).toEqual([]);
    expect(second.engine.ended).toEqual([]);
  });

  test("while its end cannot be told, nothing is forgotten", async () => {
    const { first, second } = await two();
    const session_uuid = await first.here.call("first");
    await first.here.failing.while({ hold: away }, async () => {
      await second.here.failing.while({ commit: away }, async () => {
        while (!second.here.log.some((line) => line.includes("media nodes: not done"))) await delay(5);
      });
      expect(await isKnown(second.here, "first")).toBe(true);
      await second.here.event(session_uuid, "call.hangup");
      while (await isKnown(second.here, "first")) await delay(5);
    });
    expect(await second.here.names(session_uuid)).toEqual(["call.new", "call.hangup"]);
  });

  test("two others end its calls once", async () => {
    const { first, second } = await two();
    const third = await open("third", first.here);
    const calls = [await first.here.call("first"), await first.here.call("first"), await first.here.call("first")];
    await first.here.failing.while({ hold: away }, async () => {
      for (const id of calls) await second.here.event(id, "call.hangup");
      while (await isKnown(second.here, "first")) await delay(5);
    });
    await Promise.all([second.here.sessions.close(), third.here.sessions.close()]);
    for (const id of calls) expect(await second.here.names(id)).toEqual(["call.new", "call.hangup"]);
  });

  test("a recording that it left behind is told of all the same, after the end of its call", async () => {
    const { first, second } = await two();
    const session_uuid = await first.here.call("first");
    const recording = { recording_id: "r", command_uid: "u" };
    first.here.sessions.emit({ session_uuid, type: "recording.started", operation_id: "gone", ...recording });
    while (!(await first.here.store.loadSession(session_uuid))?.state.recording) await delay(5);
    await first.here.failing.while({ hold: away }, async () => {
      await second.here.event(session_uuid, "call.hangup");
      while (await isKnown(second.here, "first")) await delay(5);
    });
    // Whoever finds the file, on whatever node: the next gateway that has the folder.
    const third = await open("third", first.here);
    await third.here.sessions.recorded(session_uuid, { recording_id: "r", recording_url: "http://r", duration_ms: 5 });
    const told = await third.here.told(session_uuid);
    expect(told.map(({ event }) => event)).toEqual(["call.new", "call.hangup", "recording.completed"]);
    expect(told.at(-1)?.data).toMatchObject({ recording_id: "r", recording_url: "http://r", command_uid: "u" });
    expect(await third.here.store.subjectsOf("first")).toEqual([]);
  });
});

describe("an instance that was taken for dead", () => {
  test("ends what is over, and goes on with a node that has begun anew", async () => {
    const { first, second } = await two();
    const session_uuid = await first.here.call("first");
    await first.here.failing.while({ hold: away }, async () => {
      await second.here.event(session_uuid, "call.hangup");
      while (await isKnown(second.here, "first")) await delay(5);
    });
    while (first.here.sessions.leases.own === 0) await delay(5);
    first.here.sessions.emit({ session_uuid, type: "dtmf", digit: "1", duration_ms: 1 });
    while (first.engine.ended.length === 0) await delay(5);
    expect(first.engine.ended).toEqual([session_uuid]);
    expect(first.here.sessions.live).toBe(0);
    const next = await first.here.call("first");
    first.here.sessions.emit({ session_uuid: next, type: "dtmf", digit: "2", duration_ms: 1 });
    await first.here.event(next, "dtmf");
    expect(await first.here.names(session_uuid)).toEqual(["call.new", "call.hangup"]);
  });

  test("learns that its node is lost: ends all of it, in the media server too, and takes the node anew", async () => {
    const { first, second } = await two();
    const opening = await first.here.sessions.createRoom("a", "standup", null);
    if (opening.outcome !== "created") throw new Error(opening.outcome);
    const { room_id } = opening;
    const session_uuid = await first.here.call("first");
    await second.here.failing.while({ raiseFence: away }, async () => {
      await first.here.failing.while({ hold: away }, async () => {
        while (second.here.sessions.leases.lost === 0) await delay(5);
        // What is told now is told to nobody.
        first.here.sessions.emit({ session_uuid, type: "dtmf", digit: "1", duration_ms: 1 });
      });
      await first.here.event(room_id, "conference.destroyed");
      while (first.here.sessions.leases.own === 0) await delay(5);
    });
    // Asked again until it is done.
    expect(new Set(first.engine.ended)).toEqual(new Set([session_uuid]));
    expect(new Set(first.engine.closedRooms)).toEqual(new Set([room_id]));
    expect([first.here.sessions.live, first.here.sessions.rooms]).toEqual([0, 0]);
    expect(await first.here.names(session_uuid)).toEqual(["call.new", "call.hangup"]);
    const next = await first.here.call("first");
    first.here.sessions.emit({ session_uuid: next, type: "dtmf", digit: "2", duration_ms: 1 });
    await first.here.event(next, "dtmf");
  });
});
