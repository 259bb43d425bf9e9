/** What is given up and delivered once more; and what each attempt is counted as. */
import { afterEach, describe, expect, test } from "@jest/globals";
import type { WebhookOptions } from "../../src/webhooks/delivery";
import { closeOf, eventOf, sessionOf } from "../store/samples";
import { type Arrival, Place } from "./place";

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});
function open(options: Partial<WebhookOptions> = {}): Place {
  const place = new Place(options);
  places.push(place);
  return place;
}
const status =
  (code: number) =>
  ({ response }: Arrival): void => {
    response.writeHead(code).end();
  };
const outcomes = (place: Place): string[] => place.counted.map(({ outcome }) => outcome);

test("events of a room are delivered in their order, beside those of calls", async () => {
  const place = open();
  const held: Arrival[] = [];
  const endpoint = await place.endpoint((arrival) => {
    if (arrival.name === "call:1") held.push(arrival);
    else status(204)(arrival);
  });
  await place.app("acme", endpoint.url);
  await place.commit("acme", "call", 1);
  await endpoint.until(1);
  const room_id = "node-room-0b8d5c6e-7f1a-4b2c-9d3e-4f5a6b7c8d9e";
  await place.commitRoom("acme", room_id, 3);
  await endpoint.until(4);
  expect(endpoint.names).toEqual(["call:1", `${room_id}:1`, `${room_id}:2`, `${room_id}:3`]);
  const line = await place.line(({ msg, sequence }) => msg === "webhook delivered" && sequence === 3);
  expect(line).toMatchObject({ app_id: "acme", room_id });
  expect(line).not.toHaveProperty("session_uuid");
  for (const each of held) status(204)(each);
});

describe("a dead letter", () => {
  test("is delivered once more by itself, with the same id and body, while newer events go on", async () => {
    const place = open();
    const endpoint = await place.endpoint(status(410));
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 3);
    await place.emptied();
    endpoint.answer = status(204);
    await place.app("acme", endpoint.url);
    expect(await place.store.replayDeadLetters("acme", null, "nonce")).toBe(3);
    place.webhooks.wake("acme");
    await place.commit("acme", "call", 1);
    await endpoint.until(5);
    await place.emptied();
    const [first, ...others] = endpoint.arrivals;
    expect(others.map(({ name }) => name).sort()).toEqual(["call:1", "call:2", "call:3", "call:4"]);
    const again = others.find(({ name }) => name === "call:1");
    expect(again?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(again?.body).toBe(first?.body);
    expect(await place.store.countDeadLetters()).toBe(0);
  });

  test("is tried as often as a new event, however old it is", async () => {
    const place = open();
    const endpoint = await place.endpoint(status(500));
    await place.app("acme", endpoint.url);
    const an_hour_ago = Date.now() - 3_600_000;
    await place.store.createSession(sessionOf("call"), [eventOf(1, "dtmf", { created_at: an_hour_ago })]);
    place.webhooks.wake("acme");
    await place.emptied();
    // So late it has one attempt alone.
    expect(endpoint.arrivals).toHaveLength(1);
    await place.store.replayDeadLetters("acme", null, "nonce");
    place.webhooks.wake("acme");
    await place.emptied();
    expect(endpoint.arrivals).toHaveLength(9);
    const { letters } = await place.store.deadLetters("acme", 10, null);
    expect(letters).toMatchObject([{ source: "call", attempts: 9 }]);
  });
});

describe("what is counted", () => {
  test("each attempt once, with the time since the event", async () => {
    const place = open();
    const endpoint = await place.endpoint((arrival) => status(endpoint.arrivals.length < 3 ? 500 : 204)(arrival));
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 2);
    await endpoint.until(4);
    await place.emptied();
    expect(outcomes(place)).toEqual(["retry", "retry", "delivered", "delivered"]);
    for (const { lag_seconds } of place.counted) {
      expect(lag_seconds).toBeGreaterThanOrEqual(0);
      expect(lag_seconds).toBeLessThan(10);
    }
  });

  test("what is given up by its last attempt, by a 410, and what follows it without one", async () => {
    const place = open();
    const endpoint = await place.endpoint(status(500));
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 1);
    await place.emptied();
    expect(outcomes(place)).toEqual([...Array.from({ length: 7 }, () => "retry"), "dead"]);
    endpoint.answer = status(410);
    await place.commit("acme", "call", 3);
    await place.emptied();
    expect(outcomes(place).slice(8)).toEqual(["dead", "dead", "dead"]);
    expect(await place.store.countDeadLetters()).toBe(4);
    expect(endpoint.arrivals).toHaveLength(9);
  });

  test("nothing without an address", async () => {
    const place = open();
    await place.app("acme", "");
    await place.commit("acme", "call", 2);
    await place.emptied();
    expect(place.counted).toEqual([]);
    expect(place.checked).toEqual([]);
  });

  test("an app that is deleted has its last attempts counted, and leaves no letters", async () => {
    const place = open();
    const endpoint = await place.endpoint(status(500));
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 2, false);
    await place.store.closeApp(closeOf("acme"));
    place.webhooks.wake("acme");
    await place.emptied();
    expect(outcomes(place)).toEqual(["dead", "dead"]);
    expect(await place.store.countDeadLetters()).toBe(0);
  });
});

test("the contract is checked at the first attempt of each event, and not again", async () => {
  const place = open();
  const endpoint = await place.endpoint((arrival) => status(endpoint.arrivals.length === 1 ? 500 : 410)(arrival));
  await place.app("acme", endpoint.url);
  await place.commit("acme", "call", 1);
  await place.emptied();
  endpoint.answer = status(204);
  await place.app("acme", endpoint.url);
  await place.store.replayDeadLetters("acme", null, "nonce");
  place.webhooks.wake("acme");
  await endpoint.until(3);
  await place.commit("acme", "call", 1);
  await endpoint.until(4);
  expect(place.checked).toEqual([endpoint.arrivals[0], endpoint.arrivals[3]].map((arrival) => `dtmf ${arrival?.body}`));
});
