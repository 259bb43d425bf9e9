/**
 * What must hold below Koa: Node answers a broken request with an empty body, or closes without a byte. Here each gets
 * the envelope, in its turn, and a client that is still sending gets the chance to read it.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TransportError } from "./envelope";

/** Milliseconds. */
export interface Timeouts {
  /** From the first byte of a connection or request to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number;
  /** How long a connection may be idle between requests. */
  readonly keepAliveMs: number;
  /** A connection on which no byte moves for so long is closed: a client that does not read its answers. */
  readonly stalledMs: number;
  /** How often `headersMs` and `requestMs` are looked at. */
  readonly checkMs: number;
  /** How long a client may go on sending after an answer that came before the end of its body. */
  readonly lingerMs: number;
}

export const defaultTimeouts: Timeouts = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 30_000,
  stalledMs: 120_000,
  checkMs: 1000,
  lingerMs: 2000,
};

/** What a client may go on sending after its answer before it is cut off. */
const linger_bytes = 16 * 1024 * 1024;
/** A body of at most this size is read to its end and thrown away, so that the connection can be used again. */
const drain_bytes = 64 * 1024;
const max_header_bytes = 16 * 1024;
const max_headers = 200;

/** One client connection, and what was learnt on it. */
export class Connection {
  /** The newest response and the one before it, in the order in which they will be sent. */
  last: ServerResponse | null = null;
  previous: ServerResponse | null = null;
  /** The request whose body broke off: its answer is given here, below Koa. */
  broken: ServerResponse | null = null;
  failed = false;
  /** No request is taken after this one: its answer is the last. */
  final = false;
  /** The peer's address; "unknown" for a peer that was gone at once. */
  readonly peer: string;
  /** When the request began whose head was read last, by `performance.now()`. */
  since = 0;
  /** Does this connection exceed the number that is served? */
  readonly excess: boolean;
  /** Whose `X-Forwarded-For` counts is known once per connection. */
  trusted: boolean | null = null;
  /** The credentials seen last on this connection and their digest: the same bytes need no second HMAC. */
  app_id = "";
  api_key = "";
  digest = "";
  /** `digest` was accepted by the store on this connection. */
  known = false;

  constructor(peer: string, excess: boolean) {
    this.peer = peer;
    this.excess = excess;
  }
}

export interface TransportOptions {
  readonly timeouts: Timeouts;
  readonly maxConnections: number;
  peer(socket: Socket): string;
  /** Takes every request whose head is in order. */
  request(req: IncomingMessage, res: ServerResponse): void;
  /** Answers a request whose head could be read, through the pipeline. */
  refuse(error: TransportError, req: IncomingMessage, res: ServerResponse): void;
  /** The bytes of an answer to something that is no request, or whose body broke off. */
  bytes(error: TransportError, req: IncomingMessage | null, cause: string): string;
}

const connections = new WeakMap<object, Connection>();

/** The connection that a request came on. */
export function connectionOf(req: IncomingMessage): Connection {
  const found = connections.get(req.socket);
  if (!found) throw new Error("a request without a connection");
  return found;
}

/** Sends `100 Continue` where the client waits for it (RFC 9110 section 10.1.1): to be called before the body is read. */
export function askForBody(req: IncomingMessage, res: ServerResponse): void {
  if (req.headers.expect !== undefined && req.httpVersionMinor === 1) res.writeContinue();
}

/** May the connection be used again after an answer that is given now? Not while a body of unknown or large size is under way. */
export function reusable(req: IncomingMessage): boolean {
  if (req.complete) return true;
  if (req.headers.expect !== undefined || req.headers["transfer-encoding"] !== undefined) return false;
  const length = req.headers["content-length"];
  return length === undefined || Number(length) <= drain_bytes;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

function meaning(code: string): TransportError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return "431 Request header fields too large";
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return "408 Request timed out";
    default:
      return "400 Bad request";
  }
}

/** The listening side of the gateway. */
export class Transport {
  readonly server: Server;
  private readonly open = new Set<Socket>();
  private closed: Promise<void> | null = null;

  constructor(private readonly options: TransportOptions) {
    const { timeouts } = options;
    this.server = createServer({
      maxHeaderSize: max_header_bytes,
      // Else a bare 400 is written without any event.
      requireHostHeader: false,
      connectionsCheckingInterval: timeouts.checkMs,
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.keepAliveMs,
    });
    // A client that has sent everything and closes its side still wants its answer; by default Node drops it.
    Object.assign(this.server, { httpAllowHalfOpen: true });
    // The number of headers is counted here: beyond this one Node drops further headers without a word, keys included.
    this.server.maxHeadersCount = 0;
    this.server.timeout = timeouts.stalledMs;
    this.server.maxConnections = options.maxConnections * 2;
    this.server.on("connection", (socket) => this.connected(socket));
    const request = (req: IncomingMessage, res: ServerResponse) => this.requested(req, res);
    this.server.on("request", request);
    this.server.on("checkContinue", request);
    this.server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => {
      if (this.takes(req, res)) options.refuse("417 Expectation failed", req, res);
    });
    this.server.on("clientError", (error, socket) => this.failed(socket, meaning(codeOf(error)), null, codeOf(error)));
    const upgrade = (req: IncomingMessage, socket: Duplex) =>
      this.failed(socket, "400 Upgrade not supported", req, req.method ?? "");
    this.server.on("connect", upgrade);
    this.server.on("upgrade", upgrade);
  }

  private connected(socket: Socket): void {
    this.open.add(socket);
    connections.set(socket, new Connection(this.options.peer(socket), this.open.size > this.options.maxConnections));
    socket.once("close", () => this.open.delete(socket));
  }

  /** False: the answer before was announced as the last one of the connection, so this request must not be done. */
  private takes(req: IncomingMessage, res: ServerResponse): boolean {
    const connection = connectionOf(req);
    if (connection.final) return false;
    connection.previous = connection.last;
    connection.last = res;
    connection.final = !res.shouldKeepAlive;
    return true;
  }

  private requested(req: IncomingMessage, res: ServerResponse): void {
    if (!this.takes(req, res)) return;
    if (req.rawHeaders.length > 2 * max_headers) this.options.refuse("431 Request header fields too large", req, res);
    // HTTP/0.9 and the preface of 2.0 pass the parser. RFC 9112 section 3.2: HTTP/1.1 without Host is answered 400.
    else if (req.httpVersionMajor !== 1 || (req.headers.host === undefined && req.httpVersionMinor === 1))
      this.options.refuse("400 Bad request", req, res);
    else this.options.request(req, res);
  }

  /**
   * Something that is no request, or stopped being one. Answers go out in the order of the requests: what was asked
   * before on this connection is answered before. The parser fails anew with each packet that follows: only the first
   * failure counts.
   */
  private failed(socket: Duplex, error: TransportError, req: IncomingMessage | null, cause: string): void {
    const connection = connections.get(socket);
    if (!connection || socket.destroyed) {
      socket.destroy();
      return;
    }
    if (connection.failed) return;
    connection.failed = true;
    const { last, previous } = connection;
    const broken = req === null && last !== null && !last.req.complete ? last : null;
    connection.broken = broken;
    const before = broken ? previous : last;
    const answer = () => {
      // The head of its answer is out: nothing can be said any more.
      const said = broken?.headersSent ? undefined : this.options.bytes(error, req ?? broken?.req ?? null, cause);
      this.part(socket, said);
    };
    if (before && !before.writableFinished) before.once("close", answer);
    else answer();
  }

  /** Says the last word, and goes on reading for a while: to close at once would send a reset, which overtakes it. */
  private part(socket: Duplex, last: string | undefined): void {
    if (socket.destroyed) return;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    let left = linger_bytes;
    const timer = setTimeout(() => socket.destroy(), this.options.timeouts.lingerMs);
    socket.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) socket.destroy();
    });
    socket.on("end", () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => clearTimeout(timer));
    socket.end(last);
    socket.resume();
  }

  /**
   * Ends a response whose body has been written while the client is still sending: what it sends is thrown away, up to
   * 16 MiB or `lingerMs`, so that it comes to read the answer; then the connection is closed.
   */
  linger(req: IncomingMessage, res: ServerResponse): void {
    let left = linger_bytes;
    const end = () => {
      clearTimeout(timer);
      res.end();
    };
    const timer = setTimeout(end, this.options.timeouts.lingerMs);
    req.unpipe();
    req.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) end();
    });
    req.once("close", end);
    req.resume();
  }

  listen(host: string, port: number): Promise<{ port: number }> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ host, port, backlog: 1024 }, () => {
        this.server.off("error", reject);
        const address = this.server.address();
        if (address === null || typeof address === "string") reject(new Error("the server has no port"));
        else resolve({ port: address.port });
      });
    });
  }

  /** From now on each answer is the last one of its connection. */
  get closing(): boolean {
    return this.closed !== null;
  }

  /** No new connections; answers under way get `graceMs`, then what is left is cut off. Idempotent. */
  close(graceMs: number): Promise<void> {
    this.closed ??= this.end(graceMs);
    return this.closed;
  }

  private async end(graceMs: number): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, "close");
    this.server.close();
    // Node takes a connection on which nothing, or half a head, has arrived for a busy one.
    for (const socket of this.open) {
      const last = connections.get(socket)?.last;
      if (!last || last.writableFinished) socket.destroy();
    }
    const timer = setTimeout(() => this.server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }
}
