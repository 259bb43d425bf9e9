/**
 * Every error of every operation that can be caused from outside: the whole answer is what the catalogue says. The cases
 * come from the document; an error that nobody knows a way to is told of with the reason.
 */
import { errors as catalogue, triples } from "../../../../generated/operations";
import type { ErrorCode } from "../../../contract";
import { type Check, Skipped } from "../../check";
import { together } from "../ground/wire";
import { expectFailure } from "../requests/failure";
import { belowRouter, factsFromOutside, reasonFor, wayOf } from "../requests/outside";
import { prepared, takenName } from "../requests/prepare";
import { type HttpRequest, policyOf, type RoutedId, routed } from "../requests/requests";
import { leave } from "../requests/states";
import { type NamedViolation, violationsOf } from "../requests/violations";
import type { World } from "../world";
import { askedFor } from "./errors_asked";
import { coolingDown } from "./errors_cooldown";
import { malformed } from "./raw";

/** What nobody has authenticated is counted, and an address has few of those: one after another, beside all else. */
export const lane = "authentication";

/** Caused by those who are not let in. */
export const authenticating = (code: ErrorCode): boolean =>
  catalogue[code].step === catalogue.missing_api_key.step && catalogue[code].status < 500;

const codes = Object.keys(catalogue) as ErrorCode[];
const failuresOf = (id: RoutedId): readonly ErrorCode[] => policyOf(id).failures;

/** A quota is counted in seconds that begin when they like. */
const most_tries = 5;

/** Of several ways that cost a failed authentication each, every operation has another one. */
function chosen(id: RoutedId, code: ErrorCode): readonly NamedViolation[] {
  const ways = violationsOf(id).filter((violation) => violation.code === code);
  return authenticating(code) ? ways.slice(routed.indexOf(id) % ways.length).slice(0, 1) : ways;
}

/** What `detail` says, as far as it is known before. */
async function detailOf(world: World, code: ErrorCode, request: HttpRequest): Promise<object | undefined> {
  if (code === "unknown_field") return { field: "color" };
  if (code === "did_taken") return { did: (await world.other()).did };
  if (code !== "room_name_taken") return undefined;
  const { rooms } = (await (await world.main()).get("/api/v1/conferences?limit=100")).body ?? {};
  const name = await takenName(world);
  const room = Array.isArray(rooms) ? rooms.find((each) => each?.name === name) : undefined;
  if (!String(request.body).includes(name) || !room) return undefined;
  return { room_id: String(room.room_id) };
}

async function provoke(world: World, id: RoutedId, code: ErrorCode, violation: NamedViolation | null): Promise<void> {
  const facts = factsFromOutside(code, id) ?? {};
  const how = violation?.name ?? catalogue[code].provoke;
  for (let tried = 1; ; tried += 1) {
    const { request: sound, before, stage } = await prepared(world, id, facts);
    const request = violation ? violation.violate(sound) : sound;
    if (before) {
      const [, second] = await together(world.url, [before, request]);
      // A new second had begun between them.
      if (second?.status !== catalogue[code].status && tried < most_tries) continue;
      if (second) expectFailure(second, code, how);
      return;
    }
    const answer = await world.request(request);
    if (stage) await leave(stage);
    if (code === "no_app_takes_number" && answer.status === 201)
      throw new Skipped("DEFAULT_APP_ID takes every number that nobody else has.");
    expectFailure(answer, code, how, await detailOf(world, code, request));
    return;
  }
}

/** Status, message, and what they mean. */
function titleOf(code: ErrorCode): string {
  const { status, message, cause } = catalogue[code];
  return `${status} ${message}. ${cause}`;
}

function checkOf(id: RoutedId, code: ErrorCode): Check<World>[] {
  const way = wayOf(code, id);
  const own = {
    id: `errors/${id}/${code}`,
    title: `${id}: ${titleOf(code)}`,
    clause: `${id}, errors: ${code}`,
    profile: minimal.includes(`${id} ${code}`) ? "minimal" : "full",
    ...(authenticating(code) && { lane }),
  } as const;
  if (way === "none") return [];
  if (way === "asked") return [{ ...own, run: (world) => askedFor(world, id, code) }];
  if (code === "command_rate_limited") return [{ ...own, limitMs: 60_000, run: (world) => coolingDown(world, id) }];
  if (way === "stage") return [{ ...own, limitMs: 120_000, run: (world) => provoke(world, id, code, null) }];
  return [
    {
      ...own,
      // A machine that has much to do takes its time for each.
      limitMs: 30_000 + 1000 * chosen(id, code).length,
      async run(world) {
        for (const violation of chosen(id, code)) await provoke(world, id, code, violation);
      },
    },
  ];
}

const minimal: readonly string[] = [
  "listSessions missing_app_id",
  "listSessions invalid_api_key",
  "getSession session_not_found",
  "getSession session_of_another_app",
  "startPlayback urls_required",
  "startPlayback unknown_field",
  "startPlayback request_body_too_large",
  "hangup cause_invalid",
  "createRoom room_name_taken",
  "putApp dids_invalid",
];

/** Errors of what is no request, or a request for nothing. */
function checksBelow(code: ErrorCode): Check<World>[] {
  return belowRouter(code).flatMap((id) => {
    const run = malformed[code];
    if (!run) return [];
    return {
      id: `errors/${id}/${code}`,
      title: titleOf(code),
      clause: `${id}, errors: ${code}`,
      profile: "full" as const,
      limitMs: 60_000,
      run,
    };
  });
}

/** One for each error that cannot be caused, or not on every operation. */
function untold(code: ErrorCode): Check<World>[] {
  const ids = routed.filter((id) => failuresOf(id).includes(code) && wayOf(code, id) === "none");
  const below = malformed[code] ? [] : belowRouter(code);
  if (ids.length + below.length === 0) return [];
  const on = `${ids.length + below.length} operation${ids.length + below.length === 1 ? "" : "s"}`;
  return [
    {
      id: `errors/outside/${code}`,
      title: titleOf(code),
      clause: `errors: ${code}, on ${on}`,
      profile: "full",
      run: async () => {
        throw new Skipped(`${reasonFor(code)} (${on})`);
      },
    },
  ];
}

/** All errors of the gateway, and how many of them there are. */
export function errors(): Check<World>[] {
  const provoked = [
    ...routed.flatMap((id) => failuresOf(id).flatMap((code) => checkOf(id, code))),
    ...codes.flatMap(checksBelow),
  ];
  const account: Check<World> = {
    id: "errors/account",
    title: `${provoked.length} errors are asked for, ${triples.length - provoked.length} cannot be caused from outside, of ${triples.length} in all`,
    clause: "errors.json",
    profile: "full",
    run: async () => {
      const told = codes.reduce((sum, code) => sum + countOutside(code), 0);
      if (provoked.length + told !== triples.length)
        throw new Error("an error of the document is left out of the account");
    },
  };
  return [...provoked, ...codes.flatMap(untold), account];
}

/** On how many operations this error is only told of. */
function countOutside(code: ErrorCode): number {
  const ids = routed.filter((id) => failuresOf(id).includes(code) && wayOf(code, id) === "none");
  return ids.length + (malformed[code] ? 0 : belowRouter(code).length);
}
