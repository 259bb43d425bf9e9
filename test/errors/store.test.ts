/** What only a store that fails can cause. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { exampleRequest, policyOf, type RoutedId, withHeaders } from "../../src/conformance/gateway/requests/requests";
import { Client } from "../api/client";
import { TestGateway } from "../gateway";
import { type Behind, behind } from "./behind";
import { declaring, forEachDeclaring, provoke } from "./expected";
import { away, FailingStore } from "./failing";
import { spoiledFile } from "./media-file";
import { ready } from "./ready";

const store = new FailingStore();
let place: TestGateway;
let client: Client;
beforeAll(async () => {
  place = await TestGateway.start({ store: store.store, recordings: true });
  client = new Client(place.url, { inside: true });
});
afterAll(() => place.close());

describe("when the store cannot be asked about a key", () => {
  forEachDeclaring("api_key_not_checked", async (id) => {
    const request = exampleRequest(id, place);
    await store.while({ admit: away }, () => provoke(client, request, id, "api_key_not_checked"));
    const unseen = withHeaders(request, { "X-API-Key": "a-key-that-is-new-to-it" });
    await store.while({ authenticate: away }, () => provoke(client, unseen, id, "api_key_not_checked"));
  });
});

const failing: Behind = {
  ...behind(store),
  listNodes: { countAdmin: away },
  createSandboxCall: { countAdmin: away },
};

/** They ask the disk in place of the store. */
const recordings: readonly RoutedId[] = ["getRecording", "deleteRecording"];
const onDisk: readonly RoutedId[] = [...recordings, "getMediaFile"];

describe("when the disk fails", () => {
  test.each(recordings)("%s: a recording that cannot be read", async (id) => {
    const recording_id = randomUUID();
    // What stands where a file should be.
    await mkdir(path.join(place.recordings ?? "", "test", `${recording_id}.json`), { recursive: true });
    await provoke(client, exampleRequest(id, place, { recording_id }), id, "internal_error");
  });

  test("getMediaFile: a file that cannot be read", async () => {
    const file = await spoiledFile({ gateway: place, store, call: () => place.call() });
    const request = exampleRequest("getMediaFile", place, { file_name: path.basename(file) });
    await provoke(client, request, "getMediaFile", "internal_error");
  });
});

describe("when the store fails behind the checks", () => {
  const others = declaring("internal_error").filter((id) => policyOf(id).command === null && !onDisk.includes(id));
  test.each(others)("%s", async (id) => {
    const instead = failing[id];
    if (!instead) throw new Error(`nothing is known to fail in ${id}`);
    const ground = { gateway: place, store, call: () => place.call() };
    const request = exampleRequest(id, place, { ...(await ready(id, ground)), app_id: "test" });
    const { headers } = await store.while(instead, () => provoke(client, request, id, "internal_error"));
    const line = place.log.find(
      (each) => each.includes("internal error") && each.includes(`${headers["x-request-id"]}`),
    );
    expect(line).toContain(id);
  });

  const admin = others.filter((id) => policyOf(id).auth === "admin");
  test.each(admin)("%s: not even counted", async (id) => {
    const request = exampleRequest(id, place);
    await store.while({ countAdmin: away }, () => provoke(client, request, id, "internal_error"));
  });

  test("a call whose app cannot be looked up", async () => {
    const request = exampleRequest("createSandboxCall", place);
    const refused = () => provoke(client, request, "createSandboxCall", "internal_error");
    await store.while({ appForDid: away }, refused);
  });
});

describe("when the store has no clock", () => {
  forEachDeclaring("store_unavailable", async (id) => {
    await store.while({ now: away }, () => provoke(client, exampleRequest(id, place), id, "store_unavailable"));
  });
});
