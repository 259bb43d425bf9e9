/** What one request can do wrong, derived from the document: by error code, the ways to earn it. */
import { operations } from "../../../../generated/operations";
import type { ErrorCode, OperationId } from "../../../contract";
import type { JsonObject } from "../ground/client";
import { badValues } from "./bad_values";
import {
  bodySchema,
  type HttpRequest,
  parameterSchema,
  policyOf,
  type RoutedId,
  withBody,
  withHeaders,
} from "./requests";

/** Makes a wrong request of a valid one. */
export type Violation = (request: HttpRequest) => HttpRequest;
type Violations = Readonly<Record<string, Violation>>;

const json = { "Content-Type": "application/json" };
/** By name: Node's client sends a GET with a body and no length as if there were two requests. */
const chunks = { ...json, "Transfer-Encoding": "chunked" };

const sent =
  (body: string | Buffer): Violation =>
  (request) => ({ ...withHeaders(request, json), body });

const header =
  (name: string, value: string | undefined): Violation =>
  (request) =>
    withHeaders(request, { [name]: value });

const withQuery =
  (name: string, value: string): Violation =>
  (request) => ({ ...request, path: `${request.path}${request.path.includes("?") ? "&" : "?"}${name}=${value}` });

/** A body of that type, whatever else is wrong with it. */
const typed =
  (type: string | undefined): Violation =>
  (request) => ({ ...withHeaders(request, { "Content-Type": type }), body: request.body ?? "{}" });

/** JSON may end with spaces. */
function tooLarge(id: RoutedId): Violations {
  const { limit } = policyOf(id).body;
  if (limit === null) throw new Error(`${id} has no limit`);
  const padded: Violation = (request) => sent(String(request.body ?? "").padEnd(limit + 1))(request);
  return {
    "by its length": padded,
    "while it is read": (request) => ({ ...withHeaders(padded(request), chunks), chunked: true }),
  };
}

/** Arrays and objects inside each other, the body itself included. */
function tooDeep(id: RoutedId): Violation {
  return (request) => changed(id, { depth: JSON.parse("[".repeat(32) + "]".repeat(32)) })(request);
}

/** Those that have nothing to do with single fields. */
const general: Readonly<Partial<Record<ErrorCode, (id: RoutedId) => Violations>>> = {
  missing_app_id: () => ({ "no header": header("X-App-ID", undefined) }),
  invalid_app_id_header: () => ({
    "with a space": header("X-App-ID", "a b"),
    empty: header("X-App-ID", ""),
    "too long": header("X-App-ID", "a".repeat(65)),
  }),
  missing_api_key: () => ({ "no header": header("X-API-Key", undefined) }),
  invalid_api_key: () => ({
    "wrong key": header("X-API-Key", "wrong"),
    "unknown app": header("X-App-ID", "nobody"),
  }),
  missing_admin_key: () => ({ "no header": header("X-Admin-API-Key", undefined) }),
  invalid_admin_key: () => ({ "wrong key": header("X-Admin-API-Key", "wrong") }),
  unsupported_content_type: () => ({
    "another type": typed("text/plain"),
    "no type": typed(undefined),
    "another charset": typed("application/json; charset=utf-16"),
  }),
  request_body_too_large: tooLarge,
  invalid_request_body: (id) => ({
    "too deep": tooDeep(id),
    "broken off": sent("{"),
    "an array": sent("[1]"),
    "a string": sent('"{}"'),
    "no UTF-8": sent(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
    "a prototype": sent('{"__proto__":{}}'),
  }),
  unknown_field: (id) => ({ color: changed(id, { color: "red" }) }),
  invalid_cursor: () => ({
    "what only looks like one": withQuery("cursor", "aGVsbG8"),
  }),
  invalid_command: () => ({ "unknown command": (request) => request }),
  session_not_found: () => ({ "unknown uuid": (request) => request }),
  // A join names a session as well, which is looked for before.
  room_not_found: (id): Violations => (policyOf(id).session === null ? { "unknown room": (request) => request } : {}),
  recording_not_found: () => ({ "unknown recording": (request) => request }),
  media_file_not_found: () => ({ "unknown file": (request) => request }),
  // The first page is missing only where all of them are.
  page_not_found: (id): Violations => (id === "getDocs" ? {} : { "unknown page": (request) => request }),
  app_not_found: () => ({ "unknown app": (request) => request }),
};

/** The example body with other fields; undefined takes one away. */
function changed(id: RoutedId, changes: JsonObject): Violation {
  if (bodySchema(id) === null) throw new Error(`${id} has no body`);
  return (request) => withBody(request, { ...JSON.parse(String(request.body)), ...changes });
}

/** What breaks the rules over several fields. */
const brokenRules: Readonly<Partial<Record<ErrorCode, JsonObject>>> = {
  offset_sec_with_several_urls: { urls: ["http://127.0.0.1/a.wav", "http://127.0.0.1/b.wav"], offset_sec: 1 },
  max_digits_below_min_digits: { min_digits: 2, max_digits: 1 },
};

export interface NamedViolation {
  readonly code: ErrorCode;
  readonly name: string;
  readonly violate: Violation;
}

function* fieldsOfBody(id: OperationId): Generator<NamedViolation> {
  const properties = bodySchema(id)?.properties ?? {};
  const fields: Readonly<Record<string, Codes>> = operations[id].fields.body;
  for (const [field, codes] of Object.entries(fields)) {
    if (codes.required)
      yield { code: codes.required, name: `no ${field}`, violate: changed(id, { [field]: undefined }) };
    for (const { keyword, value, below } of badValues(properties[field] ?? {})) {
      const name = `${field}: ${keyword}, ${JSON.stringify(value).slice(0, 60)}`;
      yield { code: codeOf(codes, below ? "default" : keyword), name, violate: changed(id, { [field]: value }) };
    }
  }
}

function* parameters(id: OperationId): Generator<NamedViolation> {
  const { path, query }: Readonly<Record<"path" | "query", Readonly<Record<string, Codes>>>> = operations[id].fields;
  for (const [place, fields] of Object.entries({ path, query })) {
    for (const [field, codes] of Object.entries(fields)) {
      for (const { keyword, value } of badValues(parameterSchema(id, field))) {
        // In a path or a query everything is a string, and one without a sign is another path, or none.
        if (value === "" || (keyword === "type" && value !== 1.5)) continue;
        const text = encodeURIComponent(String(value));
        const violate: Violation = (request) =>
          place === "query"
            ? withQuery(field, text)(request)
            : { ...request, path: operations[id].path.replace(`{${field}}`, text) };
        yield { code: codeOf(codes, keyword), name: `${field}=${text}: ${keyword}`, violate };
      }
    }
  }
}

type Codes = Readonly<Record<string, ErrorCode>>;

function codeOf(codes: Codes, keyword: string): ErrorCode {
  const code = codes[keyword] ?? codes.default;
  if (!code) throw new Error(`no error for ${keyword}`);
  return code;
}

function* rules(id: OperationId): Generator<NamedViolation> {
  for (const { error } of operations[id].rules) {
    const body = brokenRules[error];
    if (!body) throw new Error(`nothing is known to break the rule ${error}`);
    yield { code: error, name: JSON.stringify(body), violate: changed(id, body) };
  }
}

/** Worked out once: much is asked of them, and they are many. */
const known = new Map<RoutedId, readonly NamedViolation[]>();

/** Everything that a single request to this operation can do wrong. */
export function violationsOf(id: RoutedId): readonly NamedViolation[] {
  const found = known.get(id) ?? allOf(id);
  known.set(id, found);
  return found;
}

function allOf(id: RoutedId): readonly NamedViolation[] {
  const codes: readonly ErrorCode[] = policyOf(id).failures;
  const found = codes.flatMap((code) =>
    Object.entries(general[code]?.(id) ?? {}).map(([name, violate]) => ({ code, name, violate })),
  );
  if (id !== "commands.unknown") found.push(...parameters(id), ...fieldsOfBody(id), ...rules(id));
  return found;
}

/**
 * One violation for each error that a single request can earn, in the order of the checks. Applied from the last to the
 * first, they leave each other in place, as far as they concern different things.
 */
export function inOrder(id: RoutedId): NamedViolation[] {
  const all = violationsOf(id);
  const codes: readonly ErrorCode[] = policyOf(id).failures;
  return codes.flatMap((code) => all.find((violation) => violation.code === code) ?? []);
}
