/** How faults are written: what is changed in requests, in answers and in events, and where. */
import { operations } from "../../generated/operations";
import { type Event, shown } from "./events_seen";
import type { Fault, Hooks, Place } from "./fault";
import {
  field,
  type HttpAnswer,
  type HttpRequest,
  type Json,
  jsonOf,
  ownAnswer,
  pathOf,
  type RequestHead,
  withField,
  within,
  withJson,
} from "./message";

export type OperationId = keyof typeof operations;

const routes = Object.entries(operations).map(([id, { method, path }]) => {
  const pattern = new RegExp(`^${path.replaceAll(/[.+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "([^/]+)")}$`);
  return { id, method: method.toUpperCase(), pattern, literal: !path.includes("{") };
});

/** Which operation a request is for; null: none. HEAD is as GET. */
export function operationOf(head: RequestHead): string | null {
  const path = pathOf(head);
  const method = head.method === "HEAD" ? "GET" : head.method;
  const found = routes.filter((each) => each.method === method && each.pattern.test(path));
  return (found.find(({ literal }) => literal) ?? found[0])?.id ?? null;
}

/** Is it for one of these? */
export function is(head: RequestHead, ...ids: readonly OperationId[]): boolean {
  const id = operationOf(head);
  return ids.some((each) => each === id);
}

/** The session or room, or what else the path names. */
export function subjectOf(head: RequestHead): string {
  const id = operationOf(head);
  return routes.find((each) => each.id === id)?.pattern.exec(pathOf(head))?.[1] ?? "";
}

/** The code of an error; "" when it is none. */
export function codeOf(answer: HttpAnswer): string {
  const code = answer.status >= 400 ? jsonOf(answer)?.code : "";
  return typeof code === "string" ? code : "";
}

/** The same answer with other values in its JSON; undefined takes one away. */
export function changed<M extends HttpRequest | HttpAnswer>(message: M, values: Json): M {
  return withJson(message, { ...jsonOf(message), ...values });
}

export function detailOf(answer: HttpAnswer): Json {
  return within(jsonOf(answer), "detail");
}

export function query(head: RequestHead): URLSearchParams {
  return new URLSearchParams(head.target.split("?")[1] ?? "");
}

/** The same request with another parameter; null takes it away. */
export function withQuery<R extends RequestHead>(request: R, name: string, value: string | null): R {
  const own = query(request);
  if (value === null) own.delete(name);
  else own.set(name, value);
  const text = own.toString();
  return { ...request, target: pathOf(request) + (text === "" ? "" : `?${text}`) };
}

/** The same request at another path. */
export function at<R extends RequestHead>(request: R, path: string): R {
  return { ...request, target: path };
}

/** An error of the catalogue in place of this answer: with its own text, and the fields that this answer has. */
export function refused(
  like: HttpAnswer,
  status: number,
  code: string,
  error: string,
  more: { readonly detail?: Json; readonly retryAfter?: string } = {},
): HttpAnswer {
  const kept = like.fields.filter(([name]) => /^(?:x-request-id|ratelimit(?:-policy)?|date|connection)$/i.test(name));
  const answer = ownAnswer(status, { success: false, error, code, ...(more.detail && { detail: more.detail }) }, kept);
  return more.retryAfter === undefined ? answer : withField(answer, "Retry-After", more.retryAfter);
}

type About = readonly [name: string, about: string, clause: string];

/** Answers that are given in another form. `undefined`: this one is left alone. */
export function answers(
  [name, about, clause]: About,
  change: (
    answer: HttpAnswer,
    request: HttpRequest,
    place: Place,
  ) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>,
  wants?: (head: RequestHead) => boolean,
): Fault {
  const start = (place: Place): Hooks => ({
    ...(wants && { wants }),
    exchange: async (request, next) => {
      const answer = await next(request);
      const other = await change(answer, request, place);
      if (other === undefined) return answer;
      place.strike();
      return other;
    },
  });
  return { name, about, clause, start };
}

/** Requests that are taken for others. `undefined`: this one is left alone. */
export function requests(
  [name, about, clause]: About,
  change: (request: HttpRequest) => HttpRequest | undefined,
): Fault {
  const start = (place: Place): Hooks => ({
    exchange: (request, next) => {
      const other = request.passed ? undefined : change(request);
      if (other === undefined) return next(request);
      place.strike();
      return next(other);
    },
  });
  return { name, about, clause, start };
}

/** Bodies that are taken for others. `undefined`: this one is left alone. */
export function bodies(about: About, ids: readonly OperationId[], change: (body: Json) => Json | undefined): Fault {
  return requests(about, (request) => {
    const body = is(request, ...ids) ? jsonOf(request) : null;
    const other = body && change(body);
    return other ? withJson(request, other) : undefined;
  });
}

/** Events that are told otherwise, wherever they are told. `undefined`: this one is left alone; a list: these in its place. */
export function events(
  [name, about, clause]: About,
  change: (event: Event, json: Json) => Json | readonly Json[] | undefined,
): Fault {
  return { name, about, clause, start: (place) => shown(place, change) };
}

/** Webhooks alone are sent otherwise. */
export function deliveries(
  [name, about, clause]: About,
  start: (place: Place) => NonNullable<Hooks["delivery"]>,
): Fault {
  return { name, about, clause, start: (place) => ({ delivery: start(place) }) };
}

/** The same event with other values in its data. */
export function withData(json: Json, values: Json): Json {
  return { ...json, data: { ...within(json, "data"), ...values } };
}

/** The client's own request id, when it has one. */
export const requestId = (request: HttpRequest): string | undefined => field(request, "X-Request-ID");
