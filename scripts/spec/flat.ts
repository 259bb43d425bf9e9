/** JSON Schema as a flat list of fields, for whoever shows or compares what lies in bodies. */

export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

/** As much of a JSON Schema as is shown and compared. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly Value[];
  readonly const?: Value;
  readonly default?: Value;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly example?: Value;
}

export interface Field {
  /** `script[].ms` */
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** @returns what a reference points at, else the schema itself */
export type Resolve = (schema: Schema) => Schema;

/** Beyond this a schema is not followed: those of the contract end before. */
const deepest = 5;

/** All fields of a schema, those of objects and of the objects of arrays below their own. Several forms are put together. */
export function flatFields(resolve: Resolve, given: Schema, prefix = "", depth = 0): Field[] {
  const schema = resolve(given);
  if (depth > deepest) return [];
  const parts = schema.oneOf?.map(resolve) ?? [schema];
  const fields = new Map<string, Field>();
  for (const part of parts) {
    for (const [property, own] of Object.entries(part.properties ?? {})) {
      const name = `${prefix}${property}`;
      const required = parts.every((other) => other.required?.includes(property));
      const known = fields.get(name);
      fields.set(name, { name, required, schema: known ? either(resolve, known.schema, own) : own });
      const inner = resolve(own);
      const entries = inner.items ? resolve(inner.items) : null;
      const below = entries
        ? flatFields(resolve, entries, `${name}[].`, depth + 1)
        : flatFields(resolve, inner, `${name}.`, depth + 1);
      for (const field of below) if (!fields.has(field.name)) fields.set(field.name, field);
    }
  }
  return [...fields.values()];
}

/** One field in two forms of an object: with the values that either of them fixes. */
function either(resolve: Resolve, one: Schema, other: Schema): Schema {
  const [first, second] = [resolve(one), resolve(other)];
  const [values, more] = [valuesOf(first), valuesOf(second)];
  if (values === null || more === null) return first;
  const { const: _, ...rest } = first;
  return { ...rest, enum: [...new Set([...values, ...more])] };
}

/** Null: any. */
export function valuesOf({ enum: values, const: fixed }: Schema): readonly Value[] | null {
  if (fixed !== undefined) return [fixed];
  return values ?? null;
}
