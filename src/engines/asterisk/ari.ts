/** Asterisk's REST interface (ARI): JSON by HTTP over connections that are kept, each request with a deadline, each answer bounded. */
import http from "node:http";
import https from "node:https";
import type { Log } from "../../log";
import { type Refusal, Refused } from "../engine";

export interface AriOptions {
  /** Root of Asterisk's HTTP server: ARI is below it. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** For one request. */
  readonly timeoutMs: number;
  readonly log: Log;
}

/** A request that Asterisk answered with something other than a success. */
export class AriRefused extends Refused {
  constructor(
    refusal: Refusal,
    readonly status: number,
    /** In Asterisk's words. */
    readonly reason: string,
  ) {
    super(refusal);
  }
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";
/** What Asterisk takes as the body of a request. */
export interface Body {
  readonly [name: string]: string | number | boolean | readonly (string | Body)[];
}

/** A path below `/ari` whose values are data: whatever stands in them, they stay one segment or one value. */
export function at(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.reduce((path, part, place) => `${path}${encodeURIComponent(values[place - 1] ?? "")}${part}`);
}

const maxConnections = 64;
/** The list of ten thousand channels is about 7 MB. */
const maxAnswerBytes = 64 * 1024 * 1024;
/** What a channel or a bridge that is not there, or not where it must be, is answered with. */
const gone: ReadonlySet<number> = new Set([404, 409, 422]);

export class Ari {
  readonly #options: AriOptions;
  readonly #root: URL;
  readonly #client: typeof http | typeof https;
  readonly #agent: http.Agent;
  readonly #authorization: string;
  #complaint: string | null = null;

  constructor(options: AriOptions) {
    this.#options = options;
    this.#root = new URL(options.url);
    this.#client = this.#root.protocol === "https:" ? https : http;
    this.#agent = new this.#client.Agent({ keepAlive: true, maxSockets: maxConnections, scheduling: "lifo" });
    this.#authorization = `Basic ${Buffer.from(`${options.user}:${options.password}`).toString("base64")}`;
  }

  /** Of `http://host:8088`, the same for a websocket, with what it is opened with. */
  socket(path: string): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
    const url = this.#url(path);
    url.protocol = this.#root.protocol === "https:" ? "wss:" : "ws:";
    return { url: url.href, headers: { authorization: this.#authorization } };
  }

  /**
   * @param path as `at` writes it
   * @returns what the answer says; null where it says nothing
   * @throws Refused: `late`, `unreachable`, or an AriRefused
   */
  async request(method: Method, path: string, body?: Body): Promise<unknown> {
    const text = body === undefined ? null : JSON.stringify(body);
    const { status, type, answer } = await this.#exchange(method, path, text);
    if (status >= 200 && status < 300) {
      const value = answer === "" ? null : this.#json(path, type, answer);
      this.#complaint = null;
      return value;
    }
    throw this.#refused(method, path, status, type, answer);
  }

  /**
   * A file, as it comes; whoever gets it reads it to its end or destroys it.
   * @throws Refused as `request` does
   */
  async file(path: string): Promise<http.IncomingMessage> {
    const { timeoutMs } = this.#options;
    const message = await this.#send("GET", path, null, (request) => {
      request.setTimeout(timeoutMs, () => request.destroy(new Refused("late")));
    });
    if (message.statusCode === 200) return message;
    const answer = await text(message);
    throw this.#refused("GET", path, message.statusCode ?? 0, message.headers["content-type"] ?? "", answer);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #exchange(method: Method, path: string, body: string | null) {
    const { timeoutMs, log } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    let current: http.ClientRequest | null = null;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Refused("late"));
        current?.destroy();
      }, timeoutMs);
    });
    const answered = async () => {
      const message = await this.#send(method, path, body, (request) => {
        current = request;
      });
      const answer = await text(message);
      return { status: message.statusCode ?? 0, type: message.headers["content-type"] ?? "", answer };
    };
    try {
      return await Promise.race([answered(), late]);
    } catch (err) {
      if (err instanceof Refused) throw err;
      log.debug({ method, path, err }, "Asterisk: no answer");
      throw new Refused("unreachable");
    } finally {
      clearTimeout(timer);
    }
  }

  /** What is wrong with the configuration: said once, and again when it was right for a while. */
  #complain(fields: object, complaint: string): void {
    if (this.#complaint !== complaint) this.#options.log.error(fields, complaint);
    this.#complaint = complaint;
  }

  /** A connection that was kept may be closed by the other side at that moment: then the request goes out once more. */
  async #send(
    method: Method,
    path: string,
    body: string | null,
    begun: (request: http.ClientRequest) => void,
  ): Promise<http.IncomingMessage> {
    for (;;) {
      const request = this.#client.request(this.#url(path), {
        method,
        agent: this.#agent,
        headers: {
          authorization: this.#authorization,
          ...(body === null
            ? { "content-length": 0 }
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        },
      });
      begun(request);
      const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
        request.on("response", resolve);
        request.on("error", reject);
      });
      request.end(body ?? undefined);
      try {
        return await answered;
      } catch (err) {
        const reset = err instanceof Error && "code" in err && (err.code === "ECONNRESET" || err.code === "EPIPE");
        if (reset && request.reusedSocket) continue;
        if (err instanceof Refused) throw err;
        this.#options.log.debug({ method, path, err }, "Asterisk cannot be reached");
        throw new Refused("unreachable");
      }
    }
  }

  #url(path: string): URL {
    return new URL(`${this.#options.url}/ari${path}`);
  }

  #json(path: string, type: string, answer: string): unknown {
    try {
      if (/^application\/json\b/.test(type)) return JSON.parse(answer);
    } catch (err) {
      if (!(err instanceof SyntaxError)) throw err;
    }
    this.#complain({ path, type }, "Asterisk: the answer is no JSON, it may be another server");
    throw new Refused("unreachable");
  }

  #refused(method: Method, path: string, status: number, type: string, answer: string): AriRefused {
    const { log } = this.#options;
    const reason = answer.slice(0, 200);
    const isAri = /^application\/json\b/.test(type);
    if (status === 401 || status === 403) this.#complain({ status }, "Asterisk refuses this user or password");
    else if (!(isAri && gone.has(status))) log.warn({ method, path, status, reason }, "Asterisk refused a request");
    // While Asterisk starts, what will be there later is answered with a 404 of its web server, which is a page.
    return new AriRefused(isAri && gone.has(status) ? "gone" : "unreachable", status, reason);
  }
}

/** @returns false when what it is about was not there any more */
export async function unlessGone(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (err) {
    if (err instanceof AriRefused && err.refusal === "gone") return false;
    throw err;
  }
}

async function text(message: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("an answer comes in bytes");
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new RangeError("the answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
