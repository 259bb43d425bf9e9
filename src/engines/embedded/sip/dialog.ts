/** The dialog of an inbound call (RFC 3261 section 12): its names, its order, and the way to the other side. */
import { randomBytes, randomInt } from "node:crypto";
import { isIP, isIPv6 } from "node:net";
import type { Flow } from "./flow";
import { readNameAddr } from "./grammar";
import type { SipRequest } from "./message";
import { type Field, recordRoutes } from "./response";

/** How this end is called in Contact and Via. */
export class Identity {
  constructor(
    private readonly host: string,
    private readonly listener: { readonly port: number },
  ) {}

  #place(): string {
    return `${isIPv6(this.host) ? `[${this.host}]` : this.host}:${this.listener.port}`;
  }

  contact(transport: Flow["transport"]): Field {
    return ["Contact", `<sip:${this.#place()}${transport === "TCP" ? ";transport=tcp" : ""}>`];
  }

  via(transport: Flow["transport"], branch: string): string {
    return `Via: SIP/2.0/${transport} ${this.#place()};branch=${branch};rport`;
  }
}

/** What a dialog is found by: our own tag is in it, which nobody can guess. */
export function dialogKey(callId: string, localTag: string): string {
  return `${callId} ${localTag}`;
}

export class Dialog {
  readonly localTag = randomBytes(9).toString("hex");
  readonly key: string;
  /** Copied into the answers that make the dialog. */
  readonly recordRoutes: readonly Field[];
  readonly #remoteTag: string;
  readonly #routes: readonly string[];
  readonly #from: string;
  readonly #to: string;
  readonly #callId: string;
  #target: string;
  #remoteCseq: number;
  #localCseq = randomInt(1, 2 ** 16);
  #flow: Flow;
  #release: () => void;
  #closed = false;
  /** The address that their own Via names is not the one that we see: an address translator is between. */
  readonly #translated: boolean;

  constructor(
    invite: SipRequest,
    flow: Flow,
    private readonly identity: Identity,
    /** The connection that it lives on broke. */
    private readonly broken: () => void,
  ) {
    this.#callId = invite.callId;
    this.key = dialogKey(invite.callId, this.localTag);
    this.recordRoutes = recordRoutes(invite);
    this.#routes = invite.headers.list("record-route") ?? [];
    this.#remoteTag = invite.fromTag;
    this.#remoteCseq = invite.cseq;
    this.#from = `${invite.headers.get("to") ?? ""};tag=${this.localTag}`;
    this.#to = invite.headers.get("from") ?? "";
    this.#target = readNameAddr(invite.headers.list("contact")?.[0] ?? "")?.text ?? invite.from?.text ?? "";
    this.#flow = flow;
    this.#release = flow.hold(broken);
    this.#translated = invite.via.host !== flow.address;
  }

  /** Is it this dialog's other side that speaks? */
  isFrom(request: SipRequest): boolean {
    return request.fromTag === this.#remoteTag;
  }

  /** Requests other than ACK have to come in order (section 12.2.2); false: this one is older than one that was seen. */
  takes(request: SipRequest, flow: Flow): boolean {
    if (request.cseq <= this.#remoteCseq) return false;
    this.#remoteCseq = request.cseq;
    if (this.#flow !== flow && !this.#closed) {
      this.#release();
      this.#release = flow.hold(this.broken);
    }
    this.#flow = flow;
    return true;
  }

  /** No longer keeps a connection open. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  /** A re-INVITE may move the other side's Contact. */
  retarget(request: SipRequest): void {
    const contact = readNameAddr(request.headers.list("contact")?.[0] ?? "");
    if (contact) this.#target = contact.text;
  }

  /**
   * Over the connection that the call came by; in UDP to the first route or the Contact when it is an address, as
   * section 12.2.1.1 has it, and back to where the last request came from when it is a name, or when an address
   * translator is between, whose inside nobody can reach.
   */
  #way(next: string): Flow {
    const uri = readNameAddr(next)?.uri;
    if (this.#translated || !uri || isIP(uri.host) !== isIP(this.#flow.address)) return this.#flow;
    return this.#flow.toward(uri.host, uri.port ?? 5060);
  }

  bye(reason: string): { readonly branch: string; readonly bytes: Buffer; readonly flow: Flow } {
    const branch = `z9hG4bK${randomBytes(12).toString("hex")}`;
    const [first] = this.#routes;
    const strict = first !== undefined && !readNameAddr(first)?.uri.params.has("lr");
    // A strict router (RFC 2543) takes its own URI from the start line, and the target out of the last Route.
    const uri = strict ? (readNameAddr(first)?.text ?? this.#target) : this.#target;
    const routes = strict ? [...this.#routes.slice(1), `<${this.#target}>`] : this.#routes;
    const flow = this.#way(first ?? `<${this.#target}>`);
    const lines = [
      `BYE ${uri} SIP/2.0`,
      this.identity.via(flow.transport, branch),
      "Max-Forwards: 70",
      ...routes.map((route) => `Route: ${route}`),
      `From: ${this.#from}`,
      `To: ${this.#to}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${this.#localCseq++} BYE`,
      `Reason: ${reason}`,
      "Content-Length: 0",
      "",
      "",
    ];
    return { branch, bytes: Buffer.from(lines.join("\r\n"), "latin1"), flow };
  }
}
