/** Reads an answer that comes bit by bit. Its head is checked against the document like that of every other. */
import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { checkResponse } from "./client";

export class Reader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Resolves at the end: true when it came in order, false when the connection broke. */
  readonly ended: Promise<boolean>;
  private received = "";
  private over = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly incoming: IncomingMessage) {
    this.status = incoming.statusCode ?? 0;
    this.headers = incoming.headers;
    incoming.setEncoding("latin1");
    incoming.on("data", (text: string) => {
      this.received += text;
      this.wake();
    });
    incoming.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      incoming.once("close", () => {
        this.over = true;
        this.wake();
        resolve(incoming.complete);
      });
    });
  }

  /** @throws `refused: 429` */
  static async open(url: string, path: string, headers: Readonly<Record<string, string>>): Promise<Reader> {
    const outgoing = request(url + path, { headers, agent: false });
    outgoing.end();
    const [incoming]: IncomingMessage[] = await once(outgoing, "response");
    if (!incoming) throw new Error("no response");
    const { statusCode: status = 0, headers: answered } = incoming;
    if (status >= 300) {
      incoming.destroy();
      throw new Error(`refused: ${status}`);
    }
    checkResponse({ method: "GET", path, status, headers: answered, bytes: Buffer.alloc(0) });
    return new Reader(incoming);
  }

  /** What has come so far. */
  get text(): string {
    return this.received;
  }

  /** Resolves once this has come; what came before it and itself are taken out of the text, and answered. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.received.indexOf(text);
      if (at !== -1) {
        const end = at + text.length;
        const taken = this.received.slice(0, end);
        this.received = this.received.slice(end);
        return taken;
      }
      if (this.over) throw new Error(`ended before "${text}": ${this.received}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** No more is read until {@link resume}. */
  pause(): void {
    this.incoming.pause();
  }

  resume(): void {
    this.incoming.resume();
  }

  /** Leaves, in the middle of it all. */
  destroy(): void {
    this.incoming.destroy();
  }
}
