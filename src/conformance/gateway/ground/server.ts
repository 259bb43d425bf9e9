/** The kit's own HTTP server: what gateways under test send webhooks to and fetch files from. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export class KitServer {
  readonly #handlers = new Map<string, Handler>();
  readonly #server: Server;
  #url = "";
  #made = 0;
  #asked = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#asked += 1;
      const [, key = ""] = (request.url ?? "").split("/");
      const handler = this.#handlers.get(key);
      if (!handler) response.writeHead(404).end();
      else Promise.resolve(handler(request, response)).catch(() => response.destroy());
    });
  }

  /**
   * @param publicUrl under which the gateway reaches it; null: the address that it listens on
   * @throws the system's error when the address cannot be had
   */
  async listen(host: string, port: number, publicUrl: string | null): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("a listening server has no address");
    const name = isIP(host) === 6 ? `[${host}]` : host;
    this.#url = publicUrl?.replace(/\/+$/, "") ?? `http://${name}:${address.port}`;
  }

  /** @returns the URL at which this handler answers, whatever follows it */
  at(handler: Handler): string {
    const key = `k${++this.#made}`;
    this.#handlers.set(key, handler);
    return `${this.#url}/${key}`;
  }

  /** Resolves once nobody has asked for anything for `forMs`, or after `atMostMs`. */
  async quiet(forMs: number, atMostMs: number): Promise<void> {
    const deadline = performance.now() + atMostMs;
    for (let asked = -1; asked !== this.#asked && performance.now() < deadline; ) {
      asked = this.#asked;
      await delay(forMs);
    }
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}
