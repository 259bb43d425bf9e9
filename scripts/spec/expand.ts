import {
  type Catalogue,
  type CatalogueError,
  type Document,
  type Header,
  type Operation,
  operationsOf,
  type Response,
  type Schema,
  type Source,
  SpecError,
  target,
} from "./document";
import type { Policy } from "./policy";

/**
 * Turns the short forms of the sources into plain OpenAPI, in place: `x-errors` into responses with their headers, the
 * data of an event into the whole body that is sent, `x-fill` into enumerations. Afterwards any OpenAPI tool can read it.
 */
export function expand(document: Document, catalogue: Catalogue, all: readonly Policy[]): void {
  const { schemas, headers } = document.components;
  for (const [code, error] of Object.entries(catalogue.errors)) {
    if (error.status !== undefined) schemas[errorSchema(code)] = envelope(code, error);
  }
  for (const schema of Object.values(schemas)) {
    for (const part of [schema, ...Object.values(schema.properties ?? {})]) fill(part, document, catalogue);
  }
  for (const name of ["RateLimit", "RateLimitPolicy", "RetryAfter"]) {
    headers[`Optional${name}`] = { ...target(headers, name), required: false };
  }
  for (const policy of all) addResponses(document, catalogue, policy);
  for (const [event, item] of Object.entries(document.webhooks)) frame(document, event, item.post);
  delete schemas.EventFrame;
  mergeSiblings(document);
  dropUnused(document);
}

/** `session_not_found` → `SessionNotFoundError`. */
function errorSchema(code: string): string {
  return `${pascal(code)}Error`;
}

function pascal(words: string): string {
  return words.replace(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function envelope(code: string, error: CatalogueError): Schema {
  const properties: Record<string, Schema> = {
    success: { type: "boolean", const: false },
    error: { type: "string", const: error.message },
    code: { type: "string", const: code },
  };
  if (error.detail) properties.detail = error.detail;
  const description = `${error.cause} ${error.fix}`;
  return { type: "object", description, required: Object.keys(properties), additionalProperties: false, properties };
}

function fill(schema: Schema, document: Document, catalogue: Catalogue): void {
  const what = schema["x-fill"];
  delete schema["x-fill"];
  const results = Object.entries(catalogue.errors).filter(([, error]) => error.result);
  if (what === "events") schema.enum = Object.keys(document.webhooks);
  if (what === "result-errors") schema.enum = results.map(([, error]) => error.message);
  if (what === "result-codes") schema.enum = results.map(([code]) => code);
}

/** The operation that a policy was read from. */
export function operationOf(document: Document, policy: Policy): Operation {
  if (policy.pseudo) return target(document["x-pseudo-operations"], policy.id);
  const placed = operationsOf(document).find(({ operation }) => operation.operationId === policy.id);
  if (!placed) throw new SpecError(`${policy.id} is at no path`);
  return placed.operation;
}

function addResponses(document: Document, catalogue: Catalogue, policy: Policy): void {
  const operation = operationOf(document, policy);
  const responses: Record<string, Response> = {};
  for (const [status, given] of Object.entries(operation.responses ?? {})) {
    const response = given.$ref ? target(document.components.responses, given.$ref) : given;
    responses[status] = { ...response, headers: { ...successHeaders(policy, response), ...response.headers } };
  }
  const byStatus = new Map<number, [string, CatalogueError][]>();
  for (const code of policy.failures) {
    const error = target(catalogue.errors, code);
    if (error.status === undefined) continue;
    byStatus.set(error.status, [...(byStatus.get(error.status) ?? []), [code, error]]);
  }
  for (const [status, variants] of byStatus) responses[status] = failureResponse(policy, status, variants);
  operation.responses = responses;
  delete operation["x-errors"];
}

function failureResponse(policy: Policy, status: number, variants: readonly [string, CatalogueError][]): Response {
  const refs = variants.map(([code]) => ({ $ref: `#/components/schemas/${errorSchema(code)}` }));
  const schema = refs.length === 1 ? refs[0] : { oneOf: refs };
  const headers = always();
  headers["Cache-Control"] = header("CacheControl");
  if (policy.auth !== "none") {
    const passed = variants.every(([, error]) => (error.step ?? 0) > 6 && error.status !== 500);
    Object.assign(headers, quota(passed ? "" : "Optional"));
  }
  if (status === 429 || status === 503) headers["Retry-After"] = header("RetryAfter");
  else if (variants.some(([, error]) => error.retry)) headers["Retry-After"] = header("OptionalRetryAfter");
  if (status === 405) headers.Allow = header("Allow");
  if (policy.command && status === 504) headers["Idempotent-Replayed"] = header("IdempotentReplayed");
  const description = variants.map(([, error]) => error.message).join(" · ");
  return { description, headers, content: { "application/json": { schema } } };
}

function successHeaders(policy: Policy, response: Response): Record<string, Header> {
  const headers = always();
  if (response.content?.["application/json"]) headers["Cache-Control"] = header("CacheControl");
  if (policy.auth !== "none") Object.assign(headers, quota(""));
  if (policy.command) headers["Idempotent-Replayed"] = header("IdempotentReplayed");
  return headers;
}

function always(): Record<string, Header> {
  return { "X-Request-ID": header("RequestId") };
}

function quota(prefix: "" | "Optional"): Record<string, Header> {
  return { RateLimit: header(`${prefix}RateLimit`), "RateLimit-Policy": header(`${prefix}RateLimitPolicy`) };
}

function header(name: string): Header {
  return { $ref: `#/components/headers/${name}` };
}

export function sourceOf(event: Operation): Source {
  return event["x-source"] ?? "session";
}

/** The names of what an event may be about, as they stand in the frame: always exactly one of them. */
const SUBJECTS = { session: "session_uuid", room: "room_id" } as const;
type Subject = keyof typeof SUBJECTS;

/** Puts what all events have in common round the data of one. */
function frame(document: Document, event: string, operation: Operation): void {
  const { schemas } = document.components;
  const outer = target(schemas, "EventFrame");
  const media = operation.requestBody?.content["application/json"];
  if (!media?.schema || media.example === undefined) throw new SpecError(`${event}: openapi/events.yaml gives no data`);
  const name = `${pascal(event)}Event`;
  const data = `${pascal(event)}Data`;
  const source = sourceOf(operation);
  schemas[data] = media.schema;
  const about = (subject: Subject): Schema => {
    const properties: Record<string, Schema> = only(subject, Object.entries(outer.properties ?? {}));
    properties.event = { type: "string", const: event };
    properties.data = { $ref: `#/components/schemas/${data}` };
    const always = new Set([...(outer.required ?? []), SUBJECTS[subject]]);
    return { type: "object", required: Object.keys(properties).filter((key) => always.has(key)), properties };
  };
  if (source === "either") {
    schemas[`Session${name}`] = about("session");
    schemas[`Room${name}`] = about("room");
    const oneOf = ["Session", "Room"].map((prefix) => ({ $ref: `#/components/schemas/${prefix}${name}` }));
    schemas[name] = { oneOf };
  } else schemas[name] = about(source);
  const around = typeof outer.example === "object" && outer.example !== null ? Object.entries(outer.example) : [];
  const example = { event, ...only(source === "room" ? "room" : "session", around), data: media.example };
  operation.parameters = ["WebhookId", "WebhookTimestamp", "WebhookSignature"].map((parameter) => ({
    $ref: `#/components/parameters/${parameter}`,
  }));
  operation.requestBody = {
    required: true,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` }, example } },
  };
  operation.responses = {
    "2XX": { description: "Taken." },
    "410": { description: "Gone: the app's webhooks are turned off until it is replaced." },
    default: { description: "Tried again, up to 8 times. Redirects are not followed." },
  };
}

/** Without the names of everything else that an event may be about. */
function only<T>(subject: Subject, parts: readonly (readonly [name: string, part: T])[]): Record<string, T> {
  const name = SUBJECTS[subject];
  if (!parts.some(([part]) => part === name)) throw new SpecError(`EventFrame: ${name} is missing`);
  const others = new Set<string>(Object.values(SUBJECTS).filter((other) => other !== name));
  return Object.fromEntries(parts.filter(([part]) => !others.has(part)));
}

/** A `$ref` with further words beside it becomes what it points at plus these words: many resolvers drop siblings. */
function mergeSiblings(document: Document): void {
  const { schemas, parameters } = document.components;
  const merge = (schema: Schema): Schema => {
    const { $ref, ...beside } = schema;
    return $ref && Object.keys(beside).length > 0 ? { ...target(schemas, $ref), ...beside } : schema;
  };
  for (const schema of Object.values(schemas)) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (schema.properties) schema.properties[name] = merge(property);
    }
  }
  for (const parameter of Object.values(parameters)) if (parameter.schema) parameter.schema = merge(parameter.schema);
}

/** Removes components that nothing refers to any more, until all are referred to. */
function dropUnused(document: Document): void {
  const { components } = document;
  for (let dropped = true; dropped; ) {
    dropped = false;
    const text = JSON.stringify(document);
    for (const [section, entries] of Object.entries(components)) {
      if (section === "securitySchemes") continue;
      for (const name of Object.keys(entries)) {
        if (text.includes(`"#/components/${section}/${name}"`)) continue;
        Reflect.deleteProperty(entries, name);
        dropped = true;
      }
    }
  }
  for (const section of ["responses"] as const) {
    if (Object.keys(components[section]).length === 0) Reflect.deleteProperty(components, section);
  }
}
