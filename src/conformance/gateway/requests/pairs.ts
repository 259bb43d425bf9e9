/**
 * Which two errors one request can earn together, by operation: those that follow each other in the order of the checks.
 * Where two neighbours exclude each other, the nearest that go together stand in for them, so that no error stays out.
 */
import type { ErrorCode } from "../../../contract";
import type { JsonObject } from "../ground/client";
import { type Facts, type FactsOf, implied, merged, reasonOf } from "./facts";
import { exampleRequest, type HttpRequest, type Origin, type RoutedId, withBody } from "./requests";
import { type Violation, violationsOf } from "./violations";

/** One way to earn an error: what must be so, and what the request does wrong besides. */
export interface Way {
  readonly facts: Facts;
  readonly changes: readonly Change[];
}

interface Change {
  /** A path is written anew before anything is added to it; a body is padded when it is whole, then it gets a type. */
  readonly turn: number;
  /** What it makes of a sound request, as {@link partsOf} names it. */
  readonly parts: readonly string[];
  readonly violate: Violation;
}

export interface Pair {
  readonly id: RoutedId;
  readonly first: ErrorCode;
  readonly second: ErrorCode;
  readonly both: Way;
  /** The second alone. */
  readonly alone: Way;
}

export interface Impossible {
  readonly id: RoutedId;
  readonly first: ErrorCode;
  readonly second: ErrorCode;
  readonly reason: string;
}

/** Requests are compared with each other here, and not sent. */
const nowhere: Origin = {
  url: "http://127.0.0.1",
  app: { "X-App-ID": "app", "X-API-Key": "key" },
  admin: { "X-Admin-API-Key": "key" },
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function objectOf({ body }: HttpRequest): JsonObject | null {
  try {
    const value: unknown = JSON.parse(String(body ?? ""));
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const differing = (one: JsonObject, other: JsonObject): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]),
  );

/** What of a sound request is not as it was: `path`, `query limit`, `header X-API-Key`, `body urls`, `body`, `length`. */
function partsOf(sound: HttpRequest, wrong: HttpRequest): string[] {
  const [one, other] = [new URL(nowhere.url + sound.path), new URL(nowhere.url + wrong.path)];
  const parts = one.pathname === other.pathname ? [] : ["path"];
  const queryOf = ({ searchParams }: URL): JsonObject => Object.fromEntries(searchParams);
  parts.push(...differing(queryOf(one), queryOf(other)).map((name) => `query ${name}`));
  // A body that was not there before has brought its type.
  const typed = (name: string) => name === "Content-Type" && sound.body === null;
  const headers = differing(sound.headers, wrong.headers).filter((name) => !typed(name));
  parts.push(...headers.map((name) => `header ${name}`));
  if (String(sound.body) === String(wrong.body)) return parts;
  const [before, after] = [objectOf(sound), objectOf(wrong)];
  const fields = before && after ? differing(before, after) : [];
  if (fields.length > 0) return [...parts, ...fields.map((name) => `body ${name}`)];
  return [...parts, before && after ? "length" : "body"];
}

function turnOf(parts: readonly string[]): number {
  if (parts.includes("path")) return 0;
  if (parts.includes("length") || parts.includes("body")) return 2;
  return parts.includes("header Content-Type") ? 3 : 1;
}

function ways(code: ErrorCode, id: RoutedId, factsOf: FactsOf): readonly Way[] {
  const facts = factsOf(code, id);
  if (facts !== undefined) return facts ? [{ facts, changes: [] }] : [];
  const found = violating.get(`${code} ${id}`) ?? wrongWays(code, id);
  violating.set(`${code} ${id}`, found);
  return found;
}

/** Worked out once: each stands in several pairs, and some of the bodies are large. */
const violating = new Map<string, readonly Way[]>();

function wrongWays(code: ErrorCode, id: RoutedId): readonly Way[] {
  const sound = exampleRequest(id, nowhere);
  const violations = violationsOf(id).filter((violation) => violation.code === code);
  if (violations.length === 0) throw new Error(`nothing is known to earn ${code} of ${id}`);
  return violations.map(({ name, violate }) => {
    const parts = partsOf(sound, violate(sound));
    const facts = Object.fromEntries(parts.map((part) => [part, [name]]));
    return { facts, changes: [{ turn: turnOf(parts), parts, violate }] };
  });
}

const withFields =
  (fields: JsonObject): Violation =>
  (request) =>
    withBody(request, { ...objectOf(request), ...fields });

/** One value that is wrong in two ways. */
function doubly(first: ErrorCode, second: ErrorCode, id: RoutedId): Violation | null {
  if (first === "urls_too_many" && second === "urls_invalid") {
    const field = id === "playAndGetDigits" ? "prompt_files" : "urls";
    return withFields({ [field]: Array.from({ length: 129 }, () => "ftp://a/b") });
  }
  if (first === "offset_sec_invalid" && second === "offset_sec_with_several_urls")
    return withFields({ urls: ["http://127.0.0.1/a.wav", "http://127.0.0.1/b.wav"], offset_sec: -1 });
  return null;
}

const inTurn = (changes: readonly Change[]) => [...changes].sort((one, other) => one.turn - other.turn);

/** Each of the parts that one way alone changes is what this way makes it, when both have been gone. */
function assertBoth(id: RoutedId, all: readonly Way[]): void {
  const sound = exampleRequest(id, nowhere);
  const changes = all.flatMap((way) => way.changes);
  const whole = inTurn(changes).reduce((request, { violate }) => violate(request), sound);
  const kept = new Set(partsOf(sound, whole));
  for (const part of changes.flatMap(({ parts }) => parts))
    if (part !== "length" && !kept.has(part)) throw new Error(`${id}: what was wrong with ${part} is lost`);
}

/** @returns how to earn both, or why nobody can */
function together(first: ErrorCode, second: ErrorCode, id: RoutedId, factsOf: FactsOf): Pair | string {
  const [firsts, seconds] = [ways(first, id, factsOf), ways(second, id, factsOf)];
  const [one, other] = [firsts[0], seconds[0]];
  if (!one || !other) return "Nothing is known to fail behind the checks of this operation.";
  const pair = { id, first, second, alone: other };
  if (implied[first]?.includes(second)) return { ...pair, both: one };
  const violate = doubly(first, second, id);
  if (violate) return { ...pair, both: { facts: {}, changes: [{ turn: 1, parts: [], violate }] } };
  const apart = new Set<string>();
  for (const one of firsts) {
    for (const other of seconds) {
      const result = merged(one.facts, other.facts);
      if ("apart" in result) {
        apart.add(result.apart);
        continue;
      }
      assertBoth(id, [one, other]);
      return {
        ...pair,
        alone: other,
        both: { facts: result.facts, changes: inTurn([...one.changes, ...other.changes]) },
      };
    }
  }
  return [...apart].map(reasonOf).join(" ");
}

export interface Pairs {
  /** To be tried. */
  readonly pairs: readonly Pair[];
  /** Neighbours that nobody can earn together. */
  readonly impossible: readonly Impossible[];
}

/**
 * @param codes what the operation can fail with, in the order of the checks
 * @param factsOf what must be so for each of them
 */
export function pairsOf(id: RoutedId, codes: readonly ErrorCode[], factsOf: FactsOf): Pairs {
  const pairs = new Map<string, Pair>();
  const impossible: Impossible[] = [];
  /** The first of these pairs that is possible. */
  const nearest = (candidates: readonly (readonly [ErrorCode, ErrorCode])[]) => {
    for (const [first, second] of candidates) {
      const found = together(first, second, id, factsOf);
      if (typeof found === "string") continue;
      pairs.set(`${first} ${second}`, found);
      return;
    }
  };
  codes.slice(1).forEach((second, before) => {
    const first = codes[before];
    if (first === undefined) return;
    const found = together(first, second, id, factsOf);
    if (typeof found !== "string") {
      pairs.set(`${first} ${second}`, found);
      return;
    }
    impossible.push({ id, first, second, reason: found });
    nearest(codes.slice(before + 2).map((later) => [first, later]));
    nearest(
      codes
        .slice(0, before)
        .map((earlier) => [earlier, second] as const)
        .reverse(),
    );
  });
  return { pairs: [...pairs.values()], impossible };
}
