/** A caller's side of one call: writes the requests of a dialog over a client. */
import { randomBytes } from "node:crypto";
import type { Client, Message } from "./client";

/** SDP of a caller at a media port. */
export function sdp(lines: readonly string[] = ["a=sendrecv"], formats = "0 8 101", address = "127.0.0.1"): string {
  const head = [
    "v=0",
    "o=- 7 1 IN IP4 127.0.0.1",
    "s=-",
    `c=IN IP4 ${address}`,
    "t=0 0",
    `m=audio 40000 RTP/AVP ${formats}`,
  ];
  return [...head, "a=rtpmap:101 telephone-event/8000", ...lines, ""].join("\r\n");
}

export interface Extra {
  /** Further header lines. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** "": no Content-Type. */
  readonly type?: string;
  readonly branch?: string;
  readonly uri?: string;
  /** In place of the client's own, with its parameters. */
  readonly via?: string;
  readonly contact?: string;
}

export class Phone {
  readonly callId = `${randomBytes(8).toString("hex")}@test`;
  readonly tag = randomBytes(4).toString("hex");
  cseq = 0;
  /** Branch of the last INVITE. */
  branch = "";
  toTag = "";

  constructor(
    readonly client: Client,
    readonly number = "4930",
    readonly user = "alice",
  ) {}

  /** A request as it goes out; `cseq` stays as it is for ACK and CANCEL. */
  write(method: string, extra: Extra = {}): string {
    const { transport, port } = this.client;
    if (method !== "ACK" && method !== "CANCEL") this.cseq++;
    const branch = extra.branch ?? `z9hG4bK${randomBytes(8).toString("hex")}`;
    if (method === "INVITE") this.branch = branch;
    const body = extra.body ?? "";
    return [
      `${method} ${extra.uri ?? `sip:${this.number}@127.0.0.1`} SIP/2.0`,
      `Via: ${extra.via ?? `SIP/2.0/${transport} 127.0.0.1:${port};rport`};branch=${branch}`,
      "Max-Forwards: 70",
      `From: "A" <sip:${this.user}@127.0.0.1>;tag=${this.tag}`,
      `To: <sip:${this.number}@127.0.0.1>${this.toTag === "" ? "" : `;tag=${this.toTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.cseq} ${method}`,
      `Contact: <${extra.contact ?? `sip:alice@127.0.0.1:${port}${transport === "TCP" ? ";transport=tcp" : ""}`}>`,
      ...(extra.headers ?? []),
      ...(body === "" || extra.type === "" ? [] : [`Content-Type: ${extra.type ?? "application/sdp"}`]),
      `Content-Length: ${body.length}`,
      "",
      body,
    ].join("\r\n");
  }

  send(method: string, extra: Extra = {}): string {
    const text = this.write(method, extra);
    this.client.send(text);
    return text;
  }

  /** An INVITE with an offer. */
  invite(extra: Extra = {}): string {
    return this.send("INVITE", { body: sdp(), ...extra });
  }

  /** The next response of this status to the method, of this call only. */
  async response(status: number, method = "INVITE"): Promise<Message> {
    const fits = (m: Message) => m.status === status && m.method === method && m.get("call-id") === this.callId;
    const message = await this.client.inbox.next(fits, `${status} to ${method}`);
    if (message.toTag !== "" && status < 300 && method === "INVITE") this.toTag = message.toTag;
    return message;
  }

  /** The next request of this call. */
  request(method: string): Promise<Message> {
    const fits = (m: Message) => m.status === 0 && m.method === method && m.get("call-id") === this.callId;
    return this.client.inbox.next(fits, method);
  }

  /** ACK of a 2xx, of the last INVITE. */
  ack(extra: Extra = {}): void {
    this.send("ACK", extra);
  }

  /** ACK of a refusal: with the branch of its INVITE, and the tag of the refusal. */
  ackRefusal(refusal: Message): void {
    const { toTag } = this;
    this.toTag = refusal.toTag;
    this.send("ACK", { branch: this.branch });
    this.toTag = toTag;
  }

  cancel(): void {
    const { toTag } = this;
    this.toTag = "";
    this.send("CANCEL", { branch: this.branch });
    this.toTag = toTag;
  }

  /** From INVITE to ACK. */
  async establish(extra: Extra = {}): Promise<Message> {
    this.invite(extra);
    const ok = await this.response(200);
    this.ack();
    return ok;
  }

  /** The answer to a request of the server's. */
  reply(request: Message, status: string): void {
    const copied = ["Via", "From", "To", "Call-ID", "CSeq"].flatMap((name) =>
      request.all(name.toLowerCase()).map((value) => `${name}: ${value}`),
    );
    this.client.send([`SIP/2.0 ${status}`, ...copied, "Content-Length: 0", "", ""].join("\r\n"));
  }

  /** Everything that was sent before has been handled, and all answers to it are here. */
  async fence(): Promise<void> {
    const probe = new Phone(this.client);
    probe.send("OPTIONS");
    await probe.response(200, "OPTIONS");
  }

  /** Responses to this call so far, as "200 INVITE". */
  heard(): string[] {
    const mine = this.client.inbox.all.filter((m) => m.get("call-id") === this.callId);
    return mine.map((m) => (m.status > 0 ? `${m.status} ${m.method}` : m.method));
  }
}
