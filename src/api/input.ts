/** Steps 7 and 8 of the checks: what a request brings, read and valid. */
import type { Context } from "koa";
import type { JsonObject } from "./body";
import { fault } from "./envelope";
import { queryOf } from "./paths";
import type { Route } from "./routes";
import type { Validation } from "./validation";

/**
 * The body, where the route looks at one.
 *
 * @throws the first error of the body as a whole
 */
export function readBody(ctx: Context, { bodies, reads }: Route): Promise<JsonObject | undefined> | undefined {
  if (bodies === null) return undefined;
  if (reads === "json") return bodies.read(ctx);
  return reads === "lenient" ? bodies.lenient(ctx) : bodies.ignore(ctx);
}

/**
 * @param params of the path
 * @returns the parameters of the query
 * @throws the first error of the parameters, the fields of the body
 */
export function readQuery(
  { req }: Context,
  { validation }: Route,
  params: JsonObject,
  body: JsonObject | undefined,
): JsonObject {
  if (validation === null) throw fault("400 Invalid command");
  const query: JsonObject = {};
  if (validation.checksParameters) {
    if (validation.queries.length > 0) declared(req.url ?? "", validation.queries, query);
    const wrong = validation.parametersFault(params, query);
    if (wrong !== null) throw wrong;
  }
  const wrong = body === undefined ? null : validation.bodyFault(body);
  if (wrong !== null) throw wrong;
  return query;
}

/**
 * Only what is declared: unknown parameters are ignored. One that comes twice is a list, which none of them may be; of one
 * that is not checked the first counts.
 */
function declared(target: string, queries: Validation["queries"], into: JsonObject): void {
  const given = new URLSearchParams(queryOf(target));
  for (const { name, checked } of queries) {
    const values = given.getAll(name);
    if (values.length > 0) into[name] = values.length === 1 || !checked ? values[0] : values;
  }
}
