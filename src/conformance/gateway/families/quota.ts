/** The quota of an app in windows of a second: how it is counted, and what is told of it. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check, Skipped } from "../../check";
import type { KitApp } from "../ground/app";
import type { Answer } from "../ground/client";
import { together } from "../ground/wire";
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
import { limit, limitedApp, most_tries, sound, windowMs } from "./quota_app";
import { expectCounted, told } from "./quota_counted";
import { undoneChecks } from "./quota_undone";

const clause = "order of checks: step 6";

/** Sends them in one packet. @returns their answers, and how long they took */
async function burst(world: World, requests: readonly HttpRequest[]) {
  const begun = performance.now();
  const answers = await together(world.url, requests);
  return { answers, seconds: (performance.now() - begun) / 1000 };
}

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
  return [exactly, counted, uncounted, window, apart, changed, ...undoneChecks, administrators, ...allowed];
}
