/** Stands between an engine and a real Asterisk: hands on what both say, and can close, garble, refuse and hold it. */
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { AsteriskServer } from "./server";

/** What is done with a request in place of handing it on. */
export type Instead = (request: IncomingMessage, response: ServerResponse) => void;

interface Rule {
  readonly method: string;
  readonly path: RegExp;
  readonly instead: Instead;
}

export const answer =
  (status: number, body = '{"message":"no"}', type = "application/json"): Instead =>
  (_request, response) =>
    response.writeHead(status, { "content-type": type }).end(body);

export class Gate {
  readonly #news = new EventEmitter().setMaxListeners(100);
  readonly #asked: string[] = [];
  readonly #bodies: string[] = [];
  readonly #rules = new Set<Rule>();
  readonly #sockets = new Set<WebSocket>();
  readonly #websockets = new WebSocketServer({ noServer: true });
  readonly #server = createServer((incoming, response) => this.#hand(incoming, response));
  #opened = 0;

  private constructor(readonly server: AsteriskServer) {
    this.#server.on("upgrade", (incoming, socket, head) => {
      this.#websockets.handleUpgrade(incoming, socket, head, (near) => this.#join(incoming, near));
    });
  }

  static async open(server: AsteriskServer): Promise<Gate> {
    const gate = new Gate(server);
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** From now on such requests are not handed on. @returns ends that */
  instead(method: string, path: RegExp, instead: Instead): () => void {
    const rule = { method, path, instead };
    this.#rules.add(rule);
    return () => this.#rules.delete(rule);
  }

  /** What was asked for so far, as `POST /ari/…`. */
  asked(what: RegExp): string[] {
    return this.#asked.filter((line) => what.test(line));
  }

  /** Everything that Asterisk was told so far, by URLs and bodies. */
  get told(): string {
    return [...this.#asked, ...this.#bodies].join("\n");
  }

  /** The next request of this kind has come. */
  async next(what: RegExp): Promise<void> {
    const before = this.asked(what).length;
    while (this.asked(what).length === before) await once(this.#news, "asked");
  }

  /** Closes the websockets. 1006: without a word. */
  closeSockets(code: number): void {
    for (const socket of this.#sockets) {
      if (code === 1006) socket.terminate();
      else socket.close(code);
    }
  }

  /** The websocket says this, too. */
  say(data: string | Buffer): void {
    for (const socket of this.#sockets) socket.send(data);
  }

  /** The `nth` websocket was opened, now or as soon as it is. */
  async reopened(nth: number): Promise<void> {
    while (this.#opened < nth) await once(this.#news, "opened");
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #hand(incoming: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = incoming;
    this.#asked.push(`${method} ${url}`);
    incoming.on("data", (chunk) => this.#bodies.push(String(chunk)));
    this.#news.emit("asked");
    const rule = [...this.#rules].find((each) => each.method === method && each.path.test(url));
    if (rule) {
      rule.instead(incoming, response);
      return;
    }
    const onward = request(`${this.server.url}${url}`, { method, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 0, answered.headers);
      answered.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  }

  #join(incoming: IncomingMessage, near: WebSocket): void {
    const { authorization = "" } = incoming.headers;
    const far = new WebSocket(`${this.server.url.replace("http", "ws")}${incoming.url}`, {
      headers: { authorization },
    });
    far.on("open", () => {
      this.#sockets.add(near);
      this.#opened++;
      this.#news.emit("opened");
    });
    far.on("message", (data, binary) => near.send(data, { binary }));
    far.on("error", () => near.terminate());
    far.on("close", () => near.terminate());
    near.on("close", () => {
      this.#sockets.delete(near);
      far.terminate();
    });
  }
}
