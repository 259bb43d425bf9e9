/**
 * The webhook endpoint of one app. It answers as a check wants it to, keeps every delivery as it came, lets a check await
 * what it needs, and hands each one to the laws.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Broken } from "../../check";
import { Bell } from "./bell";
import type { JsonObject } from "./client";
import type { KitServer } from "./server";

/** One attempt, as it came. */
export interface Delivery {
  /** When it had come, epoch milliseconds of this machine. */
  readonly at: number;
  readonly method: string;
  /** Path and query, as they were asked for. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** `webhook-id`; "" without one. */
  readonly id: string;
  /** Of the body, as far as it is what it should be; "" and 0 where it is not. */
  readonly event: string;
  /** Session uuid or room id: whose sequence it belongs to. */
  readonly source: string;
  readonly sequence: number;
  readonly timestamp: string;
  readonly app_id: string;
  readonly data: JsonObject;
  /** What it was answered; null: not yet, or never. */
  status: number | null;
  /** When it was answered, or given up by whoever sent it; null: not yet. */
  over: number | null;
}

/** A status at once, a whole answer, or none: `never` keeps the connection open without a word, `cut` breaks it. */
export type Reply = number | WholeReply | "never" | "cut";
export interface WholeReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Told of each delivery before it is answered, and once more when it was, or when whoever sent it gave it up. */
export interface Witness {
  came(endpoint: Endpoint, delivery: Delivery): void;
  answered(endpoint: Endpoint, delivery: Delivery): void;
}

/** Larger than any event. */
const maxBody = 4 << 20;
const shown = 12;
/** For an event that has to come at once, on a machine that has much to do. */
const usualMs = 15_000;

export class Endpoint {
  readonly url: string;
  /** Those of which one must have signed. The newest first. */
  secrets: readonly string[] = [];
  /** Every delivery, in the order of arrival. */
  readonly deliveries: Delivery[] = [];
  /** How a delivery is answered. */
  reply: (delivery: Delivery) => Reply | Promise<Reply> = () => 204;
  /** Events that the app asked for; empty: all. Null: that has changed. */
  wanted: readonly string[] | null = [];
  /** Webhooks were off for a while, or went elsewhere: some numbers never come here. */
  mayMiss = false;
  readonly #events: Delivery[] = [];
  readonly #bySource = new Map<string, Delivery[]>();
  readonly #ids = new Set<string>();
  /** Results by their operation_id. */
  readonly #results = new Map<string, Delivery>();
  readonly #bell = new Bell();
  /** Who wants to hear the names of events, by call or room. */
  readonly #listeners = new Map<string, (event: string) => void>();

  constructor(
    server: KitServer,
    readonly app_id: string,
    private readonly witness: Witness,
  ) {
    this.url = server.at((request, response) => this.#take(request, response));
  }

  /** Each event once, in the order in which they were taken: answered 2xx. */
  get events(): readonly Delivery[] {
    return this.#events;
  }

  of(source: string): readonly Delivery[] {
    return this.#bySource.get(source) ?? [];
  }

  /** Names of a call's or a room's events, in the order of arrival. */
  names(source: string): readonly string[] {
    return this.of(source).map(({ event }) => event);
  }

  /**
   * What `find` finds, now or once more has arrived.
   *
   * @param what is waited for, in words
   * @throws Broken when it has not come in time
   */
  async until<T>(what: string, find: () => T | undefined, withinMs = usualMs): Promise<T> {
    const found = await this.within(withinMs, find);
    if (found !== undefined) return found;
    throw new Broken({ expected: `${what} within ${withinMs / 1000} s`, got: "none", seen: this.lines() });
  }

  /** What `find` finds, now or once more has arrived; undefined when it has not come in time. */
  async within<T>(withinMs: number, find: () => T | undefined): Promise<T | undefined> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = find();
      const left = deadline - performance.now();
      if (found !== undefined || left <= 0) return found;
      await this.#bell.wait(left);
    }
  }

  /** Tells the names of all events of this call or room, those that came before at once, each when it first comes. */
  listen(source: string, listener: (event: string) => void): void {
    for (const { event } of this.#firsts(source)) listener(event);
    this.#listeners.set(source, listener);
  }

  /** Without repeats, whatever they were answered. */
  #firsts(source: string): readonly Delivery[] {
    const seen = new Set<string>();
    return this.deliveries.filter(({ source: own, id }) => own === source && !seen.has(id) && seen.add(id));
  }

  /** The first event of this name that has arrived or will, of this call or room, behind this sequence, and that fits. */
  event(
    name: string,
    {
      source,
      after = 0,
      fits = () => true,
    }: {
      readonly source?: string;
      readonly after?: number;
      readonly fits?: (event: Delivery) => boolean;
    } = {},
    withinMs?: number,
  ): Promise<Delivery> {
    const among = () => (source === undefined ? this.events : this.of(source));
    const find = () => among().find((each) => each.event === name && each.sequence > after && fits(each));
    return this.until(`${name}${source === undefined ? "" : ` of ${source}`}`, find, withinMs);
  }

  /** The result of an operation. */
  result(operation_id: string, withinMs?: number): Promise<Delivery> {
    return this.until(`the result of ${operation_id}`, () => this.#results.get(operation_id), withinMs);
  }

  /** The last deliveries, a line each. */
  lines(of: readonly Delivery[] = this.deliveries): string[] {
    return of.slice(-shown).map(({ at, event, sequence, source, id, status, data }) => {
      const time = new Date(at).toISOString().slice(11, 23);
      return `${time} #${sequence} ${event} ${source} ${id} → ${status ?? "-"} ${JSON.stringify(data)}`.slice(0, 400);
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > maxBody) {
        response.destroy();
        return;
      }
      chunks.push(chunk);
    }
    const delivery = deliveryOf(request, Buffer.concat(chunks).toString("utf8"));
    const first = this.#listeners.has(delivery.source) && !this.deliveries.some(({ id }) => id === delivery.id);
    this.deliveries.push(delivery);
    this.witness.came(this, delivery);
    if (first) this.#listeners.get(delivery.source)?.(delivery.event);
    response.once("close", () => this.#over(delivery));
    const reply = await this.reply(delivery);
    if (reply === "cut") response.destroy();
    // Who does not wait any more has not been answered.
    if (typeof reply === "string" || delivery.over !== null) return;
    const { status, headers, body } = typeof reply === "number" ? { status: reply, headers: {}, body: "" } : reply;
    delivery.status = status;
    response.writeHead(status, headers).end(body);
    this.#over(delivery);
  }

  /** It was answered, or given up. */
  #over(delivery: Delivery): void {
    if (delivery.over !== null) return;
    delivery.over = Date.now();
    const { id, status, source, data } = delivery;
    if (status !== null && status >= 200 && status < 300 && !this.#ids.has(id)) {
      this.#ids.add(id);
      this.#events.push(delivery);
      const own = this.#bySource.get(source) ?? [];
      own.push(delivery);
      this.#bySource.set(source, own);
      if (delivery.event === "command.result") this.#results.set(String(data.operation_id), delivery);
    }
    this.witness.answered(this, delivery);
    this.#bell.ring();
  }
}

function deliveryOf(request: IncomingMessage, text: string): Delivery {
  const { method = "", headers } = request;
  const body = objectOf(text);
  const word = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
  const { sequence, data } = body;
  return {
    at: Date.now(),
    method,
    target: request.url ?? "",
    headers,
    text,
    id: String(headers["webhook-id"] ?? ""),
    event: word("event"),
    source: word("session_uuid") || word("room_id"),
    sequence: typeof sequence === "number" ? sequence : 0,
    timestamp: word("timestamp"),
    app_id: word("app_id"),
    data: typeof data === "object" && data !== null ? (data as JsonObject) : {},
    status: null,
    over: null,
  };
}

function objectOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as JsonObject) : {};
  } catch (error) {
    // What is no JSON is found out by the laws.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
