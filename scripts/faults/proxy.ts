/** A proxy in front of a gateway and between its webhooks and their receivers: a gateway with one fault, or with none. */
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Conversation } from "./conversation";
import { Deliveries, type Delivery, eventOf, signed } from "./delivery";
import type { Fault, Hooks, Place } from "./fault";
import { Frames } from "./frames";
import {
  type Field,
  field,
  type HttpAnswer,
  type HttpRequest,
  jsonOf,
  pathOf,
  type RequestHead,
  withBody,
  withField,
} from "./message";
import type { Middle, Next } from "./middle";

/** Of a body that is looked at for an address of webhooks. */
const mostApp = 65_536;
const admin = /^\/admin\/apps(?:\/|$)/;

/** Another address of this machine than that of clients: what is asked from here takes nothing of their quotas. */
const unseen = "127.0.0.2";

export class GatewayProxy implements Place {
  /** How often the fault was in effect. */
  struck = 0;
  readonly #server: Server;
  readonly #deliveries: Deliveries;
  readonly #sockets = new Set<Socket>();
  readonly #secrets = new Map<string, string[]>();
  readonly #hooks: Hooks;
  #gateway = { host: "127.0.0.1", port: 0 };

  /** @param fault null: none */
  constructor(fault: Fault | null) {
    this.#hooks = fault?.start(this) ?? {};
    this.#deliveries = new Deliveries((delivery, deliver) => {
      return this.#hooks.delivery ? this.#hooks.delivery(delivery, deliver) : deliver(delivery);
    });
    const middle = {
      wants: (head: RequestHead) => this.#wants(head),
      continues: (head: RequestHead) => this.#hooks.continues?.(head) ?? false,
      exchange: (request: HttpRequest, next: Next) => this.#exchange(request, next),
    };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (down) => this.#talk(down, middle));
  }

  /** Before the gateway runs: it has to know the addresses. */
  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    await this.#deliveries.listen();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where the real gateway is. */
  set gateway(url: string) {
    const { hostname, port } = new URL(url);
    this.#gateway = { host: hostname, port: Number(port) };
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
    await this.#deliveries.close();
  }

  strike(): void {
    this.struck += 1;
  }

  ask(request: HttpRequest): Promise<HttpAnswer> {
    const { method, target, fields, body } = withField(request, "Content-Length", String(request.body.length));
    const headers = Object.fromEntries(
      fields.filter(([name]) => !/^(?:connection|transfer-encoding|expect)$/i.test(name)),
    );
    return new Promise((resolve, reject) => {
      const to = { ...this.#gateway, localAddress: unseen, agent: false };
      const outgoing = httpRequest({ ...to, method, path: target, headers }, (incoming) => {
        incoming.toArray().then((pieces: Buffer[]) => {
          const own: Field[] = [];
          for (let i = 0; i < incoming.rawHeaders.length; i += 2)
            own.push([incoming.rawHeaders[i] ?? "", incoming.rawHeaders[i + 1] ?? ""]);
          const { statusCode: status = 0, statusMessage: reason = "" } = incoming;
          resolve({ status, reason, fields: own, body: Buffer.concat(pieces) });
        }, reject);
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  secrets(app_id: string): readonly string[] {
    return this.#secrets.get(app_id) ?? [];
  }

  resigned(delivery: Delivery, body: Buffer): Delivery {
    return signed({ ...delivery, body }, this.secrets(eventOf({ body })?.app_id ?? ""));
  }

  #talk(down: Socket, middle: Middle): void {
    // From the client's own address: the gateway counts by it.
    const localAddress = down.remoteAddress?.replace(/^::ffff:/, "");
    const up = connect({ ...this.#gateway, allowHalfOpen: true, noDelay: true, ...(localAddress && { localAddress }) });
    for (const socket of [down, up]) {
      this.#sockets.add(socket);
      // An error of a socket is its end; that is passed on.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
    }
    void new Conversation(down, up, middle).run();
  }

  #wants(head: RequestHead): boolean {
    const { wants, exchange, frame } = this.#hooks;
    if (admin.test(pathOf(head))) return true;
    if (frame && isStream(head)) return true;
    return exchange !== undefined && (wants === undefined || wants(head));
  }

  /** A client's request goes through the fault, and then gets the addresses that the gateway is to know. */
  async #exchange(request: HttpRequest, next: Next): Promise<HttpAnswer> {
    const { wants, exchange, frame } = this.#hooks;
    const inner: Next = (given) => this.#mapped(given, next);
    const faulty = exchange && (wants === undefined || wants(request));
    const answer = faulty ? await exchange(request, inner) : await inner(request);
    if (!frame || !answer.rest || !isStream(request)) return answer;
    return { ...answer, rest: new Frames(answer.rest, frame) };
  }

  async #mapped(request: HttpRequest, next: Next): Promise<HttpAnswer> {
    const [, app_id, what] = /^\/admin\/apps(?:\/([^/]+)(\/webhook-secret)?)?$/.exec(pathOf(request)) ?? [];
    if (!admin.test(pathOf(request))) return next(request);
    const puts = app_id !== undefined && !what && request.method === "POST";
    const answer = await next(puts ? this.#standingIn(request) : request);
    if (request.method === "DELETE" && answer.status === 200) this.#secrets.delete(app_id ?? "");
    if (request.method === "HEAD") return this.#measured(request, answer);
    const json = jsonOf(answer);
    if (!json) return answer;
    if (typeof json.webhook_secret === "string" && app_id !== undefined) {
      const before = what ? (this.#secrets.get(app_id) ?? []) : [];
      this.#secrets.set(app_id, [json.webhook_secret, ...before].slice(0, 5));
    }
    const text = answer.body.toString("utf8");
    const meant = this.#deliveries.meant(text);
    return meant === text ? answer : withBody(answer, meant);
  }

  /** HEAD tells the length that GET would have. */
  async #measured(request: HttpRequest, answer: HttpAnswer): Promise<HttpAnswer> {
    if (answer.status !== 200) return answer;
    const whole = await this.ask({ ...request, method: "GET" });
    const length = Buffer.byteLength(this.#deliveries.meant(whole.body.toString("utf8")));
    return withField(answer, "Content-Length", String(length));
  }

  /** The address of the receiver is replaced where it stands, and nothing else is touched. */
  #standingIn(request: HttpRequest): HttpRequest {
    if (request.passed || request.body.length > mostApp || field(request, "Content-Encoding")) return request;
    const url = jsonOf(request)?.webhook_url;
    if (typeof url !== "string") return request;
    const text = request.body.toString("utf8");
    const own = JSON.stringify(url);
    const standsFor = this.#deliveries.standsFor(url);
    if (standsFor === url || text.split(own).length !== 2) return request;
    return withBody(
      request,
      text.replace(own, () => JSON.stringify(standsFor)),
    );
  }
}

function isStream(head: RequestHead): boolean {
  return pathOf(head) === "/api/v1/events";
}
