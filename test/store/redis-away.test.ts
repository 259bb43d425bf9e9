/** A Redis that dies, pauses, is cut off or hands over to another: what callers see, and that it comes back by itself. */
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { RedisStore } from "../../src/store/redis";
import { load } from "../../src/store/redis/lua/listing";
import { serverClock } from "../../src/store/redis/lua/prelude";
import type { Store } from "../../src/store/store";
import { RedisFailover } from "../redis/cluster";
import { RedisMonitor } from "../redis/monitor";
import { answering, eventually, secretsKey } from "../redis/place";
import { RedisProxy } from "../redis/proxy";
import { RedisServer } from "../redis/server";
import {
  admit,
  admitted,
  appPut,
  closeOf,
  commandOf,
  commitOf,
  eventOf,
  loaded,
  names,
  requestOf,
  roomOf,
  sessionOf,
  turn,
  withUid,
} from "./samples";

type Asking = Exclude<keyof Store, "watch" | "close">;

/** Every call there is, of a store with an app and a call. */
const calls: { readonly [K in Asking]: (store: Store) => Promise<unknown> } = {
  now: (store) => store.now(),
  putApp: (store) => store.putApp(appPut("new")),
  app: (store) => store.app("acme"),
  apps: (store) => store.apps(),
  rotateSecret: (store) => store.rotateSecret("acme", "second", 1000),
  closeApp: (store) => store.closeApp(closeOf("acme")),
  appForDid: (store) => store.appForDid("100"),
  authenticate: (store) => store.authenticate("acme", "digest"),
  countAdmin: (store) => store.countAdmin("192.0.2.1", 10),
  admit: (store) => store.admit(requestOf({ session_uuid: "call", command: commandOf() })),
  createSession: (store) => store.createSession(sessionOf("new"), [eventOf(1)]),
  createRoom: (store) => store.createRoom(roomOf("room")),
  loadSession: (store) => store.loadSession("call"),
  loadRoom: (store) => store.loadRoom("room"),
  sessions: (store) => store.sessions("acme", 10, null),
  rooms: (store) => store.rooms("acme", 10, null),
  members: (store) => store.members("acme", "room"),
  idleRooms: (store) => store.idleRooms(1000, 10),
  commit: (store) => store.commit(commitOf({ state: sessionOf("call"), version: 1, revision: 1, app: known })),
  overdue: (store) => store.overdue(10),
  sessionEvents: (store) => store.sessionEvents("acme", "call", 0, 10),
  roomEvents: (store) => store.roomEvents("acme", "room", 0, 10),
  feedPosition: (store) => store.feedPosition("acme", null),
  feed: (store) => store.feed("acme", "0", 10),
  hold: (store) => store.hold({ owner: "owner", nodes: ["alpha"], lease_ms: 1000, lost_ms: 10_000 }),
  release: (store) => store.release("owner"),
  raiseFence: (store) => store.raiseFence("alpha", 1),
  subjectsOf: (store) => store.subjectsOf("alpha"),
  askToEnd: (store) => store.askToEnd({ id: "call", cause: "COMMAND" }),
  forgetNode: (store) => store.forgetNode("alpha"),
  turn: (store) => turn(store),
  appsWithEvents: (store) => store.appsWithEvents(),
  deadLetters: (store) => store.deadLetters("acme", 10, null),
  replayDeadLetters: (store) => store.replayDeadLetters("acme", null, randomUUID()),
  countDeadLetters: (store) => store.countDeadLetters(),
  sweep: (store) => store.sweep(),
};
const known = { ...appPut("acme").settings, created_at: 1000, webhook_disabled_at: null };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Closed after the test, the last one first. */
function closed<T extends { stop(): Promise<void> | void } | { close(): Promise<void> }>(subject: T): T {
  closing.push(async () => ("stop" in subject ? subject.stop() : subject.close()));
  return subject;
}
/**
 * Lines of its log, and the store. With an app and a call. It waits for longer than a gateway does, because what a test has done
 * after the outage must not fail by a disk that other tests keep busy; where the wait itself is tried, it is that of a gateway.
 */
async function storeAt(url: string, waitMs = 2000): Promise<{ store: RedisStore; lines: string[] }> {
  const lines: string[] = [];
  const store = closed(new RedisStore({ url, prefix: "test:", secretsKey, log: logInto(lines), waitMs }));
  await answering(store);
  await store.putApp(appPut("acme"));
  await store.createSession(sessionOf("call"), []);
  return { store, lines };
}
/** Names of the calls that were not rejected. */
async function answered(store: Store): Promise<string[]> {
  const all = Object.entries(calls);
  const results = await Promise.allSettled(all.map(([, call]) => call(store)));
  return all.filter((_, i) => results[i]?.status === "fulfilled").map(([name]) => name);
}
const logInto = (lines: string[]) => createLog("info", { write: (line) => void lines.push(line) });
const told = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).msg);

describe("while it is away", () => {
  test("every call is rejected, and it is back without a restart", async () => {
    const server = closed(await RedisServer.start({ appendfsync: "always" }));
    const { store, lines } = await storeAt(server.url);
    await server.kill();
    expect(await answered(store)).toEqual([]);
    // Known by now: at once, however many.
    expect(await answered(store)).toEqual([]);
    await server.restart();
    await answering(store);
    expect(await store.app("new")).toBeNull();
    expect(await store.loadSession("new")).toBeNull();
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("admitted");
    // One when it went, one when it was back.
    expect(lines).toHaveLength(2);
    expect(new Set(told(lines)).size).toBe(2);
  });

  test("a pause of two seconds holds nobody for so long", async () => {
    const server = closed(await RedisServer.start());
    const { store } = await storeAt(server.url, 250);
    await server.command("CLIENT", "PAUSE", 2000, "ALL");
    let over = false;
    // Answered when the pause is over.
    const paused = server.command("PING").then(() => {
      over = true;
    });
    expect(await answered(store)).toEqual([]);
    expect(await answered(store)).toEqual([]);
    expect(over).toBe(false);
    await paused;
    expect((await eventually(() => admit(store, "call", commandOf()))).outcome).toBe("admitted");
  });

  test("answers that never come hold nobody, and do not come to somebody else later", async () => {
    const server = closed(await RedisServer.start());
    const proxy = closed(await RedisProxy.start(server.port));
    const { store } = await storeAt(proxy.url);
    proxy.hold();
    await expect(store.app("acme")).rejects.toThrow();
    proxy.release();
    await answering(store);
    expect(await store.loadSession("call")).toMatchObject({ version: 1 });
    expect(await store.app("acme")).toMatchObject({ app_id: "acme" });
  });

  test.each([0, 1, 40])(
    "cut after %i bytes of an answer: rejected, and nothing is read into what follows",
    async (bytes) => {
      const server = closed(await RedisServer.start());
      const proxy = closed(await RedisProxy.start(server.port));
      const { store } = await storeAt(proxy.url);
      const monitor = closed(await RedisMonitor.start(server.port));
      const cut = proxy.cutAnswer({ bytes });
      await expect(store.loadSession("call")).rejects.toThrow();
      expect(cut()).toBe(true);
      await answering(store);
      await server.command("ECHO", "back");
      // Nor is it sent again by anybody but its caller.
      const sent = (await monitor.until("back")).filter(({ first }) => first === load.compile(serverClock).sha);
      expect(sent).toHaveLength(1);
      expect(await store.loadSession("call")).toMatchObject({ state: sessionOf("call"), version: 1 });
    },
  );

  test("nothing is queued for it: what was refused is not done later, and takes no memory", async () => {
    const server = closed(await RedisServer.start());
    const proxy = closed(await RedisProxy.start(server.port));
    const { store } = await storeAt(proxy.url);
    proxy.refuse();
    expect(await answered(store)).toEqual([]);
    const before = proxy.requested;
    const flood = await Promise.allSettled(Array.from({ length: 10_000 }, (_, i) => store.putApp(appPut(`app${i}`))));
    expect(flood.every(({ status }) => status === "rejected")).toBe(true);
    proxy.accept();
    await answering(store);
    expect((await store.apps()).map(({ app_id }) => app_id)).toEqual(["acme"]);
    expect(proxy.requested - before).toBeLessThan(10_000);
  });

  test("who watches is told of what was committed meanwhile", async () => {
    const server = closed(await RedisServer.start());
    const proxy = closed(await RedisProxy.start(server.port));
    const { store } = await storeAt(server.url);
    const watching = closed(new RedisStore({ url: proxy.url, prefix: "test:", secretsKey, log: logInto([]) }));
    await answering(watching);
    const { position } = await watching.feedPosition("acme", null);
    const grown = new Promise<void>((resolve) => {
      const look = async () => {
        // While it is away the feed cannot be read: it calls again.
        const [feed] = await Promise.allSettled([watching.feed("acme", position, 10)]);
        if (feed.status === "fulfilled" && feed.value.events.length > 0) resolve();
      };
      const end = watching.watch("acme", () => void look());
      closing.push(async () => end());
    });
    proxy.refuse();
    await expect(watching.now()).rejects.toThrow();
    await store.commit(commitOf(await loaded(store, "call"), { sequence: 1 }, { events: [eventOf(1)] }));
    proxy.accept();
    await grown;
  });
});

test("scripts that it has forgotten are given to it again", async () => {
  const server = closed(await RedisServer.start({ appendfsync: "always" }));
  const { store } = await storeAt(server.url);
  await admitted(store, "call", commandOf());
  await server.command("SCRIPT", "FLUSH");
  const commit = commitOf(await loaded(store, "call"), { sequence: 1 }, { events: [eventOf(1)] });
  expect(await store.commit(commit)).toBe("committed");
  await server.restart();
  await answering(store);
  expect(names(await turn(store))).toEqual(["call:1"]);
  expect(String(await server.command("INFO", "commandstats"))).toMatch(/cmdstat_evalsha:.*failed_calls=[1-9]/);
});

describe("with a replica under a sentinel", () => {
  test("the replica takes over, with what was there", async () => {
    const failover = closed(await RedisFailover.start());
    const { store } = await storeAt(failover.url);
    await failover.caughtUp();
    await failover.fail();
    expect((await eventually(() => admit(store, "call", commandOf()))).outcome).toBe("admitted");
  });

  test("a master that hands over is left before anything more is written to it", async () => {
    const failover = closed(await RedisFailover.start());
    const { store } = await storeAt(failover.url);
    await failover.caughtUp();
    await failover.change();
    await eventually(async () => {
      await store.putApp(appPut("new"));
      // Where it was written to.
      if ((await failover.replica.command("EXISTS", "test:{new}:cur")) !== 1) throw new Error("not to the new master");
    });
    expect((await eventually(() => admit(store, "call", commandOf()))).outcome).toBe("admitted");
  });
});

test("a master that has become a replica is away until it is one again", async () => {
  const [server, other] = [closed(await RedisServer.start()), closed(await RedisServer.start())];
  const { store } = await storeAt(server.url);
  await server.command("REPLICAOF", "127.0.0.1", other.port);
  await expect(store.putApp(appPut("new"))).rejects.toThrow();
  // It would still answer who only reads: health would say that all is well.
  expect(await answered(store)).toEqual([]);
  await server.command("REPLICAOF", "NO", "ONE");
  await answering(store);
  await store.putApp(appPut("after"));
});
