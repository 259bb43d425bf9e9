/** Values that just keep a schema of the document: those at its bounds, each by what it is at the bound of. */
import type { FieldSchema } from "../../document";
import { good, long } from "./bad_values";
import { fitting } from "./pattern";
import { resolved } from "./requests";

export interface GoodValue {
  readonly keyword: string;
  readonly value: unknown;
}

const goodFormats: Readonly<Record<string, readonly string[]>> = {
  "http-url": ["http://a/b.wav", "https://a/b.wav", "HTTP://A/B", "http://a:8080/b?c=d&e=%20", "http://[::1]/a"],
  re2: ["[0-9]{4}", "^(12|34)$", "", "\\d+"],
};

const isNumber = (value: unknown): value is number => typeof value === "number";
const isText = (value: unknown): value is string => typeof value === "string";
const isList = (value: unknown): value is readonly FieldSchema[] => Array.isArray(value);

function* own(schema: FieldSchema): Generator<GoodValue> {
  const { type, pattern, format, maxLength, minimum, maximum, minItems = 0, maxItems, items } = schema;
  if (schema.const !== undefined) yield { keyword: "const", value: schema.const };
  if (isList(schema.enum)) for (const value of schema.enum) yield { keyword: "enum", value };
  if (type === "boolean") for (const value of [true, false]) yield { keyword: "type", value };
  if (isText(pattern)) for (const value of fitting(pattern)) yield { keyword: "pattern", value };
  if (isText(format)) for (const value of goodFormats[format] ?? []) yield { keyword: "format", value };
  if (isNumber(maxLength)) yield { keyword: "maxLength", value: long(format, maxLength) };
  if (isNumber(minimum)) yield { keyword: "minimum", value: minimum };
  if (isNumber(maximum)) yield { keyword: "maximum", value: maximum };
  if (!items) return;
  const list = (length: number) => Array.from({ length }, (_, n) => good(items as FieldSchema, n));
  const several = resolved(items as FieldSchema);
  yield { keyword: "minItems", value: list(Number(minItems)) };
  // A list that repeats nothing is no longer than there are different values.
  const most = isList(several.enum) && schema.uniqueItems === true ? several.enum.length : Number(maxItems ?? 1);
  yield { keyword: "maxItems", value: list(most) };
}

/** Values at the bounds of a schema and of what lies below it. */
export function goodValues(unresolved: FieldSchema): GoodValue[] {
  const schema = resolved(unresolved);
  const found = [...own(schema)];
  for (const options of [schema.oneOf, schema.anyOf]) if (isList(options)) found.push(...options.flatMap(goodValues));
  if (schema.items !== undefined)
    for (const { value } of goodValues(schema.items as FieldSchema)) found.push({ keyword: "items", value: [value] });
  const { properties } = schema;
  if (!properties) return found;
  const whole = good(schema, 0);
  if (typeof whole !== "object" || whole === null) return found;
  for (const [name, property] of Object.entries(properties))
    for (const { value } of goodValues(property))
      found.push({ keyword: "properties", value: { ...whole, [name]: value } });
  return found;
}
