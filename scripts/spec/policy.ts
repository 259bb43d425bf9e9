import {
  type Catalogue,
  type Command,
  type Document,
  type FieldErrors,
  type Guard,
  type Operation,
  operationsOf,
  type Parameter,
  type Response,
  type Rule,
  type Schema,
  SpecError,
  target,
} from "./document";

/** Everything that the gateway must know of an operation before its handler runs, read from the document. */
export interface Policy {
  readonly id: string;
  /** Stands for requests that belong to no path of the document. */
  readonly pseudo: boolean;
  readonly method: string | null;
  readonly path: string | null;
  readonly tag: string | null;
  readonly auth: "app" | "admin" | "none";
  /** Where the request names the session that it is about. */
  readonly session: "path" | "body" | null;
  /** Where the request names the room that it is about. */
  readonly room: "path" | "body" | null;
  /** Answered also for a session or room that has ended. */
  readonly ended: boolean;
  /** Answered also when shut down or overloaded. */
  readonly always: boolean;
  /** `lenient`: read when it comes as JSON, ignored when it comes as anything else. */
  readonly body: {
    readonly mode: "required" | "optional" | "lenient" | "ignored" | "none";
    readonly limit: number | null;
  };
  readonly command:
    | (Command & {
        readonly of: "session" | "room";
        readonly cooldown: { readonly group: string; readonly ms: number } | null;
      })
    | null;
  /** What must be true of the session, in the order in which it is asked. */
  readonly guards: readonly Guard[];
  readonly success: number | null;
  /** Type of the answer that succeeds, without its parameters; null: it has no content. */
  readonly media: string | null;
  readonly emits: readonly string[];
  /** Error codes in the order of the checks. */
  readonly failures: readonly string[];
  readonly fields: { readonly [Place in "path" | "query" | "body"]: Readonly<Record<string, FieldErrors>> };
  readonly rules: readonly Rule[];
}

/** Policies of all operations, those that belong to no path last. */
export function policies(document: Document, catalogue: Catalogue): Policy[] {
  const found: Policy[] = [];
  for (const { path, method, operation, parameters } of operationsOf(document)) {
    const id = operation.operationId;
    if (!id) throw new SpecError(`${method.toUpperCase()} ${path} has no operationId`);
    found.push(policy(document, catalogue, operation, { id, pseudo: false, method, path, parameters }));
  }
  for (const [id, operation] of Object.entries(document["x-pseudo-operations"])) {
    const path = operation["x-path"] ?? null;
    const method = path === null ? null : "post";
    found.push(policy(document, catalogue, operation, { id, pseudo: true, method, path, parameters: [] }));
  }
  return found;
}

interface Place {
  readonly id: string;
  readonly pseudo: boolean;
  readonly method: string | null;
  readonly path: string | null;
  readonly parameters: readonly Parameter[];
}

function policy(document: Document, catalogue: Catalogue, operation: Operation, place: Place): Policy {
  const { id, pseudo, method, path } = place;
  const schema = bodySchema(document, operation);
  const fields = {
    ...parameterErrors(place.parameters),
    body: errorsOf(schema?.properties ?? {}),
  };
  const rules = schema?.["x-rules"] ?? [];
  const command = operation["x-command"];
  const group = operation["x-rate-group"];
  const auth = path === null ? "none" : authentication(operation.security ?? document.security);
  const named = (parameter: string, property: string) => {
    if (pseudo) return null;
    if (path?.includes(`{${parameter}}`)) return "path";
    // An id in a body of the administration is no resource of the app that asks.
    return auth === "app" && schema?.properties?.[property] ? "body" : null;
  };
  const guards = (operation["x-guards"] ?? []).map((name) => {
    const guard = document["x-guards"][name];
    if (!guard) throw new SpecError(`${id}: x-guards has no "${name}"`);
    return guard;
  });
  const fromChecks = [...fieldCodes(fields, schema, rules), ...guards.map((guard) => guard.error)];
  const success = Object.keys(operation.responses ?? {}).find((status) => status.startsWith("2"));
  return {
    id,
    pseudo,
    method: method?.toUpperCase() ?? null,
    path,
    tag: operation.tags?.[0] ?? null,
    auth,
    session: named("uuid", "session_uuid"),
    room: named("room_id", "room_id"),
    ended: operation["x-ended"] ?? false,
    always: operation["x-always"] ?? false,
    body: { mode: bodyMode(operation), limit: operation["x-body-limit"] ?? null },
    command: command
      ? {
          ...command,
          of: path?.includes("{room_id}") ? "room" : "session",
          cooldown: group ? cooldown(document, group) : null,
        }
      : null,
    guards,
    success: success ? Number(success) : null,
    media: success ? mediaType(document, operation.responses?.[success]) : null,
    emits: operation["x-emits"] ?? [],
    failures: inOrder(id, catalogue, operation["x-errors"] ?? [], fromChecks),
    fields,
    rules,
  };
}

/** The named schema of a request body; undefined without a body. An inline one is the lint's to refuse. */
export function bodySchema(document: Document, operation: Operation): Schema | undefined {
  const schema = operation.requestBody?.content["application/json"]?.schema;
  return schema?.$ref ? target(document.components.schemas, schema.$ref) : schema;
}

function mediaType(document: Document, given: Response | undefined): string | null {
  const response = given?.$ref ? target(document.components.responses, given.$ref) : given;
  return Object.keys(response?.content ?? {})[0]?.replace(/;.*/, "") ?? null;
}

function bodyMode(operation: Operation): Policy["body"]["mode"] {
  if (operation["x-lenient-body"]) return "lenient";
  if (operation.requestBody) return operation.requestBody.required ? "required" : "optional";
  return operation["x-body-limit"] === undefined ? "none" : "ignored";
}

function authentication(security: readonly Record<string, string[]>[]): Policy["auth"] {
  const schemes = security.flatMap((requirement) => Object.keys(requirement)).join(" ");
  if (schemes === "") return "none";
  if (schemes === "AppId ApiKey") return "app";
  if (schemes === "AdminKey") return "admin";
  throw new SpecError(`no such combination of security schemes: ${schemes}`);
}

function cooldown(document: Document, group: string): { group: string; ms: number } {
  return { group, ms: target(document["x-rate-groups"], group) };
}

function errorsOf(properties: Readonly<Record<string, Schema>>): Record<string, FieldErrors> {
  const errors: Record<string, FieldErrors> = {};
  for (const [name, schema] of Object.entries(properties)) if (schema["x-error"]) errors[name] = schema["x-error"];
  return errors;
}

function parameterErrors(parameters: readonly Parameter[]): Pick<Policy["fields"], "path" | "query"> {
  const errors = { path: {}, query: {} };
  for (const { name, schema, in: place } of parameters) {
    if (!name || !schema || (place !== "path" && place !== "query")) continue;
    Object.assign(errors[place], errorsOf({ [name]: schema }));
  }
  return errors;
}

/** The order of step 8: parameters, missing fields, unknown fields, each field, what must hold between fields. */
function fieldCodes(fields: Policy["fields"], body: Schema | undefined, rules: readonly Rule[]): string[] {
  const all = (place: Readonly<Record<string, FieldErrors>>) =>
    Object.values(place).flatMap((errors) => Object.values(errors));
  const missing = (body?.required ?? []).flatMap((name) => fields.body[name]?.required ?? []);
  const unknown = body ? ["unknown_field"] : [];
  const codes = [...all(fields.path), ...all(fields.query), ...missing, ...unknown, ...all(fields.body)];
  return [...new Set([...codes, ...rules.map((rule) => rule.error)])];
}

/**
 * Everything declared, in the order of the checks: by step, then by field or guard, then as the catalogue has it.
 *
 * @param fromChecks errors of fields and guards, as these are asked
 */
function inOrder(id: string, catalogue: Catalogue, named: readonly string[], fromChecks: readonly string[]): string[] {
  const listed = named.flatMap((name) => catalogue.sets[name] ?? [name]);
  const position = new Map(Object.keys(catalogue.errors).map((code, index) => [code, index]));
  const rank = (code: string): number => {
    const error = catalogue.errors[code];
    if (error?.step === undefined) throw new SpecError(`${id}: openapi/errors.yaml has no response "${code}"`);
    const asked = fromChecks.indexOf(code);
    return error.step * 1e6 + (asked >= 0 ? asked : 1e3 + (position.get(code) ?? 0));
  };
  // `unknown_field` belongs to a body; whether the operation says so itself is checked by the lint.
  const codes = new Set([...listed, ...fromChecks.filter((code) => code !== "unknown_field")]);
  const ranked = [...codes].map((code) => ({ code, rank: rank(code) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ code }) => code);
}
