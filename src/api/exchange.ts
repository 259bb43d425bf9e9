/** One request and its answer: what is learnt on the way, and the one place where bytes go out. */
import { randomUUID } from "node:crypto";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { patterns } from "../../generated/operations";
import type { Quota } from "../store/store";
import { type Fault, json_type } from "./envelope";
import type { Route } from "./routes";
import { type Connection, connectionOf, reusable, type Transport } from "./transport";

const request_id = new RegExp(patterns.request_id);

/** The caller's `X-Request-ID` when it has the declared form, else a new one. */
export function requestId(given: string | string[] | undefined): string {
  return typeof given === "string" && request_id.test(given) ? given : randomUUID();
}

/** The bytes of an error for a client that has sent no request to answer; the connection ends with it. */
export function errorBytes(error: Fault, id: string): string {
  const retry = error.retryAfter > 0 ? `Retry-After: ${error.retryAfter}\r\n` : "";
  return (
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nX-Request-ID: ${id}\r\nContent-Type: ${json_type}\r\n` +
    `Cache-Control: no-store\r\n${retry}Content-Length: ${Buffer.byteLength(error.body)}\r\n` +
    `Date: ${new Date().toUTCString()}\r\nConnection: close\r\n\r\n${error.body}`
  );
}

export class Exchange {
  readonly id: string;
  readonly connection: Connection;
  readonly started = performance.now();
  /** Name of the operation in the log, or of what stands for it when there is no route. */
  operation = "";
  route: Route | null = null;
  app_id: string | undefined;
  /** Keyed digest of its credentials. */
  digest = "";
  session_uuid: string | undefined;
  /** Known once the request has passed authentication. */
  quota: Quota | null = null;
  replayed = false;
  /** Status that was answered; 0: nobody was there to be answered. */
  status = 0;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    private readonly transport: Transport,
  ) {
    this.id = requestId(req.headers["x-request-id"]);
    this.connection = connectionOf(req);
  }

  success(status: number, type: string, body: string | Buffer): void {
    this.send(status, type, body, null);
  }

  failure(error: Fault): void {
    this.send(error.status, json_type, error.body, error);
  }

  /** All headers at once: what Koa and Node would set one by one costs more than the rest of the answer. */
  private send(status: number, type: string, body: string | Buffer, error: Fault | null): void {
    const { req, res, quota, transport } = this;
    if (res.headersSent || this.connection.broken === res) return;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    const headers = ["X-Request-ID", this.id, "Content-Type", type, "Content-Length", String(length)];
    if (type === json_type) headers.push("Cache-Control", "no-store");
    if (quota !== null) {
      const seconds = Math.max(1, Math.ceil(quota.reset_ms / 1000));
      headers.push("RateLimit-Policy", `"app";q=${quota.limit};w=1`);
      headers.push("RateLimit", `"app";r=${quota.remaining};t=${seconds}`);
    }
    if (error !== null) {
      if (error.retryAfter > 0) headers.push("Retry-After", String(error.retryAfter));
      if (error.allow !== null) headers.push("Allow", error.allow);
    }
    if (this.replayed) headers.push("Idempotent-Replayed", "true");
    const stays = reusable(req);
    if (!stays || transport.closing) {
      headers.push("Connection", "close");
      this.connection.final = true;
    }
    this.status = status;
    res.writeHead(status, headers);
    const content = req.method === "HEAD" ? "" : body;
    if (stays) res.end(content);
    else {
      if (content.length > 0) res.write(content);
      else res.flushHeaders();
      transport.linger(req, res);
    }
  }
}
