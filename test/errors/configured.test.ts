/** Errors that depend on how the gateway was started, and on how much it has to do. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { errors, operations } from "../../generated/operations";
import { bytesOf } from "../../src/conformance/gateway/ground/wire";
import { exampleRequest, type RoutedId, withBody, withHeaders } from "../../src/conformance/gateway/requests/requests";
import { Portal } from "../../src/portal/portal";
import { Wire } from "../api/wire";
import { TestGateway } from "../gateway";
import { forEachDeclaring, provoke } from "./expected";

let place: TestGateway;

describe("without an admin key", () => {
  beforeAll(async () => {
    place = await TestGateway.start({ env: { ADMIN_API_KEY: "", EMBEDDED_ENGINE: "false" }, app: null });
  });
  afterAll(() => place.close());

  forEachDeclaring("admin_not_configured", async (id) => {
    await provoke(place.client, exampleRequest(id, place), id, "admin_not_configured");
  });
});

describe("by production's rules, without the embedded engine", () => {
  beforeAll(async () => {
    const env = { EMBEDDED_ENGINE: "false", ALLOW_HTTP_WEBHOOKS: "", ALLOW_LOCALHOST_WEBHOOKS: "" };
    place = await TestGateway.start({ env, app: null });
  });
  afterAll(() => place.close());

  forEachDeclaring("embedded_engine_off", async (id) => {
    await provoke(place.client, exampleRequest(id, place), id, "embedded_engine_off");
  });

  forEachDeclaring("webhook_url_must_use_https", async (id) => {
    const request = withBody(exampleRequest(id, place), { webhook_url: "http://example.com/" });
    await provoke(place.client, request, id, "webhook_url_must_use_https");
  });

  forEachDeclaring("webhook_url_is_private", async (id) => {
    const request = withBody(exampleRequest(id, place), { webhook_url: "https://127.0.0.1/" });
    await provoke(place.client, request, id, "webhook_url_is_private");
  });

  test("what only the configuration knows comes after all fields, as the document has it", async () => {
    const wrong = { webhook_url: "http://example.com/", api_key: "short", dids: ["1*2"] };
    const request = exampleRequest("putApp", place);
    await provoke(place.client, withBody(request, wrong), "putApp", "api_key_invalid");
    await provoke(place.client, withBody(request, { ...wrong, api_key: undefined }), "putApp", "dids_invalid");
    const { failures } = operations.putApp;
    const written = Object.keys(errors).filter((code) => failures.some((failure) => failure === code));
    for (const order of [written, [...failures]])
      expect(order.indexOf("webhook_url_must_use_https")).toBeGreaterThan(order.indexOf("dids_invalid"));
  });
});

describe("with an engine, and no app for the number", () => {
  beforeAll(async () => {
    place = await TestGateway.start({ app: null });
  });
  afterAll(() => place.close());

  forEachDeclaring("no_app_takes_number", async (id) => {
    await provoke(place.client, exampleRequest(id, place), id, "no_app_takes_number");
  });
});

describe("without the documentation", () => {
  beforeAll(async () => {
    const portal = new Portal(path.join(__dirname, "nowhere"));
    place = await TestGateway.start({ env: { EMBEDDED_ENGINE: "false" }, app: null, portal });
  });
  afterAll(() => place.close());

  forEachDeclaring("page_not_found", async (id) => {
    await provoke(place.client, exampleRequest(id, place), id, "page_not_found");
  });

  test("its start says so", () => {
    expect(place.log.join("")).toContain("the documentation has not been built");
  });
});

describe("with as many requests as it takes", () => {
  let held: Wire;
  beforeAll(async () => {
    place = await TestGateway.start({ env: { MAX_INFLIGHT: "1", EMBEDDED_ENGINE: "false" } });
    const unfinished = withHeaders(exampleRequest("answer", place), { Expect: "100-continue" });
    held = await Wire.open(Number(new URL(place.url).port));
    held.write(bytesOf(unfinished).slice(0, -1));
    // The gateway has begun to read a body that does not end.
    await held.response();
  });
  afterAll(async () => {
    held.destroy();
    await place.close();
  });

  /** Without credentials: nobody gets so far as to be asked for them. */
  const anonymous = (id: RoutedId) => ({ ...exampleRequest(id, place), headers: {} });

  forEachDeclaring("server_overloaded", async (id) => {
    await provoke(place.client, anonymous(id), id, "server_overloaded");
  });

  test("a request without a route", async () => {
    const request = { ...exampleRequest("getOpenapi", place), path: "/nowhere" };
    await provoke(place.client, request, "http.overloaded", "server_overloaded");
  });

  test("those who look whether it lives are answered", async () => {
    for (const id of ["getLive", "getHealth"] as const)
      expect(await place.client.request(exampleRequest(id, place))).toMatchObject({ status: 200 });
  });
});
