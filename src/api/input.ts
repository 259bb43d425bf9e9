/** Steps 7 and 8 of the checks: what a request brings, read and valid. */
import type { Context } from "koa";
import type { JsonObject } from "./body";
import { fault } from "./envelope";
import { queryOf } from "./paths";
import type { Route } from "./routes";
import type { Validation } from "./validation";

export interface Input {
  readonly query: JsonObject;
  readonly body: JsonObject | undefined;
}

/**
 * @param params of the path
 * @throws the first error of the body as a whole, the parameters, the fields of the body
 */
export async function readInput(ctx: Context, route: Route, params: JsonObject): Promise<Input> {
  const { bodies, reads, validation } = route;
  let body: JsonObject | undefined;
  if (bodies !== null) {
    if (reads === "json") body = await bodies.read(ctx);
    else if (reads === "lenient") body = await bodies.lenient(ctx);
    else await bodies.ignore(ctx);
  }
  if (validation === null) throw fault("400 Invalid command");
  const query: JsonObject = {};
  if (validation.checksParameters) {
    if (validation.queries.length > 0) readQuery(ctx.req.url ?? "", validation.queries, query);
    const wrong = validation.parametersFault(params, query);
    if (wrong !== null) throw wrong;
  }
  const wrong = body === undefined ? null : validation.bodyFault(body);
  if (wrong !== null) throw wrong;
  return { query, body };
}

/**
 * Only what is declared: unknown parameters are ignored. One that comes twice is a list, which none of them may be; of one
 * that is not checked the first counts.
 */
function readQuery(target: string, declared: Validation["queries"], into: JsonObject): void {
  const given = new URLSearchParams(queryOf(target));
  for (const { name, checked } of declared) {
    const values = given.getAll(name);
    if (values.length > 0) into[name] = values.length === 1 || !checked ? values[0] : values;
  }
}
