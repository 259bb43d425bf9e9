/** A conversation on a bare socket: what no HTTP client would send, and every byte that comes back. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { Broken, type Exchange } from "../../check";
import { netcatLine } from "../../report/repeat";
import type { HttpRequest } from "../requests/requests";
import { type Answer, held, jsonOf } from "./client";

export interface WireResponse extends Omit<Answer, "operation"> {
  /** `error` of the envelope; "" when there is none. */
  readonly error: string;
}

/** Who says nothing for so long says nothing any more. */
const silenceMs = 15_000;
/** The longest request that a report quotes. */
const quoted = 2048;

interface Parsed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly rest: Buffer;
}

/** The first response in `bytes` and what follows it; null while it is not complete. */
function first(bytes: Buffer, bodiless: boolean, ended: boolean): Parsed | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [line = "", ...fields] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
  if (!status) throw new Broken({ expected: "a status line of HTTP/1.1", got: line });
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(":");
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const rest = bytes.subarray(end + 4);
  const whole = (body: Buffer, after: Buffer): Parsed => ({ status, headers, bytes: body, rest: after });
  if (bodiless || status < 200 || status === 204 || status === 304) return whole(Buffer.alloc(0), rest);
  // A stream has no end: who did not expect one sees that it is one.
  if (headers["content-type"]?.startsWith("text/event-stream")) return whole(Buffer.alloc(0), rest);
  if (headers["transfer-encoding"] !== undefined) {
    const chunks = dechunked(rest);
    return chunks && whole(chunks.body, chunks.rest);
  }
  const length = Number(headers["content-length"] ?? (ended ? rest.length : Number.POSITIVE_INFINITY));
  return rest.length < length ? null : whole(rest.subarray(0, length), rest.subarray(length));
}

function dechunked(bytes: Buffer): { body: Buffer; rest: Buffer } | null {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf("\r\n", at);
    if (line === -1) return null;
    const size = Number.parseInt(bytes.subarray(at, line).toString("latin1"), 16);
    const next = line + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return { body: Buffer.concat(parts), rest: bytes.subarray(next) };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = next;
  }
}

/** @returns a connection whose sides may be closed one by one */
export async function connected(url: string): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const secure = protocol === "https:";
  const to = { host, port: Number(port || (secure ? 443 : 80)), allowHalfOpen: true };
  const socket = secure ? connectSecurely({ ...to, servername: host }) : connect(to);
  await once(socket, secure ? "secureConnect" : "connect");
  return socket;
}

export class Wire {
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #reset = false;
  #wake: () => void = () => undefined;
  #written = "";

  /** @param url of the gateway */
  constructor(
    readonly socket: Socket,
    private readonly url: string,
  ) {
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    // A reset ends the conversation as well: whoever waits for a response learns it as the end.
    socket.on("error", () => {
      this.#reset = true;
      this.#wake();
    });
    socket.on("close", () => this.#wake());
  }

  /** @param bytes of a string, each character is one */
  write(bytes: string | Buffer): void {
    const room = quoted - this.#written.length;
    if (room > 0) this.#written += bytes.slice(0, room).toString("latin1");
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  send(request: HttpRequest): void {
    this.write(bytesOf(request, new URL(this.url).host));
  }

  /** No more bytes from this side. */
  halfClose(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Was the connection reset? Then what was not read of it is lost. */
  get reset(): boolean {
    return this.#reset;
  }

  /**
   * The next response, as it came; null when the connection was closed instead.
   *
   * @param method of the request that it answers
   * @throws Broken when there is half a response, or none in time
   */
  async next(method = "", target = "", withinMs = silenceMs): Promise<WireResponse | null> {
    const begun = performance.now();
    const deadline = begun + withinMs;
    for (;;) {
      const found = first(this.#received, method === "HEAD", this.#ended);
      if (found) {
        this.#received = found.rest;
        const { status, headers, bytes } = found;
        const body = jsonOf(headers, bytes);
        const exchange = this.#exchange(method, target, begun, { status, headers, body: bytes.toString("utf8") });
        return { status, headers, bytes, body, exchange, error: status < 400 ? "" : String(body?.error ?? "") };
      }
      if (this.#ended || this.socket.destroyed) {
        if (this.#received.length === 0) return null;
        throw this.#broken(
          "a whole response",
          `half of one: ${this.#received.toString("latin1").slice(0, 500)}`,
          begun,
        );
      }
      const left = deadline - performance.now();
      if (left <= 0) throw this.#broken(`an answer within ${withinMs / 1000} s`, "none", begun);
      await this.#more(left);
    }
  }

  /** The head of a response whose body has no end: what follows it is thrown away. */
  async head(): Promise<WireResponse> {
    const begun = performance.now();
    while (!this.#received.includes("\r\n\r\n")) {
      const left = begun + silenceMs - performance.now();
      if (left <= 0 || this.#ended || this.socket.destroyed) throw this.#broken("the head of an answer", "none", begun);
      await this.#more(left);
    }
    const end = this.#received.indexOf("\r\n\r\n") + 4;
    this.#received = this.#received.subarray(0, end);
    this.socket.removeAllListeners("data").resume();
    const answer = await this.next("HEAD");
    if (!answer) throw this.#broken("the head of an answer", "none", begun);
    return answer;
  }

  /**
   * The next response, held against the document; null when the connection was closed instead.
   *
   * @param method and target of the request that it answers; empty when there was no request
   * @throws Broken when it is not what the document declares
   */
  async response(method = "", target = "", withinMs = silenceMs): Promise<WireResponse | null> {
    const found = await this.next(method, target, withinMs);
    if (found && found.status !== 100) held(method, target, found);
    return found;
  }

  /** As {@link response}, where there must be one. */
  async answer(method = "", target = "", withinMs = silenceMs): Promise<WireResponse> {
    const found = await this.response(method, target, withinMs);
    if (!found) throw this.#broken("an answer", this.#reset ? "a reset connection" : "a closed connection", 0);
    return found;
  }

  /** Resolves once the other side has closed, without a further byte. */
  async closed(): Promise<void> {
    const more = await this.next();
    this.socket.destroy();
    if (!more) return;
    throw new Broken({
      expected: "the end of the connection",
      got: `a further response: ${more.status} ${more.error}`,
      exchanges: [more.exchange],
    });
  }

  #broken(expected: string, got: string, begun: number): Broken {
    return new Broken({ expected, got, exchanges: [this.#exchange("", "", begun, null)] });
  }

  #exchange(method: string, target: string, begun: number, response: Exchange["response"]): Exchange {
    const repeat = netcatLine(this.url, this.#written);
    const ms = Math.round(performance.now() - begun);
    return { method, url: this.url + target, request: { headers: {}, body: this.#written }, response, ms, repeat };
  }

  #more(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Method and target of the first request in `bytes`, as far as there is one. */
export function requestLine(bytes: string | Buffer): [method: string, path: string] {
  const match = /^(\w+) (\S+) HTTP\/1\.[01]\r\n/.exec(bytes.toString("latin1").trimStart());
  return [match?.[1] ?? "", match?.[2] ?? ""];
}

/** A request as it goes over the wire. */
export function bytesOf({ method, path, headers, body }: HttpRequest, host = "gateway"): string {
  const all = { Host: host, ...headers, ...(body !== null && { "Content-Length": Buffer.byteLength(body) }) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body?.toString("latin1") ?? ""}`;
}

/** Has a conversation on a connection of its own. */
export async function onWire<T>(url: string, talk: (wire: Wire) => Promise<T>): Promise<T> {
  const wire = new Wire(await connected(url), url);
  try {
    return await talk(wire);
  } finally {
    wire.destroy();
  }
}

/** Several requests in one packet. @returns their answers, in this order */
export function together(url: string, requests: readonly HttpRequest[]): Promise<WireResponse[]> {
  return onWire(url, async (wire) => {
    wire.write(requests.map((request) => bytesOf(request, new URL(url).host)).join(""));
    const answers: WireResponse[] = [];
    for (const { method, path } of requests) answers.push(await wire.answer(method, path));
    return answers;
  });
}
