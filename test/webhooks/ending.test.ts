import { afterEach, describe, expect, test } from "@jest/globals";
import { MemoryStore } from "../../src/store/memory";
import type { Store, Turn, TurnResult } from "../../src/store/store";
import type { WebhookOptions } from "../../src/webhooks/delivery";
import { Place } from "./place";

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});
function open(options: Partial<WebhookOptions> = {}): Place {
  const place = new Place(options);
  places.push(place);
  return place;
}

describe("an app that is being deleted", () => {
  test("has each event tried once more, also those that wait for their next attempt", async () => {
    const place = open({ retrySeconds: 86_400 });
    const endpoint = await place.endpoint(({ response }) => response.writeHead(500).end());
    await place.app("acme", endpoint.url);
    await place.commit("acme", "a", 3);
    await place.line(({ msg }) => msg === "webhook failed");
    await place.commit("acme", "b", 2, false);
    await place.store.closeApp("acme");
    await place.webhooks.drained("acme", 20_000);
    expect([...endpoint.names].sort()).toEqual(["a:1", "a:1", "a:2", "a:3", "b:1", "b:2"]);
    expect(await place.store.appsWithEvents()).toEqual([]);
  });

  test("does not wait for a pause of the breaker", async () => {
    const place = open({ retrySeconds: 86_400 });
    const endpoint = await place.endpoint(({ response }) => response.destroy());
    await place.app("acme", endpoint.url);
    for (let session = 0; session < 30; session++) await place.commit("acme", `call ${session}`, 1);
    await endpoint.until(10);
    await place.store.closeApp("acme");
    await place.webhooks.drained("acme", 20_000);
    expect(await place.store.appsWithEvents()).toEqual([]);
    expect(new Set(endpoint.names).size).toBe(30);
  });

  test("is not waited for longer than was said", async () => {
    const place = open();
    const endpoint = await place.endpoint(() => undefined);
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 1);
    await endpoint.until(1);
    await place.store.closeApp("acme");
    await place.webhooks.drained("acme", 50);
    expect(await place.store.appsWithEvents()).toEqual(["acme"]);
  });

  test("without anything to deliver is drained at once", async () => {
    const place = open();
    await place.app("acme", "https://receiver.example/");
    await place.webhooks.drained("acme", 20_000);
    await place.webhooks.drained("nobody", 20_000);
  });
});

describe("closing", () => {
  test("sends what was just committed, and settles it", async () => {
    const place = open();
    const endpoint = await place.endpoint(({ response }) => setImmediate(() => response.writeHead(204).end()));
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 5);
    await place.webhooks.close();
    expect(endpoint.names).toEqual(["call:1", "call:2", "call:3", "call:4", "call:5"]);
    expect(await place.store.appsWithEvents()).toEqual([]);
    await place.commit("acme", "call", 1);
    await place.webhooks.drained("acme", 20_000);
    await place.webhooks.close();
    expect(endpoint.arrivals).toHaveLength(5);
  });

  test("does not wait for what is due later, and keeps it", async () => {
    const place = open({ retrySeconds: 86_400 });
    const endpoint = await place.endpoint(({ response }) => response.writeHead(503).end());
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 1);
    await place.line(({ msg }) => msg === "webhook failed");
    await place.webhooks.close();
    expect(endpoint.arrivals).toHaveLength(1);
    expect(await place.store.appsWithEvents()).toEqual(["acme"]);
  });
});

/** The memory store behind a connection that breaks when a test says so, and with its clock. */
class Remote extends MemoryStore {
  ahead = 0;
  /** What becomes of the next calls of `turn`: the call is lost, or its answer. */
  readonly troubles: ("call" | "answer")[] = [];
  sweepsFail = false;

  constructor() {
    super({ now: () => Date.now() + this.ahead });
  }

  override async turn(turn: Turn): Promise<TurnResult> {
    const trouble = this.troubles.shift();
    if (trouble === "call") throw new Error("connection refused");
    const result = await super.turn(turn);
    if (trouble === "answer") throw new Error("connection lost");
    return result;
  }

  override async appsWithEvents(): ReturnType<Store["appsWithEvents"]> {
    if (this.sweepsFail) throw new Error("connection refused");
    return super.appsWithEvents();
  }
}

describe("a store that cannot be asked", () => {
  test("is asked again", async () => {
    const store = new Remote();
    const place = open({ store });
    const endpoint = await place.endpoint();
    await place.app("acme", endpoint.url);
    store.troubles.push("call", "call", "call");
    await place.commit("acme", "call", 3);
    await endpoint.until(3);
    expect(endpoint.names).toEqual(["call:1", "call:2", "call:3"]);
    const asked = place.lines.filter(({ msg }) => msg === "webhooks: the store cannot be asked");
    expect(asked.map(({ failures }) => failures)).toEqual([1, 2, 3]);
  });

  test("that took a settlement whose answer was lost delivers nothing twice", async () => {
    const store = new Remote();
    const place = open({ store });
    const endpoint = await place.endpoint(({ sequence, response }) => {
      if (sequence === 1) store.troubles.push("answer");
      response.writeHead(204).end();
    });
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 1);
    await place.line(({ msg }) => msg === "webhooks settled too late, or twice");
    await place.commit("acme", "call", 1);
    await endpoint.until(2);
    expect(endpoint.names).toEqual(["call:1", "call:2"]);
  });

  test("that handed out what never arrived hands it out again", async () => {
    const store = new Remote();
    const place = open({ store });
    const endpoint = await place.endpoint();
    await place.app("acme", endpoint.url);
    store.troubles.push("answer");
    await place.commit("acme", "call", 2);
    await place.line(({ msg }) => msg === "webhooks: the store cannot be asked");
    expect(endpoint.arrivals).toHaveLength(0);
    store.ahead = 20_000;
    await endpoint.until(2);
    expect(endpoint.names).toEqual(["call:1", "call:2"]);
  });

  test("while the apps are looked for is asked by the next sweep", async () => {
    const store = new Remote();
    const place = open({ store });
    const endpoint = await place.endpoint();
    await place.app("acme", endpoint.url);
    store.sweepsFail = true;
    await place.commit("acme", "call", 1, false);
    await place.line(({ msg }) => msg === "webhooks: the store cannot be asked");
    store.sweepsFail = false;
    await endpoint.until(1);
  });
});
