/**
 * The apps' webhook endpoint: it checks what it is told, and answers as badly as chance wants. What chance wants depends on
 * the seed, the event and how often it came.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import type { Ledger } from "./ledger";
import type { Seed } from "./seed";

type Manner = "well" | "slowly" | "failing" | "busy" | "broken" | "halfway" | "never";

/** `broken`: the connection breaks; `halfway`: in the middle of the answer; `never`: it stays open, without a word. */
const manners: readonly (readonly [share: number, Manner])[] = [
  [0.05, "slowly"],
  [0.03, "failing"],
  [0.01, "busy"],
  [0.015, "broken"],
  [0.01, "halfway"],
  [0.004, "never"],
  [1, "well"],
];
const slowMs = [100, 1500] as const;
const downMs = [200, 1200] as const;

/** A delivery that was read and is not answered. */
interface Open {
  /** The gateway's port of this connection. */
  readonly port: number;
}

export class Receiver {
  /** Signing secrets of the apps. */
  readonly secrets = new Map<string, string>();
  readonly answers = new Map<Manner | "down", number>();
  readonly #ledger: Ledger;
  readonly #seed: Seed;
  readonly #open = new Set<Open>();
  #port = 0;
  #ambush: ((port: number) => boolean) | null = null;
  #well = false;
  readonly #server = createServer((request, response) => {
    this.#take(request, response).catch((error: unknown) => {
      // Who sent it is gone before all of it was here: it is sent again.
      if (request.complete) this.#ledger.fault("gateway", `a delivery: ${error}`);
      response.destroy();
    });
  });

  constructor(ledger: Ledger, seed: Seed) {
    this.#ledger = ledger;
    this.#seed = seed;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get port(): number {
    return this.#port;
  }

  /** The gateways' ports of the deliveries that are under way. */
  get open(): readonly number[] {
    return [...this.#open].map(({ port }) => port);
  }

  /**
   * Asks `caught` at each delivery, before it is answered, until that says that it was the one.
   * @returns gives the waiting up
   */
  ambush(caught: (port: number) => boolean): () => void {
    this.#ambush = caught;
    return () => {
      if (this.#ambush === caught) this.#ambush = null;
    };
  }

  /** Breaks all connections and refuses new ones for a while. */
  async restart(time: number): Promise<void> {
    this.#count("down");
    await this.#down();
    await delay(this.#seed.whole(...downMs, "down", time));
    await this.listen();
  }

  /** From now on it answers well: what is left shall come through. */
  mend(): void {
    this.#well = true;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.#down();
  }

  async #down(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray()).toString("utf8");
    const { session_uuid, room_id, sequence, event, timestamp, app_id, data } = JSON.parse(body);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    new Webhook(this.secrets.get(app_id) ?? "").verify(body, headers);
    const webhook_id = headers["webhook-id"] ?? "";
    const told = { webhook_id, source: session_uuid ?? room_id, sequence, event, timestamp, app_id, data, body };
    const { source, attempt } = this.#ledger.arrived(told);
    const open = { port: request.socket.remotePort ?? 0 };
    this.#open.add(open);
    response.once("close", () => this.#open.delete(open));
    if (this.#ambush?.(open.port)) this.#ambush = null;
    const name = ["answer", source.label, sequence, attempt] as const;
    const manner = this.#well ? "well" : this.#seed.weighted(manners, ...name);
    this.#count(manner);
    if (manner === "slowly") await delay(this.#seed.whole(...slowMs, "slow", ...name));
    if (response.destroyed) return;
    if (manner === "well" || manner === "slowly") this.#ledger.acknowledged(source, sequence);
    if (manner !== "never") this.#open.delete(open);
    respond(response, manner);
  }

  #count(answer: Manner | "down"): void {
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }
}

function respond(response: ServerResponse, manner: Manner): void {
  switch (manner) {
    case "well":
    case "slowly":
      response.writeHead(204).end();
      return;
    case "failing":
      response.writeHead(500).end("no");
      return;
    case "busy":
      response.writeHead(503, { "Retry-After": "1" }).end();
      return;
    case "broken":
      response.destroy();
      return;
    case "halfway":
      response.socket?.write("HTTP/1.1 20", () => response.destroy());
      return;
    case "never":
      return;
  }
}
