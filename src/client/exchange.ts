/** One request and its answer, held against the document: what it does not declare is no answer of the gateway. */
import createFetchClient from "openapi-fetch";
import { type OperationId, operations } from "../../generated/operations";
import type { DeclaredFailure, Failure } from "./operation";

export interface ExchangeOptions {
  /** Where the gateway is: `https://voice.example.com`, a path included when it stands behind one. */
  readonly baseUrl: string;
  readonly appId?: string;
  readonly apiKey?: string;
  /** `ADMIN_API_KEY` of the gateway's environment: for a back end, never for a page. */
  readonly adminApiKey?: string;
  /** In place of the global one: for a proxy, for tracing. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Milliseconds for one attempt, up to the end of its answer, or to the beginning of a stream (30 000). */
  readonly timeoutMs?: number;
}

/** Parameters by their place, as `openapi-fetch` takes them. */
export interface Sent {
  readonly params: {
    readonly path: Readonly<Record<string, unknown>>;
    readonly query: Readonly<Record<string, unknown>>;
    readonly header: Readonly<Record<string, unknown>>;
  };
  readonly body: object | undefined;
}

/** `failure` is null when it went well. */
export type Answer =
  | { readonly failure: null; readonly data: unknown; readonly status: number; readonly headers: Headers }
  | { readonly failure: Failure };

/** Of the body of an answer that nobody declared. */
const shown_chars = 1000;

/** A path of any operation: each was looked at before it comes here. */
interface AnyPath {
  readonly get: AnyOperation;
  readonly post: AnyOperation;
  readonly delete: AnyOperation;
}
interface AnyOperation {
  readonly parameters: Sent["params"];
  readonly requestBody?: { readonly content: { readonly "application/json": object } };
  readonly responses: { readonly default: { readonly content: { readonly "application/json": unknown } } };
}

export class Exchange {
  readonly #client;
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #credentials: Readonly<Record<"app" | "admin" | "none", Readonly<Record<string, string>>>>;
  readonly #timeoutMs: number;

  /** @throws TypeError a URL that is none, or a key that no header can carry */
  constructor({ baseUrl, appId, apiKey, adminApiKey, fetch, timeoutMs = 30_000 }: ExchangeOptions) {
    if (!/^https?:$/.test(new URL(baseUrl).protocol)) throw new TypeError(`baseUrl must be http or https: ${baseUrl}`);
    const app = {
      ...(appId !== undefined && { "X-App-ID": appId }),
      ...(apiKey !== undefined && { "X-API-Key": apiKey }),
    };
    const admin = { ...(adminApiKey !== undefined && { "X-Admin-API-Key": adminApiKey }) };
    // Now, and not as a request that seems to have failed on its way.
    new Headers({ ...app, ...admin });
    this.#credentials = { app, admin, none: {} };
    this.#timeoutMs = timeoutMs;
    // Looked up at each request, so that one that is replaced later counts.
    this.#fetch = (request) => (fetch ?? globalThis.fetch)(request);
    this.#client = createFetchClient<Record<string, AnyPath>>({ baseUrl });
  }

  /**
   * @returns also for a connection that broke and an answer that makes no sense
   * @throws TypeError what cannot be sent at all; the reason of the signal when it was aborted
   */
  async make(id: OperationId, { params, body }: Sent, signal: AbortSignal | undefined): Promise<Answer> {
    signal?.throwIfAborted();
    const { method, path, auth } = operations[id];
    const clock = new AbortController();
    const late = new Error(`No answer within ${this.#timeoutMs} ms`);
    const timer = setTimeout(() => clock.abort(late), this.#timeoutMs);
    let sent = false;
    try {
      const init = {
        params: {
          path: pathFields(path, params.path),
          query: params.query,
          header: { ...this.#credentials[auth], ...params.header },
        },
        ...(body && { body }),
        fetch: (request: Request) => {
          sent = true;
          return this.#fetch(request);
        },
        signal: signal ? AbortSignal.any([signal, clock.signal]) : clock.signal,
        // The gateway sends nobody elsewhere, and nobody else is to get the keys.
        redirect: "manual",
        parseAs: "stream",
      } as const;
      const { data, error, response } = await this.#client.request(methods[method], path, init);
      return response.ok ? await succeeded(id, response, data) : { failure: refused(id, response, error) };
    } catch (error) {
      signal?.throwIfAborted();
      if (!sent) throw error;
      const cause = clock.signal.aborted ? late : error;
      return { failure: { ...nothing, code: "unreachable", message: messageOf(cause), cause } };
    } finally {
      clearTimeout(timer);
    }
  }
}

const methods = { GET: "get", POST: "post", DELETE: "delete" } as const;
const nothing = { status: null, detail: undefined, requestId: null, retryAfter: null } as const;

/** Node's `fetch` says only that it failed, and why in what it names as its cause. */
function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return String(error);
  const { message, cause }: { readonly message: unknown; readonly cause?: unknown } = error;
  return cause === undefined ? String(message) : `${message}: ${messageOf(cause)}`;
}

/** @throws TypeError a field that is missing, or one that would lead to another path */
function pathFields(path: string, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  for (const [, name = ""] of path.matchAll(/\{(\w+)\}/g)) {
    const value = given[name];
    if (value === undefined || value === null || /^\.{0,2}$/.test(String(value)))
      throw new TypeError(`${name} is missing: ${path} cannot do with ${JSON.stringify(value)}`);
  }
  return given;
}

/** An answer with a status of success, as far as it is one that the document declares. */
async function succeeded(id: OperationId, response: Response, stream: unknown): Promise<Answer> {
  const { success, media } = operations[id];
  const { status, headers } = response;
  const type = headers.get("Content-Type")?.replace(/;.*/, "").trim().toLowerCase() ?? null;
  const found = (data: unknown): Answer => ({ failure: null, data, status, headers });
  // A part of a file is answered to whoever asked for one.
  if ((status !== success && status !== 206) || (media !== null && type !== media))
    return { failure: unexpected(response, await response.text()) };
  if (media === null) return found(undefined);
  if (media === "text/plain") return found(await response.text());
  if (media !== "application/json") return found(stream);
  const text = await response.text();
  const parsed = parse(text);
  return parsed === undefined ? { failure: unexpected(response, text) } : found(parsed);
}

/** @param body as `openapi-fetch` gives it: what JSON said, or text that is none; undefined for an empty one */
function refused(id: OperationId, response: Response, body: unknown): Failure {
  if (isRefusal(body)) {
    const { code, error: message, detail } = body;
    const failure = { status: response.status, code, message, detail, ...named(response.headers) };
    if (isDeclared(id, failure)) return failure;
  }
  return unexpected(response, typeof body === "string" ? body : (JSON.stringify(body) ?? ""), body);
}

function unexpected(response: Response, text: string, body?: unknown): Failure {
  const { status, headers } = response;
  const said = isRefusal(body) ? body.error : `The answer ${status} is none that is declared`;
  const about = {
    code: "unexpected_answer",
    message: said,
    detail: undefined,
    body: text.slice(0, shown_chars),
  } as const;
  return { status, ...about, ...named(headers) };
}

function named(headers: Headers): { requestId: string | null; retryAfter: number | null } {
  const wait = headers.get("Retry-After") ?? "";
  // The gateway writes seconds, never a date.
  return { requestId: headers.get("X-Request-ID"), retryAfter: /^\d{1,9}$/.test(wait) ? Number(wait) : null };
}

interface Refusal {
  readonly success: false;
  readonly error: string;
  readonly code: string;
  readonly detail?: unknown;
}

function isRefusal(body: unknown): body is Refusal {
  if (typeof body !== "object" || body === null) return false;
  const { success, error, code }: Partial<Record<keyof Refusal, unknown>> = body;
  return success === false && typeof error === "string" && typeof code === "string";
}

/** What a code brings along is the gateway's promise: its message and its detail are not looked at again. */
function isDeclared(id: OperationId, failure: DeclaredFailure<number, string>): failure is Failure & DeclaredFailure {
  const codes: readonly string[] = operations[id].failures;
  return codes.includes(failure.code);
}

/** Undefined: it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told as an answer that was not expected.
    return undefined;
  }
}
