/** The quota of an app in windows of a second: how it is counted, and what is told of it. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check, Skipped } from "../../check";
import { expectStatus, type KitApp } from "../ground/app";
import type { Answer } from "../ground/client";
import { together, type WireResponse } from "../ground/wire";
import {
  exampleRequest,
  type HttpRequest,
  nobody,
  policyOf,
  routed,
  withBody,
  withHeaders,
} from "../requests/requests";
import { originOf } from "../requests/states";
import type { World } from "../world";
import { allowed } from "./quota_allowed";
import { expectCounted, told } from "./quota_counted";

const clause = "order of checks: step 6";

/** How often a window that ends in the middle of what is looked at is waited for anew. */
const most_tries = 6;

/** Sends them in one packet. @returns their answers, and how long they took */
async function burst(world: World, requests: readonly HttpRequest[]) {
  const begun = performance.now();
  const answers = await together(world.url, requests);
  return { answers, seconds: (performance.now() - begun) / 1000 };
}

/** Longer than a window. */
const windowMs = 1050;

const limitedApp = (world: World, rate_limit: number): Promise<KitApp> => world.app({ rate_limit, webhook_url: "" });

/** Gives an app another quota. */
async function limit(app: KitApp, rate_limit: number | undefined): Promise<Answer> {
  const { world, app_id, did, endpoint, hears } = app;
  const body = { webhook_url: hears ? endpoint.url : "", dids: [did], rate_limit };
  const answer = await world.request({ method: "POST", path: `/admin/apps/${app_id}`, headers: world.admin, body });
  expectStatus(answer, 200);
  return answer;
}

const sound = (app: KitApp): HttpRequest => exampleRequest("listSessions", originOf(app.world, app));

/** Requests that pass the authentication and fail behind it, each in its own way; and one that is a repeat. */
async function various(world: World, app: KitApp): Promise<HttpRequest[]> {
  const origin = originOf(world, app);
  const room_id = (await app.room()).source;
  const stop = withBody(exampleRequest("stopRoom", origin, { room_id }), { command_uid: `kit-${randomUUID()}` });
  const list = sound(app);
  return [
    list,
    { ...list, path: `${list.path}?limit=0` },
    exampleRequest("getSession", origin),
    exampleRequest("commands.unknown", origin),
    withHeaders(exampleRequest("startPlayback", origin), { "Content-Type": "text/plain" }),
    { ...exampleRequest("startPlayback", origin), body: "[1]" },
    withBody(exampleRequest("startPlayback", origin), { color: "red" }),
    { ...list, method: "HEAD" },
    stop,
    stop,
    stop,
  ];
}

const exactly: Check<World> = {
  id: "quota/limit",
  title: "As many requests as `rate_limit` says are answered in a second, and none more",
  clause,
  profile: "minimal",
  async run(world) {
    const limit = 7;
    const app = await limitedApp(world, limit);
    for (let tried = 0; tried < most_tries; tried += 1) {
      const { answers, seconds } = await burst(
        world,
        Array.from({ length: 3 * limit }, () => sound(app)),
      );
      if (expectCounted(answers, limit, seconds).refused > 0) return;
    }
    throw new Broken({ expected: `a refusal among ${3 * limit} requests at once`, got: "none" });
  },
};

const counted: Check<World> = {
  id: "quota/counted",
  title: "Every request that is authenticated counts, refused and replayed ones too",
  clause,
  profile: "full",
  async run(world) {
    const limit = 200;
    const app = await limitedApp(world, limit);
    for (let tried = 0; tried < most_tries; tried += 1) {
      const requests = await various(world, app);
      const begun = performance.now();
      const answers: Answer[] = [];
      for (const request of requests) answers.push(await world.request(request));
      const [first] = answers;
      const left = first ? told(first).r + 1 : 0;
      // Only in one window it can be seen that each of them has counted.
      if (expectCounted(answers, limit, (performance.now() - begun) / 1000, left).begun === 0) return;
    }
    throw new Skipped("A second was over each time before all of the answers had come.");
  },
};

const uncounted: Check<World> = {
  id: "quota/uncounted",
  title: "What is no route, no method of it, or not authenticated counts for nothing",
  clause,
  profile: "full",
  async run(world) {
    const limit = 100;
    const app = await limitedApp(world, limit);
    const list = sound(app);
    for (let tried = 1; ; tried += 1) {
      const wrong = withHeaders(list, { "X-API-Key": "wrong" });
      await world.client.turn(wrong);
      const others = [{ ...list, path: "/nowhere" }, { ...list, method: "PUT" }, wrong, { ...list, path: "/live" }];
      const [first, ...rest] = await together(world.url, [list, ...others, list]);
      const last = rest.at(-1);
      if (!first || !last) throw new Error("answers are missing");
      for (const answer of rest.slice(0, -1))
        if (answer.headers.ratelimit !== undefined)
          throw new Broken({
            expected: "no RateLimit header",
            got: String(answer.headers.ratelimit),
            exchanges: [answer.exchange],
          });
      const [before, after] = [told(first).r, told(last).r];
      if (after === before - 1) return;
      // A new second had begun between them.
      if (after === limit - 1 && tried < most_tries) continue;
      throw new Broken({ expected: `r=${before - 1}`, got: `r=${after}`, exchanges: [first.exchange, last.exchange] });
    }
  },
};

const window: Check<World> = {
  id: "quota/window",
  title: "Who was refused is answered again once Retry-After is over",
  clause,
  profile: "full",
  async run(world) {
    const app = await limitedApp(world, 2);
    for (let tried = 0; tried < most_tries; tried += 1) {
      const answers = await together(
        world.url,
        Array.from({ length: 6 }, () => sound(app)),
      );
      const last = answers.at(-1);
      if (last?.status !== 429) continue;
      await delay(Number(last.headers["retry-after"]) * 1000 + 50);
      const again = await world.request(sound(app));
      if (again.status !== 200)
        throw new Broken({
          expected: "200 in the next second",
          got: `${again.status}`,
          exchanges: [last.exchange, again.exchange],
        });
      return;
    }
    throw new Broken({ expected: "a refusal among 6 requests at once of an app of 2", got: "none" });
  },
};

const apart: Check<World> = {
  id: "quota/apart",
  title: "The quota of one app is none of another's",
  clause,
  profile: "full",
  async run(world) {
    const [one, other] = [await limitedApp(world, 1), await limitedApp(world, 1)];
    for (let tried = 0; tried < most_tries; tried += 1) {
      const [, second, foreign, third] = await together(world.url, [sound(one), sound(one), sound(other), sound(one)]);
      if (second?.status !== 429 || third?.status !== 429 || !foreign) continue;
      if (foreign.status === 200) return;
      // It may have asked in the same second, when this was tried before.
      if (tried + 1 < most_tries) {
        await delay(windowMs);
        continue;
      }
      throw new Broken({
        expected: "200 for the other app",
        got: `${foreign.status}`,
        exchanges: [second.exchange, foreign.exchange],
      });
    }
    throw new Broken({ expected: "a refusal of three requests at once of an app of 1", got: "none" });
  },
};

const changed: Check<World> = {
  id: "quota/changed",
  title: "Another rate_limit holds from the next request on, and 0 is the default",
  clause: "administration: POST /admin/apps/{app_id}",
  profile: "full",
  async run(world) {
    const app = await limitedApp(world, 9);
    const limits: number[] = [];
    for (const rate_limit of [9, 3, 10_000, 1, 0, undefined, 50]) {
      const made = await limit(app, rate_limit);
      const answer = await world.request(sound(app));
      const { q } = told(answer);
      limits.push(q);
      if (rate_limit && q !== rate_limit)
        throw new Broken({ expected: `q=${rate_limit}`, got: `q=${q}`, exchanges: [made.exchange, answer.exchange] });
    }
    if (limits[4] !== limits[5]) throw new Broken({ expected: "one default", got: `${limits[4]} and ${limits[5]}` });
  },
};

const undone: Check<World> = {
  id: "quota/undone",
  title: "What the quota refuses is not done",
  clause,
  profile: "full",
  async run(world) {
    const app = await limitedApp(world, 1);
    const refused: WireResponse[] = [];
    for (let tried = 0; refused.length === 0 && tried < most_tries; tried += 1) {
      const request = withBody(exampleRequest("createRoom", originOf(world, app)), { name: `kit-refused-${tried}` });
      // What is let in because a second has just begun is done, under a name of its own.
      const [, second] = await together(world.url, [sound(app), request]);
      if (second?.status === 429) refused.push(second);
    }
    const rooms = await answered(world, { ...sound(app), path: "/api/v1/conferences" });
    const names = Array.isArray(rooms.body?.rooms) ? rooms.body.rooms.map((room) => String(room?.name)) : [];
    for (const { exchange } of refused)
      for (const name of names)
        if (exchange.request.body.includes(`"${name}"`))
          throw new Broken({ expected: `no room ${name}`, got: "one", exchanges: [exchange, rooms.exchange] });
  },
};

/** Asks once the window is over, and again when somebody else was quicker. */
async function answered(world: World, request: HttpRequest): Promise<Answer> {
  for (let tried = 1; ; tried += 1) {
    await delay(windowMs);
    const answer = await world.request(request);
    if (answer.status !== 429 || tried === most_tries) return answer;
  }
}

const undoneCommand: Check<World> = {
  id: "quota/undone-command",
  title: "A command that the quota refuses is not done, and not later either",
  clause,
  profile: "full",
  limitMs: 60_000,
  async run(world) {
    const app = await world.app({ rate_limit: 50 });
    for (let tried = 0; tried < most_tries; tried += 1) {
      const call = await app.answered();
      await limit(app, 1);
      const [state, hangup] = [
        exampleRequest("getSession", originOf(world, app), { uuid: call.source }),
        exampleRequest("hangup", originOf(world, app), { uuid: call.source }),
      ];
      const [, , third] = await together(world.url, [state, state, hangup]);
      // Behind the window in which it could be done late.
      await delay(windowMs);
      const after = await answered(world, state);
      await limit(app, 50);
      // It was let in, because a second had just begun.
      if (third?.status !== 429) continue;
      if (after.status === 200) return;
      throw new Broken({
        expected: "a call that goes on",
        got: "it has ended",
        exchanges: [third.exchange, after.exchange],
      });
    }
    throw new Broken({ expected: "a refusal of the third request at once of an app of 1", got: "none" });
  },
};

const administrators: Check<World> = {
  id: "quota/administration",
  title: "Administrators are counted by address, with the default of apps",
  clause,
  profile: "full",
  async run(world) {
    const app = await limitedApp(world, 0);
    const own = told(await world.request(sound(app)));
    const origin = originOf(world, app);
    for (const id of routed) {
      const { auth, method } = policyOf(id);
      if (auth !== "admin" || method !== "GET") continue;
      const answer = await world.request(exampleRequest(id, origin, { app_id: app.app_id }));
      const { q } = told(answer);
      if (q !== own.q) throw new Broken({ expected: `q=${own.q}`, got: `q=${q}`, exchanges: [answer.exchange] });
    }
    const answer = await world.request(exampleRequest("getSession", origin, { uuid: nobody.uuid }));
    told(answer);
  },
};

export function quota(): Check<World>[] {
  return [exactly, counted, uncounted, window, apart, changed, undone, undoneCommand, administrators, ...allowed];
}
