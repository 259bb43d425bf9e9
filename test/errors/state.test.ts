/** Errors that depend on what was there before: calls, uids, cooldowns, quotas, numbers. All of them caused from outside. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { operations } from "../../generated/operations";
import {
  exampleBody,
  exampleRequest,
  type HttpRequest,
  type Names,
  type RoutedId,
  withBody,
  withHeaders,
} from "../../src/conformance/gateway/requests/requests";
import { credentials, TestGateway } from "../gateway";
import { declaring, expectError, forEachDeclaring, pair, provoke } from "./expected";
import { FailingStore } from "./failing";
import { done, openRoom, type Place, ready } from "./ready";

const store = new FailingStore();
const other = credentials("other", "another-api-key-0123456789");
let place: TestGateway;
let ground: Place;
beforeAll(async () => {
  place = await TestGateway.start({ store: store.store, recordings: true });
  ground = { gateway: place, store, call: () => place.call() };
  await place.putApp("other", { api_key: "another-api-key-0123456789" });
});
afterAll(() => place.close());

function withUid(id: RoutedId, names: Partial<Names>, command_uid: string): HttpRequest {
  return withBody(exampleRequest(id, place, names), { ...exampleBody(id, place, names), command_uid });
}

describe("the session of another app", () => {
  forEachDeclaring("session_of_another_app", async (id) => {
    const request = exampleRequest(id, place, { uuid: await place.call() });
    await provoke(place.client, withHeaders(request, other), id, "session_of_another_app");
  });
});

describe("the room of another app", () => {
  forEachDeclaring("room_of_another_app", async (id) => {
    const room_id = await openRoom(ground, other);
    const request = exampleRequest(id, place, { uuid: await place.call(), room_id });
    await provoke(place.client, request, id, "room_of_another_app");
  });
});

test("a call that is to join a room that there is not", async () => {
  const request = exampleRequest("joinRoom", place, { uuid: await place.call() });
  await provoke(place.client, request, "joinRoom", "room_not_found");
});

describe("a uid that another command has had", () => {
  forEachDeclaring("command_uid_reused", async (id) => {
    const names = await ready(id, ground);
    const others: readonly RoutedId[] = names.uuid ? ["stopPlayback", "answer"] : ["pauseRoom", "stopRoom"];
    const [before = id] = others.filter((another) => another !== id);
    const first = await place.client.request(withUid(before, names, "one"));
    expect(first.status).toBe(202);
    await provoke(place.client, withUid(id, names, "one"), id, "command_uid_reused");
  });
});

test("a uid that comes again with the default of another field written out is a repeat", async () => {
  const request = withUid("playAndGetDigits", { uuid: await place.call() }, "twice");
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
    const names = await ready(id, ground);
    if (id === "stopPlayback") {
      await place.client.request(exampleRequest("startPlayback", place, names));
      await place.receiver.event("playback.started", names.uuid);
    }
    const repeated = withUid(id, names, "at-once");
    const [first, second] = await pair(place.url, repeated, repeated);
    expect(first.status).toBe(202);
    expectError(second, "command_uid_pending");
    expect(second.headers["retry-after"]).toBe("1");
  });
});

/** Commands whose second one would be refused for its state: what of their group is sent before, and for what they are ready. */
const primers: { readonly [O in RoutedId]?: { readonly first: RoutedId; readonly state?: RoutedId } } = {
  startRecording: { first: "playAndGetDigits", state: "joinRoom" },
  stopRecording: { first: "stopPlayback" },
  leaveRoom: { first: "joinRoom" },
  mute: { first: "unmute", state: "unmute" },
  unmute: { first: "mute", state: "mute" },
};

/** Over before a busy machine has said that the first command is done: there both are sent in one packet. */
const short: ReadonlySet<string> = new Set(
  Object.entries(operations).flatMap(([id, { command }]) =>
    command?.cooldown && command.cooldown.ms < 1000 ? [id] : [],
  ),
);

describe("a second command within the cooldown", () => {
  forEachDeclaring("command_rate_limited", async (id) => {
    const { first = id, state = id } = primers[id] ?? {};
    const names = await ready(state, ground);
    const request = exampleRequest(id, place, names);
    if (short.has(id)) {
      const [, second] = await pair(place.url, exampleRequest(first, place, names), request);
      expectError(second, "command_rate_limited");
      return;
    }
    await done(first, ground, names);
    await provoke(place.client, request, id, "command_rate_limited");
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
