import { setImmediate as nextRound } from "node:timers/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { MemoryStore } from "../../src/store/memory";
import type { Store, Turn, TurnResult } from "../../src/store/store";
import type { WebhookOptions } from "../../src/webhooks/delivery";
import { closeOf } from "../store/samples";
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

describe("an app that is deleted", () => {
  const failed = ({ msg }: { readonly msg: string }) => msg === "webhook failed";

  test("has each event tried once more, also those that wait for their next attempt", async () => {
    const place = open({ retrySeconds: 86_400 });
    const endpoint = await place.endpoint(({ response }) => response.writeHead(500).end());
    await place.app("acme", endpoint.url);
    await place.commit("acme", "a", 3);
    await place.line(failed);
    await place.commit("acme", "b", 2, false);
    await place.store.closeApp(closeOf("acme"));
    await endpoint.until(6);
    await place.close();
    expect([...endpoint.names].sort()).toEqual(["a:1", "a:1", "a:2", "a:3", "b:1", "b:2"]);
    expect(await place.store.appsWithEvents()).toEqual([]);
  });

  test("has them tried in spite of the breaker's pauses", async () => {
    const place = open({ retrySeconds: 86_400 });
    const endpoint = await place.endpoint(({ response }) => response.destroy());
    await place.app("acme", endpoint.url);
    for (let session = 0; session < 30; session++) await place.commit("acme", `call ${session}`, 1);
    await endpoint.until(10);
    await place.store.closeApp(closeOf("acme"));
    await endpoint.until((arrivals) => new Set(arrivals.map(({ name }) => name)).size === 30);
    await place.close();
    expect(await place.store.appsWithEvents()).toEqual([]);
  });

  test("and made anew elsewhere has its last events sent where it was, after what was under way", async () => {
    const place = open();
    const slow: Arrival[] = [];
    const old = await place.endpoint((arrival) => {
      if (arrival.sequence === 1) slow.push(arrival);
      else arrival.response.writeHead(204).end();
    });
    const fresh = await place.endpoint();
    await place.app("acme", old.url);
    await place.commit("acme", "before", 1);
    await old.until(1);
    await place.store.closeApp(closeOf("acme"));
    await place.app("acme", fresh.url);
    await place.commit("acme", "before", 2);
    await place.commit("acme", "after", 2);
    await fresh.until(2);
    for (const { response } of slow) response.writeHead(204).end();
    await old.until(3);
    await place.close();
    expect(old.names).toEqual(["before:1", "before:2", "before:3"]);
    expect(fresh.names).toEqual(["after:1", "after:2"]);
    expect(await place.store.appsWithEvents()).toEqual([]);
    expect(place.lines.filter(({ msg }) => /too late/.test(msg))).toEqual([]);
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
    await place.webhooks.close();
    expect(endpoint.arrivals).toHaveLength(5);
  });

  test("waits for an attempt that had waited for a slot", async () => {
    const place = open({ concurrency: 1 });
    const held: Arrival[] = [];
    const first = await place.endpoint((arrival) => held.push(arrival));
    const second = await place.endpoint((arrival) => held.push(arrival));
    await place.app("first", first.url);
    await place.app("second", second.url);
    await place.commit("first", "one", 1);
    await first.until(1);
    await place.commit("second", "two", 1);
    // By the next round of the event loop the second one has asked for a slot, and got none.
    await nextRound();
    expect(second.arrivals).toHaveLength(0);
    held[0]?.response.writeHead(204).end();
    await second.until(1);
    const closed = place.webhooks.close();
    held[1]?.response.writeHead(204).end();
    await closed;
    expect(await place.store.appsWithEvents()).toEqual([]);
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
