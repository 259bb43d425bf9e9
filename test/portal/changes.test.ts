/** What is told of a change of the contract: over the present document and others that differ from it in one place. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { type Change, changesBetween } from "../../scripts/spec/changes";
import type { Published } from "../../scripts/spec/surface";

/** Compiled tests lie in dist/test/portal. */
const file = path.join(__dirname, "../../../generated/openapi.json");
const text = readFileSync(file, "utf8");
const document: Published = JSON.parse(text);

/** The document with one text in place of another, at each place that has it; `within` a component or path of this name. */
function edited(within: string, from: string, to: string): Published {
  const indent = /^ +/.exec(text.slice(text.indexOf(` "${within}": {`) - 8))?.[0] ?? "";
  const start = text.indexOf(`"${within}": {`);
  const end = text.indexOf(`\n${indent}}`, start);
  const part = text.slice(start, end);
  if (start < 0 || !part.includes(from)) throw new Error(`${within} has no ${from}`);
  return JSON.parse(`${text.slice(0, start)}${part.replace(from, to)}${text.slice(end)}`);
}

/** Something else in the place of a component. */
function replaced(name: string, change: (schema: Record<string, unknown>) => object): Published {
  const copy: Published = structuredClone(document);
  const schemas: Record<string, object> = { ...copy.components.schemas };
  schemas[name] = change({ ...schemas[name] });
  return { ...copy, components: { ...copy.components, schemas: { ...copy.components.schemas, ...schemas } } };
}

const shown = (changes: readonly Change[]) =>
  changes.map(
    ({ change, of, about, breaking }) => `${breaking ? "breaking: " : ""}${change} ${of}${about && `, ${about}`}`,
  );

/** Properties of a schema, changed. */
const properties = (name: string, change: (properties: Record<string, object>) => object, more: object = {}) =>
  replaced(name, (schema) => ({
    ...schema,
    properties: change({ ...(schema.properties as Record<string, object>) }),
    ...more,
  }));

const without = (path: string): Published => {
  const { [path]: _, ...paths } = document.paths;
  return { ...document, paths };
};

test("the same document has no changes, nor has one with other words", () => {
  expect(changesBetween(document, document)).toEqual([]);
  expect(changesBetween(document, JSON.parse(text.replaceAll("A call", "The call")))).toEqual([]);
});

test("the first document adds everything, and breaks nothing", () => {
  const changes = changesBetween(null, document);
  expect(new Set(changes.map(({ change }) => change))).toEqual(new Set(["added"]));
  expect(changes.filter(({ breaking }) => breaking)).toEqual([]);
  expect(shown(changes)).toContain("added startPlayback, POST /api/v1/sessions/{uuid}/commands/playback/start");
});

test("an operation that comes is welcome, one that goes breaks", () => {
  const path = "/live";
  expect(shown(changesBetween(without(path), document))).toEqual(["added getLive, GET /live"]);
  expect(shown(changesBetween(document, without(path)))).toEqual(["breaking: removed getLive, GET /live"]);
});

const seek = (change: (offset: Record<string, unknown>) => object) =>
  properties("SeekPlayback", (all) => ({ ...all, offset_sec: change({ ...all.offset_sec }) }));

test.each([
  [
    "a bound that is wider",
    seek((field) => ({ ...field, maximum: 100_000 })),
    "changed seekPlayback, body offset_sec: maximum 86400 → 100000",
  ],
  [
    "a bound that is narrower",
    seek((field) => ({ ...field, maximum: 10 })),
    "breaking: changed seekPlayback, body offset_sec: maximum 86400 → 10",
  ],
  [
    "a type more",
    seek((field) => ({ ...field, type: ["integer", "null"] })),
    "changed seekPlayback, body offset_sec: type null added",
  ],
  [
    "another type",
    seek((field) => ({ ...field, type: "string" })),
    "breaking: changed seekPlayback, body offset_sec: type string added, type integer removed",
  ],
  ["a number for an integer", seek((field) => ({ ...field, type: "number" })), undefined],
  ["a default", seek((field) => ({ ...field, default: 3 })), "changed seekPlayback, body offset_sec: default none → 3"],
  [
    "a field that may be given",
    properties("SeekPlayback", (all) => ({ ...all, whence: { type: "string" } })),
    "added seekPlayback, body whence",
  ],
  [
    "a field that must be given",
    properties("SeekPlayback", (all) => ({ ...all, whence: { type: "string" } }), {
      required: ["offset_sec", "whence"],
    }),
    "breaking: added seekPlayback, body whence, required",
  ],
  [
    "a field that is refused from now on",
    properties("SeekPlayback", ({ command_uid: _, ...rest }) => rest),
    "breaking: removed seekPlayback, body command_uid",
  ],
  [
    "a field that need not be given any more",
    properties("SeekPlayback", (all) => all, { required: [] }),
    "changed seekPlayback, body offset_sec: may be left out",
  ],
])("what is taken: %s", (_, after, told) => {
  expect(shown(changesBetween(document, after))).toEqual(told === undefined ? [] : [told]);
});

const live = (change: (schema: Record<string, object>) => object, more: object = {}) =>
  properties("Live", change, more);

test.each([
  ["a field more", live((all) => ({ ...all, since: { type: "string" } })), "added getLive, answer 200 since"],
  ["a field less", live(() => ({}), { required: [] }), "breaking: removed getLive, answer 200 status"],
  [
    "a value more",
    live(() => ({ status: { type: "string", enum: ["ok", "tired"] } })),
    "breaking: changed getLive, answer 200 status: value tired added",
  ],
  [
    "what was always there",
    live((all) => all, { required: [] }),
    "breaking: changed getLive, answer 200 status: may be left out",
  ],
])("what is given: %s", (_, after, told) => {
  expect(shown(changesBetween(document, after))).toEqual([told]);
});

test("limits that are tightened break, those that are loosened do not", () => {
  const slower = { ...document, "x-rate-groups": { ...document["x-rate-groups"], conference_play: 3000 } };
  expect(shown(changesBetween(document, slower))).toEqual(["breaking: changed playRoom, cooldown 2000 ms → 3000 ms"]);
  expect(shown(changesBetween(slower, document))).toEqual(["changed playRoom, cooldown 3000 ms → 2000 ms"]);
  const smaller = edited("/live", '"x-body-limit": 1048576', '"x-body-limit": 1024');
  expect(shown(changesBetween(document, smaller))).toEqual([
    "breaking: changed getLive, bytes of the body 1048576 → 1024",
  ]);
});

test("errors: a new one is announced, another text for an old code breaks", () => {
  const renamed = properties("AppNotFoundError", (all) => ({
    ...all,
    error: { type: "string", const: "No such app" },
  }));
  expect(shown(changesBetween(document, renamed))).toEqual([
    "breaking: changed app_not_found, 404 App not found → 404 No such app",
  ]);
  const schema = '"$ref": "#/components/schemas/PageNotFoundError"';
  const before = edited("/docs/{page}", schema, '"$ref": "#/components/schemas/AppNotFoundError"');
  expect(shown(changesBetween(before, document))).toEqual([
    "changed getDocsPage, can fail with page_not_found",
    "changed getDocsPage, does not fail with app_not_found any more",
  ]);
});

test("events: their fields are what is given", () => {
  const { dtmf, ...others } = document.webhooks ?? {};
  expect(shown(changesBetween({ ...document, webhooks: others }, document))).toContain("added dtmf");
  expect(shown(changesBetween(document, { ...document, webhooks: others }))).toContain("breaking: removed dtmf");
  const narrowed = properties("DtmfData", ({ duration_ms: _, ...rest }) => rest, { required: ["digit"] });
  expect(shown(changesBetween(document, narrowed))).toEqual(["breaking: removed dtmf, data duration_ms"]);
  expect(dtmf).toBeDefined();
});
