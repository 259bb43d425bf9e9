/** The way of webhooks: from the gateway to whoever receives them, byte for byte unless a fault says otherwise. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { type Field, field, isObject, type Json, jsonOf, withField } from "./message";

/** One attempt to deliver an event. */
export interface Delivery {
  readonly method: string;
  /** Where the receiver is. */
  readonly url: string;
  readonly fields: readonly Field[];
  readonly body: Buffer;
}

/** What stands in its body. */
export interface Event {
  readonly event: string;
  readonly app_id: string;
  /** Session uuid or room id. */
  readonly source: string;
  readonly sequence: number;
  readonly data: Json;
}

/** The receiver's answer; its body is piped on. */
export interface Receipt {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: IncomingMessage | null;
}

export type Deliver = (delivery: Delivery) => Promise<Receipt>;

/** @returns null when it is no event of a webhook */
export function eventOf(delivery: { readonly body: Buffer }): Event | null {
  return eventIn(jsonOf(delivery));
}

/** An event as it stands in webhooks, lists and streams. */
export function eventIn(json: unknown): Event | null {
  if (!isObject(json)) return null;
  const { event, app_id, session_uuid, room_id, sequence, data } = json;
  const source = session_uuid ?? room_id;
  if (typeof event !== "string" || typeof app_id !== "string" || typeof sequence !== "number" || !isObject(data))
    return null;
  return typeof source === "string" ? { event, app_id, source, sequence, data } : null;
}

/** Standard Webhooks, symmetric signatures. */
export function signature(secret: string, id: string, timestamp: string, body: Buffer): string {
  const hmac = createHmac("sha256", Buffer.from(secret.replace(/^whsec_/, ""), "base64"));
  return `v1,${hmac.update(`${id}.${timestamp}.`).update(body).digest("base64")}`;
}

/** Signed anew for what it says now, by as many of these secrets as before, the newest first. */
export function signed(delivery: Delivery, secrets: readonly string[]): Delivery {
  const id = field(delivery, "webhook-id") ?? "";
  const timestamp = field(delivery, "webhook-timestamp") ?? "";
  const many = (field(delivery, "webhook-signature") ?? "").split(" ").length;
  const all = secrets.slice(0, many).map((secret) => signature(secret, id, timestamp, delivery.body));
  return withField(delivery, "webhook-signature", all.join(" "));
}

/** The receipt of a receiver that was never asked. */
export const taken: Receipt = { status: 204, fields: [], body: null };

const prefix = "/to/";
/** Of a body that is held. */
const most = 8 << 20;

/** Stands at an address of its own; which receiver is meant is in the path. */
export class Deliveries {
  readonly #server: Server;

  constructor(private readonly middle: (delivery: Delivery, deliver: Deliver) => Promise<Receipt>) {
    this.#server = createServer((incoming, outgoing) => {
      this.#take(incoming, outgoing).catch(() => {
        // The receiver could not be reached or broke off: so does this.
        outgoing.destroy();
      });
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  /** The address that stands for this one; itself when it is none of this machine, or would become too long. */
  standsFor(url: string): string {
    const [, authority, rest] = /^http:\/\/(127\.0\.0\.1:\d+|localhost:\d+)(\/.*)?$/.exec(url) ?? [];
    if (authority === undefined || url.length > 1500) return url;
    return `${this.origin}${prefix}${authority}${rest ?? "/"}`;
  }

  /** A text with the addresses that are meant in place of those that stand for them. */
  meant(text: string): string {
    return text.replaceAll(`${this.origin}${prefix}`, "http://");
  }

  async #take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of incoming) {
      pieces.push(piece);
      size += piece.length;
      if (size > most) throw new Error("a webhook of more than 8 MiB");
    }
    const [, authority = "", rest = "/"] = /^\/to\/([^/]+)(\/.*)$/.exec(incoming.url ?? "") ?? [];
    const fields: Field[] = [];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2)
      fields.push([incoming.rawHeaders[i] ?? "", incoming.rawHeaders[i + 1] ?? ""]);
    const method = incoming.method ?? "POST";
    const body = Buffer.concat(pieces);
    const delivery = withField({ method, url: `http://${authority}${rest}`, fields, body }, "Host", authority);
    const receipt = await this.middle(delivery, (given) => post(given, outgoing));
    const own = receipt.fields.filter(([name]) => !/^(?:connection|keep-alive)$/i.test(name));
    outgoing.sendDate = false;
    outgoing.writeHead(receipt.status, own.flat());
    if (receipt.body) receipt.body.pipe(outgoing);
    else outgoing.end();
  }
}

/** Asks the receiver, as long as the gateway waits for it. */
function post(delivery: Delivery, waiting: ServerResponse): Promise<Receipt> {
  return new Promise((resolve, reject) => {
    const { method, url, body } = delivery;
    const framed = field(delivery, "Transfer-Encoding") ? withField(delivery, "Transfer-Encoding", null) : delivery;
    const { fields } = withField(framed, "Content-Length", String(body.length));
    const headers = Object.fromEntries(fields.filter(([name]) => !/^connection$/i.test(name)));
    const outgoing = httpRequest(url, { method, headers, agent: false }, (answer) => {
      const own: Field[] = [];
      for (let i = 0; i < answer.rawHeaders.length; i += 2)
        own.push([answer.rawHeaders[i] ?? "", answer.rawHeaders[i + 1] ?? ""]);
      answer.on("error", () => waiting.destroy());
      resolve({ status: answer.statusCode ?? 0, fields: own, body: answer });
    });
    outgoing.on("error", reject);
    waiting.on("close", () => outgoing.destroy());
    outgoing.end(body);
  });
}
