/** Deliveries from a store to endpoints on real sockets: what each test commits, and what arrives. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextRound } from "node:timers/promises";
import { createLog } from "../../src/log";
import { MemoryStore } from "../../src/store/memory";
import type { App, Store, StoredEvent } from "../../src/store/store";
import { type WebhookOptions, Webhooks } from "../../src/webhooks/delivery";
import { newSecret } from "../../src/webhooks/signature";
import { commitOf, loaded, loadedRoom, roomOf, sessionOf } from "../store/samples";

export interface Arrival {
  /** `session:sequence`, or `room:sequence` */
  readonly name: string;
  readonly sequence: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly response: ServerResponse;
}

/** Each test says how it answers; by default with 204. */
export class Endpoint {
  readonly arrivals: Arrival[] = [];
  url = "";
  answer: (arrival: Arrival) => void = ({ response }) => response.writeHead(204).end();
  readonly #waiting = new Set<() => void>();
  readonly #server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString("utf8");
    const { session_uuid, room_id, sequence } = JSON.parse(body);
    const arrival = {
      name: `${session_uuid ?? room_id}:${sequence}`,
      sequence,
      headers: request.headers,
      body,
      response,
    };
    this.arrivals.push(arrival);
    this.answer(arrival);
    for (const look of this.#waiting) look();
  });

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.port}/hook`;
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get names(): string[] {
    return this.arrivals.map(({ name }) => name);
  }

  /** Resolves once that many requests have arrived, or what was looked for is true of them. */
  async until(reached: number | ((arrivals: readonly Arrival[]) => boolean)): Promise<void> {
    const enough = typeof reached === "number" ? () => this.arrivals.length >= reached : () => reached(this.arrivals);
    if (enough()) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!enough()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

function eventOf(of: { readonly session_uuid: string } | { readonly room_id: string }, sequence: number): StoredEvent {
  const body = JSON.stringify({ event: "dtmf", ...of, sequence, data: { digit: "ü" } });
  return { sequence, id: `evt_${randomUUID()}`, event: "dtmf", body, created_at: Date.now(), room_id: null };
}

type Line = Record<string, unknown> & { readonly msg: string };

export class Place {
  readonly lines: Line[] = [];
  /** Outcomes of attempts, in the order in which they were counted. */
  readonly counted: { readonly outcome: string; readonly lag_seconds: number }[] = [];
  /** Bodies that were given to the contract check, each behind its event. */
  readonly checked: string[] = [];
  readonly store: Store;
  readonly webhooks: Webhooks;
  readonly #endpoints: Endpoint[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(options: Partial<WebhookOptions> = {}) {
    this.store = options.store ?? new MemoryStore();
    const log = createLog("debug", {
      write: (line) => {
        this.lines.push(JSON.parse(line));
        for (const look of this.#waiting) look();
      },
    });
    const meter = {
      attempt: (outcome: string, lag_seconds: number) => void this.counted.push({ outcome, lag_seconds }),
    };
    const check = { webhook: (event: string, body: string) => void this.checked.push(`${event} ${body}`) };
    const observers = { log, meter, check };
    this.webhooks = new Webhooks({
      store: this.store,
      allowLocalhost: true,
      retrySeconds: 2,
      ...observers,
      ...options,
    });
    this.webhooks.start();
  }

  async endpoint(answer?: Endpoint["answer"]): Promise<Endpoint> {
    const endpoint = new Endpoint();
    if (answer) endpoint.answer = answer;
    this.#endpoints.push(endpoint);
    return endpoint.listen();
  }

  /** Creates or replaces an app. @returns the secret it would be created with */
  async app(app_id: string, webhook_url: string): Promise<string> {
    const secret = newSecret();
    const settings = { app_id, webhook_url, rate_limit: 0, events: [], dids: [] };
    await this.store.putApp({ settings, digest: null, created: { digest: app_id, secret } });
    return secret;
  }

  async shown(app_id: string): Promise<App | null> {
    return this.store.app(app_id);
  }

  /** Commits so many further events of a session, which is made when there is none of that name. */
  async commit(app_id: string, session_uuid: string, count: number, wake = true): Promise<void> {
    await this.store.createSession(sessionOf(session_uuid, { app_id }), []);
    const before = await loaded(this.store, session_uuid);
    const events = Array.from({ length: count }, (_, i) => {
      return eventOf({ session_uuid }, before.state.sequence + 1 + i);
    });
    await this.store.commit(commitOf(before, { sequence: before.state.sequence + count }, { events }));
    if (wake) this.webhooks.wake(app_id);
  }

  /** The same of a room. */
  async commitRoom(app_id: string, room_id: string, count: number): Promise<void> {
    await this.store.createRoom(roomOf(room_id, { app_id }));
    const before = await loadedRoom(this.store, room_id);
    const events = Array.from({ length: count }, (_, i) => eventOf({ room_id }, before.state.sequence + 1 + i));
    await this.store.commit(commitOf(before, { sequence: before.state.sequence + count }, { events }));
    this.webhooks.wake(app_id);
  }

  /** Resolves once nothing is left to deliver. */
  async emptied(): Promise<void> {
    while ((await this.store.appsWithEvents()).length > 0) await nextRound();
  }

  /** The first line that says so, written already or to come. */
  async line(matches: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found) return found;
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }

  async close(): Promise<void> {
    // First, so that attempts that hang end at once.
    for (const endpoint of this.#endpoints) await endpoint.close();
    await this.webhooks.close();
    await this.store.close();
  }
}
