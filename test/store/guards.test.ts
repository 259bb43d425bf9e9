/** What keeps a Redis store right when answers are lost, instances stall and Redis forgets: a test for each guard alone. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { RedisStore } from "../../src/store/redis";
import { answering, type RedisTried, redisPlace } from "../redis/place";
import { RedisProxy } from "../redis/proxy";
import { RedisServer } from "../redis/server";
import {
  admit,
  admitted,
  appPut,
  commandOf,
  commitOf,
  eventOf,
  eventsOf,
  loaded,
  names,
  only,
  sessionOf,
  settlementOf,
  turn,
  withUid,
} from "./samples";

const place = redisPlace();

describe("a guard of the Redis store", () => {
  const call = `alpha-${randomUUID()}`;
  let subject: RedisTried;
  /** Another instance of the gateway, which may be asleep. */
  let other: RedisStore;
  beforeEach(async () => {
    subject = await place.make();
    other = subject.another();
    await subject.store.putApp(appPut("acme"));
    await subject.store.createSession(sessionOf(call, { node: "alpha" }), []);
  });
  afterEach(async () => {
    await subject.store.close();
    await other.close();
  });
  /** Commits events of the call. */
  const tell = async (from: number, to: number) => {
    const { store } = subject;
    await store.commit(commitOf(await loaded(store, call), { sequence: to }, { events: eventsOf(from, to) }));
  };

  test("token: who stalled while delivering settles nothing of what another one delivers since", async () => {
    const { store, advance } = subject;
    await tell(1, 2);
    const stalled = only(await turn(other));
    await advance(3000);
    const present = only(await turn(store));
    expect(present.event).toEqual(stalled.event);
    expect(await turn(other, { settled: [settlementOf(stalled)] })).toMatchObject({ stale: 1, taken: [] });
    const next = await turn(store, { settled: [settlementOf(present)] });
    expect([next.stale, names(next)]).toEqual([0, [`${call}:2`]]);
  });

  test("fence: who slept while another one took over the node writes nothing of what it has read", async () => {
    const { store, advance } = subject;
    const node = { nodes: ["alpha"], lease_ms: 1000, lost_ms: 100_000 };
    const [before] = await other.hold({ ...node, owner: "sleeper" });
    const read = await loaded(other, call);
    await advance(1000);
    const [after] = await store.hold({ ...node, owner: "successor" });
    if (before?.fence == null || after?.fence == null) throw new Error("the node was not held");
    expect(after.fence).toBeGreaterThan(before.fence);
    await store.raiseFence("alpha", after.fence);
    const late = commitOf(read, { state: "ended" }, { events: [eventOf(1)], fence: before.fence });
    expect(await other.commit(late)).toBe("fenced");
    expect(names(await turn(store))).toEqual([]);
    const commit = commitOf(await loaded(store, call), { sequence: 1 }, { events: [eventOf(1)], fence: after.fence });
    expect(await store.commit(commit)).toBe("committed");
    expect(names(await turn(store))).toEqual([`${call}:1`]);
  });

  test("fence: what was written before the node was taken over is known as written", async () => {
    const { store } = subject;
    const commit = commitOf(await loaded(other, call), { sequence: 1 }, { events: [eventOf(1)], fence: 1 });
    expect(await other.commit(commit)).toBe("committed");
    await store.raiseFence("alpha", 2);
    expect(await other.commit(commit)).toBe("committed");
    expect(await other.commit({ ...commit, nonce: "another" })).toBe("conflict");
  });

  test("version: of two who read the same, the second writes nothing", async () => {
    const { store } = subject;
    const read = await loaded(other, call);
    await admitted(store, call, commandOf());
    expect(await other.commit(commitOf(read, { state: "ended" }, { events: [eventOf(1)] }))).toBe("conflict");
    expect((await loaded(store, call)).state).toMatchObject({ state: "answered", operations: [{}] });
    expect(names(await turn(store))).toEqual([]);
  });

  test("revision: events that were chosen by settings that hold no more are not written", async () => {
    const { store } = subject;
    const read = await loaded(other, call);
    await store.putApp(appPut("acme", { events: ["call.hangup"] }));
    expect(await other.commit(commitOf(read, { sequence: 1 }, { events: [eventOf(1)] }))).toBe("conflict");
    expect(await other.commit(commitOf(await loaded(other, call), { sequence: 1 }))).toBe("committed");
    expect(names(await turn(store))).toEqual([]);
  });

  test("own operation id: a caller's second try is no repeat of its own first, a parallel one is", async () => {
    const { store } = subject;
    const command = withUid("uid", { cooldown: { group: "heavy", ms: 60_000 } });
    const first = await admit(other, call, command);
    expect(first.outcome).toBe("admitted");
    expect(await admit(other, call, command)).toEqual(first);
    expect((await admit(store, call, { ...command, operation_id: randomUUID() })).outcome).toBe("uid_busy");
    const { operations } = (await loaded(store, call)).state;
    expect(operations.map(({ operation_id }) => operation_id)).toEqual([command.operation_id]);
  });

  test("nonce: a commit that ran and was not heard of is not run again, nor taken for a conflict", async () => {
    const { store } = subject;
    const commit = commitOf(await loaded(other, call), { sequence: 2 }, { events: eventsOf(1, 2) });
    await other.commit(commit);
    await store.commit(commitOf(await loaded(store, call), { caller_id: "changed" }));
    expect(await other.commit(commit)).toBe("committed");
    expect((await loaded(store, call)).state).toMatchObject({ caller_id: "changed", sequence: 2 });
    const { events } = await store.sessionEvents("acme", call, 0, 10);
    expect(events.map(({ event }) => event.sequence)).toEqual([1, 2]);
  });
});

test("secret: an app that was created since it was looked for is not put a second time by the same call", async () => {
  const { store, another } = await place.make();
  const proxy = await RedisProxy.start(Number(new URL(place.url).port));
  const late = another(proxy.url);
  // By now Redis knows the script that looks for it.
  expect(await late.app("acme")).toBeNull();
  const put = appPut("acme");
  proxy.hold();
  const asked = proxy.asked();
  const answer = late.putApp(put);
  await asked;
  expect((await store.putApp(put)).outcome).toBe("created");
  await store.createSession(sessionOf("call"), []);
  const { revision } = await loaded(store, "call");
  // It learns that there was none.
  proxy.release();
  expect((await answer).outcome).toBe("created");
  expect(await loaded(store, "call")).toMatchObject({ revision });
  for (const each of [store, late]) await each.close();
  await proxy.close();
});

test("sequence: a Redis that lost what it acknowledged gives a token out twice, and nothing is skipped", async () => {
  const server = await RedisServer.start();
  const { store } = await place.make({ url: server.url, clock: undefined });
  try {
    await store.putApp(appPut("acme"));
    await store.createSession(sessionOf("call"), eventsOf(1, 3));
    await server.command("SAVE");
    const lease_ms = 60_000;
    const first = only(await turn(store, { lease_ms }));
    const second = only(await turn(store, { lease_ms, settled: [settlementOf(first)] }));
    // What it comes back with is what it saved.
    await server.restart();
    await answering(store);
    const again = only(await turn(store, { lease_ms }));
    const retried = only(await turn(store, { lease_ms, settled: [settlementOf(again, { retry_in_ms: 0 })] }));
    expect([retried.event.sequence, retried.token]).toEqual([1, second.token]);
    expect(await turn(store, { settled: [settlementOf(second)] })).toMatchObject({ stale: 1, taken: [] });
    expect(names(await turn(store, { settled: [settlementOf(retried)] }))).toEqual(["call:2"]);
  } finally {
    await store.close();
    await server.stop();
  }
});
