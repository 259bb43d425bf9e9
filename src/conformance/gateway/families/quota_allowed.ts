/** How often an address may fail to say who it is. */
import { Broken, type Check, Skipped } from "../../check";
import { expectStatus } from "../ground/app";
import { together, type WireResponse } from "../ground/wire";
import { expectFailure } from "../requests/failure";
import { exampleRequest, type HttpRequest, withHeaders } from "../requests/requests";
import { originOf } from "../requests/states";
import type { World } from "../world";
import { most_tries } from "./quota_app";

/** Longer than a window, for both clocks. */
const silentMs = 1200;
/** So many more failures than may pass. */
const spare = 3;
/** More than this is no limit that a kit could reach. */
const most_failures = 500;

const silence = () => new Promise((resolve) => setTimeout(resolve, silentMs));

interface Seen {
  readonly failures: readonly WireResponse[];
  readonly after: readonly WireResponse[];
  readonly late: boolean;
}

/** So many failures at once and then these requests, in a second of their own. */
async function seen(world: World, failing: HttpRequest, count: number, after: readonly HttpRequest[]): Promise<Seen> {
  await silence();
  const begun = performance.now();
  const failures = await together(
    world.url,
    Array.from({ length: count }, () => failing),
  );
  const answers = await together(world.url, after);
  return { failures, after: answers, late: performance.now() - begun > 900 };
}

const passed = ({ failures }: Seen) => failures.filter(({ status }) => status !== 429);

/**
 * @param wanted so many failures have to pass
 * @returns what was seen in one window: one that ends in the middle lets more pass, and is waited out
 * @throws Skipped when none is long enough
 */
async function inOneWindow(
  world: World,
  failing: HttpRequest,
  wanted: number,
  after: readonly HttpRequest[],
): Promise<Seen> {
  for (let tried = 1; ; tried += 1) {
    const found = await seen(world, failing, wanted + spare, after);
    if (!found.late && (passed(found).length <= wanted || tried === most_tries)) return found;
    if (tried === most_tries) throw new Skipped("A second was over each time before all of the answers had come.");
  }
}

async function tooOften(world: World, failing: HttpRequest, right: HttpRequest, open: HttpRequest): Promise<void> {
  const limit = world.settings.authFailuresPerSecond;
  if (limit > most_failures) throw new Skipped(`The gateway allows ${limit} failures in a second.`);
  const wanted = limit + 1;
  const found = await inOneWindow(world, failing, wanted, [right, failing, open]);
  const [first, second, third] = found.after;
  const got = passed(found).length;
  if (got !== wanted)
    throw new Broken({
      expected: `${wanted} failures that are answered as what they are, the others with 429`,
      got: `${got} of ${found.failures.length}`,
      exchanges: [...passed(found).slice(-1), ...found.failures.slice(-1)].map(({ exchange }) => exchange),
    });
  for (const answer of found.failures)
    if (answer.status === 429) expectFailure(answer, "rate_limited", "more failures than are allowed");
  if (first) expectFailure(first, "rate_limited", "the right key, behind too many failures");
  if (second) expectFailure(second, "rate_limited", "one failure more");
  if (third?.status !== 200)
    throw new Broken({
      expected: "200 for what asks for no key",
      got: String(third?.status),
      exchanges: third ? [third.exchange] : [],
    });
  await silence();
  expectStatus(await world.request(right), 200);
}

const clause = "order of checks: step 5";

export const allowed: readonly Check<World>[] = [
  {
    id: "quota/authentication",
    title: "An address that has failed too often in a second is refused for the rest of it, even with the right key",
    clause,
    profile: "full",
    alone: true,
    limitMs: 60_000,
    async run(world) {
      const origin = originOf(world, await world.main());
      const right = exampleRequest("listSessions", origin);
      const open = exampleRequest("getLive", origin);
      await tooOften(world, withHeaders(right, { "X-API-Key": "wrong" }), right, open);
    },
  },
  {
    id: "quota/authentication-of-administrators",
    title: "Failures of administrators are counted with those of apps",
    clause,
    profile: "full",
    alone: true,
    limitMs: 60_000,
    async run(world) {
      const origin = originOf(world, await world.main());
      const right = exampleRequest("listSessions", origin);
      const open = exampleRequest("getLive", origin);
      const failing = withHeaders(exampleRequest("listApps", origin), { "X-Admin-API-Key": "wrong" });
      await tooOften(world, failing, right, open);
    },
  },
];
