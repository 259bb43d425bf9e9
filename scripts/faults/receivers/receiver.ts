/** A webhook endpoint that does everything right, in steps of which each can be done wrong. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";

export interface Started {
  readonly url: string;
  /** Where it tells its effects. */
  readonly probe: string | null;
  close(): Promise<void>;
}

export interface FaultyReceiver {
  readonly name: string;
  readonly about: string;
  /** It keeps others waiting: a run against it takes a minute and more. */
  readonly patient?: boolean;
  start(secret: string): Promise<Started>;
}

/** What came, and what was read of it. */
export interface Incoming {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** As they were written, name and value in turn. */
  readonly rawHeaders: readonly string[];
  readonly bytes: Buffer;
  readonly secret: string;
  /** Of `webhook-id`; "" without one. */
  readonly id: string;
}

export interface Event {
  readonly event: string;
  readonly source: string;
  readonly sequence: number;
  readonly timestamp: string;
  readonly app_id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the endpoint keeps. */
export class Memory {
  readonly seen = new Set<string>();
  readonly effects = new Map<string, number>();

  act(id: string): void {
    this.effects.set(id, (this.effects.get(id) ?? 0) + 1);
  }
}

/** The steps, each as it should be. */
export interface Habits {
  /** Null: too large. */
  read(request: IncomingMessage): Promise<Buffer | null>;
  genuine(incoming: Incoming): boolean;
  /** Null: it is no event. */
  parse(text: string): Event | null;
  /** Done with what came before anything is known of it: an answer, or null to go on. */
  first(incoming: Incoming, memory: Memory): number | null;
  /** Takes a genuine event. @returns the status */
  take(incoming: Incoming, event: Event, memory: Memory): number | Promise<number>;
  answer(response: ServerResponse, status: number, incoming: Incoming): void;
}

const maxBytes = 1 << 20;

export const right: Habits = {
  async read(request) {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > maxBytes) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  },
  genuine: (incoming) => verified(incoming),
  parse(text) {
    try {
      const body: unknown = JSON.parse(text);
      return typeof body === "object" && body !== null ? eventOf(Object.fromEntries(Object.entries(body))) : null;
    } catch (error) {
      if (error instanceof SyntaxError) return null;
      throw error;
    }
  },
  first: ({ method }) => (method === "POST" ? null : 405),
  take({ id }, _, memory) {
    if (memory.seen.has(id)) return 204;
    memory.seen.add(id);
    memory.act(id);
    return 204;
  },
  answer: (response, status) => void response.writeHead(status).end(),
};

function eventOf(body: Readonly<Record<string, unknown>>): Event {
  const word = (name: string) => (typeof body[name] === "string" ? body[name] : "");
  const { data, sequence } = body;
  return {
    event: word("event"),
    source: word("session_uuid") || word("room_id"),
    sequence: Number(sequence),
    timestamp: word("timestamp"),
    app_id: word("app_id"),
    data: typeof data === "object" && data !== null ? Object.fromEntries(Object.entries(data)) : {},
    body,
  };
}

/** How the signature is checked, and where that can go wrong. */
export interface Verification {
  readonly secrets?: readonly string[];
  readonly body?: (bytes: Buffer) => string | Buffer;
  /** Which of the signatures in the header are looked at. */
  readonly pick?: (parts: readonly string[]) => readonly string[];
  readonly version?: (version: string) => boolean;
  readonly equal?: (given: string, expected: string) => boolean;
  /** @param off seconds from now, by the sender's clock */
  readonly intime?: (off: number, timestamp: string) => boolean;
}

export function verified(incoming: Incoming, how: Verification = {}): boolean {
  const { headers, bytes, id } = incoming;
  const {
    secrets = [incoming.secret],
    body = (raw) => raw,
    pick = (parts) => parts,
    version = (name) => name === "v1",
    equal = same,
    intime = (off, text) => /^\d{1,12}$/.test(text) && Math.abs(off) <= 300,
  } = how;
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (id === "" || typeof timestamp !== "string" || typeof signatures !== "string") return false;
  if (!intime(Number(timestamp) - Date.now() / 1000, timestamp)) return false;
  const expected = secrets.map((secret) => signatureOf(secret, id, timestamp, body(bytes)));
  return pick(signatures.split(" ")).some((part) => {
    const [name = "", ...rest] = part.split(",");
    return version(name) && expected.some((each) => equal(rest.join(","), each));
  });
}

export function signatureOf(secret: string, id: string, timestamp: string, body: string | Buffer): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Starts an endpoint with these habits on a free port of the loopback address; `/probe` tells its effects. */
export async function start(secret: string, habits: Habits): Promise<Started> {
  const memory = new Memory();
  const server = createServer((request, response) => {
    if (request.url === "/probe") {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ effects: Object.fromEntries(memory.effects) }));
      return;
    }
    serve(secret, habits, memory, request, response).catch((error: unknown) => {
      // The other side went away in the midst of its request; anything else is a failure of the endpoint.
      if (response.headersSent || request.destroyed) response.destroy();
      else response.writeHead(error instanceof Error ? 500 : 502).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("a listening server has no address");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url: `${url}/webhooks`,
    probe: `${url}/probe`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function serve(
  secret: string,
  habits: Habits,
  memory: Memory,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = await habits.read(request);
  const { method = "", headers, rawHeaders } = request;
  const id = String(headers["webhook-id"] ?? "");
  const incoming: Incoming = { method, headers, rawHeaders, bytes: bytes ?? Buffer.alloc(0), secret, id };
  const status = bytes === null ? 413 : await judged(incoming, habits, memory);
  habits.answer(response, status, incoming);
}

async function judged(incoming: Incoming, habits: Habits, memory: Memory): Promise<number> {
  const early = habits.first(incoming, memory);
  if (early !== null) return early;
  if (!habits.genuine(incoming)) return 401;
  const event = habits.parse(incoming.bytes.toString("utf8"));
  return event === null ? 400 : habits.take(incoming, event, memory);
}

/** One that does a single thing wrong. */
export function faulty(name: string, about: string, wrong: () => Partial<Habits>): FaultyReceiver {
  return { name, about, start: (secret) => start(secret, { ...right, ...wrong() }) };
}
