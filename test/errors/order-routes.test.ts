/**
 * The order of the checks as far as it lies before or between operations: what is no HTTP, a gateway that is shut down or
 * overloaded, routes, methods, and the first question for credentials.
 */
import { afterAll, expect, test } from "@jest/globals";
import { bytesOf } from "../../src/conformance/gateway/ground/wire";
import { type Facts, merged } from "../../src/conformance/gateway/requests/facts";
import { exampleRequest, type HttpRequest, type RoutedId } from "../../src/conformance/gateway/requests/requests";
import { orderedRoutes, routeOf, type Wrong, wrongs } from "../../src/conformance/gateway/requests/route_order";
import { Wire } from "../api/wire";
import { answered, expectError } from "./expected";
import { type Ground, Grounds } from "./order-ground";

const grounds = new Grounds();
afterAll(() => grounds.close());

async function send(ground: Ground, request: HttpRequest) {
  const wire = await Wire.open(Number(new URL(ground.gateway.url).port));
  try {
    wire.write(bytesOf(request));
    return await answered(wire, request);
  } finally {
    wire.destroy();
  }
}

/** A request of this operation with all of that wrong, the last first: a path is written anew before it gets a query. */
async function answerTo(id: RoutedId, all: readonly Wrong[]) {
  const facts = all.reduce<Facts>((known, { facts = {} }) => {
    const both = merged(known, facts);
    if ("apart" in both) throw new Error(`a gateway cannot be both: ${both.apart}`);
    return both.facts;
  }, {});
  const ground = await grounds.of(id, facts);
  const violations = all.flatMap(({ violate }) => violate ?? []);
  return send(
    ground,
    violations.reduceRight((request, violate) => violate(request), exampleRequest(id, ground.gateway)),
  );
}

test.each(orderedRoutes)("$first comes before $second", async ({ first, second }) => {
  const id = routeOf(second);
  expectError(await answerTo(id, [wrongs[first], wrongs[second]]), first);
  expectError(await answerTo(id, [wrongs[second]]), second);
});

test("an unknown command has a method like the others", async () => {
  const facts = {};
  const ground = await grounds.of("commands.unknown", facts);
  const request = { ...exampleRequest("commands.unknown", ground.gateway), headers: {} };
  const answer = await send(ground, { ...request, method: "GET" });
  expectError(answer, "method_not_allowed");
  expect(answer.headers.allow).toBe("POST");
  expectError(await send(ground, request), "missing_app_id");
});
