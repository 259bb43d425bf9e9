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
import { type OperationId, operations, type PseudoOperationId, triples } from "../../generated/operations";
import { promised } from "../../src/promised";

export type AnswerId = OperationId | PseudoOperationId;

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

const unknownCommand = /^\/api\/v1\/sessions\/[^/]+\/commands\/./;
const templates = Object.entries(operations).map(([id, { method, path: template }]) => {
  const pattern = template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+");
  return { id: id as OperationId, method, pattern: new RegExp(`^${pattern}$`) };
});

/** The operation that a request is for, by the document; null when there is none. */
export function operationOf(method: string, target: string): AnswerId | null {
  const [raw = ""] = target.replace(/^https?:\/\/[^/]*/, "").split("?");
  const pathname = raw.replaceAll(/%(?!2f)[2-7][0-9a-f]/gi, (encoded) => decodeURIComponent(encoded));
  const verb = method === "HEAD" ? "GET" : method;
  const found = templates.find((template) => template.method === verb && template.pattern.test(pathname));
  if (found) return found.id;
  const taken = templates.some(({ pattern }) => pattern.test(pathname));
  return verb === "POST" && !taken && unknownCommand.test(pathname) ? "commands.unknown" : null;
}

/** Whose failure this is: the operation's own, else that of what stands below the router. */
function answererOf(operation: AnswerId | null, status: number, message: string): AnswerId {
  const declaring = triples.filter(([, code, text]) => code === status && text === message).map(([id]) => id);
  const answerer = declaring.find((id) => id === operation) ?? declaring.find((id) => id.startsWith("http."));
  if (!answerer) throw new Error(`${operation ?? "no operation"}: ${status} "${message}" is not declared`);
  return answerer;
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
  const { method, status, headers, bytes, inside = false } = response;
  const operation = operationOf(method, response.path);
  const head = method === "HEAD";
  if (head && bytes.length > 0) throw new Error("a response to HEAD has a body");
  const failure = status >= 400 && !head;
  const message = failure ? messageOf(bytes) : "";
  const answerer = failure ? answererOf(operation, status, message) : (operation ?? "http.notFound");
  const wrong = promised().responseErrors(answerer, status, headers, head ? null : bytes);
  if (wrong.length > 0) throw new Error(`${method} ${response.path}: ${wrong.join("; ")}\n${bytes}`);
  if (failure) remember(answerer, status, message, inside);
  return answerer;
}

function messageOf(bytes: Buffer): string {
  const body: unknown = JSON.parse(bytes.toString("utf8"));
  if (typeof body !== "object" || body === null || !("error" in body)) throw new Error(`no envelope: ${bytes}`);
  return String(body.error);
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
