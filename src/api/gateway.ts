/**
 * The HTTP API: one Koa middleware that takes each request through the order of checks, to its handler, and to the one
 * exit for errors. What is checked for which request, and every text, comes from the document.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import Koa, { type Context } from "koa";
import type { Handlers } from "../contract";
import type { ContractCheck } from "../contract_check";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Network } from "../outbound/addresses";
import type { App, Loaded, Room, Session } from "../store/store";
import { Proxies, peerAddress } from "./address";
import { Aborted, type JsonObject } from "./body";
import { type CheckOptions, Checks } from "./checks";
import { asksFirst, buildCors, type Cors } from "./cors";
import { Fault, fault, json_type, type TransportError } from "./envelope";
import { Exchange, errorBytes, errorFields, requestId } from "./exchange";
import { readBody, readQuery } from "./input";
import { assertEncoding, type Paths, pathOf } from "./paths";
import { buildRoutes, RequestCall, type Route } from "./routes";
import { isSource, type Stream } from "./stream";
import { connectionOf, defaultTimeouts, type Timeouts, Transport } from "./transport";

export interface ApiOptions extends CheckOptions {
  readonly handlers: Handlers<App, Loaded<Session>, Loaded<Room>>;
  readonly log: Log;
  readonly meter: Pick<Meter, "request" | "admission">;
  readonly check: Pick<ContractCheck, "response">;
  /** Requests at a time; further ones are refused. */
  readonly maxInflight: number;
  /** Connections at a time whose requests are served. */
  readonly maxConnections?: number;
  /** Whose `X-Forwarded-For` counts. */
  readonly trustProxy: readonly Network[];
  /** Whose pages may call the API from a browser; null: nobody's, and `OPTIONS` is a method like any other. */
  readonly corsOrigins: readonly string[] | null;
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
  private cors: Cors | null = null;
  private readonly texts = new Map<string, { readonly body: object; readonly text: string }>();
  private readonly streams = new Set<Stream>();
  /** Requests that have not been answered to the end. One whose answer has no end of its own counts until that begins. */
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
    const { corsOrigins } = this.options;
    if (corsOrigins !== null) this.cors ??= await buildCors(corsOrigins);
    return this.transport.listen(host, port);
  }

  /** From now on everything but `/live`, `/health` and `/metrics` is answered `503 Server is shutting down`. */
  shutdown(): void {
    this.stopping = true;
  }

  /** Ends idle connections and streams that have no end, lets answers under way finish for a bounded time. Idempotent. */
  close(): Promise<void> {
    const closed = this.transport.close(closing_ms);
    for (const stream of this.streams) stream.end();
    return closed;
  }

  /** A request that is refused before it gets a route. */
  private refuse(error: TransportError, req: IncomingMessage, res: ServerResponse): void {
    const exchange = new Exchange(req, res, this.transport, this.options.check);
    this.exit(exchange, fault(error));
    this.count(exchange);
    this.report(exchange);
  }

  /** What is said to bytes that are no request, or stopped being one. */
  private lastWord(error: TransportError, req: IncomingMessage | null, cause: string): string {
    const id = requestId(req?.headers["x-request-id"]);
    const answer = fault(error);
    const { status, code, unrouted: operation, body } = answer;
    const fields = errorFields(answer, id);
    // Of bytes that are no request it is not known when they began.
    const connection = req === null ? null : connectionOf(req);
    const began = connection !== null && connection.broken?.req === req;
    const seconds = began ? (performance.now() - connection.since) / 1000 : 0;
    this.options.meter.request(operation, status, seconds);
    this.options.check.response(operation, status, fields, body);
    this.log.info({ request_id: id, operation, status, code, cause }, "request");
    return errorBytes(answer, fields);
  }

  private async handle(ctx: Context): Promise<void> {
    ctx.respond = false;
    const exchange = new Exchange(ctx.req, ctx.res, this.transport, this.options.check);
    this.inflight += 1;
    try {
      await this.serve(ctx, exchange);
    } catch (error) {
      this.exit(exchange, error);
    }
    this.count(exchange);
    // What has an end holds a file, and nothing else bounds how many are read at a time: it is under way until then.
    if (exchange.stream?.endless === false) await this.flow(exchange, exchange.stream);
    this.inflight -= 1;
    if (exchange.stream?.endless) await this.flow(exchange, exchange.stream);
    this.report(exchange);
  }

  private async flow(exchange: Exchange, stream: Stream): Promise<void> {
    this.streams.add(stream);
    if (this.transport.closing) stream.end();
    try {
      await stream.flow();
    } catch (err) {
      const { id: request_id, operation, app_id } = exchange;
      this.log.error({ request_id, operation, app_id, err }, "stream broke off");
    } finally {
      this.streams.delete(stream);
    }
  }

  /** The one exit for errors: only what the catalogue holds is answered as it is, everything else is a defect of ours. */
  private exit(exchange: Exchange, error: unknown): void {
    if (error instanceof Fault) {
      exchange.failure(error);
      return;
    }
    if (error instanceof Aborted) return;
    const { id: request_id, operation, app_id, session_uuid, room_id } = exchange;
    this.log.error({ request_id, operation, app_id, session_uuid, room_id, err: error }, "internal error");
    exchange.failure(fault("500 Internal server error"));
  }

  /** Until the head of the answer: how long it streams says nothing about the gateway. */
  private count(exchange: Exchange): void {
    // A body that broke off has been counted below Koa.
    if (exchange.connection.broken === exchange.res) return;
    const { operation, status, started } = exchange;
    this.options.meter.request(operation, status, (performance.now() - started) / 1000);
  }

  private report(exchange: Exchange): void {
    // And has had its line there.
    if (!this.log.isLevelEnabled("info") || exchange.connection.broken === exchange.res) return;
    const { id: request_id, operation, status, app_id, session_uuid, room_id, started } = exchange;
    const duration_ms = Math.round((performance.now() - started) * 100) / 100;
    this.log.info({ request_id, operation, status, duration_ms, app_id, session_uuid, room_id }, "request");
  }

  private address(exchange: Exchange): string {
    const { connection, req } = exchange;
    connection.trusted ??= this.proxies.trusts(connection.peer);
    const forwarded = connection.trusted ? req.headers["x-forwarded-for"] : undefined;
    return forwarded === undefined ? connection.peer : this.proxies.client(connection.peer, String(forwarded));
  }

  /** Steps 1 to 4, then what the authentication of the route asks for. */
  private serve(ctx: Context, exchange: Exchange): Promise<void> {
    const { url: target = "", headers } = ctx.req;
    if (this.cors !== null) exchange.cors = this.cors.of(headers);
    // A range is for GET alone (RFC 9110, section 14.2).
    if (ctx.method === "HEAD") delete headers.range;
    if (target.indexOf("%") !== -1) assertEncoding(target);
    const match = this.routes?.match(pathOf(target)) ?? null;
    const route = match?.path.methods.get(ctx.method) ?? null;
    if (route !== null) {
      exchange.route = route;
      exchange.operation = route.id;
    }
    if (!route?.always) {
      if (this.stopping) throw fault("503 Server is shutting down");
      if (this.inflight > this.options.maxInflight || exchange.connection.excess)
        throw fault("503 Server is overloaded");
    }
    if (match === null) throw fault("404 Not found");
    if (route === null) {
      if (ctx.method === "OPTIONS" && this.cors !== null && exchange.cors !== null && asksFirst(headers)) {
        exchange.preflight(this.cors.preflight(match.path.allow));
        return Promise.resolve();
      }
      const refused = fault("405 Method not allowed");
      refused.allow = match.path.allow;
      throw refused;
    }
    const params: JsonObject = {};
    match.path.parameters.forEach((name, index) => {
      params[name] = match.values[index];
    });
    if (route.auth === "app") return this.serveApp(ctx, exchange, route, params);
    if (route.auth === "admin") return this.serveAdmin(ctx, exchange, route, params);
    return this.serveAnyone(ctx, exchange, route, params);
  }

  private async serveAnyone(ctx: Context, exchange: Exchange, route: Route, params: JsonObject): Promise<void> {
    const body = await readBody(ctx, route);
    const query = readQuery(ctx, route, params, body);
    await this.answer(exchange, route, new RequestCall(route, ctx.req.headers, params, query, body));
  }

  private async serveAdmin(ctx: Context, exchange: Exchange, route: Route, params: JsonObject): Promise<void> {
    const address = this.address(exchange);
    await this.checks.admin(ctx, address);
    await this.checks.adminQuota(exchange, address);
    const body = await readBody(ctx, route);
    const query = readQuery(ctx, route, params, body);
    await this.answer(exchange, route, new RequestCall(route, ctx.req.headers, params, query, body));
  }

  private async serveApp(ctx: Context, exchange: Exchange, route: Route, params: JsonObject): Promise<void> {
    const address = this.address(exchange);
    if (route.session === "path") exchange.session_uuid = String(params.uuid);
    if (route.room === "path") exchange.room_id = String(params.room_id);
    const unknown = this.checks.app(ctx, exchange, address);
    if (unknown) await unknown;
    if (this.checks.flooded(exchange, address)) await this.checks.unread(ctx, exchange, address);
    let held: Fault | null = null;
    let body: JsonObject | undefined;
    let query: JsonObject = {};
    try {
      body = await readBody(ctx, route);
      query = readQuery(ctx, route, params, body);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      held = error;
    }
    if (held === null && body !== undefined) nameSubjects(exchange, route, body);
    const command = held === null ? this.checks.command(route, exchange, body ?? {}) : null;
    const counted = await this.checks.counted(ctx, exchange, address, held !== null, route.ended, command);
    const admission = this.checks.admitted(exchange, counted, held);
    if (admission.outcome === "replay") {
      const { operation_id, timeout_ms } = admission;
      exchange.success(202, json_type, JSON.stringify({ operation_id, status: "in_progress", timeout_ms }));
      return;
    }
    const call = new RequestCall(route, ctx.req.headers, params, query, body, admission, command ?? undefined);
    await this.answer(exchange, route, call);
  }

  private async answer(exchange: Exchange, route: Route, call: RequestCall): Promise<void> {
    const { status, headers, body } = await route.run(call);
    // Of several types that are declared, the handler says which it is.
    const type = headers?.["Content-Type"] ?? route.types.get(status) ?? null;
    if (type === json_type) exchange.success(status, type, this.text(route, body), headers);
    else if (isSource(body)) await exchange.begin(status, type, body, headers);
    else exchange.success(status, type, type === null ? "" : plain(body), headers);
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

/** A body that is valid names the session or room that the store is to look for. */
function nameSubjects(exchange: Exchange, route: Route, { session_uuid, room_id }: JsonObject): void {
  if (route.session === "body" && typeof session_uuid === "string") exchange.session_uuid = session_uuid;
  if (route.room === "body" && typeof room_id === "string") exchange.room_id = room_id;
}

/** What is neither JSON nor a stream. */
function plain(body: unknown): string | Uint8Array {
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  throw new Error("a handler answered something else than the text or bytes that its operation declares");
}
