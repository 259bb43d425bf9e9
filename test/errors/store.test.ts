/** What only a store that fails can cause. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { AdmissionRequest, Store } from "../../src/store/store";
import { Client } from "../api/client";
import { TestGateway } from "../gateway";
import { declaring, forEachDeclaring, provoke } from "./expected";
import { away, FailingStore } from "./failing";
import { exampleRequest, policyOf, type RoutedId, withHeaders } from "./requests";

const store = new FailingStore();
let place: TestGateway;
let client: Client;
beforeAll(async () => {
  place = await TestGateway.start({ store: store.store });
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

/** A store that gives a call that has ended for a live one. */
async function admitEnded(request: AdmissionRequest) {
  const admission = await store.real.admit(request);
  if (admission.outcome !== "admitted" || !admission.loaded) throw new Error(`not admitted: ${admission.outcome}`);
  const session = { ...admission.loaded.session, state: "ended" as const };
  return { ...admission, loaded: { ...admission.loaded, session } };
}

/** What fails after the request was let in, as far as an operation asks the store for anything then. */
const failing: { readonly [O in RoutedId]?: Partial<Store> } = {
  listSessions: { sessions: away },
  getSession: { admit: admitEnded },
  listApps: { apps: away },
  getApp: { app: away },
  putApp: { putApp: away },
  deleteApp: { closeApp: away },
  rotateWebhookSecret: { rotateSecret: away },
  createSandboxCall: { countAdmin: away },
};

describe("when the store fails behind the checks", () => {
  const others = declaring("internal_error").filter((id) => policyOf(id).command === null);
  test.each(others)("%s", async (id) => {
    const instead = failing[id];
    if (!instead) throw new Error(`nothing is known to fail in ${id}`);
    const request = exampleRequest(id, place, { uuid: await place.call(), app_id: "test" });
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

  test("a call whose app cannot be looked up is refused", async () => {
    const request = exampleRequest("createSandboxCall", place);
    const refused = () => provoke(client, request, "createSandboxCall", "media_server_unavailable");
    await store.while({ appForDid: away }, refused);
  });
});

describe("when the store has no clock", () => {
  forEachDeclaring("store_unavailable", async (id) => {
    await store.while({ now: away }, () => provoke(client, exampleRequest(id, place), id, "store_unavailable"));
  });
});
