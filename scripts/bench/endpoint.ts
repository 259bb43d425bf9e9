/** An application's webhook endpoint that takes everything. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Arrival {
  readonly event: string;
  /** Not of the events of a room. */
  readonly session_uuid?: string;
  readonly sequence: number;
  readonly data: { readonly caller_id?: string };
  /** By the monotonic clock, when its last byte was here. */
  readonly at: number;
}

interface Waiting {
  readonly event: string | null;
  readonly count: number;
  resolve(): void;
}

export class Endpoint {
  readonly #counts = new Map<string | null, number>();
  readonly #waiting = new Set<Waiting>();
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const at = performance.now();
      response.writeHead(204).end();
      this.#take({ ...JSON.parse(Buffer.concat(chunks).toString("utf8")), at });
    });
  });

  /** @param arrived is told of each event */
  constructor(readonly arrived: (arrival: Arrival) => void = () => undefined) {}

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once so many events have come; null: of any name. */
  async received(event: string | null, count: number): Promise<void> {
    if ((this.#counts.get(event) ?? 0) >= count) return;
    await new Promise<void>((resolve) => this.#waiting.add({ event, count, resolve }));
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #take(arrival: Arrival): void {
    for (const name of [null, arrival.event]) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.arrived(arrival);
    for (const waiting of this.#waiting) {
      if ((this.#counts.get(waiting.event) ?? 0) < waiting.count) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}
