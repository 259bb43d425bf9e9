/** The dialog of an outbound call (RFC 3261 section 12): its names, its order, and the way to the other side. */
import { randomBytes, randomInt } from "node:crypto";
import { isIP } from "node:net";
import type { Flow } from "../engines/embedded/sip/flow";
import { readNameAddr } from "../engines/embedded/sip/grammar";
import type { SipRequest, SipResponse } from "../engines/embedded/sip/message";
import type { Agent, Outgoing } from "./agent";
import { type Destination, hostPart, userPart } from "./destination";

export const allow = "INVITE, ACK, CANCEL, BYE, INFO, OPTIONS";

/** What a request carries beside the names of its dialog. */
export interface Extra {
  readonly headers?: readonly string[];
  /** SDP. */
  readonly body?: string;
}

export class OutboundDialog {
  readonly callId: string;
  readonly localTag = randomBytes(9).toString("hex");
  /** Empty until the callee has one. */
  #remoteTag = "";
  #cseq = randomInt(1, 2 ** 16);
  #remoteCseq = -1;
  #routes: readonly string[] = [];
  #target: string;
  readonly #from: string;
  readonly #contact: string;

  constructor(
    private readonly agent: Agent,
    private readonly destination: Destination,
    callerId: string,
  ) {
    const user = userPart(callerId);
    const own = `${hostPart(agent.host)}:${agent.port}`;
    this.callId = `${randomBytes(12).toString("hex")}@${hostPart(agent.host)}`;
    this.#from = `<sip:${user}@${hostPart(agent.host)}>;tag=${this.localTag}`;
    this.#contact = `<sip:${user}@${own}${agent.flow.transport === "TCP" ? ";transport=tcp" : ""}>`;
    this.#target = destination.uri;
  }

  /** What the start line of the next request names. */
  get target(): string {
    return this.#target;
  }

  /** Our Contact, as a header line. */
  get contact(): string {
    return `Contact: ${this.#contact}`;
  }

  /** A request with a number of its own. */
  request(method: string, extra: Extra = {}): Outgoing {
    const branch = `z9hG4bK${randomBytes(12).toString("hex")}`;
    this.#cseq++;
    const lines = method === "INVITE" ? [this.contact, `Allow: ${allow}`, ...(extra.headers ?? [])] : extra.headers;
    return { method, branch, bytes: this.write(method, branch, { ...extra, headers: lines ?? [] }) };
  }

  /** The ACK of a 2xx: a transaction of its own, with the number of the INVITE, which was the last request (section 13.2.2.4). */
  acknowledgement(): Buffer {
    return this.write("ACK", `z9hG4bK${randomBytes(12).toString("hex")}`);
  }

  /** ACK of a refusal and CANCEL: the same way and the same names as their INVITE (sections 9.1 and 17.1.1.3). */
  same(method: "ACK" | "CANCEL", invite: Outgoing, to?: string): Outgoing {
    return { method, branch: invite.branch, bytes: this.write(method, invite.branch, { to: to ?? this.plainTo() }) };
  }

  /** The callee's names and way, of the response that makes the dialog. */
  establish(response: SipResponse): void {
    this.#remoteTag = tagOf(response);
    this.#routes = (response.headers.list("record-route") ?? []).toReversed();
    this.#retarget(response.headers.list("contact")?.[0]);
  }

  /** Is this request one of the callee's, in this dialog? */
  holds(request: SipRequest): boolean {
    const known = this.#remoteTag === "" || request.fromTag === this.#remoteTag;
    return request.callId === this.callId && request.toTag === this.localTag && known;
  }

  /** Requests other than ACK have to come in order (section 12.2.2); false: this one is older than one that was seen. */
  takes(request: SipRequest): boolean {
    if (request.cseq <= this.#remoteCseq) return false;
    this.#remoteCseq = request.cseq;
    if (request.method === "INVITE") this.#retarget(request.headers.list("contact")?.[0]);
    return true;
  }

  /** Where the next request goes: the first route or the Contact when it is an address, else where the call began. */
  way(): Flow {
    const { flow } = this.agent;
    const uri = readNameAddr(this.#routes[0] ?? `<${this.#target}>`)?.uri;
    return uri && isIP(uri.host) === isIP(flow.address) && isIP(uri.host) !== 0
      ? flow.toward(uri.host, uri.port ?? 5060)
      : flow;
  }

  #retarget(contact: string | undefined): void {
    const read = readNameAddr(contact ?? "");
    if (read) this.#target = read.text;
  }

  private plainTo(): string {
    return `<${this.destination.uri}>`;
  }

  private write(method: string, branch: string, extra: Extra & { readonly to?: string } = {}): Buffer {
    const { host, port, flow } = this.agent;
    const tagged = this.#remoteTag === "" ? this.plainTo() : `${this.plainTo()};tag=${this.#remoteTag}`;
    const body = extra.body ?? "";
    const lines = [
      `${method} ${extra.to === undefined ? this.#target : this.destination.uri} SIP/2.0`,
      `Via: SIP/2.0/${flow.transport} ${hostPart(host)}:${port};branch=${branch};rport`,
      "Max-Forwards: 70",
      ...(extra.to === undefined ? this.#routes.map((route) => `Route: ${route}`) : []),
      `From: ${this.#from}`,
      `To: ${extra.to ?? tagged}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.#cseq} ${method}`,
      ...(extra.headers ?? []),
      ...(body === "" ? [] : ["Content-Type: application/sdp"]),
      `Content-Length: ${Buffer.byteLength(body, "latin1")}`,
      "",
      body,
    ];
    return Buffer.from(lines.join("\r\n"), "latin1");
  }
}

/** Tag of the To of a response, empty where it has none. */
export function tagOf(response: SipResponse): string {
  return readNameAddr(response.headers.get("to") ?? "")?.params.get("tag") ?? "";
}
