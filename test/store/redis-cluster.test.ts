/** The rules of the store on three masters: what a script touches lies in one slot, or the cluster refuses it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { RedisCluster } from "../redis/cluster";
import { makeStore } from "../redis/place";
import { admissionRules } from "./rules/admission";
import { appRules } from "./rules/apps";
import { deletionRules } from "./rules/deletion";
import { feedRules } from "./rules/feed";
import { fenceRules } from "./rules/fences";
import { leaseRules } from "./rules/leases";
import { letterRules } from "./rules/letters";
import { logRules } from "./rules/log";
import { memberRules } from "./rules/members";
import { outboxRules } from "./rules/outbox";
import { roomRules } from "./rules/rooms";
import { sessionRules } from "./rules/sessions";
import { appPut, eventOf, names, sessionOf, turn } from "./samples";

let cluster: RedisCluster;
const clients: Redis[] = [];
beforeAll(async () => {
  cluster = await RedisCluster.start();
  clients.push(...cluster.masters.map(({ port }) => new Redis(port, "127.0.0.1")));
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await cluster?.stop();
});
const make = () => makeStore(cluster.url, clients, "test:");

const subjects = [appRules, deletionRules, admissionRules, sessionRules, roomRules, memberRules];
const events = [logRules, feedRules, outboxRules, letterRules];

/** The others of the suite ask for the same scripts in other ways, and more often. */
describe("redis cluster store", () => {
  for (const rules of [...subjects, ...events, leaseRules, fenceRules]) describe(rules.name, () => rules(make));
});

test("apps are spread over the masters of a cluster", async () => {
  const { store, prefix } = await make();
  const ids = Array.from({ length: 12 }, (_, i) => `app${i}`);
  for (const app_id of ids) {
    await store.putApp(appPut(app_id));
    await store.createSession(sessionOf(`call of ${app_id}`, { app_id }), [eventOf(1)]);
  }
  expect((await store.appsWithEvents()).toSorted()).toEqual(ids.toSorted());
  for (const app_id of ids) expect(names(await turn(store, { app_id }))).toEqual([`call of ${app_id}:1`]);
  for (const client of clients) {
    const keys = await client.keys(`${prefix}{app*`);
    expect(keys.length).toBeGreaterThan(0);
  }
  await store.close();
});
