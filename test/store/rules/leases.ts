/** Who reads the events of a media node, and what becomes of nodes that nobody reads. */
import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Hold, NodeLease, Store } from "../../../src/store/store";
import { appPut, eachTime, ended, endedRoom, type Make, roomOf, sessionOf } from "../samples";

const lease_ms = 3000;
const lost_ms = 12_000;
/** As often as a store has to be asked for the time to count. */
const look_ms = 4000;

const holdOf = (owner: string, nodes: readonly string[] = ["node"], more: Partial<Hold> = {}): Hold => ({
  owner,
  nodes,
  lease_ms,
  lost_ms,
  ...more,
});

export function leaseRules(make: Make): void {
  const subject = eachTime(make);
  let store: Store;
  const advance = async (ms: number) => subject().advance(ms);
  beforeEach(async () => {
    ({ store } = subject());
    await store.putApp(appPut("acme"));
  });

  /** How `node` stands for this instance, which asks for these nodes. */
  async function held(owner: string, nodes: readonly string[] = ["node"]): Promise<NodeLease> {
    const lease = (await store.hold(holdOf(owner, nodes))).find(({ node }) => node === "node");
    if (lease === undefined) throw new Error("the node is not known");
    return lease;
  }
  const fenceOf = async (owner: string): Promise<number> => {
    const { fence } = await held(owner);
    if (fence === null) throw new Error(`${owner} does not hold the node`);
    return fence;
  };
  /** Nobody asks for the node until this is so, though somebody looks. */
  async function until(state: NodeLease["state"]): Promise<void> {
    for (let looks = 0; looks < 10; looks += 1) {
      if ((await held("looker", [])).state === state) return;
      await advance(look_ms);
    }
    throw new Error(`the node was never ${state}`);
  }

  /** A call on this media node. */
  async function call(): Promise<string> {
    const id = `node-${randomUUID()}`;
    await store.createSession(sessionOf(id), []);
    return id;
  }
  async function room(): Promise<string> {
    const id = `node-room-${randomUUID()}`;
    await store.createRoom(roomOf(id));
    return id;
  }

  describe("a node", () => {
    test("goes to who asks first, and to nobody else as long as he asks again", async () => {
      const fence = await fenceOf("one");
      for (let times = 0; times < 5; times += 1) {
        expect(await held("other")).toEqual({ node: "node", fence: null, state: "held", ending: [] });
        await advance(lease_ms - 1);
        expect(await held("one")).toEqual({ node: "node", fence, state: "held", ending: [] });
      }
    });

    test("stands before everybody, also before who asks for none", async () => {
      await store.hold(holdOf("one", ["node", "second"]));
      await store.hold(holdOf("other", ["third"]));
      const all = await store.hold(holdOf("looker", []));
      expect(all.map(({ node, state }) => `${node} ${state}`).sort()).toEqual([
        "node held",
        "second held",
        "third held",
      ]);
    });

    test("goes to another one when its time is over, with a higher fence", async () => {
      const fence = await fenceOf("one");
      await advance(lease_ms);
      expect(await fenceOf("other")).toBeGreaterThan(fence);
      expect(await held("one")).toMatchObject({ fence: null, state: "held" });
    });

    test("is kept under its fence when its time was over and nobody else has asked", async () => {
      const fence = await fenceOf("one");
      await advance(lease_ms + 1000);
      expect(await held("looker", [])).toMatchObject({ state: "away" });
      expect(await held("one")).toMatchObject({ fence, state: "held" });
    });

    test("that is not asked for any more is held until its time is over, and no longer", async () => {
      const fence = await fenceOf("one");
      await advance(lease_ms - 1);
      expect(await held("one", [])).toMatchObject({ fence, state: "held" });
      await advance(1);
      expect(await held("one", [])).toMatchObject({ fence: null, state: "away" });
    });

    test("that was given up goes to another one at once, and what another one holds does not", async () => {
      const fence = await fenceOf("one");
      await store.hold(holdOf("other", ["second"]));
      await store.release("one");
      expect(await fenceOf("other")).toBeGreaterThan(fence);
      await store.release("one");
      expect(await held("one")).toMatchObject({ fence: null, state: "held" });
    });

    test("that was given up has a new fence also for who gave it up", async () => {
      const fence = await fenceOf("one");
      await store.release("one");
      expect(await fenceOf("one")).toBeGreaterThan(fence);
    });
  });

  describe("a node that nobody holds", () => {
    test("is lost after its time, and nobody can hold it until it is forgotten", async () => {
      const fence = await fenceOf("one");
      await advance(lease_ms);
      for (let away = 0; away < lost_ms; away += look_ms) {
        expect(await held("looker", [])).toMatchObject({ state: "away" });
        await advance(look_ms);
      }
      const lost = { node: "node", fence: null, state: "lost", ending: [] };
      expect(await held("looker", [])).toEqual(lost);
      for (const owner of ["one", "other"]) expect(await held(owner)).toEqual(lost);
      await advance(lost_ms);
      expect(await held("one")).toEqual(lost);
      await store.forgetNode("node");
      expect(await store.hold(holdOf("looker", []))).toEqual([]);
      await store.forgetNode("node");
      expect(await fenceOf("one")).toBeGreaterThan(fence);
    });

    test("is not lost by the time in which nobody looked", async () => {
      await fenceOf("one");
      await advance(lost_ms * 10);
      expect(await held("looker", [])).toMatchObject({ state: "away" });
      await advance(look_ms);
      expect(await held("looker", [])).toMatchObject({ state: "away" });
      await advance(lost_ms);
      for (let away = 0; away < lost_ms; away += look_ms) {
        expect(await held("looker", [])).toMatchObject({ state: "away" });
        await advance(look_ms);
      }
      expect(await held("looker", [])).toMatchObject({ state: "lost" });
    });

    test("begins its time anew when somebody has held it in between", async () => {
      await fenceOf("one");
      await advance(lease_ms);
      for (let away = 0; away < lost_ms; away += look_ms) {
        expect(await held("looker", [])).toMatchObject({ state: "away" });
        await advance(look_ms);
      }
      // For so short that nobody has missed a look.
      await store.hold(holdOf("one", ["node"], { lease_ms: 500 }));
      await advance(500);
      expect(await held("looker", [])).toMatchObject({ state: "away" });
    });

    test("is forgotten only when it is lost", async () => {
      await store.forgetNode("node");
      const fence = await fenceOf("one");
      await store.forgetNode("node");
      expect(await held("other")).toMatchObject({ fence: null, state: "held" });
      await advance(lease_ms);
      await store.forgetNode("node");
      expect(await fenceOf("one")).toBe(fence);
    });

    test("is lost with who looks alone: another one that asks for it keeps it from that", async () => {
      await fenceOf("one");
      await advance(lease_ms);
      await until("lost");
      await store.forgetNode("node");
      await fenceOf("one");
      for (let times = 0; times < 10; times += 1) {
        await advance(lease_ms - 1);
        expect(await held("one")).toMatchObject({ state: "held" });
      }
    });
  });

  describe("a call or room that somebody wants ended", () => {
    test("is named to who holds its node, again and again until it is over", async () => {
      const [id, room_id] = [await call(), await room()];
      await held("one");
      await store.askToEnd({ id, cause: "APP_DELETED" });
      await store.askToEnd({ id: room_id, cause: "NORMAL_CLEARING" });
      await store.askToEnd({ id, cause: "APP_DELETED" });
      const both = [
        { id, cause: "APP_DELETED" },
        { id: room_id, cause: "NORMAL_CLEARING" },
      ];
      for (let times = 0; times < 2; times += 1) {
        const { ending } = await held("one");
        expect(ending).toHaveLength(2);
        expect(ending).toEqual(expect.arrayContaining(both));
      }
      expect(await held("other")).toMatchObject({ ending: [] });
      await ended(store, id);
      expect((await held("one")).ending).toEqual([both[1]]);
      await endedRoom(store, room_id);
      expect((await held("one")).ending).toEqual([]);
    });

    test("is named to whoever holds the node next", async () => {
      const id = await call();
      await held("one");
      await store.askToEnd({ id, cause: "APP_DELETED" });
      await store.release("one");
      expect((await held("other")).ending).toEqual([{ id, cause: "APP_DELETED" }]);
    });

    test("is nothing when it is over, or was never there", async () => {
      await held("one");
      const id = await call();
      await ended(store, id);
      await store.askToEnd({ id, cause: "APP_DELETED" });
      await store.askToEnd({ id: `node-${randomUUID()}`, cause: "APP_DELETED" });
      expect((await held("one")).ending).toEqual([]);
    });
  });
}
