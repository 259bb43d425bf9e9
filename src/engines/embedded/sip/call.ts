/** What the engine sees of an inbound call: the port between SIP and the rest of the embedded engine. */
import type { LocalMedia, MediaOffer, RemoteMedia } from "./sdp";

/**
 * One inbound INVITE and the dialog that comes of it. Every method does nothing once the call has ended: an end may
 * always overtake a command.
 */
export interface SipCall {
  /** User part of From, else its host; at most 128 printable characters. */
  readonly callerId: string;
  /** User part of the Request-URI; at most 128 printable characters, may be empty. */
  readonly did: string;
  /** What the caller offers; null when the INVITE has no SDP (late offer: ours goes into the 200, the answer comes with the ACK). */
  readonly offer: MediaOffer | null;
  /** Set synchronously by the one who is told of the call. */
  handler: SipCallHandler | null;
  /** 180 Ringing. */
  ring(): void;
  /**
   * 183 Session Progress with SDP; idempotent. For a late offer it goes without SDP: an unreliable provisional
   * response cannot carry an offer (RFC 3261 section 13.2.1).
   */
  early(media: LocalMedia): void;
  /** 200 OK with SDP, repeated until the ACK. Without an ACK within 64 T1 (32 s): BYE, `onEnd` by media_server. Idempotent. */
  answer(media: LocalMedia): void;
  /**
   * A final response of 300-699 before the answer. `q850` adds a Reason header (RFC 3326), `retryAfter` (seconds) a
   * Retry-After. After the answer it is ignored. Not followed by `onEnd`.
   */
  refuse(status: number, options?: { readonly q850?: number; readonly retryAfter?: number }): void;
  /**
   * BYE after the answer, the final response `sip` before it, both with a Reason header. Not followed by `onEnd`.
   * An answered call whose ACK is still out gets its BYE after the ACK (RFC 3261 section 15).
   */
  hangup(cause: { readonly name: string; readonly q850: number; readonly sip: number }): void;
}

/** Why a call ended without the engine having asked for it. */
export interface SipCallEnd {
  /** `media_server`: no ACK came, no answer to our offer, nobody answered within the limit, or the server was closed. */
  readonly by: "caller" | "media_server";
  /** A `CauseName`. */
  readonly cause: string;
  readonly q850: number;
  /** The final status of an unanswered call; null once it was answered. */
  readonly sipStatus: number | null;
}

export interface SipCallHandler {
  /** Once and last; never after `refuse` or `hangup`. */
  onEnd(end: SipCallEnd): void;
  /** A digit by INFO: one of `0-9A-D*#`, duration in ms. */
  onDigit(digit: string, duration_ms: number): void;
  /**
   * What was negotiated: within the first `early` or `answer` of a call with an offer, with the ACK of a late offer, and
   * at each later offer of the caller (hold, resume, another address or codec).
   */
  onRemote(remote: RemoteMedia): void;
}
