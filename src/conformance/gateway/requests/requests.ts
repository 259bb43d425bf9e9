/** Valid requests, one for each operation, from the examples of the document. */
import { operations, pseudoOperations } from "../../../../generated/operations";
import type { OperationId } from "../../../contract";
import { contract, type FieldSchema } from "../../document";
import type { JsonObject } from "../ground/client";

/** Operations that have a path: those of the document, and what answers for unknown commands. */
export type RoutedId = OperationId | "commands.unknown";
export const routed: readonly RoutedId[] = [...(Object.keys(operations) as OperationId[]), "commands.unknown"];

export interface HttpRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly body: string | Buffer | null;
  /** Sent without a length. */
  readonly chunked?: boolean;
}

/** Whose requests they are, and where its media files lie. */
export interface Origin {
  readonly url: string;
  readonly app: Readonly<Record<string, string>>;
  readonly admin: Readonly<Record<string, string>>;
}

/** What a `$ref` names, else the schema itself. */
export function resolved<T extends FieldSchema>(schema: T): T {
  if (schema.$ref === undefined) return schema;
  let at: unknown = contract();
  for (const key of schema.$ref.split("/").slice(1)) at = (at as JsonObject)[key];
  return at as T;
}

const objects = new Map(
  Object.values(contract().paths).flatMap(({ parameters: shared = [], ...methods }) =>
    Object.values(methods).map((operation) => {
      const { operationId, parameters = [] } = operation;
      return [operationId, { ...operation, parameters: [...shared, ...parameters].map(resolved) }] as const;
    }),
  ),
);

/** FieldSchema of the body of an operation that has one. */
export function bodySchema(id: RoutedId): FieldSchema | null {
  const schema = objects.get(id)?.requestBody?.content["application/json"].schema;
  return schema ? resolved(schema) : null;
}

export function parameterSchema(id: RoutedId, name: string): FieldSchema {
  const found = objects.get(id)?.parameters.find((parameter) => parameter.name === name);
  if (!found) throw new Error(`${id} has no parameter ${name}`);
  return resolved(found.schema);
}

/** The policy of an operation. */
export function policyOf(id: RoutedId) {
  return id === "commands.unknown" ? pseudoOperations[id] : operations[id];
}

/** The example body, without its uid: that one can be used once. Its URLs lead to the gateway itself, its ids are these. */
export function exampleBody(id: RoutedId, place: Origin, names: Partial<Names> = {}): JsonObject | null {
  const media = objects.get(id)?.requestBody?.content["application/json"];
  if (!media) return null;
  const { uuid, room_id } = { ...nobody, ...names };
  const text = JSON.stringify(media.example)
    .replaceAll(/https:[^"]*/g, `${place.url}/samples/tone.wav`)
    .replaceAll(nobody.uuid, uuid)
    .replaceAll(nobody.room_id, room_id);
  const { command_uid: _, ...body }: JsonObject = JSON.parse(text);
  return body;
}

/** Values of the parameters in a path. */
export interface Names {
  readonly uuid: string;
  readonly room_id: string;
  readonly recording_id: string;
  readonly file_name: string;
  readonly section: string;
  readonly page: string;
  readonly app_id: string;
  readonly command: string;
}

/** Nobody has this session, this room, this recording, this file, this page, and nobody this app. */
export const nobody: Names = {
  uuid: "acW68-f47ac10b-58cc-4372-a567-0e02b2c3d479",
  room_id: "acW68-room-0b8d5c6e-7f1a-4b2c-9d3e-4f5a6b7c8d9e",
  recording_id: "0b8d5c6e-7f1a-4b2c-9d3e-4f5a6b7c8d9e",
  file_name: "0123456789abcdef0123456789abcdef.wav",
  section: "nowhere",
  page: "nowhere",
  app_id: "nobody",
  command: "dance",
};

/** A request to which nothing but the names in its path can be objected. */
export function exampleRequest(id: RoutedId, place: Origin, names: Partial<Names> = {}): HttpRequest {
  const { method, path: template, auth } = policyOf(id);
  const all: Readonly<Record<string, string>> = { ...nobody, ...names };
  const target = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => all[name] ?? "");
  const credentials = auth === "none" ? {} : auth === "admin" ? place.admin : place.app;
  const body = exampleBody(id, place, names);
  const request = { method, path: target, headers: credentials, body: null };
  return body === null ? request : withBody(request, body);
}

/** With this JSON for a body. */
export function withBody(request: HttpRequest, body: unknown): HttpRequest {
  const headers = { ...request.headers, "Content-Type": "application/json" };
  return { ...request, headers, body: JSON.stringify(body) };
}

/** With these headers; undefined takes one away. */
export function withHeaders(request: HttpRequest, changes: Readonly<Record<string, string | undefined>>): HttpRequest {
  const entries = Object.entries({ ...request.headers, ...changes });
  return {
    ...request,
    headers: Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  };
}
