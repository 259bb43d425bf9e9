/**
 * The first check that fails decides, whatever follows it. For every operation: everything that one request can do wrong at
 * once, then all but the first thing, and so on to the last: each answer must be the error of the first one that is left.
 * The quota, which no single request can exceed, is used up where it has its place. What else must have happened before,
 * goes pair by pair.
 */
import { afterAll, beforeAll, describe, test } from "@jest/globals";
import { errors } from "../../generated/operations";
import { exampleRequest, policyOf, type RoutedId, routed } from "../../src/conformance/gateway/requests/requests";
import { inOrder, type NamedViolation } from "../../src/conformance/gateway/requests/violations";
import { TestGateway } from "../gateway";
import { expectError, pair, provoke } from "./expected";
import { FailingStore } from "./failing";

const several = routed.filter((id) => inOrder(id).length > 1);
const quotaStep = errors.rate_limited.step;

/** The last first: those that come earlier must not be undone. */
function all(id: RoutedId, violations: readonly NamedViolation[], place: TestGateway) {
  return violations.reduceRight((request, { violate }) => violate(request), exampleRequest(id, place));
}

/** What is wrong with a request, from each of its errors on. */
function tails(id: RoutedId) {
  const violations = inOrder(id);
  return violations.map(({ code }, first) => ({ code, wrong: violations.slice(first) }));
}

describe("within the quota", () => {
  let place: TestGateway;
  beforeAll(async () => {
    place = await TestGateway.start({ env: { EMBEDDED_ENGINE: "false" } });
  });
  afterAll(() => place.close());

  describe.each(several)("%s", (id) => {
    test.each(tails(id))("$code comes before all that follow it", async ({ code, wrong }) => {
      await provoke(place.client, all(id, wrong, place), id, code);
    });
  });
});

describe("over the quota", () => {
  const store = new FailingStore();
  let place: TestGateway;
  beforeAll(async () => {
    store.stop();
    const env = { EMBEDDED_ENGINE: "false", DEFAULT_RATE_LIMIT: "1" };
    place = await TestGateway.start({ store: store.store, env });
  });
  afterAll(() => place.close());

  const limited = several.filter((id) => policyOf(id).failures.some((code) => code === "rate_limited"));
  test.each(limited)("%s", async (id) => {
    const sound = exampleRequest(policyOf(id).auth === "admin" ? "listApps" : "listSessions", place);
    for (const { code, wrong } of tails(id)) {
      const { step } = errors[code];
      const expected = step !== null && step < quotaStep ? code : "rate_limited";
      const [, answer] = await pair(place.url, sound, all(id, wrong, place));
      expectError(answer, expected);
    }
  });
});
