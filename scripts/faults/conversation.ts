/**
 * One connection of a client and the one to the gateway that belongs to it. Bytes pass as they are, both ways, and are read
 * along: what a fault wants to see is held until it is whole, goes through the fault, and comes out as the same bytes
 * when the fault left it alone. What is not understood is passed on and not looked at again.
 */
import type { Socket } from "node:net";
import { Body, type Framing, framingOf } from "./framing";
import { Incoming, write } from "./incoming";
import {
  answerBytes,
  endOfHead,
  field,
  type HttpAnswer,
  type HttpRequest,
  type RequestHead,
  readAnswer,
  readRequest,
  requestBytes,
  withField,
} from "./message";
import type { Middle, Next } from "./middle";

/** An answer that the gateway owes. */
interface Owed {
  readonly method: string;
  /** Null: it passes as it comes. */
  readonly take: ((answer: HttpAnswer) => void) | null;
  readonly slot: Slot;
}

/** The place of an answer among the answers of this connection. */
interface Slot {
  readonly turn: Promise<void>;
  readonly done: () => void;
}

/** Part of a head or of a body that stays so long without more is passed on as it is. */
const idleMs = 40;
const mostHead = 200_000;
const mostBody = 4 << 20;
const nobody: RequestHead = { method: "", target: "", fields: [] };

export class Conversation {
  readonly #owed: Owed[] = [];
  readonly #from: Incoming;
  readonly #back: Incoming;
  /** Bytes of messages that nobody has changed. */
  readonly #originals = new WeakMap<object, Buffer>();
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly down: Socket,
    private readonly up: Socket,
    private readonly middle: Middle,
  ) {
    this.down.on("close", () => this.up.destroy());
    this.#from = new Incoming(down);
    this.#back = new Incoming(up);
  }

  /** Until both sides have closed. Errors of sockets end it like a close. */
  async run(): Promise<void> {
    const requests = this.#requests().catch((error: unknown) => this.#broke(error));
    const answers = this.#answers().catch((error: unknown) => this.#broke(error));
    await Promise.all([requests, answers]);
  }

  #broke(error: unknown): void {
    // A defect of the proxy, or of a fault: it must not look like one of the gateway.
    process.stderr.write(`proxy: ${error instanceof Error ? error.stack : error}\n`);
    this.down.destroy();
    this.up.destroy();
  }

  #slot(): Slot {
    const turn = this.#last;
    let done = () => {};
    this.#last = new Promise((resolve) => {
      done = resolve;
    });
    return { turn, done };
  }

  async #requests(): Promise<void> {
    for (;;) {
      const head = await this.#head();
      if (head === null) break;
      const request = readRequest(head.bytes);
      const framing = request ? framingOf(request.fields, { length: 0 }) : "unclear";
      let rest = head.bytes.subarray(head.sent);
      if (!request || framing === "unclear") {
        if (request) this.#pass(request);
        await write(this.up, rest);
        await this.#blindly(this.#from, this.up);
        break;
      }
      if (head.sent === 0 && this.middle.continues(request)) {
        await this.#last;
        await write(this.down, Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"));
        rest = requestBytes({ ...withField(request, "Expect", null), body: Buffer.alloc(0) });
      }
      if (this.middle.wants(request)) await this.#hold(request, head.sent > 0, head.bytes, rest, framing);
      else {
        this.#owed.push({ method: request.method, take: null, slot: this.#slot() });
        await write(this.up, rest);
        await this.#stream(this.#from, this.up, new Body(framing, false));
      }
    }
    this.up.end();
  }

  /** The next head. What stalls is passed on, as far as it came. @returns null at the end */
  async #head(): Promise<{ readonly bytes: Buffer; readonly sent: number } | null> {
    let sent = 0;
    for (;;) {
      const end = endOfHead(this.#from.bytes);
      if (end >= 0) return { bytes: this.#from.take(end), sent: Math.min(sent, end) };
      const came =
        this.#from.bytes.length > mostHead ? "end" : await this.#from.more(this.#from.bytes.length && idleMs);
      if (came === "more") continue;
      await write(this.up, this.#from.bytes.subarray(sent));
      sent = this.#from.bytes.length;
      if (came === "idle") {
        if ((await this.#from.more()) === "more") continue;
      } else await this.#blindly(this.#from, this.up, sent);
      return null;
    }
  }

  /** A request that a fault wants to see: whole when it can be had, else as it passes. */
  async #hold(request: RequestHead, begun: boolean, head: Buffer, rest: Buffer, framing: Framing): Promise<void> {
    const body = new Body(framing, true);
    const raw: Buffer[] = [head];
    let size = 0;
    let whole = !begun && field(request, "Expect") === undefined;
    while (whole && !body.over && !body.broken) {
      if (this.#from.bytes.length === 0 && (await this.#from.more(idleMs)) !== "more") whole = false;
      const piece = this.#from.take(body.push(this.#from.bytes));
      raw.push(Buffer.from(piece));
      size += piece.length;
      if (size > mostBody) whole = false;
    }
    if (!whole || body.broken) {
      this.#pass(request);
      await write(this.up, Buffer.concat([rest, ...raw.slice(1)]));
      await this.#stream(this.#from, this.up, body);
      return;
    }
    const held: HttpRequest = { ...request, body: Buffer.concat(body.decoded) };
    this.#originals.set(held, Buffer.concat(raw));
    const slot = this.#slot();
    let asked = () => {};
    const called = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const next: Next = (given) => {
      const answer = new Promise<HttpAnswer>((take) => this.#owed.push({ method: given.method, take, slot }));
      // The gateway may have closed: then no answer comes, and the connection ends without one.
      void write(this.up, this.#originals.get(given) ?? requestBytes(given));
      asked();
      return answer;
    };
    const settled = this.#settle(request.method, slot, this.middle.exchange(held, next));
    await Promise.race([called, settled]);
  }

  /** A request that is on its way already: its answer can still be changed. */
  #pass(request: RequestHead): void {
    const slot = this.#slot();
    if (!this.middle.wants(request)) {
      this.#owed.push({ method: request.method, take: null, slot });
      return;
    }
    const answer = new Promise<HttpAnswer>((take) => this.#owed.push({ method: request.method, take, slot }));
    const passed: HttpRequest = { ...request, body: Buffer.alloc(0), passed: true };
    void this.#settle(
      request.method,
      slot,
      this.middle.exchange(passed, () => answer),
    );
  }

  /** Sends what came out when it is its turn. */
  async #settle(method: string, slot: Slot, exchange: Promise<HttpAnswer>): Promise<void> {
    try {
      const answer = await exchange;
      await slot.turn;
      await write(this.down, this.#originals.get(answer) ?? answerBytes(answer, method));
      if (answer.rest) {
        for await (const piece of answer.rest) await write(this.down, chunk(piece));
        await write(this.down, Buffer.from("0\r\n\r\n"));
      }
      slot.done();
    } catch (error) {
      this.#broke(error);
    }
  }

  async #answers(): Promise<void> {
    for (;;) {
      const end = endOfHead(this.#back.bytes);
      if (end < 0) {
        if ((await this.#back.more()) === "more") continue;
        break;
      }
      const head = this.#back.take(end);
      const answer = readAnswer(head);
      if (!answer) {
        await write(this.down, head);
        await this.#blindly(this.#back, this.down);
        break;
      }
      if (answer.status < 200) {
        await this.#owed[0]?.slot.turn;
        await write(this.down, head);
        continue;
      }
      await this.#answer(head, answer, this.#owed.shift() ?? this.#unasked());
    }
    await write(this.down, this.#back.take(this.#back.bytes.length));
    // What was answered by the proxy alone is not lost when the gateway closes; what the gateway owes never comes.
    if (this.#owed.length === 0) await this.#last;
    this.down.end();
    // Half closed is passed on as half closed, and gone as gone.
    if (this.up.closed) this.down.destroySoon();
    else this.up.once("close", () => this.down.destroySoon());
  }

  /** An answer to bytes that are no request. */
  #unasked(): Owed {
    this.#pass(nobody);
    const owed = this.#owed.shift();
    if (!owed) throw new Error("an answer without its place");
    return owed;
  }

  async #answer(head: Buffer, answer: HttpAnswer, { method, take, slot }: Owed): Promise<void> {
    const bodiless = method === "HEAD" || answer.status === 204 || answer.status === 304;
    const body = new Body(bodiless ? { length: 0 } : framingOf(answer.fields, "close"), take !== null);
    if (!take) {
      await slot.turn;
      await write(this.down, head);
      await this.#stream(this.#back, this.down, body);
      slot.done();
      return;
    }
    if (!body.over && field(answer, "Content-Type")?.startsWith("text/event-stream")) {
      let over = () => {};
      const read = new Promise<void>((resolve) => {
        over = resolve;
      });
      take({ ...answer, rest: this.#pieces(body, over) });
      await read;
      return;
    }
    const raw: Buffer[] = [head];
    while (!body.over && !body.broken) {
      if (this.#back.bytes.length === 0 && (await this.#back.more()) !== "more") break;
      raw.push(Buffer.from(this.#back.take(body.push(this.#back.bytes))));
    }
    const whole: HttpAnswer = { ...answer, body: Buffer.concat(body.decoded) };
    this.#originals.set(whole, Buffer.concat(raw));
    take(whole);
  }

  async *#pieces(body: Body, over: () => void): AsyncGenerator<Buffer> {
    try {
      while (!body.over && !body.broken && !this.down.destroyed) {
        if (this.#back.bytes.length === 0 && (await this.#back.more()) !== "more") return;
        this.#back.take(body.push(this.#back.bytes));
        const decoded = Buffer.concat(body.decoded.splice(0));
        if (decoded.length > 0) yield decoded;
      }
    } finally {
      over();
    }
  }

  /** Passes a body on as it comes. */
  async #stream(from: Incoming, to: Socket, body: Body): Promise<void> {
    while (!body.over) {
      if (from.bytes.length === 0 && (await from.more()) !== "more") return;
      const used = body.push(from.bytes);
      await write(to, Buffer.from(from.take(used)));
      if (body.broken) return this.#blindly(from, to);
    }
  }

  /** Passes everything on that still comes. @param sent how much of what is there was passed on before */
  async #blindly(from: Incoming, to: Socket, sent = 0): Promise<void> {
    from.take(sent);
    do await write(to, Buffer.from(from.take(from.bytes.length)));
    while ((await from.more()) === "more");
  }
}

function chunk(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
}
