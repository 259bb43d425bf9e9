/**
 * The first check that fails decides. For every operation, two errors that follow each other in the order of the checks and
 * that one request can earn together: it is answered with the first, and without what earns that, with the second.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { type Facts, slotOf } from "../../src/conformance/gateway/requests/facts";
import type { Pair, Way } from "../../src/conformance/gateway/requests/pairs";
import { policyOf, type RoutedId, routed } from "../../src/conformance/gateway/requests/requests";
import type { ErrorCode } from "../../src/contract";
import { expectError } from "./expected";
import { impossiblePairs } from "./impossible";
import { pairsOf } from "./order-facts";
import { Grounds, settingOf } from "./order-ground";
import { Stage } from "./order-stage";

const grounds = new Grounds();
afterAll(() => grounds.close());

/** What has been there before a request, and is not taken away by another request. */
const lasting = ["node", "state", "member", "muted", "recorded", "cooldown", "quota", "recording", "file"];

/** Can the second be shown alone where both were? */
function sameStage({ id, both, alone }: Pair): boolean {
  const of = ({ facts }: Way) => {
    const subjects = (["session", "room"] as const).map((subject) => facts[slotOf(id, subject)]?.[0] === "nobody");
    return JSON.stringify([settingOf(id, facts), subjects, lasting.map((slot) => facts[slot]?.[0])]);
  };
  const { history } = alone.facts;
  return of(both) === of(alone) && (history === undefined || history[0] === both.facts.history?.[0]);
}

async function onStage(id: RoutedId, facts: Facts, work: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await Stage.set(id, facts, await grounds.of(id, facts));
  try {
    await work(stage);
  } finally {
    await stage.strike();
  }
}

async function show(stage: Stage, { id }: Pair, way: Way, code: Pair["first"]): Promise<void> {
  const answer = await stage.send(way);
  expectError(answer, code);
  expect(answer.operation).toBe(id);
}

describe.each(routed.filter((id) => pairsOf(id).pairs.length > 0))("%s", (id) => {
  test.each(pairsOf(id).pairs)("$first comes before $second", async (pair) => {
    const { first, second, both, alone } = pair;
    const same = sameStage(pair);
    await onStage(id, both.facts, async (stage) => {
      await show(stage, pair, both, first);
      if (same) await show(stage, pair, alone, second);
    });
    if (!same) await onStage(id, alone.facts, (stage) => show(stage, pair, alone, second));
  });
});

test("neighbours that no request can earn together are those that were known, for the reasons that were known", () => {
  const file = path.join(__dirname, "../../../test/errors/impossible.json");
  expect(impossiblePairs()).toEqual(JSON.parse(readFileSync(file, "utf8")));
});

test("no other error is in no pair", () => {
  const left = routed.flatMap((id) => {
    const codes = pairsOf(id).pairs.flatMap(({ first, second }) => [first, second]);
    const failures: readonly ErrorCode[] = policyOf(id).failures;
    return failures.filter((code) => !codes.includes(code)).map((code) => `${id}: ${code}`);
  });
  expect(left).toEqual([
    // Nothing is known to fail behind the checks.
    "listNodes: internal_error",
    "createSandboxCall: internal_error",
    // The only one that they have.
    "getLive: request_body_too_large",
    "getMetrics: request_body_too_large",
  ]);
});
