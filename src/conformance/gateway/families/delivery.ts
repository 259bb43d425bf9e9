/** Webhooks that are not taken at once: what counts as taken, and when they come again. */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check, Skipped } from "../../check";
import type { Delivery, Reply } from "../ground/endpoint";
import type { World } from "../world";
import { againMs, attempted, attemptsOf, gap, refused, retrySeconds, Unruly } from "./unruly";

/** Longer than the first wait: who repeats at all has repeated. */
const quietMs = 2_500;
/** For a machine that has much to do. */
const graceMs = 8_000;
/** Of one event. */
const maxAttempts = 8;
/** A second between each two, and some for a machine that has much to do. */
const attemptsSeconds = 30;
const attemptMs = 5_000;
/** Between being signed and being here, for a machine that has much to do. */
const wholeMs = 4_000;
/** An endpoint may take so long. */
const slowMs = 3_000;

const refusals: readonly (readonly [name: string, title: string, reply: Reply])[] = [
  ["500", "an answer 500", 500],
  ["502", "an answer 502", 502],
  ["503", "an answer 503", 503],
  ["400", "an answer 400", 400],
  ["401", "an answer 401", 401],
  ["404", "an answer 404", 404],
  ["409", "an answer 409", 409],
  ["429", "an answer 429", 429],
  ["304", "an answer 304", 304],
  ["cut", "a connection that is cut", "cut"],
];
const redirects = [301, 302, 303, 307, 308];

const takings: readonly (readonly [name: string, title: string, reply: Reply])[] = [
  ["200", "200", 200],
  ["201", "201", 201],
  ["202", "202", 202],
  ["206", "206", 206],
  ["299", "299, which nobody has named", 299],
  ["text", "200 and some text", { status: 200, headers: { "Content-Type": "text/plain" }, body: "error 500" }],
  [
    "json",
    "200 and JSON that says otherwise",
    { status: 200, headers: { "Content-Type": "application/json" }, body: '{"success":false}' },
  ],
  [
    "large",
    "200 and a megabyte",
    { status: 200, headers: { "Content-Type": "text/plain" }, body: "x".repeat(1 << 20) },
  ],
  ["location", "201 with a Location", { status: 201, headers: { Location: "/elsewhere" } }],
];

const clause = "webhooks: attempts";

function retry([name, title, reply]: (typeof refusals)[number]): Check<World> {
  return {
    id: `webhooks/retry/${name}`,
    title: `After ${title} a webhook is sent again`,
    clause,
    profile: name === "500" ? "minimal" : "full",
    async run(world) {
      await refused(world, [reply]);
    },
  };
}

function redirected(status: number): Check<World> {
  return {
    id: `webhooks/redirect/${status}`,
    title: `A redirect by ${status} is not followed: the webhook is sent again where it belongs`,
    clause,
    profile: "full",
    async run(world) {
      const followed: string[] = [];
      const url = world.server.at(({ method, url }, response) => {
        followed.push(`${method} ${url}`);
        response.writeHead(204).end();
      });
      await refused(world, [{ status, headers: { Location: url } }]);
      if (followed.length > 0) throw new Broken({ expected: "no request to the Location", got: followed.join(", ") });
    },
  };
}

function taken([name, title, reply]: (typeof takings)[number]): Check<World> {
  return {
    id: `webhooks/taken/${name}`,
    title: `A webhook that is answered ${title} is taken, and does not come again`,
    clause,
    profile: "full",
    async run(world) {
      const unruly = await Unruly.of(world);
      const { endpoint } = unruly.app;
      const call = await unruly.call(() => reply);
      await call.taken("answer");
      await call.hangup();
      const again = await endpoint.within(quietMs, () => {
        const own = endpoint.deliveries.filter(({ source }) => source === call.source);
        return own.find(({ id }, n) => own.findIndex((each) => each.id === id) !== n);
      });
      if (again) throw new Broken({ expected: "each event once", got: `${again.event} again`, seen: endpoint.lines() });
    },
  };
}

/** One call whose event is refused three times: looked at from several sides. */
function thrice(world: World): Promise<readonly Delivery[]> {
  return world.once("refused thrice", () => refused(world, [500, 500, 500]));
}

const seconds = ({ headers }: Delivery): number => Number(headers["webhook-timestamp"]);

async function waited(world: World, status: number, value: string, leastMs: number): Promise<void> {
  const attempts = await refused(world, [{ status, headers: { "Retry-After": value } }]);
  const ms = gap(attempts, 1);
  const seen = [`Retry-After: ${value}`, ...attempts.map(({ at, id }) => `${new Date(at).toISOString()} ${id}`)];
  if (ms < leastMs)
    throw new Broken({ expected: `the next attempt no sooner than after ${leastMs} ms`, got: `after ${ms} ms`, seen });
  if (ms > leastMs + graceMs)
    throw new Broken({ expected: `the next attempt ${leastMs} ms later`, got: `after ${ms} ms`, seen });
}

export const delivery: readonly Check<World>[] = [
  ...refusals.map(retry),
  ...redirects.map(redirected),
  ...takings.map(taken),
  {
    id: "webhooks/retry/same",
    title: "A webhook that is sent again has the same id and the very same body",
    clause: "webhooks: signed, attempts",
    profile: "full",
    async run(world) {
      const attempts = await thrice(world);
      const different = attempts.find(({ id, text }) => id !== attempts[0]?.id || text !== attempts[0]?.text);
      if (different)
        throw new Broken({
          expected: `${attempts[0]?.id} ${attempts[0]?.text}`,
          got: `${different.id} ${different.text}`,
        });
    },
  },
  {
    id: "webhooks/retry/anew",
    title: "Each attempt is signed anew, with the time of this attempt",
    clause: "webhooks: signed",
    profile: "full",
    async run(world) {
      const [first, ...others] = await thrice(world);
      if (!first) return;
      for (const each of others) {
        const passed = (each.at - first.at) / 1000;
        const told = seconds(each) - seconds(first);
        if (Math.abs(told - passed) > wholeMs / 1000)
          throw new Broken({
            expected: `a webhook-timestamp about ${passed.toFixed(1)} s after the first`,
            got: `${told} s after it`,
          });
      }
    },
  },
  {
    id: "webhooks/retry/backoff",
    title: "From attempt to attempt a gateway waits longer",
    clause,
    profile: "full",
    async run(world) {
      if (retrySeconds(world) < attemptsSeconds) throw new Skipped("The waits are too short to be told apart.");
      const attempts = await thrice(world);
      const [one, three] = [gap(attempts, 1), gap(attempts, 3)];
      if (three <= one)
        throw new Broken({ expected: `a third wait longer than the first one of ${one} ms`, got: `${three} ms` });
    },
  },
  {
    id: "webhooks/retry-after/429",
    title: "Retry-After of a 429 is waited for",
    clause,
    profile: "full",
    run: (world) => waited(world, 429, "4", 3_900),
  },
  {
    id: "webhooks/retry-after/503",
    title: "Retry-After of a 503 is waited for",
    clause,
    profile: "full",
    run: (world) => waited(world, 503, "3", 2_900),
  },
  {
    id: "webhooks/attempts",
    title: `After ${maxAttempts} attempts an event is given up, listed as a dead letter, and the next one of its call is sent`,
    clause,
    profile: "full",
    limitMs: 90_000,
    async run(world) {
      if (retrySeconds(world) < attemptsSeconds)
        throw new Skipped("WEBHOOK_RETRY_SECONDS is over before the last attempt that is asked for.");
      const unruly = await Unruly.of(world);
      const { app } = unruly;
      const call = await unruly.call(({ event }) =>
        event === "call.answered" ? { status: 500, headers: { "Retry-After": "1" } } : 204,
      );
      await call.taken("answer");
      const next = await call.event("command.result", 0, 60_000);
      const attempts = attemptsOf(call, "call.answered");
      const seen = app.endpoint.lines();
      if (attempts.length !== maxAttempts)
        throw new Broken({ expected: `${maxAttempts} attempts`, got: String(attempts.length), seen });
      if (attempts.some(({ at }) => at > next.at))
        throw new Broken({ expected: "the next event after the last attempt", got: "before it", seen });
      const answer = await world.request({
        method: "GET",
        path: `/admin/apps/${app.app_id}/dead-letters?limit=100`,
        headers: world.admin,
      });
      const letters = Array.isArray(answer.body?.dead_letters) ? answer.body.dead_letters : [];
      const letter = letters.find(({ webhook_id }) => webhook_id === attempts[0]?.id);
      if (letter?.attempts !== maxAttempts)
        throw new Broken({
          expected: `a dead letter of ${maxAttempts} attempts`,
          got: JSON.stringify(letter ?? null),
          exchanges: [answer.exchange],
        });
    },
  },
  {
    id: "webhooks/slow",
    title: "An endpoint that takes its time, but less than 5 seconds, is waited for",
    clause,
    profile: "full",
    async run(world) {
      const unruly = await Unruly.of(world);
      const call = await unruly.call(async ({ event }) => (event === "call.answered" ? delay(slowMs, 204) : 204));
      await call.taken("answer");
      await call.event("command.result", 0, againMs);
      const { length } = attemptsOf(call, "call.answered");
      if (length !== 1)
        throw new Broken({ expected: "1 attempt", got: String(length), seen: unruly.app.endpoint.lines() });
      await call.hangup();
    },
  },
  {
    id: "webhooks/no-answer",
    title: "An attempt that is not answered is given up after 5 seconds, and made again",
    clause,
    profile: "full",
    limitMs: 60_000,
    async run(world) {
      const unruly = await Unruly.of(world);
      let made = 0;
      const call = await unruly.call(({ event }) => (event === "call.answered" && ++made === 1 ? "never" : 204));
      await call.taken("answer");
      const [first] = await attempted(call, "call.answered", 2, attemptMs + againMs);
      const ms = (first?.over ?? Number.POSITIVE_INFINITY) - (first?.at ?? 0);
      if (ms > attemptMs + graceMs)
        throw new Broken({ expected: "a connection that is closed after 5 s", got: `after ${ms} ms` });
    },
  },
];
