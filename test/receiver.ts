/**
 * An application's webhook endpoint, on a real socket. It checks each delivery as a careful application would: the
 * signature with the `standardwebhooks` package, the body against the spec, the order of the numbers. And it lets a test
 * await what it is waiting for, and answer as badly as it likes.
 */
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import type { EventData, EventName } from "../src/contract";
import { promised } from "../src/promised";

export interface Received<E extends EventName = EventName> {
  readonly event: E;
  /** Session uuid or room id: whose sequence it belongs to. */
  readonly source: string;
  readonly sequence: number;
  readonly timestamp: string;
  readonly app_id: string;
  readonly data: EventData<E>;
}

/** As it comes: exactly one of both names the sequence. */
type Body = Omit<Received, "source"> & { readonly session_uuid?: string; readonly room_id?: string };

/** One delivery that verified, whatever it was answered. */
export interface Attempt extends Received {
  /** Of the `webhook-id` header: the same at each attempt of one event. */
  readonly id: string;
}

/**
 * A status at once, a whole answer, or none: `never` keeps the connection open without a word, `cut` breaks it,
 * `endless` is a 200 whose body never ends.
 */
export type Answer =
  | number
  | { readonly status: number; readonly headers: OutgoingHttpHeaders }
  | "never"
  | "cut"
  | "endless";

const accepts = (answer: Answer): boolean =>
  answer === "endless" || (typeof answer === "number" && answer >= 200 && answer < 300);

export class Receiver {
  /** Every genuine event that was accepted, in the order of arrival, repeats left out. */
  readonly events: Received[] = [];
  /** Every genuine delivery, in the order of arrival. */
  readonly attempts: Attempt[] = [];
  /** Deliveries that did not verify; they are answered 401. */
  readonly forged: string[] = [];
  /** Set once the app is made. */
  secret = "";
  /** How a genuine delivery is answered. */
  answer: (attempt: Attempt) => Answer | Promise<Answer> = () => 204;
  /** Events of a session may be missing: they went to the dead letters, or to another receiver. */
  gaps = false;
  /** What no gateway may do. */
  readonly #faults: string[] = [];
  readonly #server: Server;
  #port = 0;
  readonly #waiting = new Set<() => void>();
  /** Bodies by `webhook-id`. */
  readonly #bodies = new Map<string, string>();
  /** The highest number of each session and room that was attempted. */
  readonly #reached = new Map<string, number>();

  constructor() {
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch((error: unknown) => this.#fault(String(error)));
    });
  }

  /** The second time it comes back at the same address. */
  async listen(): Promise<string> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    return this.url;
  }

  /** Where it listens, or listened last. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Refuses connections until it listens again. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  /** @throws what the gateway did wrong */
  async close(): Promise<void> {
    await this.down();
    if (this.#faults.length > 0) throw new Error(`webhooks against the contract:\n${this.#faults.join("\n")}`);
  }

  /** What `find` finds, now or once more has arrived. */
  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** The first event of this name (of this session or room, after this sequence), arrived already or to come. */
  event<E extends EventName>(name: E, source?: string, after = 0): Promise<Received<E>> {
    const matches = (event: Received): event is Received<E> =>
      event.event === name && (!source || event.source === source) && event.sequence > after;
    return this.until(() => this.events.find(matches));
  }

  /** The result of an operation. */
  result(operation_id: string): Promise<Received<"command.result">> {
    const matches = (event: Received): event is Received<"command.result"> =>
      event.event === "command.result" && "operation_id" in event.data && event.data.operation_id === operation_id;
    return this.until(() => this.events.find(matches));
  }

  /** The nth delivery, accepted or not. */
  attempted(n: number): Promise<Attempt> {
    return this.until(() => this.attempts[n - 1]);
  }

  /** Names of a session's or a room's events in the order of their numbers. */
  names(source: string): string[] {
    return this.of(source).map(({ event }) => event);
  }

  of(source: string): Received[] {
    return this.events.filter((event) => event.source === source);
  }

  /** All events of a call or a room, once this one has come; the numbers without a gap. */
  async story(source: string, last: EventName = "call.hangup"): Promise<Received[]> {
    await this.event(last, source);
    const events = this.of(source);
    const gap = events.find(({ sequence }, i) => sequence !== i + 1);
    if (gap) throw new Error(`event ${gap.sequence} (${gap.event}) is out of its place`);
    return events;
  }

  #fault(text: string): void {
    this.#faults.push(text);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = Buffer.concat(await request.toArray()).toString("utf8");
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    try {
      new Webhook(this.secret).verify(text, headers);
    } catch (error) {
      this.forged.push(String(error));
      response.writeHead(401).end();
      return;
    }
    const body: Body = JSON.parse(text);
    const { session_uuid, room_id, ...rest } = body;
    const event: Received = { ...rest, source: session_uuid ?? room_id ?? "" };
    const id = headers["webhook-id"] ?? "";
    const first = !this.#bodies.has(id);
    for (const fault of promised().webhookErrors(body.event, text)) this.#fault(`${id}: ${fault}`);
    this.#check(request, event, id, text);
    const attempt: Attempt = { ...event, id };
    this.attempts.push(attempt);
    this.#look();
    const answer = await this.answer(attempt);
    if (accepts(answer) && !this.#accepted(event)) this.events.push(event);
    else if (accepts(answer) && first) this.#fault(`${id} has the number of another event`);
    respond(response, answer);
    this.#look();
  }

  #accepted({ source, sequence }: Received): boolean {
    return this.events.some((event) => event.source === source && event.sequence === sequence);
  }

  #check(request: IncomingMessage, event: Received, id: string, text: string): void {
    const { source, sequence } = event;
    const name = `${event.event} ${source} #${sequence}`;
    if (request.method !== "POST") this.#fault(`${name}: by ${request.method}`);
    if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) this.#fault(`${name}: no JSON`);
    const before = this.#bodies.get(id);
    this.#bodies.set(id, text);
    if (before !== undefined) {
      if (before !== text) this.#fault(`${name}: differs from the attempt before`);
      return;
    }
    const last = this.#reached.get(source) ?? 0;
    if (this.gaps ? sequence <= last : sequence !== last + 1) this.#fault(`${name}: came after #${last}`);
    this.#reached.set(source, Math.max(last, sequence));
  }

  #look(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const again of waiting) again();
  }
}

function respond(response: ServerResponse, answer: Answer): void {
  if (typeof answer === "number") response.writeHead(answer).end();
  else if (typeof answer === "object") response.writeHead(answer.status, answer.headers).end();
  else if (answer === "cut") response.destroy();
  else if (answer === "endless") pour(response.writeHead(200));
}

/** Bytes as fast as they are read, until the connection breaks. */
function pour(response: ServerResponse): void {
  const piece = Buffer.alloc(16_384);
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on("drain", more);
  more();
}
