/** Apps: made, shown and replaced. */
import { randomBytes, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { Broken, type Check } from "../../check";
import { contract } from "../../document";
import { expectStatus, type KitApp } from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import type { World } from "../world";
import { put, shown } from "./changed";

const defaults: JsonObject = { webhook_url: "", rate_limit: 0, events: [], dids: [] };
/** What an app is shown with, besides its id and its times. */
function settingsOf({ webhook_url, rate_limit, events, dids }: JsonObject): JsonObject {
  return { webhook_url, rate_limit, events, dids };
}

/** Neither is the same as the other. */
export function differ(expected: unknown, got: unknown, answer: Answer): Broken {
  return new Broken({ expected: JSON.stringify(expected), got: JSON.stringify(got), exchanges: [answer.exchange] });
}

/** Shows the app with these settings, in its own answer and in the list. */
async function expectSettings(app: KitApp, wanted: JsonObject): Promise<void> {
  const own = await shown(app);
  if (!isDeepStrictEqual(settingsOf(own.body ?? {}), wanted)) throw differ(wanted, settingsOf(own.body ?? {}), own);
  const { world, app_id } = app;
  const list = await world.request({ method: "GET", path: "/admin/apps", headers: world.admin });
  const entries = Array.isArray(list.body?.apps) ? list.body.apps : [];
  const entry: JsonObject | undefined = entries.find((each) => each.app_id === app_id);
  const { success, ...rest } = own.body ?? {};
  if (!isDeepStrictEqual(entry, rest)) throw differ({ ...rest }, entry ?? null, list);
}

/** Asks with this key of the app. */
export const sessions = (app: KitApp, api_key = app.api_key): Promise<Answer> =>
  app.get("/api/v1/sessions", { "X-API-Key": api_key });

export const apps: readonly Check<World>[] = [
  {
    id: "apps/created",
    title: "At its creation an app is shown with its defaults, a webhook secret, and a key when it gave none",
    clause: "putApp",
    profile: "full",
    async run(world) {
      const app_id = `kit-${world.run}-${randomBytes(4).toString("hex")}`;
      const path = `/admin/apps/${app_id}`;
      const body = {};
      const before = world.client.clock.offset ?? 0;
      const answer = await world.request({ method: "POST", path, headers: world.admin, body });
      expectStatus(answer, 200);
      const { api_key, webhook_secret, created_at, webhook_disabled_at, ...rest } = answer.body ?? {};
      if (!isDeepStrictEqual(rest, { success: true, app_id, ...defaults }))
        throw differ({ success: true, app_id, ...defaults }, rest, answer);
      if (typeof api_key !== "string" || !/^[!-~]{16,256}$/.test(api_key))
        throw differ("an api_key", typeof api_key, answer);
      if (typeof webhook_secret !== "string" || !/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(webhook_secret))
        throw differ("whsec_ and base64 of at least 24 bytes", typeof webhook_secret, answer);
      if (webhook_disabled_at !== null) throw differ(null, webhook_disabled_at, answer);
      if (Math.abs(Date.parse(String(created_at)) - Date.now() - before) > 30_000)
        throw differ("created_at of now", created_at, answer);
      world.client.knows(app_id, api_key);
      const headers = { "X-App-ID": app_id, "X-API-Key": api_key };
      expectStatus(await world.request({ method: "GET", path: "/api/v1/sessions", headers }), 200);
      expectStatus(await world.request({ method: "DELETE", path, headers: world.admin }), 200);
      world.client.knows(app_id, null);
    },
  },
  {
    id: "apps/own-key",
    title: "A key that the app was given is not shown, and works",
    clause: "putApp: api_key",
    profile: "full",
    async run(world) {
      for (const api_key of [`k-${randomBytes(7).toString("hex")}`, `!~${randomBytes(127).toString("hex")}`]) {
        const app = await world.app({ api_key });
        const path = `/admin/apps/${app.app_id}`;
        const again = await world.request({ method: "GET", path, headers: world.admin });
        if (again.bytes.includes(api_key)) throw differ("no key", "the key", again);
        expectStatus(await sessions(app), 200);
      }
    },
  },
  {
    id: "apps/own-key-hidden",
    title: "The answer to a creation with a key of one's own does not have it",
    clause: "putApp: api_key",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const api_key = `own-${randomUUID()}`;
      const answer = await put(app, { webhook_url: app.endpoint.url, dids: [app.did], api_key });
      world.client.knows(app.app_id, api_key);
      if (answer.body?.api_key !== undefined || answer.body?.webhook_secret !== undefined)
        throw differ("neither key nor secret", Object.keys(answer.body), answer);
    },
  },
  {
    id: "apps/replaced",
    title: "What is left out when an app is replaced goes to its default; its key and its creation stay",
    clause: "putApp",
    profile: "full",
    async run(world) {
      const app = await world.app({ rate_limit: 77, events: ["call.new"] });
      const first = await shown(app);
      await expectSettings(app, {
        webhook_url: app.endpoint.url,
        rate_limit: 77,
        events: ["call.new"],
        dids: [app.did],
      });
      const answer = await put(app, {});
      if (!isDeepStrictEqual(settingsOf(answer.body ?? {}), defaults))
        throw differ(defaults, settingsOf(answer.body ?? {}), answer);
      await expectSettings(app, defaults);
      if (answer.body?.created_at !== first.body?.created_at)
        throw differ(first.body?.created_at, answer.body?.created_at, answer);
      expectStatus(await sessions(app), 200);
    },
  },
  {
    id: "apps/new-key",
    title: "A new key replaces the old one at once",
    clause: "putApp: api_key",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const api_key = `new-${randomUUID()}`;
      await put(app, { webhook_url: app.endpoint.url, dids: [app.did], api_key });
      world.client.knows(app.app_id, api_key);
      expectStatus(await sessions(app, api_key), 200);
      expectStatus(await sessions(app), 401);
    },
  },
  {
    id: "apps/bounds",
    title: "An app may ask for every event, have a rate limit up to 10000, and many numbers and long ones",
    clause: "putApp",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const events = Object.keys(contract().webhooks);
      const long = `${app.did}${"0".repeat(64 - app.did.length)}`;
      const dids = [
        app.did,
        long,
        `${long.slice(0, 63)}*`,
        ...Array.from({ length: 200 }, (_, n) => `${app.did}+._#-${n}`),
      ];
      const webhook_url = `${app.endpoint.url}/${"p".repeat(2047 - app.endpoint.url.length)}`;
      for (const rate_limit of [10_000, 1]) {
        const settings = { webhook_url, rate_limit, events, dids };
        await put(app, settings);
        await expectSettings(app, settings);
        const { headers, exchange } = await sessions(app);
        const wanted = `"app";q=${rate_limit};w=1`;
        if (headers["ratelimit-policy"] !== wanted)
          throw new Broken({
            expected: `RateLimit-Policy: ${wanted}`,
            got: String(headers["ratelimit-policy"]),
            exchanges: [exchange],
          });
      }
    },
  },
  {
    id: "apps/list",
    title: "The list has each app once, by its id, as it is shown alone",
    clause: "listApps",
    profile: "full",
    async run(world) {
      const app = await world.app({ rate_limit: 12 });
      const { body } = await shown(app);
      const list = await world.request({ method: "GET", path: "/admin/apps", headers: world.admin });
      const entries = Array.isArray(list.body?.apps) ? list.body.apps : [];
      const ids = entries.map(({ app_id }) => String(app_id));
      const sorted = [...ids].sort((a, b) => (a < b ? -1 : 1));
      if (new Set(ids).size < ids.length || ids.join() !== sorted.join()) throw differ(sorted, ids, list);
      const { success, ...alone } = body ?? {};
      const entry = entries.find(({ app_id }) => app_id === app.app_id);
      if (!isDeepStrictEqual(entry, alone)) throw differ(alone, entry ?? null, list);
    },
  },
];
