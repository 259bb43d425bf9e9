/**
 * The parts of the OpenAPI document and of the catalogue of errors that the generator reads. Only what is used here is
 * typed; everything else passes through untouched.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Error code by failing keyword of a field: `required`, a keyword of the field itself, `default` for all else. */
export type FieldErrors = { readonly [keyword: string]: string };

/** What must hold between fields: a JSON Schema for the whole body, and the error when it does not. */
export interface Rule {
  readonly error: string;
  readonly schema: Json;
}

/**
 * What must be true of a session for a command to be taken: a field of its state is one of some values, or none of them.
 * `$room_id` stands for the room that the body names, `$room_node` for the node of that room.
 */
export interface Guard {
  readonly field: "state" | "room_id" | "muted" | "recording" | "node";
  readonly one_of?: readonly GuardValue[];
  readonly none_of?: readonly GuardValue[];
  readonly error: string;
}
export type GuardValue = string | boolean | null;

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  example?: Json;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  enum?: Json[];
  const?: Json;
  default?: Json;
  pattern?: string;
  "x-error"?: FieldErrors;
  "x-rules"?: Rule[];
  "x-fill"?: "events" | "result-errors" | "result-codes";
}

export interface Parameter {
  $ref?: string;
  name?: string;
  in?: "path" | "query" | "header";
  required?: boolean;
  schema?: Schema;
}

export interface Header {
  $ref?: string;
  required?: boolean;
  schema?: Schema;
}

export interface MediaType {
  schema?: Schema;
  example?: Json;
}

export interface Response {
  $ref?: string;
  description?: string;
  headers?: Record<string, Header>;
  content?: Record<string, MediaType>;
}

export interface RequestBody {
  required?: boolean;
  content: Record<string, MediaType>;
}

export interface Command {
  readonly name: string;
  readonly result: "immediate" | "deferred";
  readonly timeout_ms: number | "COMMAND_TIMEOUT_MS";
}

/** Whose number and whose id an event carries; `either` is about what its command was sent to. */
export type Source = "session" | "room" | "either";

export interface Operation {
  operationId?: string;
  tags?: string[];
  summary?: string;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: RequestBody;
  responses?: Record<string, Response>;
  "x-path"?: string;
  "x-errors"?: string[];
  "x-body-limit"?: number;
  "x-rate-group"?: string;
  "x-command"?: Command;
  "x-guards"?: string[];
  "x-emits"?: string[];
  "x-always"?: boolean;
  "x-ended"?: boolean;
  "x-lenient-body"?: boolean;
  "x-source"?: Source;
}

export const METHODS = ["get", "put", "post", "delete", "patch"] as const;
export type Method = (typeof METHODS)[number];
export type PathItem = { parameters?: Parameter[] } & { [M in Method]?: Operation };

export interface Document {
  info: { title: string; version: string };
  security: Record<string, string[]>[];
  tags: { name: string }[];
  paths: Record<string, PathItem>;
  webhooks: Record<string, { post: Operation }>;
  components: {
    schemas: Record<string, Schema>;
    headers: Record<string, Header>;
    parameters: Record<string, Parameter>;
    responses: Record<string, Response>;
    securitySchemes: Record<string, Json>;
  };
  "x-rate-groups": Record<string, number>;
  "x-guards": Record<string, Guard>;
  "x-pseudo-operations": Record<string, Operation>;
  "x-words": Record<string, string>;
}

export interface CatalogueError {
  /** Absent: only an error of `command.result`. */
  status?: number;
  /** Number of the check in the order of checks. */
  step?: number;
  message: string;
  result?: boolean;
  retry?: boolean;
  detail?: Schema;
  cause: string;
  fix: string;
  provoke: string;
}

export interface Catalogue {
  sets: Record<string, string[]>;
  errors: Record<string, CatalogueError>;
}

/** A mistake in the sources that makes further work meaningless; all others are collected by the lint. */
export class SpecError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SpecError";
  }
}

/** An operation and where it stands; its parameters with those of its path before them, references followed. */
export interface Placed {
  readonly path: string;
  readonly method: Method;
  readonly operation: Operation;
  readonly parameters: readonly Parameter[];
}

/** Operations of all paths, in the order of the document. */
export function operationsOf(document: Document): Placed[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (!operation) return [];
      const given = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
      const parameters = given.map((one) => (one.$ref ? target(document.components.parameters, one.$ref) : one));
      return [{ path, method, operation, parameters }];
    }),
  );
}

/** What a local reference points at. */
export function target<T>(section: Readonly<Record<string, T>>, ref: string): T {
  const found = section[ref.slice(ref.lastIndexOf("/") + 1)];
  if (found === undefined) throw new SpecError(`${ref} points nowhere`);
  return found;
}

/** Every object inside a value, the value included, outermost first, with the words that lead to it. */
export function* objects(
  value: Json,
  at: readonly string[] = [],
): Generator<[{ [key: string]: Json }, readonly string[]]> {
  if (typeof value !== "object" || value === null) return;
  if (isArray(value)) {
    for (const [index, item] of value.entries()) yield* objects(item, [...at, String(index)]);
    return;
  }
  yield [value, at];
  for (const [key, item] of Object.entries(value)) yield* objects(item, [...at, key]);
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
