/** What the callee asks of the phone during a call: BYE, re-INVITE (hold, another address), OPTIONS. */
import type { Flow } from "../engines/embedded/sip/flow";
import { readValue } from "../engines/embedded/sip/grammar";
import type { SipRequest } from "../engines/embedded/sip/message";
import { type Answer, type Field, recordRoutes, writeResponse } from "../engines/embedded/sip/response";
import { type LocalSdp, type RemoteMedia, readSdp } from "../engines/embedded/sip/sdp";
import { Repetition, type Timers } from "../engines/embedded/sip/timers";
import { transactionKey } from "../engines/embedded/sip/transaction";
import type { Agent } from "./agent";
import { allow, type OutboundDialog } from "./dialog";

/** Told of what follows from a request. */
export interface Consequences {
  /** Where and how sound goes from now on. */
  agreed(remote: RemoteMedia): void;
  /** The callee has hung up. */
  ended(reason: string): void;
  /** The callee did not acknowledge what he had asked for. */
  lost(): void;
}

/** Answers that are kept for repeats of their requests; the oldest go first. */
const keptMost = 32;

export class Requests {
  readonly #answers = new Map<string, Buffer>();
  /** The 200 of a re-INVITE, repeated until its ACK; `owed`: it held our offer. */
  #accepted: { readonly cseq: number; readonly repetition: Repetition; readonly owed: boolean } | null = null;

  constructor(
    private readonly agent: Agent,
    private readonly timers: Timers,
    private readonly dialog: OutboundDialog,
    private readonly sdp: LocalSdp,
    private readonly consequences: Consequences,
  ) {}

  take(request: SipRequest, flow: Flow): void {
    if (request.method === "ACK") {
      this.#acknowledged(request);
      return;
    }
    const before = this.#answers.get(transactionKey(request));
    if (before) this.agent.send(before, flow);
    else if (request.fault) this.#answer(request, flow, request.fault);
    else if (request.method === "OPTIONS" && request.toTag === "") this.#answer(request, flow, { status: 200 });
    else if (request.method === "CANCEL") {
      // A re-INVITE is answered at once: there is nothing left of it to cancel.
      const known = this.#answers.has(transactionKey(request, "INVITE"));
      this.#answer(request, flow, { status: known ? 200 : 481 });
    } else if (!this.dialog.holds(request)) this.#answer(request, flow, { status: 481 });
    else if (!this.dialog.takes(request)) this.#answer(request, flow, { status: 500 });
    else if (request.method === "BYE") {
      this.#answer(request, flow, { status: 200 });
      this.consequences.ended(reasonOf(request));
    } else if (request.method === "INVITE") this.#renew(request, flow);
    else {
      const known = request.method === "INFO" || request.method === "OPTIONS";
      this.#answer(request, flow, { status: known ? 200 : 405 });
    }
  }

  /** No more repeats. */
  stop(): void {
    this.#accepted?.repetition.stop();
    this.#accepted = null;
  }

  #answer(request: SipRequest, flow: Flow, answer: Answer): Buffer {
    const fields: Field[] = [["Allow", allow], ...(answer.fields ?? [])];
    const bytes = writeResponse(request, flow, { ...answer, tag: this.dialog.localTag, fields });
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size < keptMost) break;
      this.#answers.delete(oldest);
    }
    this.#answers.set(transactionKey(request), bytes);
    this.agent.send(bytes, flow);
    return bytes;
  }

  /** A new offer, or the wish for one of ours (RFC 3261 section 14.2). */
  #renew(request: SipRequest, flow: Flow): void {
    const owed = request.body.length === 0;
    const offer = owed ? null : this.#read(request);
    if (!owed && !offer) {
      this.#answer(request, flow, { status: 488 });
      return;
    }
    const text = offer ? this.sdp.answer(offer) : this.sdp.offer();
    const contact: Field = ["Contact", this.dialog.contact.slice("Contact: ".length)];
    const fields = [contact, ...recordRoutes(request)];
    const bytes = this.#answer(request, flow, { status: 200, fields, body: { type: "application/sdp", text } });
    this.stop();
    const repetition = new Repetition(this.timers, () => this.agent.send(bytes, flow), this.consequences.lost);
    this.#accepted = { cseq: request.cseq, repetition, owed };
    if (offer) this.consequences.agreed(offer.remote);
  }

  #acknowledged(request: SipRequest): void {
    if (this.#accepted?.cseq !== request.cseq || !this.dialog.holds(request)) return;
    const { owed } = this.#accepted;
    this.stop();
    const answer = owed ? this.#read(request) : null;
    if (answer) this.consequences.agreed(answer.remote);
  }

  #read(request: SipRequest): ReturnType<typeof readSdp> {
    return readSdp(request.body, this.agent.host.includes(":") ? 6 : 4);
  }
}

/** The Reason of a BYE (RFC 3326): its text, else its cause. */
function reasonOf(request: SipRequest): string {
  const reason = readValue(request.headers.get("reason") ?? "");
  const text = reason?.params.get("text")?.replace(/^"(.*)"$/, "$1");
  const cause = reason?.params.get("cause");
  return text ?? (cause === undefined ? "Hung up" : `Cause ${cause}`);
}
