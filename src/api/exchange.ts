/** One request and its answer: what is learnt on the way, and the one place where bytes go out. */
import { randomUUID } from "node:crypto";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { patterns } from "../../generated/operations";
import type { ContractCheck } from "../contract_check";
import type { Quota } from "../store/store";
import { type Fault, json_type, no_operation } from "./envelope";
import type { Route } from "./routes";
import { type Source, Stream } from "./stream";
import { type Connection, connectionOf, reusable, type Transport } from "./transport";

const request_id = new RegExp(patterns.request_id);

/** The caller's `X-Request-ID` when it has the declared form, else a new one. */
export function requestId(given: string | string[] | undefined): string {
  return typeof given === "string" && request_id.test(given) ? given : randomUUID();
}

/** Fields of an answer to a client that has sent no request to answer; the connection ends with it. */
export function errorFields(error: Fault, id: string): string[] {
  const fields = ["X-Request-ID", id, "Content-Type", json_type, "Cache-Control", "no-store"];
  if (error.retryAfter > 0) fields.push("Retry-After", String(error.retryAfter));
  fields.push("Content-Length", String(Buffer.byteLength(error.body)));
  fields.push("Date", new Date().toUTCString(), "Connection", "close");
  return fields;
}

/** The same as bytes, with the body. */
export function errorBytes(error: Fault, fields: readonly string[]): string {
  let head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n`;
  for (let i = 0; i + 1 < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n${error.body}`;
}

/** What a handler may say of the content, and stands among the fields already. */
const ofContent: ReadonlySet<string> = new Set(["Content-Length", "Content-Type"]);

/** What a handler adds to the header, by name. */
type Fields = Readonly<Record<string, string>>;

export class Exchange {
  readonly id: string;
  readonly connection: Connection;
  readonly started = performance.now();
  /** Of the document, or the pseudo-operation whose answer it is where there is no route. */
  operation: string = no_operation;
  route: Route | null = null;
  app_id: string | undefined;
  /** Keyed digest of its credentials. */
  digest = "";
  session_uuid: string | undefined;
  room_id: string | undefined;
  /** Known once the request has passed authentication. */
  quota: Quota | null = null;
  replayed = false;
  /** Status that was answered; 0: nobody was there to be answered. */
  status = 0;
  /** The rest of an answer that has begun. */
  stream: Stream | null = null;
  /** For the page that asks, in every answer; null: for none. */
  cors: readonly string[] | null = null;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    private readonly transport: Transport,
    private readonly check: Pick<ContractCheck, "response">,
  ) {
    this.id = requestId(req.headers["x-request-id"]);
    this.connection = connectionOf(req);
    this.connection.since = this.started;
  }

  /** @param type null: there is no content */
  success(status: number, type: string | null, body: string | Uint8Array, headers?: Fields): void {
    this.send(status, type, body, headers, null);
  }

  failure(error: Fault): void {
    if (this.route === null) this.operation = error.unrouted;
    this.send(error.status, json_type, error.body, undefined, error);
  }

  /**
   * Begins an answer whose body comes bit by bit; {@link stream} is what is left to do. It ends with the connection, unless
   * the handler knows the length.
   */
  async begin(status: number, type: string | null, source: Source, headers: Fields = {}): Promise<void> {
    const { req, res } = this;
    const chunks = source[Symbol.asyncIterator]();
    // Before the head, so that a source that cannot give or end anything is a failure like any other.
    const first = req.method === "HEAD" ? null : await chunks.next();
    if (first === null || this.answered) await chunks.return?.();
    if (this.answered) return;
    const length = headers["Content-Length"] ?? null;
    const fields = this.fields(type, length, { "Cache-Control": "no-store", ...headers }, null);
    this.head(status, fields, null, length !== null && reusable(req));
    if (first === null) res.end();
    else this.stream = new Stream(req, res, chunks, first, length === null);
  }

  /** Tells a browser what it may ask for: an answer to no operation. */
  preflight(fields: readonly string[]): void {
    const { req, res } = this;
    this.open(204, ["X-Request-ID", this.id, ...fields], reusable(req));
    res.end();
  }

  private get answered(): boolean {
    return this.res.headersSent || this.connection.broken === this.res;
  }

  private send(
    status: number,
    type: string | null,
    body: string | Uint8Array,
    more: Fields | undefined,
    error: Fault | null,
  ): void {
    const { req, res, transport } = this;
    if (this.answered) return;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    // 204 has no length (RFC 9110 section 8.6).
    const fields = this.fields(type, type === null ? null : String(length), more, error);
    const content = req.method === "HEAD" ? "" : body;
    const stays = reusable(req);
    this.head(status, fields, type === json_type && typeof content === "string" ? content : "", stays);
    if (stays) res.end(content);
    else {
      if (content.length > 0) res.write(content);
      else res.flushHeaders();
      transport.linger(req, res);
    }
  }

  /** All headers at once: what Koa and Node would set one by one costs more than the rest of the answer. */
  private fields(type: string | null, length: string | null, more: Fields | undefined, error: Fault | null): string[] {
    const { quota } = this;
    const fields = ["X-Request-ID", this.id];
    if (type !== null) fields.push("Content-Type", type);
    if (length !== null) fields.push("Content-Length", length);
    if (type === json_type) fields.push("Cache-Control", "no-store");
    if (quota !== null) {
      const seconds = Math.max(1, Math.ceil(quota.reset_ms / 1000));
      fields.push("RateLimit-Policy", `"app";q=${quota.limit};w=1`);
      fields.push("RateLimit", `"app";r=${quota.remaining};t=${seconds}`);
    }
    if (more !== undefined)
      for (const [name, value] of Object.entries(more)) if (!ofContent.has(name)) fields.push(name, value);
    if (error !== null) {
      if (error.retryAfter > 0) fields.push("Retry-After", String(error.retryAfter));
      if (error.allow !== null) fields.push("Allow", error.allow);
    }
    if (this.replayed) fields.push("Idempotent-Replayed", "true");
    return fields;
  }

  /** @param text JSON that is sent; null or "": none */
  private head(status: number, fields: string[], text: string | null, stays: boolean): void {
    this.check.response(this.operation, status, fields, text === "" ? null : text);
    this.open(status, fields, stays);
  }

  /** With what is no matter of the document. */
  private open(status: number, fields: string[], stays: boolean): void {
    if (this.cors !== null) fields.push(...this.cors);
    if (!stays || this.transport.closing) {
      fields.push("Connection", "close");
      this.connection.final = true;
    }
    this.status = status;
    this.res.writeHead(status, fields);
  }
}
