/** Faults of routes, methods and of what lies below them. */
import type { Fault } from "./fault";
import { type Field, field, pathOf, type RequestHead, withBody, withField } from "./message";
import { answers, at, codeOf, operationOf, refused, requests } from "./strokes";

const section2 = "contract §2, every response";
const section3 = "contract §3, order of checks";

const knowsPath = (head: RequestHead) => ["GET", "POST", "DELETE"].some((method) => operationOf({ ...head, method }));
const commands = /^(\/api\/v1\/sessions\/[^/]+\/commands)(\/.*)?$/;

export const routes: readonly Fault[] = [
  requests(["routes/trailing-slash", "a trailing slash is the same route", section3], (request) => {
    const path = pathOf(request).replace(/\/$/, "");
    return path !== pathOf(request) && path !== "" && knowsPath(at(request, path)) ? at(request, path) : undefined;
  }),
  requests(["routes/any-case", "paths are taken in any case", section3], (request) => {
    const path = pathOf(request).toLowerCase();
    return path !== pathOf(request) && !knowsPath(request) && knowsPath(at(request, path))
      ? at(request, path)
      : undefined;
  }),
  requests(["routes/double-slash", "two slashes are one", section3], (request) => {
    const path = pathOf(request).replaceAll(/\/{2,}/g, "/");
    return path !== pathOf(request) ? at(request, path) : undefined;
  }),
  answers(["routes/wrong-method-404", "a wrong method is a 404", "error method_not_allowed"], (answer) =>
    answer.status === 405 ? refused(answer, 404, "not_found", "Not found") : undefined,
  ),
  answers(["routes/options-200", "OPTIONS is answered 200", section2], (answer, request) =>
    request.method === "OPTIONS" && answer.status === 405 ? { ...withBody(answer, ""), status: 200 } : undefined,
  ),
  answers(["routes/options-204", "OPTIONS is answered as a preflight request", section2], (answer, request) => {
    if (request.method !== "OPTIONS" || answer.status !== 405) return undefined;
    const fields = answer.fields.filter(([name]) => !/^content-(?:length|type)$/i.test(name));
    const allowed: Field = ["Access-Control-Allow-Methods", "GET, POST"];
    return { ...answer, status: 204, fields: [...fields, allowed], body: Buffer.alloc(0) };
  }),
  answers(["routes/unknown-command-404", "an unknown command is a 404", "error invalid_command"], (answer) =>
    codeOf(answer) === "invalid_command" ? refused(answer, 404, "not_found", "Not found") : undefined,
  ),
  answers(
    ["routes/deep-command-404", "an unknown command of some depth is a 404", "error invalid_command"],
    (answer, request) => {
      const deep = (commands.exec(pathOf(request))?.[2] ?? "").split("/").length > 3;
      return deep && codeOf(answer) === "invalid_command" ? refused(answer, 404, "not_found", "Not found") : undefined;
    },
  ),
  requests(["routes/no-command-400", "…/commands is an unknown command", section3], (request) => {
    const [, path, rest = ""] = commands.exec(pathOf(request)) ?? [];
    return path !== undefined && rest.length < 2 ? at(request, `${path}/nothing`) : undefined;
  }),
  requests(
    ["routes/unknown-command-unauthenticated", "who asks for an unknown command is not looked at", section3],
    (request) => {
      const unknown = commands.test(pathOf(request)) && request.method === "POST" && operationOf(request) === null;
      const known = field(request, "X-API-Key") !== undefined;
      return unknown && !known ? at({ ...request, method: "GET" }, "/nowhere") : undefined;
    },
  ),
  requests(
    [
      "routes/upgrade-ignored",
      "a request to change the protocol is answered as if it were none",
      "error upgrade_not_supported",
    ],
    (request) =>
      field(request, "Upgrade") ? withField(withField(request, "Upgrade", null), "Connection", "close") : undefined,
  ),
  answers(["routes/head-404", "HEAD is a method that no route has", section2], (answer, request) =>
    request.method === "HEAD" && answer.status === 200 ? { ...answer, status: 404 } : undefined,
  ),
  answers(["routes/live-204", "GET /live is answered 204", "operation getLive"], (answer, request) => {
    if (pathOf(request) !== "/live" || request.method !== "GET" || answer.status !== 200) return undefined;
    return { ...answer, status: 204, fields: answer.fields.filter(([name]) => !/^content-/i.test(name)) };
  }),
  answers(
    ["routes/percent-404", "a path with broken percent-encoding is a 404", "error bad_request"],
    (answer, request) =>
      codeOf(answer) === "bad_request" && request.method !== "" && /%(?![0-9A-Fa-f]{2})/.test(request.target)
        ? refused(answer, 404, "not_found", "Not found")
        : undefined,
  ),
  answers(["routes/bad-bytes-500", "bytes that are no HTTP are a 500", "error bad_request"], (answer) =>
    codeOf(answer) === "bad_request" ? refused(answer, 500, "internal_error", "Internal server error") : undefined,
  ),
  {
    name: "routes/expect-ignored",
    about: "an expectation that nobody knows is ignored",
    clause: "error expectation_failed",
    start: (place) => ({
      wants: (head) => field(head, "Expect") !== undefined && !/^100-continue$/i.test(field(head, "Expect") ?? ""),
      exchange: async (request, next) => {
        const answer = await next(request);
        if (answer.status !== 417) return answer;
        place.strike();
        const body = Buffer.alloc(0);
        const plain = withField({ ...request, method: request.method, body }, "Expect", null);
        return place.ask(plain);
      },
    }),
  },
  {
    name: "routes/continue-for-strangers",
    about: "who has no key is asked for his body",
    clause: "contract §3, no byte of the body of a caller without a valid key is asked for",
    start: (place) => ({
      continues: (head) => {
        const asks = field(head, "Expect")?.toLowerCase() === "100-continue";
        if (asks) place.strike();
        return asks;
      },
    }),
  },
];
