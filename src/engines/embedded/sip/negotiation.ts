/** Offer and answer within a dialog (RFC 3264, RFC 3261 sections 13.3.1.4 and 14.2): 183, 200 until its ACK, hold. */
import type { Dialog, Identity } from "./dialog";
import type { Flow } from "./flow";
import type { SipRequest } from "./message";
import { type Answer, type Field, writeResponse } from "./response";
import { type LocalMedia, LocalSdp, type MediaOffer, type RemoteMedia, readSdp } from "./sdp";
import { Repetition, type Timers } from "./timers";
import type { InviteTransaction } from "./transaction";

export const allow: Field = ["Allow", "INVITE, ACK, CANCEL, BYE, INFO, OPTIONS"];

/** How this end presents itself and counts its time: the same for all calls of a server. */
export interface LocalParty {
  readonly identity: Identity;
  readonly publicHost: string | null;
  readonly family: 4 | 6;
  readonly timers: Timers;
}

/** An INVITE, what it offers (null: nothing), and where its answers go. */
export interface Invitation {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly transaction: InviteTransaction;
  readonly offer: MediaOffer | null;
}

/** A 200 that is repeated until its ACK. */
interface Accepted {
  readonly cseq: number;
  readonly repetition: Repetition;
  /** It held our offer: the ACK brings the answer. */
  readonly owed: boolean;
}

export class Negotiation {
  #sdp: LocalSdp | null = null;
  #agreed = false;
  #accepted: Accepted | null = null;

  constructor(
    private readonly party: LocalParty,
    private readonly dialog: Dialog,
    /** Told of what was agreed. */
    private readonly agreed: (remote: RemoteMedia) => void,
    /** No ACK came. */
    private readonly lost: () => void,
  ) {}

  /** Have we made an offer that has no answer yet? */
  get owed(): boolean {
    return this.#accepted?.owed ?? false;
  }

  /** The bytes of an answer to an INVITE of this dialog; `sdp` becomes its body. */
  write({ request, flow }: Invitation, answer: Answer, sdp?: string): Buffer {
    const ours =
      answer.status < 300 ? [this.party.identity.contact(flow.transport), ...this.dialog.recordRoutes, allow] : [];
    return writeResponse(request, flow, {
      ...answer,
      tag: this.dialog.localTag,
      fields: [...ours, ...(answer.fields ?? [])],
      ...(sdp === undefined ? {} : { body: { type: "application/sdp", text: sdp } }),
    });
  }

  early(invitation: Invitation, media: LocalMedia): void {
    const { offer, transaction } = invitation;
    const sdp = offer ? this.#local(media).answer(offer) : undefined;
    transaction.provisional(this.write(invitation, { status: 183 }, sdp));
    if (offer) this.#agree(offer.remote);
  }

  /** The 200 goes on until its ACK on every transport: a connection ends at the next proxy, the call does not. */
  accept(invitation: Invitation, media: LocalMedia): void {
    const { request, flow, transaction, offer } = invitation;
    const again = this.#agreed && invitation.request.toTag === "";
    const sdp = this.#local(media);
    const bytes = this.write(invitation, { status: 200 }, offer ? sdp.answer(offer) : sdp.offer());
    this.stop();
    const repetition = new Repetition(this.party.timers, () => flow.send(bytes), this.lost);
    this.#accepted = { cseq: request.cseq, repetition, owed: offer === null };
    flow.send(bytes);
    transaction.leave();
    // The 200 of a call that had early media says what its 183 said.
    if (offer && !again) this.#agree(offer.remote);
  }

  /** A re-INVITE: answered with the media that we have. */
  renew(invitation: Invitation): void {
    if (this.#sdp) this.accept(invitation, this.#sdp.local);
  }

  /** The ACK of a 200. `unanswered`: it owed us an answer to our offer, and brought none that can be taken. */
  acknowledge(request: SipRequest): "agreed" | "stray" | "unanswered" {
    if (this.#accepted?.cseq !== request.cseq) return "stray";
    const { owed } = this.#accepted;
    this.stop();
    if (!owed) return "agreed";
    const answer = readSdp(request.body, this.party.family);
    if (!answer) return "unanswered";
    this.#agree(answer.remote);
    return "agreed";
  }

  #local(media: LocalMedia): LocalSdp {
    this.#sdp ??= new LocalSdp(media, this.party.publicHost);
    return this.#sdp;
  }

  #agree(remote: RemoteMedia): void {
    this.#agreed = true;
    this.agreed(remote);
  }

  /** No more repeats. */
  stop(): void {
    this.#accepted?.repetition.stop();
    this.#accepted = null;
  }
}
