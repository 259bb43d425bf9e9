/**
 * The order of the checks as far as it lies before or between operations: what is no HTTP, a gateway that is shut down or
 * overloaded, routes, methods, and the first question for credentials.
 */
import { afterAll, expect, test } from "@jest/globals";
import { errors } from "../../generated/operations";
import type { ErrorCode } from "../../src/contract";
import { Wire } from "../api/wire";
import { answered, bytesOf, expectError } from "./expected";
import { type Facts, merged } from "./order-facts";
import { type Ground, Grounds } from "./order-ground";
import { exampleRequest, type HttpRequest, type RoutedId, withHeaders } from "./requests";

const grounds = new Grounds();
afterAll(() => grounds.close());

/** Makes a request wrong; where a gateway must be wrong, it is that instead. */
interface Wrong {
  readonly facts?: Facts;
  readonly violate?: (request: HttpRequest) => HttpRequest;
}

/** More fields than are taken. */
const crowded = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`X-${n}`, "1"]));

const wrongs = {
  bad_request: { violate: (request) => ({ ...request, path: `${request.path}?name=%zz` }) },
  request_header_fields_too_large: { violate: (request) => withHeaders(request, crowded) },
  expectation_failed: { violate: (request) => withHeaders(request, { Expect: "a-miracle" }) },
  upgrade_not_supported: {
    violate: (request) => withHeaders(request, { Connection: "Upgrade", Upgrade: "websocket" }),
  },
  server_shutting_down: { facts: { running: ["shut"] } },
  server_overloaded: { facts: { load: ["full"] } },
  not_found: { violate: (request) => ({ ...request, path: "/nowhere" }) },
  method_not_allowed: { violate: (request) => ({ ...request, method: "PUT" }) },
  admin_not_configured: { facts: { admin: ["off"] } },
  missing_app_id: { violate: (request) => withHeaders(request, { "X-App-ID": undefined }) },
  missing_admin_key: { violate: (request) => withHeaders(request, { "X-Admin-API-Key": undefined }) },
} as const satisfies { readonly [C in ErrorCode]?: Wrong };

type Code = keyof typeof wrongs;
const codes = Object.keys(wrongs) as Code[];

/** Whose request it is: one that asks for these credentials. */
function operationOf(second: Code): RoutedId {
  return second === "missing_admin_key" || second === "admin_not_configured" ? "listApps" : "listSessions";
}

/** Those of one step are told apart by no order, and a path without a route has no methods. */
const ordered = codes.flatMap((first, at) =>
  codes
    .slice(at + 1)
    .filter((second) => first === "server_shutting_down" || errors[first].step !== errors[second].step)
    .filter((second) => first !== "not_found" || second !== "method_not_allowed")
    .map((second) => ({ first, second })),
);

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

test.each(ordered)("$first comes before $second", async ({ first, second }) => {
  const id = operationOf(second);
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
