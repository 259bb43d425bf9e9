/** Where recordings are uploaded to: a real web server that a test has answer as it likes. */
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Upload {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export class Bucket {
  /** Those that arrived whole. */
  readonly uploads: Upload[] = [];
  /** Requests so far, and how many at most were there at once. */
  requests = 0;
  most = 0;
  answer: (upload: Upload, response: ServerResponse) => void = (_, response) => void response.writeHead(201).end();
  /** Asked before a byte of the body is read; when it answers, nothing is. */
  early: ((request: IncomingMessage, response: ServerResponse) => void) | null = null;
  readonly #news = new EventEmitter();
  #now = 0;
  #port = 0;
  readonly #server = createServer((request, response) => {
    this.requests += 1;
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    response.once("close", () => {
      this.#now -= 1;
    });
    this.#news.emit("request");
    if (this.early) this.early(request, response);
    else this.#take(request, response).catch(() => response.destroy());
  });

  static async open(): Promise<Bucket> {
    const bucket = new Bucket();
    bucket.#server.listen(0, "127.0.0.1");
    await once(bucket.#server, "listening");
    bucket.#port = (bucket.#server.address() as AddressInfo).port;
    return bucket;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async untilRequests(count: number): Promise<void> {
    while (this.requests < count) await once(this.#news, "request");
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = "", url = "", headers } = request;
    const upload = { method, url, headers, body: Buffer.concat(chunks) };
    this.uploads.push(upload);
    this.answer(upload, response);
  }
}
