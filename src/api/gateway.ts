/**
 * The HTTP API: one Koa middleware that takes each request through the order of checks, to its handler, and to the one
 * exit for errors. What is checked for which request, and every text, comes from the document.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import Koa, { type Context } from "koa";
import type { Handlers } from "../contract";
import type { Log } from "../log";
import type { Network } from "../outbound/addresses";
import type { App, Session, Store } from "../store/store";
import { Proxies, peerAddress } from "./address";
import { Aborted, type JsonObject } from "./body";
import { Checks, commandAdmission } from "./checks";
import { Fault, fault, json_type, type TransportError } from "./envelope";
import { Exchange, errorBytes, requestId } from "./exchange";
import { type Paths, pathOf, queryOf } from "./paths";
import { buildRoutes, RequestCall, type Route } from "./routes";
import { defaultTimeouts, type Timeouts, Transport } from "./transport";

export interface ApiOptions {
  readonly store: Store;
  readonly handlers: Handlers<App, Session>;
  readonly log: Log;
  /** Null: the admin API is off. */
  readonly adminApiKey: string | null;
  /** Key of the digests of API keys. */
  readonly secretsKey: Buffer;
  /** Requests per second: of an app without a limit of its own, and of an address that administers. */
  readonly defaultRateLimit: number;
  /** Failures of authentication of one address that are answered as such, per second. */
  readonly authFailuresPerSecond: number;
  /** Requests at a time; further ones are refused. */
  readonly maxInflight: number;
  /** Connections at a time whose requests are served. */
  readonly maxConnections?: number;
  /** Whose `X-Forwarded-For` counts. */
  readonly trustProxy: readonly Network[];
  readonly commandTimeoutMs: number;
  readonly timeouts?: Partial<Timeouts>;
}

/** How long answers under way have when the API is closed. */
const closing_ms = 5000;
const max_connections = 10_000;

export class Api {
  private readonly log: Log;
  private readonly checks: Checks;
  private readonly proxies: Proxies;
  private readonly transport: Transport;
  private routes: Paths<Route> | null = null;
  private readonly texts = new Map<string, { readonly body: object; readonly text: string }>();
  private inflight = 0;
  private stopping = false;

  constructor(private readonly options: ApiOptions) {
    this.log = options.log;
    this.checks = new Checks(options);
    this.proxies = new Proxies(options.trustProxy);
    const koa = new Koa();
    // Nothing gets here but a socket that broke under an answer: Koa would print it.
    koa.on("error", (err) => this.log.debug({ err }, "connection lost"));
    koa.use((ctx) => this.handle(ctx));
    this.transport = new Transport({
      timeouts: { ...defaultTimeouts, ...options.timeouts },
      maxConnections: options.maxConnections ?? max_connections,
      peer: (socket) => peerAddress(socket.remoteAddress),
      request: koa.callback(),
      refuse: (error, req, res) => this.refuse(error, req, res),
      bytes: (error, req, cause) => this.lastWord(error, req, cause),
    });
  }

  /** @throws when the port cannot be opened, or the document does not compile */
  async listen(host: string, port: number): Promise<{ port: number }> {
    this.routes ??= await buildRoutes(this.options.handlers, this.options.commandTimeoutMs);
    return this.transport.listen(host, port);
  }

  /** From now on everything but `/live` and `/health` is answered `503 Server is shutting down`. */
  shutdown(): void {
    this.stopping = true;
  }

  /** Ends idle connections, lets answers under way finish for a bounded time. Idempotent. */
  close(): Promise<void> {
    return this.transport.close(closing_ms);
  }

  /** A request that is refused before it gets a route. */
  private refuse(error: TransportError, req: IncomingMessage, res: ServerResponse): void {
    const exchange = new Exchange(req, res, this.transport);
    this.exit(exchange, fault(error));
    this.report(exchange);
  }

  /** What is said to bytes that are no request, or stopped being one. */
  private lastWord(error: TransportError, req: IncomingMessage | null, cause: string): string {
    const id = requestId(req?.headers["x-request-id"]);
    const answer = fault(error);
    this.log.info({ request_id: id, operation: "", status: answer.status, code: answer.code, cause }, "request");
    return errorBytes(answer, id);
  }

  private async handle(ctx: Context): Promise<void> {
    ctx.respond = false;
    const exchange = new Exchange(ctx.req, ctx.res, this.transport);
    this.inflight += 1;
    try {
      await this.serve(ctx, exchange);
    } catch (error) {
      this.exit(exchange, error);
    } finally {
      this.inflight -= 1;
      this.report(exchange);
    }
  }

  /** The one exit for errors: only what the catalogue holds is answered as it is, everything else is a defect of ours. */
  private exit(exchange: Exchange, error: unknown): void {
    if (error instanceof Fault) {
      exchange.failure(error);
      return;
    }
    if (error instanceof Aborted) return;
    const { id: request_id, operation, app_id, session_uuid } = exchange;
    this.log.error({ request_id, operation, app_id, session_uuid, err: error }, "internal error");
    exchange.failure(fault("500 Internal server error"));
  }

  private report(exchange: Exchange): void {
    // A body that broke off has had its line below Koa.
    if (!this.log.isLevelEnabled("info") || exchange.connection.broken === exchange.res) return;
    const { id: request_id, operation, status, app_id, session_uuid, started } = exchange;
    const duration_ms = Math.round((performance.now() - started) * 100) / 100;
    this.log.info({ request_id, operation, status, duration_ms, app_id, session_uuid }, "request");
  }

  private address(exchange: Exchange): string {
    const { connection, req } = exchange;
    connection.trusted ??= this.proxies.trusts(connection.peer);
    const forwarded = connection.trusted ? req.headers["x-forwarded-for"] : undefined;
    return forwarded === undefined ? connection.peer : this.proxies.client(connection.peer, String(forwarded));
  }

  /** Steps 1 to 4, then what the authentication of the route asks for. */
  private serve(ctx: Context, exchange: Exchange): Promise<void> {
    const target = ctx.req.url ?? "";
    if (target.indexOf("%") !== -1) assertEncoding(target);
    const match = this.routes?.match(pathOf(target)) ?? null;
    const route = match?.path.methods.get(ctx.method);
    if (!route?.always) {
      if (this.stopping) throw fault("503 Server is shutting down");
      if (this.inflight > this.options.maxInflight || exchange.connection.excess)
        throw fault("503 Server is overloaded");
    }
    if (match === null) throw fault("404 Not found");
    if (route === undefined) {
      const refused = fault("405 Method not allowed");
      refused.allow = match.path.allow;
      throw refused;
    }
    exchange.route = route;
    exchange.operation = route.id;
    const params: JsonObject = {};
    match.path.parameters.forEach((name, index) => {
      params[name] = match.values[index];
    });
    if (route.auth === "app") return this.serveApp(ctx, exchange, route, params);
    if (route.auth === "admin") return this.serveAdmin(ctx, exchange, route, params);
    return this.serveAnyone(ctx, exchange, route, params);
  }

  private async serveAnyone(ctx: Context, exchange: Exchange, route: Route, params: JsonObject): Promise<void> {
    const { query, body } = await this.input(ctx, route, params);
    await this.answer(exchange, route, new RequestCall(route.id, params, query, body));
  }

  private async serveAdmin(ctx: Context, exchange: Exchange, route: Route, params: JsonObject): Promise<void> {
    const address = this.address(exchange);
    await this.checks.admin(ctx, address);
    await this.checks.adminQuota(exchange, address);
    const { query, body } = await this.input(ctx, route, params);
    await this.answer(exchange, route, new RequestCall(route.id, params, query, body));
  }

  private async serveApp(ctx: Context, exchange: Exchange, route: Route, params: JsonObject): Promise<void> {
    const address = this.address(exchange);
    if (route.session) exchange.session_uuid = String(params.uuid);
    const unknown = this.checks.app(ctx, exchange, address);
    if (unknown) await unknown;
    if (this.checks.flooded(exchange, address)) await this.checks.unread(ctx, exchange, address);
    let held: Fault | null = null;
    let input: Input | null = null;
    try {
      input = await this.input(ctx, route, params);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      held = error;
    }
    const command = held === null ? commandAdmission(route, input?.body ?? {}) : null;
    const admission = await this.checks.admit(ctx, exchange, address, held, command);
    if (admission.outcome === "replay") {
      const { operation_id, timeout_ms } = admission;
      const body = JSON.stringify({ operation_id, status: "in_progress", timeout_ms });
      exchange.success(202, route.type, body);
      return;
    }
    const { query = {}, body } = input ?? {};
    const session = admission.loaded?.session;
    const call = new RequestCall(route.id, params, query, body, admission.app, session, command ?? undefined);
    await this.answer(exchange, route, call);
  }

  /** Steps 7 and 8. */
  private async input(ctx: Context, route: Route, params: JsonObject): Promise<Input> {
    const { bodies, readsBody, validation } = route;
    const body = bodies !== null && readsBody ? await bodies.read(ctx) : undefined;
    if (bodies !== null && !readsBody) await bodies.ignore(ctx);
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

  private async answer(exchange: Exchange, route: Route, call: RequestCall): Promise<void> {
    const { status, body } = await route.run(call);
    exchange.success(status, route.type, route.type === json_type ? this.text(route, body) : bytes(body));
  }

  /** What is the same object for everybody, such as the document, is written once. */
  private text(route: Route, body: unknown): string {
    if (route.auth !== "none" || typeof body !== "object" || body === null) return JSON.stringify(body);
    const known = this.texts.get(route.id);
    if (known?.body === body) return known.text;
    const text = JSON.stringify(body);
    this.texts.set(route.id, { body, text });
    return text;
  }
}

interface Input {
  readonly query: JsonObject;
  readonly body: JsonObject | undefined;
}

/** What is no JSON is bytes, and nothing else. */
function bytes(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new Error("a handler answered something else than the bytes that its operation declares");
}

/** Malformed percent-encoding is no HTTP; it is looked for once, in path and query. */
function assertEncoding(target: string): void {
  try {
    decodeURIComponent(target);
  } catch (error) {
    if (error instanceof URIError) throw fault("400 Bad request");
    throw error;
  }
}

/** Only what is declared: unknown parameters are ignored. One that comes twice is a list, which none of them may be. */
function readQuery(target: string, names: readonly string[], into: JsonObject): void {
  const given = new URLSearchParams(queryOf(target));
  for (const name of names) {
    const values = given.getAll(name);
    if (values.length > 0) into[name] = values.length === 1 ? values[0] : values;
  }
}
