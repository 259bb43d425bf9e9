/** A conversation on a bare socket: what no HTTP client would send, and every byte that comes back. */
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { checkResponse } from "./client";

export interface WireResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** `error` of the envelope; "" when there is none. */
  readonly error: string;
}

/** The first response in `bytes` and what follows it; null while it is not complete. */
function first(bytes: Buffer, bodiless: boolean): { response: WireResponse; rest: Buffer } | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [line = "", ...fields] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1];
  if (!status) throw new Error(`no status line: ${line}`);
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(": ");
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 2);
  }
  const length = bodiless || status === "100" ? 0 : Number(headers["content-length"]);
  const body = bytes.subarray(end + 4, end + 4 + length);
  if (body.length < length) return null;
  const envelope = length > 0 && Number(status) >= 400 ? String(JSON.parse(body.toString()).error) : "";
  return {
    response: { status: Number(status), headers, bytes: body, error: envelope },
    rest: bytes.subarray(end + 4 + length),
  };
}

export class Wire {
  private received: Buffer = Buffer.alloc(0);
  private ended = false;

  private wake: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on("end", () => {
      this.ended = true;
      this.wake();
    });
    // A reset ends the conversation as well: whoever waits for a response learns it as the end.
    socket.on("error", () => this.wake());
    socket.on("close", () => this.wake());
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    return new Wire(socket);
  }

  /** @param bytes of a string, each character is one */
  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** No more bytes from this side. */
  halfClose(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /**
   * The next response, checked against the document; null when the connection was closed instead.
   *
   * @param request method and target that it answers; empty when there was no request
   */
  async response(method = "", path = ""): Promise<WireResponse | null> {
    for (;;) {
      const found = first(this.received, method === "HEAD");
      if (found) {
        this.received = found.rest;
        const { status, headers, bytes } = found.response;
        if (status !== 100) checkResponse({ method, path, status, headers, bytes });
        return found.response;
      }
      if (this.ended || this.socket.destroyed) {
        if (this.received.length > 0) throw new Error(`half a response: ${this.received}`);
        return null;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Resolves once the other side has closed, without a further byte. */
  async closed(): Promise<void> {
    const more = await this.response();
    this.socket.destroy();
    if (more) throw new Error(`a further response: ${more.status} ${more.bytes}`);
  }
}

/** Method and target of the first request in `bytes`, as far as there is one. */
export function requestLine(bytes: string | Buffer): [method: string, path: string] {
  const match = /^(\w+) (\S+) HTTP\/1\.[01]\r\n/.exec(bytes.toString("latin1").trimStart());
  return [match?.[1] ?? "", match?.[2] ?? ""];
}
