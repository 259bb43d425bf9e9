import { type Catalogue, type Document, operationsOf, type Schema, target } from "./document";
import { bodySchema } from "./policy";

/** Words that say something about a value without being able to refuse it. */
const HARMLESS = new Set(["$ref", "description", "default", "example", "examples", "deprecated", "title"]);

/** Each way in which a field can be refused has an error, and each error of a field has such a way. */
export function fieldMistakes(document: Document, catalogue: Catalogue): string[] {
  const found: string[] = [];
  const bodies = new Map<string, Schema>();
  for (const { operation, parameters } of operationsOf(document)) {
    for (const parameter of parameters) {
      if (!parameter.schema || parameter.in === "header") continue;
      // The text of a path or a query cannot fail as a string.
      const keywords = constraints(document, parameter.schema).filter(
        (word) => word !== "type" || !isText(parameter.schema),
      );
      found.push(...unmatched(`${operation.operationId}: parameter ${parameter.name}`, parameter.schema, keywords));
    }
    const ref = operation.requestBody?.content["application/json"]?.schema?.$ref;
    const body = bodySchema(document, operation);
    if (ref && body) bodies.set(ref.split("/").at(-1) ?? ref, body);
  }
  for (const [name, body] of bodies) found.push(...bodyMistakes(document, name, body));
  return [...new Set([...found, ...unknownCodes(document, catalogue, bodies)])];
}

function isText(schema: Schema | undefined): boolean {
  return schema?.type === "string" || schema?.$ref !== undefined;
}

function bodyMistakes(document: Document, name: string, body: Schema): string[] {
  const found: string[] = [];
  if (body.type !== "object") found.push(`${name}: a body is an object`);
  if (body.additionalProperties !== false)
    found.push(`${name}: a body refuses unknown fields (additionalProperties: false)`);
  for (const field of body.required ?? []) {
    if (!body.properties?.[field]) found.push(`${name}: ${field} is required but not described`);
  }
  for (const [field, schema] of Object.entries(body.properties ?? {})) {
    const keywords = constraints(document, schema);
    if (body.required?.includes(field)) keywords.push("required");
    found.push(...unmatched(`${name}: ${field}`, schema, keywords));
  }
  return found;
}

/** Keywords that can refuse a field, its reference followed. */
function constraints(document: Document, schema: Schema): string[] {
  const words = Object.keys(schema).filter((word) => !HARMLESS.has(word) && !word.startsWith("x-"));
  const behind = schema.$ref ? constraints(document, target(document.components.schemas, schema.$ref)) : [];
  return [...new Set([...words, ...behind])];
}

function unmatched(where: string, schema: Schema, keywords: readonly string[]): string[] {
  const errors = schema["x-error"] ?? {};
  const named = Object.keys(errors).filter((word) => word !== "default");
  const rest = keywords.filter((word) => !named.includes(word));
  const found = named
    .filter((word) => !keywords.includes(word))
    .map((word) => `${where}: x-error names ${word}, which it does not check`);
  if (errors.default === undefined && rest.length > 0) found.push(`${where}: no x-error for ${rest.join(", ")}`);
  if (errors.default !== undefined && rest.length === 0)
    found.push(`${where}: x-error has a default that nothing leads to`);
  // Falling back to `default` would hide that nobody thought of the field being left out.
  if (keywords.includes("required") && errors.required === undefined) found.push(`${where}: no x-error for required`);
  return found;
}

/** What a field or a rule answers is a 400 of step 8. */
function unknownCodes(document: Document, catalogue: Catalogue, bodies: ReadonlyMap<string, Schema>): string[] {
  const named: [string, string][] = [];
  for (const [name, body] of bodies) {
    for (const rule of body["x-rules"] ?? []) named.push([`${name}: x-rules`, rule.error]);
    for (const [field, schema] of Object.entries(body.properties ?? {})) {
      for (const code of Object.values(schema["x-error"] ?? {})) named.push([`${name}: ${field}`, code]);
    }
  }
  for (const { operation, parameters } of operationsOf(document)) {
    for (const { name, schema } of parameters) {
      for (const code of Object.values(schema?.["x-error"] ?? {}))
        named.push([`${operation.operationId}: ${name}`, code]);
    }
  }
  return named
    .filter(([, code]) => catalogue.errors[code]?.status !== 400 || catalogue.errors[code]?.step !== 8)
    .map(([where, code]) => `${where}: ${code} is no 400 of step 8`);
}
