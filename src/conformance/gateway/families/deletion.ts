/** Apps that are deleted, and what is left of them: nothing. */
import { isDeepStrictEqual } from "node:util";
import { Broken, type Check } from "../../check";
import { expectStatus, KitApp } from "../ground/app";
import type { Answer } from "../ground/client";
import { Endpoint } from "../ground/endpoint";
import { Feed } from "../ground/feed";
import type { World } from "../world";
import { differ, sessions } from "./apps";

/** A call and a room end after their app was deleted. */
const endMs = 10_000;
/** What must not come would have come by now. */
const quietMs = 1_000;

/** An app that was deleted while it had a call and a room. */
interface Deleted {
  readonly app: KitApp;
  readonly session_uuid: string;
  readonly room_id: string;
  readonly answer: Answer;
}

async function deleting(world: World): Promise<Deleted> {
  const app = await world.app();
  const call = await app.answered();
  const room = await app.room(call.source);
  await call.done("joinRoom", { room_id: room.source });
  const path = `/admin/apps/${app.app_id}`;
  app.removed = true;
  const answer = await world.request({ method: "DELETE", path, headers: world.admin });
  world.client.knows(app.app_id, null);
  return { app, session_uuid: call.source, room_id: room.source, answer };
}

/** One that stays away. */
const deleted = (world: World): Promise<Deleted> => world.once("an app that was deleted", () => deleting(world));

/** Makes an app anew under the id of one that was deleted, with the same number. */
async function anew({ world, app_id, did, endpoint: old }: KitApp): Promise<KitApp> {
  // What is told to its id from now on goes elsewhere.
  old.mayMiss = true;
  const endpoint = new Endpoint(world.server, app_id, world.laws);
  const body = { webhook_url: endpoint.url, dids: [did] };
  const made = await world.request({ method: "POST", path: `/admin/apps/${app_id}`, headers: world.admin, body });
  expectStatus(made, 200);
  const { api_key, webhook_secret } = made.body ?? {};
  if (typeof api_key !== "string" || old.secrets.includes(String(webhook_secret)))
    throw differ("a new key and a new secret", "an old one", made);
  endpoint.secrets = [String(webhook_secret)];
  world.client.knows(app_id, api_key);
  return new KitApp(world, app_id, api_key, did, endpoint);
}

export const deletion: readonly Check<World>[] = [
  {
    id: "apps/deleted/key",
    title: "The key of a deleted app stops at once, and the app is gone",
    clause: "deleteApp",
    profile: "full",
    async run(world) {
      const { app, answer } = await deleted(world);
      expectStatus(answer, 200);
      expectStatus(await sessions(app), 401);
      const path = `/admin/apps/${app.app_id}`;
      expectStatus(await world.request({ method: "GET", path, headers: world.admin }), 404);
      expectStatus(await world.request({ method: "DELETE", path, headers: world.admin }), 404);
    },
  },
  {
    id: "apps/deleted/call",
    title: "The calls of a deleted app are ended by the gateway, and it is told so",
    clause: "deleteApp: APP_DELETED",
    profile: "full",
    async run(world) {
      const { app, session_uuid } = await deleted(world);
      const { data } = await app.endpoint.event("call.hangup", { source: session_uuid }, endMs);
      if (data.cause !== "APP_DELETED" || data.by !== "gateway")
        throw new Broken({
          expected: "call.hangup by gateway, APP_DELETED",
          got: `by ${String(data.by)}, ${String(data.cause)}`,
          seen: app.endpoint.lines(),
        });
    },
  },
  {
    id: "apps/deleted/room",
    title: "The rooms of a deleted app are closed, and it is told so",
    clause: "deleteApp",
    profile: "full",
    async run(world) {
      const { app, session_uuid, room_id } = await deleted(world);
      await app.endpoint.event("conference.destroyed", { source: room_id }, endMs);
      const left = await app.endpoint.event("conference.member.left", { source: session_uuid }, endMs);
      if (left.data.reason !== "hangup")
        throw new Broken({
          expected: "conference.member.left by hangup",
          got: String(left.data.reason),
          seen: app.endpoint.lines(),
        });
    },
  },
  {
    id: "apps/deleted/again",
    title: "An app that is made anew under the id of a deleted one has nothing of it, and the number is free again",
    clause: "deleteApp",
    profile: "full",
    async run(world) {
      const { app: old, session_uuid, room_id } = await deleting(world);
      await old.endpoint.event("call.hangup", { source: session_uuid }, endMs);
      await old.endpoint.event("conference.destroyed", { source: room_id }, endMs);
      const app = await anew(old);
      try {
        if (app.api_key === old.api_key) throw new Broken({ expected: "a new key", got: "the old one" });
        for (const [target, field] of [
          ["/api/v1/sessions", "sessions"],
          ["/api/v1/conferences", "rooms"],
          [`/admin/apps/${app.app_id}/dead-letters`, "dead_letters"],
        ] as const) {
          const answer = await app.get(target, target.startsWith("/admin") ? world.admin : {});
          if (!isDeepStrictEqual(answer.body?.[field], [])) throw differ([], answer.body?.[field], answer);
        }
        for (const target of [
          `sessions/${session_uuid}`,
          `sessions/${session_uuid}/events`,
          `conferences/${room_id}/events`,
        ])
          expectStatus(await app.get(`/api/v1/${target}`), 404);
      } finally {
        await app.remove();
      }
    },
  },
  {
    id: "apps/deleted/stream",
    title: "Who streamed the events of a deleted app sees nothing of another one under its id",
    clause: "deleteApp; streamEvents",
    profile: "full",
    async run(world) {
      const old = await world.app();
      const feed = await Feed.open(old);
      try {
        await old.remove();
        const app = await anew(old);
        const call = await app.call();
        await call.hangup();
        const told = await feed.within(quietMs, () => feed.events.find(({ data }) => data.includes(call.source)));
        await app.remove();
        if (told)
          throw new Broken({ expected: "no event", got: told.event, exchanges: [feed.exchange], seen: feed.lines() });
      } finally {
        feed.close();
      }
    },
  },
];
