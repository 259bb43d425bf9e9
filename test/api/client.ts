/**
 * The HTTP client of every test. Each response is checked against the document before a test sees it: an undeclared
 * status, header or text, a missing header or a wrong schema throws. Usage:
 *
 *     const client = new Client(place.url);
 *     const { status, body } = await client.request({ method: "POST", path, headers: place.app, body: { urls } });
 *
 * A body that is an object is sent as JSON, with its Content-Type unless the headers have one. Tests that write to a
 * socket themselves give what they have read to {@link checkResponse}.
 *
 * Each failure that was seen is recorded: where VOICEGATE_TRIPLES names a folder, one file per process and test file
 * gets a line `{"operation", "status", "message", "inside"}` for each new one. `inside` says that the test had to make a
 * store or an engine fail.
 */
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import path from "node:path";
import { held, jsonOf } from "../../src/conformance/gateway/ground/client";
import type { AnswerId } from "../../src/conformance/gateway/ground/declared";

export type { AnswerId };

export interface ClientRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer | object | null;
  /** Sent without a length. */
  readonly chunked?: boolean;
  /** In place of one connection per request. */
  readonly agent?: Agent;
}

export interface ClientResponse {
  readonly operation: AnswerId;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON of the body; undefined when there is none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface SeenResponse {
  readonly method: string;
  /** Target of the request; "" when it had none. */
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly inside?: boolean;
}

const seen = new Set<string>();
const record = `${process.pid}-${randomUUID()}.jsonl`;

function remember(operation: AnswerId, status: number, message: string, inside: boolean): void {
  const folder = process.env.VOICEGATE_TRIPLES;
  const line = `${JSON.stringify({ operation, status, message, inside })}\n`;
  if (!folder || seen.has(line)) return;
  seen.add(line);
  appendFileSync(path.join(folder, record), line);
}

/**
 * Checks a response against the document and records it.
 *
 * @returns the operation that it was an answer of
 * @throws when it is not what the document declares
 */
export function checkResponse(response: SeenResponse): AnswerId {
  const { method, path: url, status, headers, bytes, inside = false } = response;
  const answered = { status, headers, body: bytes.toString("utf8") };
  const exchange = { method, url, request: { headers: {}, body: "" }, response: answered, ms: 0 };
  const operation = held(method, url, { status, headers, bytes, exchange });
  if (status >= 400 && method !== "HEAD") remember(operation, status, String(jsonOf(headers, bytes)?.error), inside);
  return operation;
}

const alone = new Agent({ keepAlive: false });

export class Client {
  /**
   * @param url of the gateway
   * @param inside what is provoked here is provoked by a store or an engine that fails
   */
  constructor(
    readonly url: string,
    private readonly options: { readonly inside?: boolean } = {},
  ) {}

  request({
    method,
    path: target,
    headers = {},
    body,
    chunked,
    agent = alone,
  }: ClientRequest): Promise<ClientResponse> {
    const json = typeof body === "object" && body !== null && !Buffer.isBuffer(body);
    const bytes = json ? JSON.stringify(body) : (body ?? "");
    const typed = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
    const sent: Record<string, string | string[]> = { ...headers };
    if (json && !typed) sent["Content-Type"] = "application/json";
    // Said aloud, because for GET and DELETE Node frames a body by neither.
    if (chunked) sent["Transfer-Encoding"] = "chunked";
    else if (bytes.length > 0) sent["Content-Length"] = String(Buffer.byteLength(bytes));
    return new Promise((resolve, reject) => {
      const outgoing = request(this.url + target, { method, headers: sent, agent }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          try {
            resolve(this.checked(method, target, incoming.statusCode ?? 0, incoming.headers, Buffer.concat(chunks)));
          } catch (error) {
            reject(error);
          }
        });
      });
      outgoing.on("error", reject);
      if (chunked) {
        outgoing.write(bytes);
        outgoing.end();
      } else outgoing.end(bytes);
    });
  }

  private checked(method: string, target: string, status: number, headers: IncomingHttpHeaders, bytes: Buffer) {
    const operation = checkResponse({ method, path: target, status, headers, bytes, ...this.options });
    const text = bytes.toString("utf8");
    const json = headers["content-type"]?.startsWith("application/json") && text !== "";
    return { operation, status, headers, text, body: json ? JSON.parse(text) : undefined };
  }
}
