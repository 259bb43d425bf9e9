/** Errors that depend on what was there before: calls, uids, cooldowns, quotas, numbers. All of them caused from outside. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { credentials, TestGateway } from "../gateway";
import { declaring, expectError, forEachDeclaring, pair, provoke } from "./expected";
import { exampleBody, exampleRequest, type HttpRequest, type RoutedId, withBody, withHeaders } from "./requests";

let place: TestGateway;
beforeAll(async () => {
  place = await TestGateway.start();
  await place.putApp("other", { api_key: "another-api-key-0123456789" });
});
afterAll(() => place.close());

function withUid(id: RoutedId, uuid: string, command_uid: string): HttpRequest {
  return withBody(exampleRequest(id, place, { uuid }), { ...exampleBody(id, place), command_uid });
}

describe("the session of another app", () => {
  forEachDeclaring("session_of_another_app", async (id) => {
    const request = exampleRequest(id, place, { uuid: await place.call() });
    const foreign = withHeaders(request, credentials("other", "another-api-key-0123456789"));
    await provoke(place.client, foreign, id, "session_of_another_app");
  });
});

describe("a uid that another command has had", () => {
  forEachDeclaring("command_uid_reused", async (id) => {
    const uuid = await place.call();
    const first = await place.client.request(withUid(id === "answer" ? "stopPlayback" : "answer", uuid, "one"));
    expect(first.status).toBe(202);
    await provoke(place.client, withUid(id, uuid, "one"), id, "command_uid_reused");
  });
});

test("a uid that comes again with the default of another field written out is a repeat", async () => {
  const request = withUid("playAndGetDigits", await place.call(), "twice");
  const body = JSON.parse(String(request.body));
  expect((await place.client.request(withBody(request, { ...body, timeout_ms: 300 }))).status).toBe(202);
  const again = await place.client.request(withBody(request, { ...body, timeout_ms: 300, digit_timeout_ms: 300 }));
  expect({ status: again.status, replayed: again.headers["idempotent-replayed"] }).toEqual({
    status: 202,
    replayed: "true",
  });
  const other = withBody(request, { ...body, timeout_ms: 300, digit_timeout_ms: 301 });
  await provoke(place.client, other, "playAndGetDigits", "command_uid_reused");
});

/** `hangup` and `disconnect` wait for nobody: the embedded engine has taken them before it reads a second request. */
const waiting = declaring("command_uid_pending").filter((id) => id !== "hangup" && id !== "disconnect");

describe("a uid whose first try is not decided", () => {
  test.each(waiting)("%s", async (id) => {
    const uuid = await place.call();
    if (id === "stopPlayback") {
      await place.client.request(exampleRequest("startPlayback", place, { uuid }));
      await place.receiver.event("playback.started", uuid);
    }
    const repeated = withUid(id, uuid, "at-once");
    const [first, second] = await pair(place.url, repeated, repeated);
    expect(first.status).toBe(202);
    expectError(second, "command_uid_pending");
    expect(second.headers["retry-after"]).toBe("1");
  });
});

describe("a second command within the cooldown", () => {
  forEachDeclaring("command_rate_limited", async (id) => {
    const request = exampleRequest(id, place, { uuid: await place.call() });
    const [first, second] = await pair(place.url, request, request);
    expect(first.status).toBe(202);
    expectError(second, "command_rate_limited");
  });
});

describe("one request too many", () => {
  let slow: TestGateway;
  beforeAll(async () => {
    slow = await TestGateway.start({ env: { DEFAULT_RATE_LIMIT: "1", EMBEDDED_ENGINE: "false" } });
  });
  afterAll(() => slow.close());

  forEachDeclaring("rate_limited", async (id) => {
    const request = exampleRequest(id, slow);
    let [, second] = await pair(slow.url, request, request);
    // A new second had begun between them: the next one has only just begun.
    if (second.status !== 429) [, second] = await pair(slow.url, request, request);
    expectError(second, "rate_limited");
  });
});

describe("what an administrator asks for", () => {
  test.each(declaring("did_taken"))("%s: a number of another app", async (id) => {
    await place.putApp("holder", { dids: ["4711"] });
    const request = withBody(exampleRequest(id, place), { dids: ["4711"] });
    const { text } = await provoke(place.client, request, id, "did_taken");
    expect(JSON.parse(text).detail).toEqual({ did: "4711" });
  });
});

describe("what only looks like a cursor", () => {
  forEachDeclaring("invalid_cursor", async (id) => {
    const { path, ...request } = exampleRequest(id, place);
    await provoke(place.client, { ...request, path: `${path}?cursor=aGVsbG8` }, id, "invalid_cursor");
  });
});
