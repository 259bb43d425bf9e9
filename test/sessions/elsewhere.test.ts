/** Calls and rooms that another instance has: asked for, and not disturbed. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Refused } from "../../src/engines/engine";
import { away } from "../errors/failing";
import { hangup } from "./facts";
import { Place, PlayedEngine } from "./place";

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

interface Instance {
  readonly engine: PlayedEngine;
  readonly here: Place;
}

async function open(node: string, beside?: Place, options = {}): Promise<Instance> {
  const engine = new PlayedEngine(node);
  const here = await Place.open([engine], options, beside);
  places.push(here);
  return { engine, here };
}

/** Two instances with a node of its own each; the second one knows of the first one's. */
async function two(options = {}): Promise<{ first: Instance; second: Instance }> {
  const first = await open("first", undefined, options);
  return { first, second: await open("second", first.here, options) };
}

async function room({ here }: Instance): Promise<string> {
  const opening = await here.sessions.createRoom("a", "standup", null);
  if (opening.outcome !== "created") throw new Error(opening.outcome);
  return opening.room_id;
}

describe("what another instance has", () => {
  test("a call is ended by that one, in its media server", async () => {
    const { first, second } = await two();
    const session_uuid = await first.here.call("first");
    await second.here.sessions.end(session_uuid, "APP_DELETED");
    expect(await second.here.names(session_uuid)).toEqual(["call.new"]);
    while (first.engine.ended.length === 0) await delay(5);
    first.here.sessions.emit({ session_uuid, ...hangup("gateway"), cause: "APP_DELETED" });
    const { data } = await second.here.event(session_uuid, "call.hangup");
    expect(data).toMatchObject({ cause: "APP_DELETED", by: "gateway" });
    expect(first.engine.ended).toEqual([session_uuid]);
    expect(second.engine.ended).toEqual([]);
  });

  test("a room is closed by that one, and whoever asked is told when it is done", async () => {
    const { first, second } = await two({ commandTimeoutMs: 10_000 });
    const room_id = await room(first);
    await second.here.sessions.closeRoom(room_id);
    expect(first.engine.closedRooms).toEqual([room_id]);
    expect(await second.here.names(room_id)).toEqual(["conference.created", "conference.destroyed"]);
  });

  test("a room that is not closed in time is refused, and closed all the same", async () => {
    const { first, second } = await two();
    const room_id = await room(first);
    await first.here.failing.while({ hold: away }, () =>
      expect(second.here.sessions.closeRoom(room_id)).rejects.toEqual(new Refused("unreachable")),
    );
    await second.here.event(room_id, "conference.destroyed");
  });

  test("a command for it is refused as unreachable", async () => {
    const { first, second } = await two();
    const session_uuid = await first.here.call("first");
    await expect(second.here.command("answer", session_uuid, {})).rejects.toEqual(new Refused("unreachable"));
    await expect(second.here.sessions.createRoom("a", "r", session_uuid)).rejects.toEqual(new Refused("unreachable"));
  });

  test("an idle room is left alone, and one that nobody has is closed", async () => {
    const first = await open("first");
    const mine = await room(first);
    const nobodys = `none-room-${mine.slice(-36)}`;
    const { store } = first.here;
    const loaded = await store.loadRoom(mine);
    if (!loaded) throw new Error("the room is not there");
    await store.createRoom({ ...loaded.state, room_id: nobodys, node: "none", name: "other" });
    first.here.failing.forward(5000);
    const second = await open("second", first.here, { roomIdleMs: 1000 });
    second.here.sessions.start();
    await second.here.event(nobodys, "conference.destroyed");
    expect(await second.here.names(mine)).toEqual(["conference.created"]);
  });

  test("an operation that another instance is asking for is its to decide", async () => {
    const { first, second } = await two({ commandTimeoutMs: 600 });
    const session_uuid = await first.here.call("first");
    first.engine.take = () => new Promise(() => undefined);
    second.here.sessions.start();
    // Its deadline is over long before.
    await expect(first.here.command("answer", session_uuid, {})).rejects.toEqual(new Refused("late"));
    expect(await first.here.names(session_uuid)).toEqual(["call.new"]);
  });

  test("an operation that nobody decides is settled by any instance", async () => {
    const { first, second } = await two();
    const session_uuid = await first.here.call("first");
    const { operation_id } = await first.here.admit("answer", session_uuid);
    second.here.sessions.start();
    const { data } = await second.here.event(session_uuid, "command.result");
    expect(data).toMatchObject({ operation_id, success: false, code: "media_server_timed_out" });
  });
});

describe("what nobody has", () => {
  test("a call and a room are ended without their media server", async () => {
    const { first, second } = await two({ leaseMs: 60 });
    const [session_uuid, room_id] = [await first.here.call("first"), await room(first)];
    await first.here.sessions.close();
    while (second.here.sessions.leases.away === 0) await delay(5);
    await second.here.sessions.end(session_uuid, "APP_DELETED");
    expect(await second.here.names(session_uuid)).toEqual(["call.new", "call.hangup"]);
    await second.here.sessions.closeRoom(room_id);
    expect(await second.here.names(room_id)).toEqual(["conference.created", "conference.destroyed"]);
  });
});

test("the end of the gateway leaves calls alone that do not go with it", async () => {
  const engines = [new PlayedEngine("own"), new PlayedEngine("far", "freeswitch")];
  const here = await Place.open(engines);
  places.push(here);
  const [own, far] = [await here.call("own"), await here.call("far")];
  const emptied = here.sessions.emptied();
  await here.sessions.endAll("SERVER_SHUTDOWN");
  await emptied;
  expect(await here.names(own)).toEqual(["call.new", "call.hangup"]);
  expect(await here.names(far)).toEqual(["call.new"]);
  expect(here.sessions.live).toBe(1);
});
