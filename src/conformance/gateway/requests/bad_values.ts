/** Values that break a schema of the document, each by the keyword that it breaks. */
import type { FieldSchema } from "../../document";
import { breaking } from "./pattern";
import { resolved } from "./requests";

export interface BadValue {
  readonly keyword: string;
  readonly value: unknown;
  /** What is wrong lies below the field itself. */
  readonly below: boolean;
}

const wrongTypes: Readonly<Record<string, unknown>> = { string: 17, integer: 1.5, array: "x", object: "x", boolean: 1 };
const wrongFormats: Readonly<Record<string, readonly string[]>> = {
  "http-url": ["ftp://a/b", "a", "//a/b", "http://", "file:///etc/passwd"],
  re2: ["(", "(?=a)", "(a)\\1"],
};

const isNumber = (value: unknown): value is number => typeof value === "number";
const isText = (value: unknown): value is string => typeof value === "string";
const isList = (value: unknown): value is readonly FieldSchema[] => Array.isArray(value);

/** The n-th of many values that a schema takes, as far as those of lists go. */
export function good(schema: FieldSchema, n: number): unknown {
  const { const: only, enum: names, format, type, oneOf, required = [], properties = {} } = resolved(schema);
  if (only !== undefined) return only;
  if (Array.isArray(names)) return names[n % names.length];
  if (isList(oneOf) && oneOf[0]) return good(oneOf[0], n);
  if (format === "http-url") return `http://127.0.0.1/${n}.wav`;
  if (type === "integer") return 100;
  if (type === "object") return Object.fromEntries(required.map((name) => [name, good(properties[name] ?? {}, n)]));
  return String(100 + n);
}

/** A string of this length to which nothing else can be objected. */
export function long(format: unknown, length: number): string {
  return (format === "http-url" ? "http://127.0.0.1/" : "").padEnd(length, "1");
}

function* own(schema: FieldSchema): Generator<readonly [keyword: string, value: unknown]> {
  const { type, pattern, format, maxLength, minimum, maximum, minItems, maxItems, uniqueItems, items } = schema;
  if (isText(type)) yield ["type", wrongTypes[type]];
  if (isText(type)) yield ["type", null];
  if (type === "integer") yield ["type", "100"];
  if (isText(pattern)) for (const value of ["a b", ...breaking(pattern)]) yield ["pattern", value];
  if (isText(format)) for (const value of wrongFormats[format] ?? []) yield ["format", value];
  if (schema.enum !== undefined || schema.const !== undefined) yield ["enum", "TIRED"];
  if (isNumber(maxLength)) yield ["maxLength", long(format, maxLength + 1)];
  if (isNumber(minimum)) yield ["minimum", minimum - 1];
  if (isNumber(maximum)) yield ["maximum", maximum + 1];
  const list = (length: number) => Array.from({ length }, (_, n) => good(items as FieldSchema, n));
  if (isNumber(minItems) && minItems > 0) yield ["minItems", list(minItems - 1)];
  if (isNumber(maxItems)) yield ["maxItems", list(maxItems + 1)];
  if (uniqueItems === true) yield ["uniqueItems", [...list(1), ...list(1)]];
}

/** One value for each keyword that a schema and what lies below it have. */
export function badValues(unresolved: FieldSchema): BadValue[] {
  const schema = resolved(unresolved);
  const found: BadValue[] = [...own(schema)].map(([keyword, value]) => ({ keyword, value, below: false }));
  for (const options of [schema.oneOf, schema.anyOf]) {
    // Whatever breaks one of the forms is none of the others either.
    if (isList(options)) found.push(...options.flatMap(badValues));
  }
  if (schema.items !== undefined)
    for (const { value } of badValues(schema.items as FieldSchema))
      found.push({ keyword: "items", value: [value], below: true });
  const { properties, required = [] } = schema;
  if (properties) found.push(...badMembers(schema, properties, required));
  return found;
}

function badMembers(
  schema: FieldSchema,
  properties: Readonly<Record<string, FieldSchema>>,
  required: readonly string[],
): BadValue[] {
  const whole = good(schema, 0) as Readonly<Record<string, unknown>>;
  const values: unknown[] = [{ ...whole, color: "red" }];
  for (const name of required) {
    const { [name]: _, ...rest } = whole;
    values.push(rest);
  }
  for (const [name, property] of Object.entries(properties))
    for (const { value } of badValues(property)) values.push({ ...whole, [name]: value });
  return values.map((value) => ({ keyword: "properties", value, below: true }));
}
