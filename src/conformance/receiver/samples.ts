/** Events as the document describes them: the example of each, and every form that its schema allows besides. */
import { randomUUID } from "node:crypto";
import { contract, type Schema } from "../document";

export type Data = Readonly<Record<string, unknown>>;

/** Which calls or rooms may tell of it. */
export interface Kind {
  readonly name: string;
  readonly summary: string;
  readonly ofCall: boolean;
  readonly ofRoom: boolean;
  /** The document's example of `data`. */
  readonly example: Data;
}

export function kinds(): Kind[] {
  return Object.entries(contract().webhooks).map(([name, { post }]) => {
    const { schema, example } = post.requestBody.content["application/json"];
    const frames = branches(schema);
    const ofCall = frames.some(({ properties = {} }) => "session_uuid" in properties);
    const ofRoom = frames.some(({ properties = {} }) => "room_id" in properties);
    return { name, summary: post.summary, ofCall, ofRoom, example: dataOf(example.data) };
  });
}

/** @throws when the document has no such event */
export function exampleOf(name: string): Data {
  const webhook = contract().webhooks[name];
  if (!webhook) throw new Error(`there is no event ${name}`);
  return dataOf(webhook.post.requestBody.content["application/json"].example.data);
}

/**
 * The example, and it once more with each other value that a field may have: every word of a list, null where that is
 * allowed, fields that may be missing left out, those that may be there added.
 */
export function formsOf(name: string): Data[] {
  const webhook = contract().webhooks[name];
  if (!webhook) throw new Error(`there is no event ${name}`);
  const { schema } = webhook.post.requestBody.content["application/json"];
  const example = exampleOf(name);
  const forms = new Map<string, Data>();
  const add = (form: Data) => forms.set(JSON.stringify(form), form);
  add(example);
  for (const frame of branches(schema))
    for (const data of branches(frame.properties?.data ?? {})) for (const form of formsBy(data, example)) add(form);
  return [...forms.values()];
}

function formsBy(schema: Schema, example: Data): Data[] {
  const { properties = {}, required = [], dependentRequired = {} } = schema;
  const base: Record<string, unknown> = {};
  for (const [field, of] of Object.entries(properties)) {
    const given = field in example && fits(named(of), example[field]);
    if (given || required.includes(field)) base[field] = given ? example[field] : anyValueOf(named(of));
  }
  const forms: Data[] = [base];
  const longest = Math.max(0, ...Object.values(properties).map((of) => named(of).enum?.length ?? 0));
  // Lists that belong together, as those of errors and their codes, go side by side.
  for (let i = 0; i < longest; i++) {
    const chosen = Object.entries(properties).flatMap(([field, of]) => {
      const value = named(of).enum?.[i];
      return value === undefined || !(field in base) ? [] : [[field, value]];
    });
    forms.push({ ...base, ...Object.fromEntries(chosen) });
  }
  for (const [field, of] of Object.entries(properties)) {
    const schema = named(of);
    if (Array.isArray(schema.type) && schema.type.includes("null")) {
      forms.push({ ...base, [field]: null });
      if (base[field] === null) forms.push({ ...base, [field]: anyValueOf(schema) });
    }
    if (schema.type === "boolean" && schema.const === undefined) forms.push({ ...base, [field]: base[field] !== true });
    if (required.includes(field)) continue;
    const together = [field, ...(dependentRequired[field] ?? [])];
    if (field in base)
      forms.push(Object.fromEntries(Object.entries(base).filter(([name]) => !together.includes(name))));
    else forms.push({ ...base, [field]: anyValueOf(schema) });
  }
  return forms;
}

/** Itself, or what it is one of. */
function branches(schema: Schema): Schema[] {
  const { oneOf } = named(schema);
  return oneOf ? oneOf.flatMap(branches) : [named(schema)];
}

function named(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const found = contract().components.schemas[schema.$ref.split("/").at(-1) ?? ""];
  if (!found) throw new Error(`${schema.$ref} is no named schema`);
  return named(found);
}

function fits({ const: only, enum: words }: Schema, value: unknown): boolean {
  if (only !== undefined) return value === only;
  return words === undefined || words.includes(value);
}

function anyValueOf({ const: only, enum: words, type }: Schema): unknown {
  if (only !== undefined) return only;
  if (words !== undefined) return words[0];
  const first = typeof type === "string" ? type : type?.find((each) => each !== "null");
  if (first === "integer" || first === "number") return 1;
  if (first === "boolean") return true;
  if (first === "array") return [];
  if (first === "object") return {};
  return "1";
}

function dataOf(value: unknown): Data {
  if (typeof value !== "object" || value === null) throw new Error("an example has no data");
  return Object.fromEntries(Object.entries(value));
}

/** A story's own names in place of the example's. */
export function own(data: Data, names: Readonly<Record<string, string>>): Data {
  const fresh: Record<string, unknown> = { ...data };
  for (const [field, value] of Object.entries(names)) if (field in fresh) fresh[field] = value;
  for (const field of ["operation_id", "recording_id"]) if (field in fresh) fresh[field] = randomUUID();
  return fresh;
}
