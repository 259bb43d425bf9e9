/**
 * The HTTP client of the checks. Each answer is held against the document before a check sees it, and each request and
 * answer is kept for the report. What authenticates nobody waits for its turn: an address has few failures per second
 * before it is refused unseen.
 */
import { Agent as HttpAgent, type IncomingHttpHeaders, type RequestOptions, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { operations, pseudoOperations } from "../../../../generated/operations";
import { promised } from "../../../promised";
import { Broken, type Exchange } from "../../check";
import { Clock } from "./clock";
import { type AnswerId, answererOf, operationOf } from "./declared";
import { Ledger } from "./ledger";
import type { Answer, JsonObject, KitRequest, RequestHeaders } from "./messages";
import type { Pace } from "./pace";

export type { Answer, JsonObject, KitRequest, RequestHeaders } from "./messages";

/** The longest body that a report quotes. */
const quoted = 4096;
/** An answer that takes longer is none. */
const answerMs = 20_000;

export class KitClient {
  /** The gateway's, by all of its answers. */
  readonly clock = new Clock();
  /** Commands that were taken. */
  readonly ledger = new Ledger();
  readonly #agent: HttpAgent;
  readonly #request: typeof requestHttp;
  /** API keys by app id: who has one of these authenticates. */
  readonly #keys = new Map<string, string>();

  /**
   * @param url of the gateway, without a slash at its end
   * @param admin the admin key; null: there is none
   * @param failures how often an authentication may fail
   */
  constructor(
    readonly url: string,
    private readonly admin: string | null,
    private readonly failures: Pace,
  ) {
    const secure = url.startsWith("https:");
    this.#agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
    this.#request = secure ? requestHttps : requestHttp;
  }

  /** From now on this key is right; null: from now on none is. */
  knows(app_id: string, api_key: string | null): void {
    if (api_key === null) this.#keys.delete(app_id);
    else this.#keys.set(app_id, api_key);
  }

  /** @throws Broken when the answer is not what the document declares, or there is none */
  async request(request: KitRequest): Promise<Answer> {
    const sent = await this.send(request);
    const answer = { ...sent, operation: held(request.method, request.path, sent) };
    this.ledger.note(request, answer);
    return answer;
  }

  /** Waits until a failed authentication may be counted. For requests that are sent in another way. */
  async turn({ method, path, headers = {} }: KitRequest): Promise<void> {
    if (!this.#authenticates(operationOf(method, path), headers)) await this.failures.turn();
  }

  /** The answer as it came, held against nothing. @throws Broken when there is none */
  async send(request: KitRequest): Promise<Omit<Answer, "operation">> {
    await this.turn(request);
    const { method, path, headers = {}, body = null, chunked = false } = request;
    const json = typeof body === "object" && body !== null && !Buffer.isBuffer(body);
    const bytes = json ? JSON.stringify(body) : (body ?? "");
    const sent: Record<string, string | string[]> = { ...headers };
    const has = (name: string) => Object.keys(headers).some((each) => each.toLowerCase() === name);
    if (json && !has("content-type")) sent["Content-Type"] = "application/json";
    // Said aloud, because for GET and DELETE Node frames a body by neither.
    if (chunked) sent["Transfer-Encoding"] = "chunked";
    else if (bytes.length > 0 && !has("content-length")) sent["Content-Length"] = String(Buffer.byteLength(bytes));
    const begun = performance.now();
    const exchanged = (response: Exchange["response"]): Exchange => {
      const ms = Math.round(performance.now() - begun);
      return { method, url: this.url + path, request: { headers: sent, body: quote(bytes) }, response, ms };
    };
    try {
      const { status, headers, bytes: answered } = await this.#exchange(method, path, sent, bytes, chunked);
      this.clock.saw(headers.date, Date.now());
      const exchange = exchanged({ status, headers, body: quote(answered) });
      return { status, headers, bytes: answered, body: jsonOf(headers, answered), exchange };
    } catch (error) {
      const got = error instanceof Error ? error.message : String(error);
      throw new Broken({ expected: `an answer to ${method} ${path}`, got, exchanges: [exchanged(null)] });
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange(
    method: string,
    path: string,
    headers: Record<string, string | string[]>,
    bytes: string | Buffer,
    chunked: boolean,
    agent: HttpAgent | false = this.#agent,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }> {
    const options: RequestOptions = { method, headers, agent, timeout: answerMs };
    return new Promise((resolve, reject) => {
      const outgoing = this.#request(this.url + path, options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes: Buffer.concat(chunks) });
        });
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${answerMs / 1000} s`)));
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        // The gateway may close an idle connection just when a request goes out on it (RFC 9112, section 9.3.1).
        const stale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        if (stale && agent) resolve(this.#exchange(method, path, headers, bytes, chunked, false));
        else reject(error);
      });
      if (chunked) outgoing.write(bytes);
      outgoing.end(chunked ? "" : bytes);
    });
  }

  #authenticates(operation: AnswerId | null, headers: RequestHeaders): boolean {
    const given = (name: string) => Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
    const auth = authOf(operation);
    if (auth === "none") return true;
    if (auth === "admin") return this.admin !== null && given("x-admin-api-key") === this.admin;
    const key = this.#keys.get(String(given("x-app-id")));
    return key !== undefined && given("x-api-key") === key;
  }
}

/** Who has to say who he is. */
function authOf(operation: AnswerId | null): "app" | "admin" | "none" {
  if (operation === null) return "none";
  if (operation === "commands.unknown") return pseudoOperations[operation].auth;
  return operation in operations ? operations[operation as keyof typeof operations].auth : "none";
}

/**
 * Holds an answer against the document.
 *
 * @param method and target of the request, "" when there was none
 * @returns whose answer it is
 * @throws Broken when it is not what the document declares
 */
export function held(
  method: string,
  target: string,
  { status, headers, bytes, exchange }: Omit<Answer, "operation" | "body">,
): AnswerId {
  const operation = operationOf(method, target);
  const head = method === "HEAD";
  const wrong = (got: string): Broken => {
    return new Broken({
      expected: `an answer that the document declares for ${operation ?? target}`,
      got,
      exchanges: [exchange],
    });
  };
  if (head && bytes.length > 0) throw wrong("a body in answer to HEAD");
  const message = status >= 400 && !head ? jsonOf(headers, bytes)?.error : null;
  if (message !== null && typeof message !== "string") throw wrong(`${status} without the envelope of errors`);
  const answerer = message === null ? (operation ?? "http.notFound") : answererOf(operation, status, message);
  if (answerer === null) throw wrong(`${status} "${message}", which it does not declare`);
  const faults = promised().responseErrors(answerer, status, headers, head ? null : bytes);
  if (faults.length > 0) throw wrong(faults.join("; "));
  return answerer;
}

/** The JSON object of a body; undefined when it is none. */
export function jsonOf(headers: IncomingHttpHeaders, bytes: Buffer): JsonObject | undefined {
  if (!headers["content-type"]?.startsWith("application/json") || bytes.length === 0) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function quote(bytes: string | Buffer): string {
  const text = bytes.toString("utf8");
  return text.length <= quoted ? text : `${text.slice(0, quoted)}… (${bytes.length} in all)`;
}
