/** Apps that are changed while calls go on: what holds from the next event and the next attempt on. */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check } from "../../check";
import { expectStatus, type KitApp } from "../ground/app";
import type { Answer } from "../ground/client";
import { type Delivery, Endpoint } from "../ground/endpoint";
import { allEvents } from "../laws/records";
import type { World } from "../world";

/** Old secrets that sign besides the new one. */
const oldSecrets = 4;
const againMs = 20_000;

/** Replaces an app: what is left out goes to its default. */
export async function put(app: KitApp, body: object): Promise<Answer> {
  const { world, app_id } = app;
  const answer = await world.request({ method: "POST", path: `/admin/apps/${app_id}`, headers: world.admin, body });
  expectStatus(answer, 200);
  return answer;
}

/** An app as the administration shows it. */
export async function shown({ world, app_id }: KitApp): Promise<Answer> {
  const answer = await world.request({ method: "GET", path: `/admin/apps/${app_id}`, headers: world.admin });
  expectStatus(answer, 200);
  return answer;
}

/** A new secret of an app; from now on its webhooks are held against it and the old ones. */
async function rotate(app: KitApp): Promise<Answer> {
  const { world, app_id, endpoint } = app;
  const path = `/admin/apps/${app_id}/webhook-secret`;
  const answer = await world.request({ method: "POST", path, headers: world.admin });
  expectStatus(answer, 200);
  endpoint.secrets = [String(answer.body?.webhook_secret), ...endpoint.secrets].slice(0, oldSecrets + 1);
  return answer;
}

const signatures = ({ headers }: Delivery): number => String(headers["webhook-signature"]).split(" ").length;

/** A call whose `call.answered` is refused until something has changed; its attempts before and after. */
async function between(app: KitApp, change: () => Promise<unknown>): Promise<void> {
  const { endpoint } = app;
  const call = await app.call();
  await call.event("call.new");
  let changed = false;
  const usual = endpoint.reply;
  endpoint.reply = (delivery) => (delivery.event === "call.answered" && !changed ? 500 : usual(delivery));
  await call.taken("answer");
  await endpoint.until("a first attempt", () => endpoint.deliveries.find(({ event }) => event === "call.answered"));
  await change();
  changed = true;
}

const secretForm = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;

export const changed: readonly Check<World>[] = [
  {
    id: "webhooks/off",
    title: "With an empty webhook_url nothing is sent, and the events are kept for those who ask",
    clause: "putApp: webhook_url",
    profile: "full",
    async run(world) {
      const app = await world.app({ webhook_url: "" });
      const call = await app.call();
      await call.taken("answer");
      await call.taken("hangup");
      const wanted = ["call.new", "call.answered", "command.result", "command.result", "call.hangup"];
      let names: unknown[] = [];
      for (let n = 0; n < 20 && names.length < wanted.length; n++) {
        names = (await allEvents(app, call.source)).map(({ event }) => event);
        if (names.length < wanted.length) await delay(200);
      }
      if ([...names].sort().join() !== [...wanted].sort().join())
        throw new Broken({ expected: wanted.join(", "), got: names.join(", ") });
      const [sent] = app.endpoint.deliveries;
      if (sent) throw new Broken({ expected: "no webhook", got: sent.event, seen: app.endpoint.lines() });
    },
  },
  {
    id: "webhooks/filter",
    title: "An app that asked for some events gets these, numbered without a gap, and no others are kept",
    clause: "putApp: events",
    profile: "full",
    async run(world) {
      const events = ["call.new", "call.hangup"];
      const app = await world.app({ events });
      const call = await app.call();
      await call.taken("answer");
      await call.taken("hangup");
      const last = await call.event("call.hangup");
      if (last.sequence !== 2)
        throw new Broken({ expected: "call.hangup as #2", got: `#${last.sequence}`, seen: app.endpoint.lines() });
      const kept = (await allEvents(app, call.source)).map(({ event }) => event);
      if (kept.join() !== events.join()) throw new Broken({ expected: events.join(", "), got: kept.join(", ") });
    },
  },
  {
    id: "webhooks/changed/filter",
    title: "Another filter holds for the events from then on",
    clause: "putApp: events",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const { endpoint, did } = app;
      const call = await app.answered();
      endpoint.wanted = null;
      await put(app, { webhook_url: endpoint.url, dids: [did], events: ["call.hangup"] });
      await call.taken("stopPlayback");
      await call.taken("hangup");
      const last = await call.event("call.hangup");
      const unwanted = call.events.find(({ data }) => data.command === "playback/stop");
      if (unwanted) throw new Broken({ expected: "call.hangup alone", got: unwanted.event, seen: endpoint.lines() });
      if (last.sequence !== 4)
        throw new Broken({
          expected: "call.hangup as #4, behind three that were wanted",
          got: `#${last.sequence}`,
          seen: endpoint.lines(),
        });
    },
  },
  {
    id: "webhooks/changed/url",
    title: "Another webhook_url holds from the next attempt on, also for an event that waits",
    clause: "putApp: webhook_url",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const second = new Endpoint(world.server, app.app_id, world.laws);
      second.secrets = app.endpoint.secrets;
      // Some of its numbers went to the first one.
      second.mayMiss = true;
      app.endpoint.mayMiss = true;
      await between(app, () => put(app, { webhook_url: second.url, dids: [app.did] }));
      const before = app.endpoint.deliveries.length;
      await second.event("call.answered", {}, againMs);
      await second.event("command.result");
      const more = app.endpoint.deliveries.slice(before);
      if (more.length > 0)
        throw new Broken({ expected: "nothing more at the old URL", got: more.map(({ event }) => event).join(", ") });
    },
  },
  {
    id: "webhooks/changed/secret",
    title: "A new secret signs from the next attempt on, also for an event that waits",
    clause: "rotateWebhookSecret",
    profile: "full",
    async run(world) {
      const app = await world.app();
      await between(app, () => rotate(app));
      const event = await app.endpoint.event("call.answered", {}, againMs);
      if (signatures(event) !== 2)
        throw new Broken({ expected: "2 signatures", got: String(event.headers["webhook-signature"]) });
    },
  },
  {
    id: "webhooks/secret/both",
    title: "After a rotation webhooks are signed with the new secret and with the old one",
    clause: "rotateWebhookSecret",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const call = await app.answered();
      await rotate(app);
      const last = await call.hangup();
      if (signatures(last) !== 2)
        throw new Broken({
          expected: "2 signatures",
          got: String(last.headers["webhook-signature"]),
          seen: app.endpoint.lines(),
        });
    },
  },
  {
    id: "webhooks/secret/many",
    title: "However often the secret is rotated, the new one and the last 4 old ones sign, and no others",
    clause: "rotateWebhookSecret",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const call = await app.answered();
      const made = [...app.endpoint.secrets];
      for (let n = 1; n <= oldSecrets + 2; n++) {
        const answer = await rotate(app);
        const secret = String(answer.body?.webhook_secret);
        if (!secretForm.test(secret) || made.includes(secret))
          throw new Broken({
            expected: "a new secret, whsec_ and base64",
            got: made.includes(secret) ? "an old one" : "another form",
          });
        made.push(secret);
        const result = await call.result("answer");
        const wanted = Math.min(n, oldSecrets) + 1;
        if (signatures(result) !== wanted)
          throw new Broken({ expected: `${wanted} signatures after ${n} rotations`, got: String(signatures(result)) });
      }
      await call.hangup();
    },
  },
  {
    id: "webhooks/secret/hidden",
    title: "Neither keys nor secrets are shown again",
    clause: "getApp, listApps, putApp",
    profile: "full",
    async run(world) {
      const app = await world.app();
      await rotate(app);
      const list = await world.request({ method: "GET", path: "/admin/apps", headers: world.admin });
      const again = await put(app, { webhook_url: app.endpoint.url, dids: [app.did] });
      for (const answer of [await shown(app), list, again]) {
        const text = answer.bytes.toString("utf8");
        const told = [app.api_key, ...app.endpoint.secrets].some((secret) => text.includes(secret));
        if (told || /"(api_key|webhook_secret)"|whsec_/.test(text))
          throw new Broken({ expected: "no key and no secret", got: "one", exchanges: [answer.exchange] });
      }
    },
  },
  {
    id: "webhooks/secret/stays",
    title: "An app that is replaced keeps its secret",
    clause: "putApp",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const call = await app.answered();
      await put(app, { webhook_url: app.endpoint.url, dids: [app.did], rate_limit: 50 });
      const last = await call.hangup();
      // That it is signed with the first one is a law.
      if (signatures(last) !== 1)
        throw new Broken({ expected: "1 signature", got: String(last.headers["webhook-signature"]) });
    },
  },
];
