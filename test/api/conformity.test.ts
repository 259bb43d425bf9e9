/** The check that every response of every test goes through: it must see what is wrong. */
import { expect, test } from "@jest/globals";
import { operationOf } from "../../src/conformance/gateway/ground/declared";
import { promised, type ResponseHeaders } from "../../src/promised";

const responseErrors = (id: string, status: number, headers: ResponseHeaders, body: string | null) =>
  promised().responseErrors(id, status, headers, body);

const json = { "x-request-id": "r1", "cache-control": "no-store", "content-type": "application/json; charset=utf-8" };
const limited = { ratelimit: '"app";r=1;t=1', "ratelimit-policy": '"app";q=2;w=1' };
const error = (text: string, code: string, detail?: object) =>
  JSON.stringify({ success: false, error: text, code, detail });
const taken = { operation_id: "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60", status: "in_progress", timeout_ms: 2000 };
const accepted = JSON.stringify(taken);
const gone = error("Session not found", "session_not_found");

test.each([
  ["what is declared", "answer", 202, { ...json, ...limited }, accepted],
  [
    "a declared header that may be left out",
    "answer",
    202,
    { ...json, ...limited, "idempotent-replayed": "true" },
    accepted,
  ],
  ["what HTTP adds", "getLive", 200, { ...json, date: "now", connection: "close" }, '{"status":"ok"}'],
  ["a declared error", "answer", 404, { ...json, ...limited }, gone],
  [
    "an error from below the router",
    "answer",
    431,
    json,
    error("Request header fields too large", "request_header_fields_too_large"),
  ],
  ["HEAD", "getLive", 200, json, null],
  ["bytes", "getSampleTone", 200, { "x-request-id": "r1", "content-type": "audio/wav" }, "RIFF"],
] as const)("%s is right", (_, id, status, headers, body) => {
  expect(responseErrors(id, status, headers, body)).toEqual([]);
});

test.each([
  ["an operation that there is not", "dance", 200, json, "{}", /no operation/],
  ["an undeclared status", "getLive", 418, json, "{}", /does not declare 418/],
  ["an error of another operation", "getLive", 404, json, gone, /does not declare 404/],
  ["a text that differs by a letter", "answer", 404, { ...json, ...limited }, gone.replace("not", "nit"), /constant/],
  ["a code that differs", "answer", 404, { ...json, ...limited }, gone.replace("n_n", "nn"), /constant/],
  ["a missing detail", "answer", 400, json, error("Unknown field in request body", "unknown_field"), /detail/],
  ["a format", "answer", 202, { ...json, ...limited }, JSON.stringify({ ...taken, operation_id: "1" }), /uuid/],
  ["a missing header", "answer", 202, json, accepted, /no header ratelimit/],
  ["a header of another form", "answer", 202, { ...json, ...limited, ratelimit: "1" }, accepted, /header ratelimit/],
  [
    "a header that nobody declared",
    "getLive",
    200,
    { ...json, "x-powered-by": "x" },
    '{"status":"ok"}',
    /not declared/,
  ],
  ["a 405 without Allow", "getLive", 405, json, error("Method not allowed", "method_not_allowed"), /does not declare/],
  [
    "another charset",
    "getLive",
    200,
    { ...json, "content-type": "application/json" },
    '{"status":"ok"}',
    /Content-Type/,
  ],
  ["another type", "getSampleTone", 200, { "x-request-id": "r1", "content-type": "text/html" }, "", /Content-Type/],
  ["no JSON", "getLive", 200, json, "ok", /no JSON/],
] as const)("%s is wrong", (_, id, status, headers, body, why) => {
  expect(responseErrors(id, status, headers, body).join("\n")).toMatch(why);
});

test.each([
  ["GET", "/live?x=1", "getLive"],
  ["HEAD", "/api/v1/sessions/a%2Fb", "getSession"],
  ["POST", "/api/v1/sessions/x/commands/playback/start", "startPlayback"],
  ["POST", "/api/v1/sessions/x/commands/playback", "commands.unknown"],
  ["GET", "/api/v1/sessions/x/commands/answer", null],
  ["GET", "/opensapi.json", null],
  ["GET", "/openapi/json", null],
])("%s %s is a request for %s", (method, target, id) => {
  expect(operationOf(method, target)).toBe(id);
});
