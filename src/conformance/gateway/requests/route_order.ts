/**
 * The order of the checks as far as it lies before or between operations: what is no HTTP, a gateway that is shut down or
 * overloaded, routes, methods, and the first question for credentials.
 */
import { errors } from "../../../../generated/operations";
import type { ErrorCode } from "../../../contract";
import type { Facts } from "./facts";
import { type HttpRequest, type RoutedId, withHeaders } from "./requests";

/** Makes a request wrong; where a gateway must be wrong, it is that instead. */
export interface Wrong {
  readonly facts?: Facts;
  readonly violate?: (request: HttpRequest) => HttpRequest;
}

/** More fields than are taken. */
const crowded = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`X-${n}`, "1"]));

export const wrongs = {
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

export type RouteCode = keyof typeof wrongs;
const codes = Object.keys(wrongs) as RouteCode[];

/** Whose request it is: one that asks for these credentials. */
export function routeOf(second: RouteCode): RoutedId {
  return second === "missing_admin_key" || second === "admin_not_configured" ? "listApps" : "listSessions";
}

/** Those of one step are told apart by no order, and a path without a route has no methods. */
export const orderedRoutes = codes.flatMap((first, at) =>
  codes
    .slice(at + 1)
    .filter((second) => first === "server_shutting_down" || errors[first].step !== errors[second].step)
    .filter((second) => first !== "not_found" || second !== "method_not_allowed")
    .map((second) => ({ first, second })),
);
