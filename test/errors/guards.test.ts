/** What the state of a call forbids, for every command that declares it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { exampleRequest } from "../../src/conformance/gateway/requests/requests";
import { Client } from "../api/client";
import { TestGateway } from "../gateway";
import { forEachDeclaring, provoke } from "./expected";
import { ContraryEngine, FailingStore } from "./failing";
import { done, openRoom, type Place, ready } from "./ready";

const store = new FailingStore();
let place: TestGateway;
let ground: Place;
beforeAll(async () => {
  place = await TestGateway.start({ store: store.store, recordings: true });
  ground = { gateway: place, store, call: () => place.call() };
});
afterAll(() => place.close());

/** A call that has been answered, and nothing else. */
async function answered(): Promise<{ uuid: string; room_id: string }> {
  const uuid = await place.call();
  await done("answer", ground, { uuid });
  return { uuid, room_id: await openRoom(ground) };
}

describe("before the answer", () => {
  forEachDeclaring("session_not_answered", async (id) => {
    const names = { uuid: await place.call(), room_id: await openRoom(ground) };
    await provoke(place.client, exampleRequest(id, place, names), id, "session_not_answered");
  });
});

describe("outside of a room", () => {
  forEachDeclaring("session_not_in_conference", async (id) => {
    await provoke(place.client, exampleRequest(id, place, await answered()), id, "session_not_in_conference");
  });
});

describe("in another room", () => {
  forEachDeclaring("session_in_other_room", async (id) => {
    const { uuid } = await ready("leaveRoom", ground);
    const request = exampleRequest(id, place, { ...(uuid && { uuid }), room_id: await openRoom(ground) });
    await provoke(place.client, request, id, "session_in_other_room");
  });
});

describe("muted already, or not", () => {
  forEachDeclaring("session_already_muted", async (id) => {
    const request = exampleRequest(id, place, await ready("unmute", ground));
    await provoke(place.client, request, id, "session_already_muted");
  });
  forEachDeclaring("session_already_unmuted", async (id) => {
    const request = exampleRequest(id, place, await ready("mute", ground));
    await provoke(place.client, request, id, "session_already_unmuted");
  });
});

describe("recorded already, or not", () => {
  forEachDeclaring("recording_in_progress", async (id) => {
    const request = exampleRequest(id, place, await ready("stopRecording", ground));
    await provoke(place.client, request, id, "recording_in_progress");
  });
  forEachDeclaring("no_recording_in_progress", async (id) => {
    await provoke(place.client, exampleRequest(id, place, await answered()), id, "no_recording_in_progress");
  });
});

describe("on a gateway with media servers of another kind", () => {
  const engines = [new ContraryEngine("one"), new ContraryEngine("two")] as const;
  let far: TestGateway;
  let client: Client;
  beforeAll(async () => {
    for (const engine of engines) engine.conduct = "willing";
    far = await TestGateway.start({ engines, recordings: true });
    client = new Client(far.url, { inside: true });
  });
  afterAll(() => far.close());

  const grounds = (engine: ContraryEngine): Place => ({ gateway: far, store, call: () => engine.call("100") });

  forEachDeclaring("session_handed_back", async (id) => {
    const names = { uuid: await engines[0].call("100"), room_id: await openRoom(grounds(engines[0])) };
    await done("disconnect", grounds(engines[0]), names);
    await provoke(client, exampleRequest(id, far, names), id, "session_handed_back");
  });

  test("a call and a room that are not on the same one", async () => {
    const [one, two] = [await engines[0].call("100"), await engines[1].call("100")];
    await done("answer", grounds(engines[0]), { uuid: one });
    const body = { name: "far", session_uuid: two };
    const room = await client.request({ method: "POST", path: "/api/v1/conferences", headers: far.app, body });
    const request = exampleRequest("joinRoom", far, { uuid: one, room_id: String(room.body?.room_id) });
    const { body: answer } = await provoke(client, request, "joinRoom", "room_on_other_node");
    expect(answer?.detail).toEqual({ node: "two" });
  });
});
