/** A reader of `GET /api/v1/events`: server-sent events as they come (WHATWG HTML, section 9.2). */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { promised } from "../../../promised";
import { Broken, type Exchange } from "../../check";
import { Bell } from "./bell";
import { type Answer, held, jsonOf, type RequestHeaders } from "./client";

/** One event of the stream. */
export interface Told {
  readonly at: number;
  readonly id: string;
  readonly event: string;
  /** The body of the webhook, byte for byte. */
  readonly data: string;
}

/** Whose events they are. */
interface Reader {
  readonly headers: RequestHeaders;
  /** Where the gateway is. */
  readonly world: { readonly url: string };
}

export interface FeedOptions {
  /** Id of the last event that was received. */
  readonly lastEventId?: string;
  readonly session_uuid?: string;
}

const target = "/api/v1/events";
const openMs = 10_000;

export class Feed {
  readonly events: Told[] = [];
  readonly ids = new Set<string>();
  /** Lines that begin with a colon. */
  readonly comments: string[] = [];
  /** The gateway ended it. */
  ended = false;
  readonly #bell = new Bell();
  #line = "";
  #fields: { id: string; event: string; data: string[] } = { id: "", event: "", data: [] };

  private constructor(
    private readonly outgoing: ClientRequest,
    incoming: IncomingMessage,
    readonly exchange: Exchange,
  ) {
    incoming.setEncoding("utf8");
    incoming.on("data", (text: string) => this.#read(text));
    // What was broken off has ended as well.
    incoming.on("error", () => undefined);
    incoming.on("close", () => {
      this.ended = true;
      this.#bell.ring();
    });
  }

  /** @throws Broken when it is not opened */
  static async open(app: Reader, options: FeedOptions = {}): Promise<Feed> {
    const opened = await Feed.ask(app, options);
    if (opened instanceof Feed) return opened;
    throw new Broken({ expected: "200, a stream of events", got: String(opened.status), exchanges: [opened.exchange] });
  }

  /** @returns the stream, or the answer that refused it, held against the document */
  static async ask(app: Reader, { lastEventId, session_uuid }: FeedOptions = {}): Promise<Feed | Answer> {
    const query = session_uuid === undefined ? "" : `?session_uuid=${encodeURIComponent(session_uuid)}`;
    const headers = { ...app.headers, ...(lastEventId !== undefined && { "Last-Event-ID": lastEventId }) };
    const url = app.world.url + target + query;
    const begun = performance.now();
    const exchanged = (response: Exchange["response"]): Exchange => {
      const ms = Math.round(performance.now() - begun);
      return { method: "GET", url, request: { headers, body: "" }, response, ms };
    };
    const request = url.startsWith("https:") ? requestHttps : requestHttp;
    // A connection of its own: it stays open.
    const outgoing = request(url, { headers, agent: false });
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${openMs / 1000} s`)), openMs);
    try {
      const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.on("response", resolve);
        outgoing.on("error", reject);
        outgoing.end();
      });
      const { statusCode: status = 0, headers: answered } = incoming;
      if (status !== 200) {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        const exchange = exchanged({ status, headers: answered, body: bytes.toString("utf8") });
        const operation = held("GET", target, { status, headers: answered, bytes, exchange });
        return { operation, status, headers: answered, bytes, body: jsonOf(answered, bytes), exchange };
      }
      const exchange = exchanged({ status, headers: answered, body: "(a stream)" });
      const [fault] = promised().responseErrors("streamEvents", status, answered, null);
      if (fault === undefined) return new Feed(outgoing, incoming, exchange);
      outgoing.destroy();
      throw new Broken({ expected: "a stream as the document declares it", got: fault, exchanges: [exchange] });
    } catch (error) {
      if (error instanceof Broken) throw error;
      const got = error instanceof Error ? error.message : String(error);
      throw new Broken({ expected: "a stream of events", got, exchanges: [exchanged(null)] });
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws Broken when it has not come in time */
  async until<T>(what: string, find: () => T | undefined, withinMs = 8000): Promise<T> {
    const found = await this.within(withinMs, find);
    if (found !== undefined) return found;
    const expected = `${what} in the stream within ${withinMs / 1000} s`;
    throw new Broken({
      expected,
      got: this.ended ? "its end" : "none",
      exchanges: [this.exchange],
      seen: this.lines(),
    });
  }

  /** What `find` finds, now or once more has come; undefined when it has not come in time. */
  async within<T>(withinMs: number, find: () => T | undefined): Promise<T | undefined> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = find();
      const left = deadline - performance.now();
      if (found !== undefined || left <= 0) return found;
      await this.#bell.wait(left);
    }
  }

  /** The last events, a line each. */
  lines(): string[] {
    return this.events.slice(-12).map(({ id, event }) => `${event} ${id}`);
  }

  close(): void {
    this.outgoing.destroy();
  }

  #read(text: string): void {
    const lines = (this.#line + text).split(/\r\n|\n|\r(?!$)/);
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#take(line);
    this.#bell.ring();
  }

  #take(line: string): void {
    const { id, event, data } = this.#fields;
    if (line === "") {
      if (data.length > 0) {
        this.events.push({ at: Date.now(), id, event, data: data.join("\n") });
        this.ids.add(id);
      }
      this.#fields = { id, event: "", data: [] };
      return;
    }
    if (line.startsWith(":")) {
      this.comments.push(line);
      return;
    }
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "id") this.#fields.id = value;
    else if (name === "event") this.#fields.event = value;
    else if (name === "data") data.push(value);
  }
}
