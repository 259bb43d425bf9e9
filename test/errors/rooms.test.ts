/** Errors of what belongs to an app: rooms, streams, files, dead letters. All of them caused from outside. */
import { Agent, get, type IncomingMessage } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { exampleRequest, withBody, withHeaders } from "../../src/conformance/gateway/requests/requests";
import { credentials, TestGateway } from "../gateway";
import { declaring, forEachDeclaring, provoke } from "./expected";
import { FailingStore } from "./failing";
import { playedFile } from "./media-file";
import { done, type Place, ready } from "./ready";

const store = new FailingStore();
let place: TestGateway;
let ground: Place;
beforeAll(async () => {
  place = await TestGateway.start({ store: store.store, recordings: true });
  ground = { gateway: place, store, call: () => place.call() };
});
afterAll(() => place.close());

describe("rooms", () => {
  forEachDeclaring("room_name_taken", async (id) => {
    const request = withBody(exampleRequest(id, place), { name: "taken" });
    const first = await place.client.request(request);
    expect(first.status).toBe(201);
    const { body } = await provoke(place.client, request, id, "room_name_taken");
    expect(body?.detail).toEqual(first.body);
  });

  test("a thousand of an app, and one more", async () => {
    await place.putApp("crowded", { api_key: "crowded-api-key-0123456789" });
    const headers = credentials("crowded", "crowded-api-key-0123456789");
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const named = (n: number) => withBody(withHeaders(exampleRequest("createRoom", place), headers), { name: `r${n}` });
    const all = Array.from({ length: 1000 }, (_, n) => place.client.request({ ...named(n), agent }));
    const statuses = new Set((await Promise.all(all)).map(({ status }) => status));
    agent.destroy();
    expect([...statuses]).toEqual([201]);
    await provoke(place.client, named(1000), "createRoom", "room_limit_reached");
  });
});

describe("streams", () => {
  const open: IncomingMessage[] = [];
  const stream = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${place.url}/api/v1/events`, { headers: place.app, agent: false }, resolve).on("error", reject);
    });

  test.each(declaring("too_many_streams"))("%s: ten are open", async (id) => {
    for (let n = 0; n < 10; n += 1) open.push(await stream());
    await provoke(place.client, exampleRequest(id, place), id, "too_many_streams");
    for (const each of open) each.destroy();
  });
});

describe("files", () => {
  forEachDeclaring("range_not_satisfiable", async (id) => {
    const names = await ready("stopRecording", ground);
    await done("stopRecording", ground, names);
    const { data } = await place.receiver.event("recording.completed", names.uuid);
    const file_name = path.basename(await playedFile(ground));
    const request = withHeaders(exampleRequest(id, place, { recording_id: data.recording_id, file_name }), {
      Range: "bytes=9999999999-",
    });
    await provoke(place.client, request, id, "range_not_satisfiable");
  });
});

describe("dead letters", () => {
  forEachDeclaring("dead_letter_not_found", async (id) => {
    await provoke(place.client, exampleRequest(id, place, { app_id: "test" }), id, "dead_letter_not_found");
  });
});
