import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import Ajv2020, { type AnySchema } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { RE2JS } from "re2js";
import { errors, eventSources, operations, triples } from "../../generated/operations";
import { type Document, type MediaType, objects, operationsOf, type Response } from "../../scripts/spec/document";

// References made absolute, so that any part of the document can be compiled by itself.
const text = readFileSync(join(process.cwd(), "generated/openapi.json"), "utf8");
const document: Document = JSON.parse(text.replaceAll('"#/components/', '"voicegate#/components/'));

const ajv = new Ajv2020({
  strict: true,
  strictTypes: true,
  allowUnionTypes: true,
  ownProperties: true,
  useDefaults: true,
  $data: true,
});
addFormats(ajv);
ajv.addVocabulary(["x-error", "x-rules", "x-default-from", "components"]);
ajv.addFormat("re2", (value: string) => attempt(() => RE2JS.compile(value)));
ajv.addFormat("http-url", (value: string) => attempt(() => new URL(value)) && /^https?:/i.test(value));
ajv.addFormat("binary", true);
ajv.addSchema({ $id: "voicegate", components: JSON.parse(text).components });

function attempt(made: () => unknown): boolean {
  try {
    made();
    return true;
  } catch {
    return false;
  }
}

function validator(schema: AnySchema): (value: unknown) => string {
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? "" : ajv.errorsText(validate.errors));
}

/** Every media type of the document with a name for the test. */
function mediaTypes(): [string, MediaType][] {
  const found: [string, MediaType][] = [];
  const add = (name: string, holder: { content?: Record<string, MediaType> } | undefined) => {
    for (const media of Object.values(holder?.content ?? {})) found.push([name, media]);
  };
  const answers = (id: string, responses: Readonly<Record<string, Response>> | undefined) => {
    for (const [status, response] of Object.entries(responses ?? {})) add(`${id} ${status}`, response);
  };
  for (const { operation } of operationsOf(document)) {
    add(`${operation.operationId} body`, operation.requestBody);
    answers(`${operation.operationId}`, operation.responses);
  }
  for (const [id, operation] of Object.entries(document["x-pseudo-operations"])) answers(id, operation.responses);
  for (const [event, { post }] of Object.entries(document.webhooks)) add(`event ${event}`, post.requestBody);
  return found;
}

test("every component compiles under strict ajv", () => {
  const names = Object.keys(document.components.schemas);
  expect(names.length).toBeGreaterThan(60);
  for (const name of names) expect(typeof ajv.getSchema(`voicegate#/components/schemas/${name}`)).toBe("function");
});

test.each(mediaTypes())("%s: compiles, and its example is valid", (_, media) => {
  const check = validator(media.schema ?? false);
  if (media.example !== undefined) expect(check(structuredClone(media.example))).toBe("");
});

test.each(Object.entries(eventSources))("event %s: carries the id of a %s, and exactly one id", (event, source) => {
  const { schema, example } = document.webhooks[event]?.post.requestBody?.content["application/json"] ?? {};
  const check = validator(schema ?? false);
  const { session_uuid: _, room_id: __, ...rest } = Object(example);
  const ids = { session: { session_uuid: "a-b" }, room: { room_id: "a-room-b" } };
  for (const kind of ["session", "room"] as const) {
    const right = source === "either" || source === kind;
    expect([kind, check({ ...rest, ...ids[kind] }) === ""]).toEqual([kind, right]);
  }
  expect(check(rest)).not.toBe("");
  if (source === "either") expect(check({ ...rest, ...ids.session, ...ids.room })).not.toBe("");
});

test("every parameter and header compiles", () => {
  for (const { parameters } of operationsOf(document)) {
    for (const given of parameters) {
      const name = given.$ref?.split("/").at(-1);
      const { schema } = name ? (document.components.parameters[name] ?? given) : given;
      const within = { type: "object", properties: { [name ?? given.name ?? ""]: schema ?? false } };
      expect(typeof ajv.compile(within)).toBe("function");
    }
  }
  for (const { schema } of Object.values(document.components.headers)) {
    expect(schema && typeof ajv.compile(schema)).toBe("function");
  }
});

test("each declared failure is what its operation answers in the document, and nothing else is", () => {
  const answered: (readonly [string, number, string])[] = [];
  const all = operationsOf(document).map(
    ({ operation }) => [operation.operationId ?? "", operation.responses] as const,
  );
  const below = Object.entries(document["x-pseudo-operations"]).map(([id, { responses }]) => [id, responses] as const);
  for (const [id, responses] of [...all, ...below]) {
    for (const [status, response] of Object.entries(responses ?? {})) {
      const schema = response.content?.["application/json"]?.schema;
      for (const { $ref } of Number(status) < 400 ? [] : (schema?.oneOf ?? [schema ?? {}])) {
        const error = document.components.schemas[$ref?.split("/").at(-1) ?? ""]?.properties?.error;
        answered.push([id, Number(status), String(error?.const)]);
      }
    }
  }
  const sorted = (list: readonly (readonly [string, number, string])[]) =>
    list.map((triple) => triple.join(" ")).sort();
  expect(sorted(answered)).toEqual(sorted(triples));
});

describe("what holds between fields", () => {
  const rules = (id: keyof typeof operations) =>
    operations[id].rules.map(({ error, schema }) => [error, validator(schema)] as const);
  const broken = (id: keyof typeof operations, body: object) =>
    rules(id).flatMap(([error, check]) => (check(body) === "" ? [] : [error]));

  test("an offset belongs to a single url", () => {
    expect(broken("startPlayback", { urls: ["a"], offset_sec: 3 })).toEqual([]);
    expect(broken("startPlayback", { urls: ["a", "b"] })).toEqual([]);
    expect(broken("startPlayback", { urls: ["a", "b"], offset_sec: 0 })).toEqual(["offset_sec_with_several_urls"]);
  });

  test("max_digits is at least min_digits", () => {
    expect(broken("playAndGetDigits", { min_digits: 4, max_digits: 4 })).toEqual([]);
    expect(broken("playAndGetDigits", { min_digits: 4, max_digits: 3 })).toEqual(["max_digits_below_min_digits"]);
  });
});

test("nothing stands beside a reference, where many resolvers would drop it", () => {
  for (const [{ $ref, ...beside }, at] of objects(JSON.parse(text))) {
    if ($ref !== undefined) expect([at.join("/"), Object.keys(beside)]).toEqual([at.join("/"), []]);
  }
  const body: { cause?: string } = {};
  expect(validator({ $ref: "voicegate#/components/schemas/Hangup" })(body)).toBe("");
  expect(body.cause).toBe("NORMAL_CLEARING");
});

test("failures stand in the order of the checks", () => {
  for (const { failures, guards } of Object.values(operations)) {
    const steps = failures.map((code) => errors[code].step);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    const asked: string[] = guards.map((guard) => guard.error);
    expect(failures.filter((code) => asked.includes(code))).toEqual(asked);
  }
  expect(operations.playAndGetDigits.failures.filter((code) => errors[code].step === 8).slice(0, 4)).toEqual([
    "urls_required",
    "unknown_field",
    "invalid_command_uid",
    "urls_too_many",
  ]);
});
