/** The client of the gateway's API: one method for each operation of the document, made of the document. */
import { type OperationId, operations } from "../../generated/operations";
import type { WebhookEvent } from "./event";
import { type Answer, Exchange, type ExchangeOptions, type Sent } from "./exchange";
import { type EventsOptions, liveEvents } from "./live";
import type { Failure, HeadersOf, Init, Input, OperationAt, Outcome, PathWith } from "./operation";
import { pause, pauseBefore, type RetryOptions, retryPolicy } from "./retry";

/** Credentials of an app, of the administration, or both. */
export type ClientOptions = Omit<ExchangeOptions, "appId" | "apiKey" | "adminApiKey"> & {
  /** What is sent again, and for how long; false: nothing. */
  readonly retry?: RetryOptions | false;
} & (
    | { readonly appId: string; readonly apiKey: string; readonly adminApiKey?: string }
    | { readonly appId?: undefined; readonly apiKey?: undefined; readonly adminApiKey: string }
  );

/** Of one call. */
export interface CallOptions<O extends OperationId = OperationId> {
  /** Ends the call and its waiting: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** In place of the client's. */
  readonly retry?: RetryOptions | false;
  /** Header fields that the document declares for the operation. */
  readonly headers?: HeadersOf<O>;
}

type Optional<T, Rest extends unknown[]> = Record<never, never> extends T ? [input?: T, ...Rest] : [input: T, ...Rest];

/** By operationId: `client.startPlayback({ uuid, body: { urls } })`. */
export type Operations = {
  readonly [O in OperationId]: (...args: Optional<Input<O>, [options?: CallOptions<O>]>) => Promise<Outcome<O>>;
};

type Method<M extends string> = <P extends PathWith<M>>(
  path: P,
  ...args: Optional<Init<OperationAt<M, P>> & Pick<CallOptions, "signal" | "retry">, []>
) => Promise<Outcome<OperationAt<M, P>>>;

/** By method and path, with the arguments of `openapi-fetch`: `client.GET("/api/v1/sessions/{uuid}", { params: { path: { uuid } } })`. */
export interface ByPath {
  readonly GET: Method<"GET">;
  readonly POST: Method<"POST">;
  readonly DELETE: Method<"DELETE">;
}

/**
 * Each call resolves with `{ data }` or `{ error }`. An error is a value and nothing is thrown for it, since only a value
 * tells the compiler which codes this operation has: `error.code` tells them apart, with status, message and detail of
 * each. A connection that fails (`unreachable`) and an answer that keeps no contract (`unexpected_answer`) are two more
 * members of that union: whoever looks at an error has them before him in the same place. What is thrown is a mistake of
 * the program (TypeError: a parameter that is missing) and what the program has asked for (the reason of its signal).
 */
export interface Client extends Operations, ByPath {
  /**
   * The app's events as they happen, over connections that follow each other without a gap. It settles no webhook.
   *
   *     for await (const event of client.events({ signal })) if (event.event === "dtmf") …
   */
  events(options?: EventsOptions): AsyncGenerator<WebhookEvent, never, void>;
}

/**
 * A command gets a `command_uid` where it has none, and is therefore sent again when its connection breaks, as are reads
 * and deletions; of a deletion that went through unheard, the second answer is a 404. Any other request is sent again
 * only when the gateway has refused it for a while (429, 503) and `Retry-After` lies within what `retry` allows.
 *
 * @throws TypeError a URL or a key that no request can carry
 */
export function createClient(options: ClientOptions): Client {
  const exchange = new Exchange(options);

  async function call(id: OperationId, sent: Sent, { signal, retry }: CallOptions): Promise<AnyOutcome> {
    const { method, command } = operations[id];
    const uid = command === null ? null : uidOf(sent.body);
    const whole = uid === null ? sent : { ...sent, body: { ...sent.body, command_uid: uid } };
    const policy = retryPolicy(retry ?? options.retry);
    const repeatable = method !== "POST" || uid !== null;
    let waited = 0;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await exchange.make(id, whole, signal);
      const ms = answer.failure && pauseBefore(answer.failure, repeatable, attempt, waited, policy);
      if (ms === null) return outcome(answer, uid);
      await pause(ms, signal);
      waited += ms;
    }
  }

  const byId =
    (id: OperationId) =>
    ({ body, ...fields }: Fields = {}, { headers = {}, ...rest }: CallOptions = {}) =>
      call(id, { params: { ...byPlace(id, fields), header: headers }, body }, rest);
  const byPath =
    (method: string) =>
    (path: string, { params, body, ...rest }: Placed = {}) =>
      call(idOf(method, path), { params: { path: {}, query: {}, header: {}, ...params }, body }, rest);
  const ids = Object.keys(operations) as OperationId[];
  const events = (given: EventsOptions = {}) =>
    liveEvents((lastEventId, signal) => {
      const { session_uuid } = given;
      const headers = lastEventId === "" ? {} : { "Last-Event-ID": lastEventId };
      return client.streamEvents(session_uuid === undefined ? {} : { session_uuid }, { headers, signal, retry: false });
    }, given);
  const calls = {
    ...Object.fromEntries(ids.map((id) => [id, byId(id)])),
    ...Object.fromEntries(methods.map((method) => [method, byPath(method)])),
    events,
  };
  // The compiler cannot follow a table into the names of methods: a test calls each of them.
  const client = calls as unknown as Client;
  return client;
}

const methods = ["GET", "POST", "DELETE"] as const;

/** What the types above say of each operation, for all of them. */
type AnyOutcome = { readonly commandUid?: string } & (
  | { readonly data: unknown; readonly status: number; readonly headers: Headers }
  | { readonly error: Failure }
);
type Fields = Readonly<Record<string, unknown>> & { readonly body?: object };
type Placed = Pick<CallOptions, "signal" | "retry"> & {
  readonly params?: Partial<Sent["params"]>;
  readonly body?: object;
};

function outcome(answer: Answer, uid: string | null): AnyOutcome {
  const named = uid === null ? {} : { commandUid: uid };
  if (answer.failure) return { ...named, error: answer.failure };
  const { data, status, headers } = answer;
  return { ...named, data, status, headers };
}

/** The one that was given, or a new one. `randomUUID` is not there in a page that came by plain http. */
function uidOf(body: object | undefined): string {
  const { command_uid }: { readonly command_uid?: unknown } = body ?? {};
  if (command_uid !== undefined) return String(command_uid);
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What the path does not name belongs to the query. */
function byPlace(id: OperationId, fields: Readonly<Record<string, unknown>>): Pick<Sent["params"], "path" | "query"> {
  const { path } = operations[id];
  const all = Object.entries(fields);
  const inPath = ([name]: readonly [string, unknown]) => path.includes(`{${name}}`);
  return {
    path: Object.fromEntries(all.filter(inPath)),
    query: Object.fromEntries(all.filter((field) => !inPath(field))),
  };
}

/** @throws TypeError the document has no such operation */
function idOf(method: string, path: string): OperationId {
  const ids = Object.keys(operations) as OperationId[];
  const found = ids.find((id) => operations[id].method === method && operations[id].path === path);
  if (!found) throw new TypeError(`there is no ${method} ${path}`);
  return found;
}
