/** A telephone exchange that says what a test writes: raw UDP, no transactions. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { Message } from "../sip/client";
import { Inbox } from "../sip/inbox";

export interface Said {
  /** Header lines in place of, or beside, what every answer has. */
  readonly lines?: readonly string[];
  readonly sdp?: string;
  readonly tag?: string;
}

export class Exchange {
  readonly inbox = new Inbox<Message>((message) => message.start);
  #phone = 0;

  private constructor(private readonly socket: Socket) {
    socket.on("message", (bytes, from) => {
      this.#phone = from.port;
      this.inbox.put(new Message(bytes.toString("latin1")));
    });
  }

  static async open(): Promise<Exchange> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new Exchange(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  get uri(): string {
    return `sip:100@127.0.0.1:${this.port}`;
  }

  next(method: string): Promise<Message> {
    return this.inbox.next((message) => message.status === 0 && message.method === method, method);
  }

  response(status: number): Promise<Message> {
    return this.inbox.next((message) => message.status === status, String(status));
  }

  /** An answer to a request of the phone's. */
  answer(request: Message, status: string, { lines = [], sdp = "", tag = "exchange" }: Said = {}): void {
    const to = request.toTag === "" && tag !== "" ? `${request.get("to")};tag=${tag}` : request.get("to");
    this.send([
      `SIP/2.0 ${status}`,
      ...request.all("via").map((via) => `Via: ${via}`),
      `From: ${request.get("from")}`,
      `To: ${to}`,
      `Call-ID: ${request.get("call-id")}`,
      `CSeq: ${request.get("cseq")}`,
      ...lines,
      ...(sdp === "" ? [] : ["Content-Type: application/sdp"]),
      `Content-Length: ${sdp.length}`,
      "",
      sdp,
    ]);
  }

  /** A request within the call that this INVITE began. */
  ask(invite: Message, method: string, cseq: number, { lines = [], sdp = "", tag = "exchange" }: Said = {}): void {
    this.send([
      `${method} ${/<(.*)>/.exec(invite.get("contact"))?.[1]} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=z9hG4bK${method}${cseq}${tag}`,
      `From: ${invite.get("to")};tag=${tag}`,
      `To: ${invite.get("from")}`,
      `Call-ID: ${invite.get("call-id")}`,
      `CSeq: ${cseq} ${method}`,
      ...lines,
      ...(sdp === "" ? [] : ["Content-Type: application/sdp"]),
      `Content-Length: ${sdp.length}`,
      "",
      sdp,
    ]);
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, "close");
  }

  private send(lines: readonly string[]): void {
    this.socket.send(lines.join("\r\n"), this.#phone, "127.0.0.1");
  }
}

/** What an exchange says of its sound: PCMA alone. */
export function sound(port: number, direction: string, version = 1): string {
  return [
    "v=0",
    `o=- 1 ${version} IN IP4 127.0.0.1`,
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=audio ${port} RTP/AVP 8 96`,
    "a=rtpmap:96 telephone-event/8000",
    `a=${direction}`,
    "",
  ].join("\r\n");
}
