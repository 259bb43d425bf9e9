/** "Every call may run twice, or run without its caller learning it": on a real Redis, with real connections that are cut. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { RedisStore } from "../../src/store/redis";
import type { Store } from "../../src/store/store";
import { answering, type RedisTried, redisPlace } from "../redis/place";
import { RedisProxy } from "../redis/proxy";
import {
  appPut,
  closeOf,
  commitOf,
  digestOf,
  ended,
  eventOf,
  eventsOf,
  loaded,
  names,
  only,
  requestOf,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
  withUid,
} from "./samples";

/** A call of the store as one caller makes it, and makes it again; what it answers; and what has come of it then. */
interface Attempt {
  readonly call: (store: Store) => Promise<unknown>;
  readonly answer: unknown;
  readonly effect?: () => Promise<unknown>;
  readonly left?: unknown;
}
/** Ids that nobody has used. */
interface Names {
  readonly app_id: string;
  readonly call: string;
  readonly node: string;
}

const place = redisPlace();

async function withApp(store: Store, { app_id, call }: Names, events = eventsOf(1, 2)): Promise<void> {
  await store.putApp(appPut(app_id));
  await store.createSession(sessionOf(call, { app_id }), events);
}
const holdOf = (node: string) => ({ owner: "owner", nodes: [node], lease_ms: 60_000, lost_ms: 60_000 });

/** Each is prepared by an undisturbed store. */
const attempts: Readonly<Record<string, (store: Store, ids: Names) => Promise<Attempt>>> = {
  async admit(store, ids) {
    await withApp(store, ids);
    const command = withUid("uid", { cooldown: { group: "heavy", ms: 60_000 } });
    const request = requestOf({ app_id: ids.app_id, session_uuid: ids.call, command, default_rate_limit: 10 });
    return {
      call: (disturbed) => disturbed.admit({ ...request, digest: digestOf(ids.app_id) }),
      answer: expect.objectContaining({ outcome: "admitted", quota: expect.objectContaining({ remaining: 9 }) }),
      effect: async () => (await loaded(store, ids.call)).state.operations.map(({ operation_id }) => operation_id),
      left: [command.operation_id],
    };
  },

  async commit(store, ids) {
    await withApp(store, ids);
    const commit = commitOf(await loaded(store, ids.call), { sequence: 4 }, { events: eventsOf(3, 4) });
    return {
      call: (disturbed) => disturbed.commit(commit),
      answer: "committed",
      effect: async () => [await sequences(store, ids), (await loaded(store, ids.call)).version],
      left: [[1, 2, 3, 4], 2],
    };
  },

  async "commit of an end"(store, ids) {
    await withApp(store, ids);
    const commit = commitOf(await loaded(store, ids.call), { state: "ended", sequence: 3 }, { events: [eventOf(3)] });
    return {
      call: (disturbed) => disturbed.commit(commit),
      answer: "committed",
      effect: async () => [await sequences(store, ids), await store.loadSession(ids.call)],
      left: [[1, 2, 3], null],
    };
  },

  async createSession(store, ids) {
    await store.putApp(appPut(ids.app_id));
    const session = sessionOf(ids.call, { app_id: ids.app_id, sequence: 1 });
    return {
      call: (disturbed) => disturbed.createSession(session, [eventOf(1)]),
      answer: true,
      effect: async () => [await sequences(store, ids), (await loaded(store, ids.call)).state],
      left: [[1], session],
    };
  },

  async createRoom(store, { app_id, call }) {
    await store.putApp(appPut(app_id));
    const room = roomOf(`${app_id}-room`, { app_id, name: "support" });
    return {
      call: (disturbed) => disturbed.createRoom(room),
      answer: { outcome: "created" },
      effect: () => store.createRoom(roomOf(call, { app_id, name: "support" })),
      left: { outcome: "name_taken", room_id: room.room_id },
    };
  },

  async "putApp of a new app"(store, ids) {
    const secret = randomUUID();
    const put = { ...appPut(ids.app_id, { dids: [`${ids.app_id}*`] }), created: { digest: "digest", secret } };
    return {
      call: async (disturbed) => (await disturbed.putApp(put)).outcome,
      answer: "created",
      effect: async () => {
        await store.createSession(sessionOf(ids.call, { app_id: ids.app_id }), [eventOf(1)]);
        const { secrets } = only(await turn(store, { app_id: ids.app_id }));
        return [secrets, (await store.appForDid(`${ids.app_id}1`))?.app_id];
      },
      left: [[secret], ids.app_id],
    };
  },

  async "putApp of an app with other numbers"(store, { app_id }) {
    await store.putApp(appPut(app_id, { dids: [`${app_id}1`, `${app_id}2`] }));
    const found = async (did: string) => (await store.appForDid(`${app_id}${did}`))?.app_id;
    return {
      call: async (disturbed) =>
        (await disturbed.putApp(appPut(app_id, { dids: [`${app_id}2`, `${app_id}3`] }))).outcome,
      answer: "replaced",
      effect: async () => [await found("1"), await found("2"), await found("3")],
      left: [undefined, app_id, app_id],
    };
  },

  async rotateSecret(store, ids) {
    const { app_id } = ids;
    await store.putApp({ ...appPut(app_id), created: { digest: "digest", secret: "first" } });
    await store.createSession(sessionOf(ids.call, { app_id }), [eventOf(1)]);
    return {
      call: (disturbed) => disturbed.rotateSecret(app_id, "second", 60_000),
      answer: true,
      effect: async () => only(await turn(store, { app_id })).secrets,
      left: ["second", "first"],
    };
  },

  async closeApp(store, ids) {
    await withApp(store, ids);
    await store.createSession(sessionOf(`${ids.call} over`, { app_id: ids.app_id }), []);
    await ended(store, `${ids.call} over`);
    const close = closeOf(ids.app_id);
    return {
      call: (disturbed) => disturbed.closeApp(close),
      answer: { sessions: [ids.call], rooms: [] },
      effect: () => store.app(ids.app_id),
      left: null,
    };
  },

  async "turn, of what it settles"(store, ids) {
    await withApp(store, ids);
    const settled = [settlementOf(only(await turn(store, { app_id: ids.app_id })))];
    return {
      call: async (disturbed) => (await turn(disturbed, { app_id: ids.app_id, settled, want: 0 })).taken,
      answer: [],
      effect: async () => names(await turn(store, { app_id: ids.app_id })),
      left: [`${ids.call}:2`],
    };
  },

  async replayDeadLetters(store, ids) {
    const { app_id } = ids;
    await withApp(store, ids, [eventOf(1)]);
    await turn(store, { app_id, settled: [settlementOf(only(await turn(store, { app_id })), "dead")] });
    const nonce = randomUUID();
    return {
      call: (disturbed) => disturbed.replayDeadLetters(app_id, null, nonce),
      answer: 1,
      effect: async () => [
        (await turn(store, { app_id })).taken.map(({ event }) => event.sequence),
        (await store.deadLetters(app_id, 10, null)).letters,
      ],
      left: [[1], []],
    };
  },

  async hold(store, { node }) {
    const before = standing(await store.hold({ ...holdOf(node), owner: "another" }), node);
    await store.release("another");
    const held = { node, fence: Number(before?.fence) + 1, state: "held", ending: [] };
    return {
      call: async (disturbed) => standing(await disturbed.hold(holdOf(node)), node),
      answer: held,
      effect: async () => standing(await store.hold(holdOf(node)), node),
      left: held,
    };
  },

  async release(store, { node }) {
    const held = standing(await store.hold(holdOf(node)), node);
    return {
      call: (disturbed) => disturbed.release("owner"),
      answer: undefined,
      effect: async () => standing(await store.hold({ ...holdOf(node), owner: "another" }), node)?.fence,
      left: Number(held?.fence) + 1,
    };
  },

  async askToEnd(store, { node }) {
    await store.hold(holdOf(node));
    const ids = { app_id: `app-${node}`, call: `${node}-${randomUUID()}`, node };
    await withApp(store, ids);
    const ending = { id: ids.call, cause: "COMMAND" };
    return {
      call: (disturbed) => disturbed.askToEnd(ending),
      answer: undefined,
      effect: async () => standing(await store.hold(holdOf(node)), node)?.ending,
      left: [ending],
    };
  },
};

function standing<T extends { readonly node: string }>(leases: readonly T[], node: string): T | undefined {
  return leases.find((lease) => lease.node === node);
}

async function sequences(store: Store, { app_id, call }: Names): Promise<number[]> {
  const { events } = await store.sessionEvents(app_id, call, 0, 100);
  return events.map(({ event }) => event.sequence);
}

describe("a call of the Redis store whose answer is lost is made again, and answers as if it had been made once", () => {
  let subject: RedisTried;
  let disturbed: RedisStore;
  let proxy: RedisProxy;
  beforeAll(async () => {
    subject = await place.make();
    proxy = await RedisProxy.start(Number(new URL(place.url).port));
    disturbed = subject.another(proxy.url);
    await answering(disturbed);
  });
  afterAll(async () => {
    await disturbed.close();
    await subject.store.close();
    await proxy.close();
  });

  const prepared = async (name: string): Promise<Attempt> => {
    const ids = { app_id: `app-${randomUUID()}`, call: `call ${randomUUID()}`, node: randomUUID().slice(0, 8) };
    const attempt = await attempts[name]?.(subject.store, ids);
    if (attempt === undefined) throw new Error("nothing to attempt");
    return attempt;
  };

  test.each(Object.keys(attempts))("%s, whichever of its answers it is", async (name) => {
    // By now Redis knows all scripts of it: the answers that are lost are those of scripts that have run.
    await (await prepared(name)).call(disturbed);
    for (let lost = 0; ; lost++) {
      const { call, answer, effect, left } = await prepared(name);
      const cut = proxy.cutAnswer({ after: lost });
      const [first] = await Promise.allSettled([call(disturbed)]);
      if (!cut()) {
        // It has no further answer that could be lost.
        expect(lost).toBeGreaterThan(0);
        expect(first).toEqual({ status: "fulfilled", value: answer });
        return;
      }
      expect(first.status).toBe("rejected");
      await answering(disturbed);
      expect(await call(disturbed)).toEqual(answer);
      expect(await effect?.()).toEqual(left);
    }
  });
});
