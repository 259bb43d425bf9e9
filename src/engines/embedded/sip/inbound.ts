/** An inbound call from its INVITE to its last BYE (RFC 3261 sections 9.2, 13.3, 14.2, 15). */

import { type Cause, causeOf, causeOfQ850 } from "../../causes";
import type { SipCall, SipCallEnd, SipCallHandler } from "./call";
import { Dialog } from "./dialog";
import type { Flow } from "./flow";
import { printable, readUri, readValue } from "./grammar";
import { readInfo } from "./info";
import type { SipRequest } from "./message";
import { type Invitation, type LocalParty, Negotiation } from "./negotiation";
import type { Answer, Field } from "./response";
import type { LocalMedia, MediaOffer } from "./sdp";
import type { Transactions } from "./transaction";

/** What a call needs of its server. */
export interface CallOwner {
  readonly party: LocalParty;
  readonly transactions: Transactions;
  /** The engine is through with the call. */
  ended(call: InboundCall): void;
  /** So is the other side: nothing can come of the dialog any more. */
  gone(call: InboundCall): void;
}

/** In units of 120 T1, which are minutes by default: how long an unanswered call may stand. */
const longestRinging = 10;

export class InboundCall implements SipCall {
  handler: SipCallHandler | null = null;
  readonly callerId: string;
  readonly did: string;
  readonly offer: MediaOffer | null;
  readonly dialog: Dialog;
  /** `leaving`: the engine is through with it, the other side not yet. */
  #phase: "early" | "answered" | "leaving" = "early";
  #progress: "none" | "ringing" | "media" = "none";
  /** Does the caller know of our answer? */
  #heard = false;
  /** The Reason of a BYE that waits for the ACK. */
  #farewell: string | null = null;
  #minutes = 0;
  readonly #negotiation: Negotiation;
  readonly #minute: NodeJS.Timeout;
  readonly #expiry: NodeJS.Timeout | undefined;

  constructor(
    private readonly owner: CallOwner,
    readonly invitation: Invitation,
    source: Flow,
  ) {
    const { request } = invitation;
    const from = request.from?.uri;
    this.callerId = printable(from?.user || from?.host || "");
    this.did = printable(readUri(request.uri)?.user ?? "");
    this.offer = invitation.offer;
    // Whose connection breaks before the answer does not wait any longer; afterwards the call goes on, and RTP tells of its end.
    this.dialog = new Dialog(request, source, owner.party.identity, () => this.cancel());
    this.#negotiation = new Negotiation(
      owner.party,
      this.dialog,
      (remote) => this.handler?.onRemote(remote),
      () => this.#unheard(),
    );
    this.#minute = setInterval(() => this.#wait(), 120 * owner.party.timers.t1);
    const expires = request.headers.get("expires") ?? "";
    // How long the caller will wait (section 13.3.1). Six digits of seconds are more than anybody rings, and no more than a timer can count.
    if (/^\d{1,6}$/.test(expires)) this.#expiry = setTimeout(() => this.cancel(), Number(expires) * 1000);
  }

  get live(): boolean {
    return this.#phase !== "leaving";
  }

  ring(): void {
    if (this.#phase !== "early" || this.#progress !== "none") return;
    this.#progress = "ringing";
    this.invitation.transaction.provisional(this.#negotiation.write(this.invitation, { status: 180 }));
  }

  early(media: LocalMedia): void {
    if (this.#phase !== "early" || this.#progress === "media") return;
    this.#progress = "media";
    this.#negotiation.early(this.invitation, media);
  }

  answer(media: LocalMedia): void {
    if (this.#phase !== "early") return;
    this.#phase = "answered";
    this.#quiet();
    this.#negotiation.accept(this.invitation, media);
  }

  refuse(status: number, options: { readonly q850?: number; readonly retryAfter?: number } = {}): void {
    const fields: Field[] = [];
    if (options.q850 !== undefined) fields.push(["Reason", reasonOf(causeOfQ850(options.q850))]);
    if (options.retryAfter !== undefined)
      fields.push(["Retry-After", String(Math.max(1, Math.ceil(options.retryAfter)))]);
    this.#refuse({ status, fields });
  }

  #refuse(answer: Answer): boolean {
    if (this.#phase !== "early") return false;
    const { status } = answer;
    const final = Number.isInteger(status) && status >= 300 && status < 700 ? status : 480;
    this.invitation.transaction.refuse(this.#negotiation.write(this.invitation, { ...answer, status: final }));
    this.#leave();
    this.owner.gone(this);
    return true;
  }

  hangup(cause: Cause): void {
    if (this.#refuse({ status: cause.sip, fields: [["Reason", reasonOf(cause)]] }) || this.#phase !== "answered")
      return;
    this.#leave();
    // Not before the caller has heard of the answer (section 15).
    if (this.#heard) this.#bye(reasonOf(cause));
    else this.#farewell = reasonOf(cause);
  }

  /** CANCEL, or whatever else says that the caller does not wait any longer: 487. Nothing once there was a final response. */
  cancel(): void {
    if (this.#refuse({ status: 487 })) this.#tell("caller", causeOf("ORIGINATOR_CANCEL"), 487);
  }

  /** The server goes down: says so to whoever is left. */
  shutDown(): void {
    const cause = causeOf("SYSTEM_SHUTDOWN");
    if (this.#refuse({ status: 503, fields: [["Retry-After", "10"]] })) this.#tell("media_server", cause, 503);
    else if (this.#phase === "answered") this.#drop(cause);
    else if (this.#farewell !== null) this.#bye(this.#farewell);
  }

  /** No ACK within the limit (section 13.3.1.4). */
  #unheard(): void {
    if (this.#phase === "answered") this.#drop(causeOf("RECOVERY_ON_TIMER_EXPIRE"));
    else this.#bye(this.#farewell ?? reasonOf(causeOf("NORMAL_CLEARING")));
  }

  #wait(): void {
    this.#minutes++;
    if (this.#minutes >= longestRinging) {
      if (this.#refuse({ status: 480, fields: [["Reason", reasonOf(causeOf("NO_ANSWER"))]] }))
        this.#tell("media_server", causeOf("NO_ANSWER"), 480);
    } else if (this.#progress !== "none") this.invitation.transaction.again();
  }

  /** Ends an answered call from our side. */
  #drop(cause: Cause): void {
    this.#leave();
    this.#bye(reasonOf(cause));
    this.#tell("media_server", cause, null);
  }

  #bye(reason: string): void {
    this.#negotiation.stop();
    this.#farewell = null;
    const { branch, flow, bytes } = this.dialog.bye(reason);
    this.owner.transactions.request(branch, flow, bytes, () => this.owner.gone(this));
  }

  /** Clocks that belong to the time before the answer. */
  #quiet(): void {
    clearInterval(this.#minute);
    clearTimeout(this.#expiry);
  }

  #leave(): void {
    this.#phase = "leaving";
    this.#quiet();
    this.dialog.close();
    this.owner.ended(this);
  }

  #tell(by: SipCallEnd["by"], cause: Cause, sipStatus: number | null): void {
    this.handler?.onEnd({ by, cause: cause.name, q850: cause.q850, sipStatus });
  }

  /** ACK of a 200; that of a refusal belongs to its transaction. */
  acknowledged(request: SipRequest): void {
    const outcome = this.#negotiation.acknowledge(request);
    if (outcome === "stray") return;
    this.#heard = true;
    if (this.#farewell !== null) this.#bye(this.#farewell);
    else if (outcome === "unanswered" && this.#phase === "answered") this.#drop(causeOf("INCOMPATIBLE_DESTINATION"));
  }

  /** BYE; before the answer it is as good as a CANCEL (section 15.1.2). */
  ended(request: SipRequest): void {
    this.cancel();
    this.#negotiation.stop();
    const waiting = this.#farewell !== null;
    this.#farewell = null;
    if (this.live) {
      this.#leave();
      this.owner.gone(this);
      this.#tell("caller", reasonFrom(request), null);
    } else if (waiting) this.owner.gone(this);
  }

  /** INFO: the answer to it. */
  info(request: SipRequest): Answer {
    const info = readInfo(request);
    if (info === "unsupported")
      return { status: 415, fields: [["Accept", "application/dtmf-relay, application/dtmf"]] };
    if (info === "malformed") return { status: 400, reason: "Malformed digit" };
    if (info !== "nothing" && this.live) this.handler?.onDigit(info.digit, info.duration_ms);
    return { status: 200 };
  }

  /** Why a re-INVITE cannot be taken now; null: it can (section 14.2). */
  busy(): Answer | null {
    if (!this.live) return { status: 481 };
    if (this.#phase === "early") return { status: 500, reason: "INVITE in progress", fields: [["Retry-After", "5"]] };
    return this.#negotiation.owed ? { status: 491 } : null;
  }

  /** A re-INVITE that can be taken: hold, resume, another address, or a question for our offer. */
  renew(invitation: Invitation): void {
    this.#heard = true;
    this.dialog.retarget(invitation.request);
    this.#negotiation.renew(invitation);
  }

  /** A re-INVITE that cannot. */
  deny(invitation: Invitation, answer: Answer): void {
    invitation.transaction.refuse(this.#negotiation.write(invitation, answer));
  }
}

function reasonOf(cause: Cause): string {
  return `Q.850;cause=${cause.q850};text="${cause.name.replace(/[^\w -]/g, "")}"`;
}

/** Reason: Q.850;cause=… of a BYE (RFC 3326); without one a normal clearing. */
function reasonFrom(request: SipRequest): Cause {
  for (const reason of request.headers.list("reason") ?? []) {
    const read = readValue(reason);
    const code = read?.params.get("cause") ?? "";
    if (read?.value === "q.850" && /^\d{1,3}$/.test(code) && Number(code) < 128) return causeOfQ850(Number(code));
  }
  return causeOf("NORMAL_CLEARING");
}
