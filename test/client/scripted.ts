/** A server that answers as it is told, one answer after the other, and remembers what it was asked. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import { type ErrorCode, errors } from "../../generated/operations";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answered = (response: ServerResponse) => void;

export const answer =
  (status: number, body: string, headers: OutgoingHttpHeaders = {}): Answered =>
  (response) =>
    response.writeHead(status, { "Content-Type": "application/json; charset=utf-8", ...headers }).end(body);

/** An error as the gateway words it. */
export const refusal = (code: ErrorCode, retryAfter?: number, detail?: object): Answered => {
  const { status, message } = errors[code];
  const body = { success: false, error: message, code, ...(detail && { detail }) };
  return answer(status ?? 500, JSON.stringify(body), retryAfter === undefined ? {} : { "Retry-After": retryAfter });
};

export const accepted = answer(202, '{"operation_id":"o","status":"in_progress","timeout_ms":2000}');
export const cut: Answered = (response) => response.destroy();

export class ScriptedServer {
  readonly url: string;
  readonly asked: Asked[] = [];
  readonly #close: () => Promise<void>;

  private constructor(url: string, asked: Asked[], close: () => Promise<void>) {
    this.url = url;
    this.asked = asked;
    this.#close = close;
  }

  /** The last answer is given for ever. */
  static async start(...answers: readonly [Answered, ...Answered[]]): Promise<ScriptedServer> {
    const asked: Asked[] = [];
    const left = [...answers];
    const server = createServer(async (request, response) => {
      const { method = "", url = "", headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(await request.toArray()).toString("utf8") });
      const [next = answers[0]] = left.length > 1 ? left.splice(0, 1) : left;
      next(response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
    return new ScriptedServer(`http://127.0.0.1:${address.port}`, asked, async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    });
  }

  close(): Promise<void> {
    return this.#close();
  }
}
