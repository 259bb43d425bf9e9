/** Bounds: what just fits is taken, and what is one more is not. The bounds come from the document. */
import { gzipSync } from "node:zlib";
import { errors, operations } from "../../../../generated/operations";
import type { ErrorCode, OperationId } from "../../../contract";
import { Broken, type Check, Skipped } from "../../check";
import type { FieldSchema } from "../../document";
import type { Answer } from "../ground/client";
import { expectFailure } from "../requests/failure";
import { goodValues } from "../requests/good_values";
import {
  bodySchema,
  exampleRequest,
  type HttpRequest,
  parameterSchema,
  policyOf,
  type RoutedId,
  routed,
  withBody,
  withHeaders,
} from "../requests/requests";
import { absentApp, absentNumber, originOf, scratchApp } from "../requests/states";
import type { World } from "../world";

/** About nobody, but where something must be made to see that it is taken: that is about an app of the kit's own. */
async function requestOf(world: World, id: RoutedId): Promise<HttpRequest> {
  const origin = originOf(world, await world.main());
  const request = exampleRequest(id, origin, { app_id: id === "putApp" ? scratchApp(world) : absentApp(world) });
  if (request.body === null) return request;
  const body = JSON.parse(String(request.body));
  if (id === "putApp") return withBody(request, {});
  if (id === "createSandboxCall") return withBody(request, { did: absentNumber(world) });
  return withBody(request, body);
}

/** Found out once. @throws Skipped when a number that nobody has is somebody's: calls would be placed */
function nobodysNumber(world: World): Promise<void> {
  return world.once("nobody's number", async () => {
    const request = await requestOf(world, "createSandboxCall");
    const answer = await world.request(withBody(request, { did: absentNumber(world), script: [{ do: "hangup" }] }));
    if (answer.status === 201) throw new Skipped("DEFAULT_APP_ID takes every number that nobody else has.");
  });
}

/** What comes behind the checks of single fields, and is no word against one. */
const beyond: readonly ErrorCode[] = ["webhook_url_must_use_https", "webhook_url_is_private"];
const fieldStep = errors.unknown_field.step;

/** @throws Broken when the body or a field of it was refused */
function expectAccepted(answer: Answer, id: RoutedId, what: string): void {
  const { rules } = policyOf(id);
  const code = String(answer.body?.code);
  const known = Object.entries(errors).find(([each]) => each === code)?.[1];
  if (answer.status < 400 || known === undefined || known.step === null) return;
  if (known.step > fieldStep || [...rules.map(({ error }) => error), ...beyond].some((each) => each === code)) return;
  throw new Broken({
    expected: `${what} that is taken`,
    got: `${answer.status} ${answer.body?.error}`,
    exchanges: [answer.exchange],
  });
}

const short = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}… (${text.length} characters)`;
};

/** Numbers of others are left alone: those of a list are the kit's own. */
function harmless(world: World, field: string, value: unknown): unknown {
  if (field !== "dids" || !Array.isArray(value)) return value;
  if (value.length > 1) return value.map((_, n) => `${absentNumber(world)}${n}`);
  // `*` alone would be every call of the gateway.
  return value.filter((did) => !(String(did).endsWith("*") && String(did).length < 6));
}

function bodyField(id: OperationId, field: string, schema: FieldSchema): Check<World> {
  return {
    id: `limits/${id}/${field}`,
    title: `${id}: whatever ${field} may be, at its bounds, is taken`,
    clause: `${id}, body: ${field}`,
    profile: "full",
    limitMs: 30_000 + 1000 * goodValues(schema).length,
    async run(world) {
      if (id === "createSandboxCall") await nobodysNumber(world);
      const request = await requestOf(world, id);
      const whole = JSON.parse(String(request.body));
      for (const { keyword, value } of goodValues(schema)) {
        const given = harmless(world, field, value);
        const answer = await world.request(withBody(request, { ...whole, [field]: given }));
        expectAccepted(answer, id, `${field} of ${short(given)} (${keyword})`);
      }
      if (id === "putApp") await world.request(request);
    },
  };
}

/** Numbers of a query; what stands in a path, or only comes from an answer, has no bounds that could be tried. */
function queryField(id: OperationId, field: string, schema: FieldSchema): Check<World>[] {
  if (schema.type !== "integer") return [];
  return [
    {
      id: `limits/${id}/${field}`,
      title: `${id}: the least and the greatest ${field} are taken`,
      clause: `${id}, query: ${field}`,
      profile: "full",
      async run(world) {
        const request = await requestOf(world, id);
        for (const { keyword, value } of goodValues(schema)) {
          const answer = await world.request({ ...request, path: `${request.path}?${field}=${value}&color=red` });
          expectAccepted(answer, id, `${field}=${value} (${keyword})`);
        }
      },
    },
  ];
}

function fieldsOf(id: OperationId): Check<World>[] {
  const { body, query }: Readonly<Record<"body" | "query", object>> = operations[id].fields;
  const properties = bodySchema(id)?.properties ?? {};
  return [
    ...Object.keys(body).map((field) => bodyField(id, field, properties[field] ?? {})),
    ...Object.keys(query).flatMap((field) => queryField(id, field, parameterSchema(id, field))),
  ];
}

/** Fields that are missing come before those that nobody knows. */
function first(id: RoutedId, otherwise: ErrorCode): ErrorCode {
  const schema = bodySchema(id);
  const [required] = schema?.required ?? [];
  if (id === "commands.unknown" || required === undefined) return otherwise;
  const fields: Readonly<Record<string, Readonly<Record<string, ErrorCode>>>> = operations[id].fields.body;
  return fields[required]?.required ?? otherwise;
}

/** JSON of so many bytes, with a field that nobody knows. */
const padded = (bytes: number) => '{"color":"red"}'.padEnd(bytes);

/** @throws Broken unless this body was read to its end */
function expectRead(answer: Answer, id: RoutedId, how: string): void {
  const code = first(id, "unknown_field");
  expectFailure(answer, code, how, code === "unknown_field" ? { field: "color" } : undefined);
}

/** A body of the largest size is read; what comes of it is seen by the field that nobody knows. */
function exactBody(id: RoutedId): Check<World>[] {
  const { body, media } = policyOf(id);
  const { limit, mode } = body;
  if (limit === null || media === "text/event-stream") return [];
  return [
    {
      id: `limits/${id}/body`,
      title: `${id}: a body of ${limit} bytes is not too large`,
      clause: "order of checks: step 7, body limits",
      profile: id === "startPlayback" || id === "createRoom" ? "minimal" : "full",
      async run(world) {
        const request = withHeaders(await requestOf(world, id), { "Content-Type": "application/json" });
        const answer = await world.request({ ...request, body: padded(limit) });
        if (mode !== "ignored") return expectRead(answer, id, `${limit} bytes`);
        if (answer.body?.code === "request_body_too_large") expectAccepted(answer, id, `a body of ${limit} bytes`);
      },
    },
  ];
}

interface Framing {
  readonly name: string;
  frame(request: HttpRequest, body: string): HttpRequest;
}

const framings: readonly Framing[] = [
  {
    name: "chunked",
    frame: (request, body) => ({ ...withHeaders(request, { "Transfer-Encoding": "chunked" }), body, chunked: true }),
  },
  {
    name: "gzip",
    frame: (request, body) => ({ ...withHeaders(request, { "Content-Encoding": "gzip" }), body: gzipSync(body) }),
  },
  {
    name: "bytes-not-characters",
    // Two bytes for each of most characters.
    frame(request, body) {
      const letters = "ä".repeat((body.length - 64) >> 1);
      const head = `{"color":"${letters}"}`;
      return { ...request, body: head + " ".repeat(body.length - Buffer.byteLength(head)) };
    },
  },
];

/** One operation of each kind of body and each limit. */
const kinds = new Map<string, RoutedId>();
for (const id of routed) {
  const { mode, limit } = policyOf(id).body;
  const kind = `${mode} ${limit}`;
  if (mode !== "ignored" && !kinds.has(kind)) kinds.set(kind, id);
}

function framed(id: RoutedId, { name, frame }: Framing): Check<World> {
  const { limit } = policyOf(id).body;
  if (limit === null) throw new Error(`${id} has no limit`);
  return {
    id: `limits/${id}/body-${name}`,
    title: `${id}: a body is too large from ${limit + 1} bytes on, counted as ${name}`,
    clause: "order of checks: step 7, body limits",
    profile: "full",
    async run(world) {
      const request = withHeaders(await requestOf(world, id), { "Content-Type": "application/json" });
      const exact = await world.request(frame(request, padded(limit)));
      expectRead(exact, id, `${limit} bytes, ${name}`);
      const over = await world.request(frame(request, padded(limit + 1)));
      expectFailure(over, "request_body_too_large", `${limit + 1} bytes, ${name}`);
    },
  };
}

/** Arrays in each other, the body itself included. */
const nested = (depth: number) => `{"depth":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
const deepest = 32;

/** Names that mean something to a language, and nothing here. */
const names = ["constructor", "toString", "hasOwnProperty", "prototype", "", "color "];

function json(id: RoutedId): Check<World>[] {
  const { mode } = policyOf(id).body;
  if (mode === "ignored") return [];
  return [
    {
      id: `limits/${id}/json`,
      title: `${id}: JSON may be ${deepest} deep, and a field that nobody knows is told by its name`,
      clause: "order of checks: steps 7 and 8",
      profile: "full",
      async run(world) {
        const request = withHeaders(await requestOf(world, id), { "Content-Type": "application/json" });
        const deep = await world.request({ ...request, body: nested(deepest) });
        expectFailure(deep, first(id, "unknown_field"), `${deepest} levels`);
        const deeper = await world.request({ ...request, body: nested(deepest + 1) });
        expectFailure(deeper, "invalid_request_body", `${deepest + 1} levels`);
        const whole = JSON.parse(String(request.body));
        for (const field of names) {
          const answer = await world.request(withBody(request, { ...whole, [field]: 1 }));
          expectFailure(answer, "unknown_field", `a field named ${JSON.stringify(field)}`, { field });
        }
        const below = await world.request({ ...request, body: '{"a":[{"b":{"__proto__":1}}]}' });
        expectFailure(below, "invalid_request_body", "__proto__ below the first level");
      },
    },
  ];
}

const types = [
  "application/json",
  "Application/JSON",
  "application/json;charset=utf-8",
  'application/json; charset="UTF-8"',
  "application/json ; charset=Utf-8 ; x=y",
];

/** Types, and no body at all. */
function typed(id: RoutedId): Check<World>[] {
  const { mode } = policyOf(id).body;
  if (mode === "ignored") return [];
  return [
    {
      id: `limits/${id}/type`,
      title: `${id}: JSON is taken under each of its names, and no body is none of another type`,
      clause: "order of checks: step 7",
      profile: "full",
      async run(world) {
        if (id === "createSandboxCall") await nobodysNumber(world);
        const request = await requestOf(world, id);
        for (const type of types) {
          const answer = await world.request(withHeaders(request, { "Content-Type": type }));
          expectAccepted(answer, id, `Content-Type: ${type}`);
        }
        const bare = withHeaders({ ...request, body: null }, { "Content-Type": undefined });
        for (const none of [bare, withHeaders(bare, { "Content-Type": "text/plain", "Content-Length": "0" })]) {
          const answer = await world.request(none);
          const required = first(id, "unknown_field");
          if (required !== "unknown_field") expectFailure(answer, required, "no body");
          else expectAccepted(answer, id, "no body");
        }
        if (mode !== "lenient") return;
        const other = await world.request({ ...withHeaders(request, { "Content-Type": "text/plain" }), body: "[1" });
        expectAccepted(other, id, "a body of another type, which is ignored,");
      },
    },
  ];
}

export function limits(): Check<World>[] {
  const known = routed.flatMap((id) => (id === "commands.unknown" ? [] : [id]));
  return [
    ...known.flatMap(fieldsOf),
    ...routed.flatMap(exactBody),
    ...[...kinds.values()].flatMap((id) => framings.map((framing) => framed(id, framing))),
    ...routed.flatMap((id) => [...json(id), ...typed(id)]),
  ];
}
