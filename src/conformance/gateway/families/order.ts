/**
 * The first check that fails decides: for every operation, two errors that follow each other in the order of the checks,
 * earned by one request, are answered with the first. Neighbours that exclude each other are replaced by the nearest that
 * do not, as far as an outsider can bring both about.
 */
import { errors } from "../../../../generated/operations";
import type { ErrorCode } from "../../../contract";
import type { Check } from "../../check";
import { together } from "../ground/wire";
import { expectFailure } from "../requests/failure";
import { codesFromOutside, factsFromOutside } from "../requests/outside";
import { type Pair, pairsOf } from "../requests/pairs";
import { prepared } from "../requests/prepare";
import { exampleRequest, type HttpRequest, type RoutedId, routed } from "../requests/requests";
import { orderedRoutes, type RouteCode, routeOf, type Wrong, wrongs } from "../requests/route_order";
import { leave, originOf } from "../requests/states";
import type { World } from "../world";
import { authenticating, lane } from "./errors";

/** A quota is counted in seconds that begin when they like. */
const most_tries = 5;

/** A media server without a dialplan has no calls that were handed back: the rest must hold all the same. */
const rare: ErrorCode = "session_handed_back";

function pairsFromOutside(id: RoutedId): Pair[] {
  const codes = codesFromOutside(id);
  const all = [codes, codes.filter((code) => code !== rare)].flatMap(
    (some) => pairsOf(id, some, factsFromOutside).pairs,
  );
  const found = new Map(all.map((pair) => [`${pair.first} ${pair.second}`, pair]));
  return [...found.values()];
}

const said = (code: ErrorCode) => `${errors[code].status} ${errors[code].message}`;

/** @throws Broken unless a request that is wrong in both ways is answered with the first */
async function inOrder(world: World, { id, first, second, both }: Pair): Promise<void> {
  const how = `the request earns ${second} as well`;
  for (let tried = 1; ; tried += 1) {
    const { request: sound, before, stage } = await prepared(world, id, both.facts);
    const request = both.changes.reduce((changed, { violate }) => violate(changed), sound);
    if (!before) {
      const answer = await world.request(request);
      if (stage) await leave(stage);
      expectFailure(answer, first, how);
      return;
    }
    await world.client.turn(request);
    const [, answer] = await together(world.url, [before, request]);
    // A new second had begun between them.
    if (answer?.status !== errors[first].status && first === "rate_limited" && tried < most_tries) continue;
    if (answer) expectFailure(answer, first, how);
    return;
  }
}

function checkOf(pair: Pair): Check<World> {
  const { id, first, second } = pair;
  return {
    id: `order/${id}/${first}-before-${second}`,
    title: `${id}: "${said(first)}" comes before "${said(second)}"`,
    clause: `order of checks: steps ${errors[first].step} and ${errors[second].step}`,
    profile: minimal.includes(`${id} ${first}`) ? "minimal" : "full",
    ...(authenticating(first) && { lane }),
    limitMs: 120_000,
    run: (world) => inOrder(world, pair),
  };
}

const minimal: readonly string[] = [
  "startPlayback invalid_request_body",
  "startPlayback offset_sec_with_several_urls",
  "createRoom invalid_api_key",
];

/** What an outsider cannot make of a gateway. */
const isOutside = (code: RouteCode) => !("facts" in wrongs[code]);

function routeCheck(first: RouteCode, second: RouteCode): Check<World> {
  return {
    id: `order/http/${first}-before-${second}`,
    title: `"${said(first)}" comes before "${said(second)}"`,
    clause: `order of checks: steps ${errors[first].step} and ${errors[second].step}`,
    profile: "full",
    async run(world) {
      const sound = exampleRequest(routeOf(second), originOf(world, await world.main()));
      const both: readonly Wrong[] = [wrongs[first], wrongs[second]];
      const request = both.reduceRight<HttpRequest>((changed, { violate }) => violate?.(changed) ?? changed, sound);
      const [answer] = await together(world.url, [request]);
      if (answer) expectFailure(answer, first, `the request earns ${second} as well`);
    },
  };
}

export function order(): Check<World>[] {
  const routes = orderedRoutes
    .filter(({ first, second }) => isOutside(first) && isOutside(second))
    .map(({ first, second }) => routeCheck(first, second));
  return [...routes, ...routed.flatMap((id) => pairsFromOutside(id).map(checkOf))];
}
