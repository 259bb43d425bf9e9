/**
 * Who calls, as the embedded engine sees him: a SIP dialog or a simulated caller. A call from the sandbox takes the same path
 * as one from a phone.
 */
import type { EventName } from "../../contract";
import type { Cause } from "../causes";
import type { LegEnd, Refusal } from "../control/leg";
import type { SipCall } from "./sip/call";
import type { RemoteMedia } from "./sip/sdp";

export interface CallerHandler {
  /** The caller, or the way to him, ended the call. Once and last; never after `refuse` or `hangup`. */
  onEnd(end: LegEnd): void;
  /** A key that came by signalling. */
  onDigit(digit: string, duration_ms: number): void;
  /** Where and how the caller wants his media from now on. */
  onRemote(remote: RemoteMedia): void;
}

/** Every method does nothing once the call has ended. */
export interface Caller {
  readonly caller_id: string;
  readonly did: string;
  /** What the media process opens for it. */
  readonly transport: "socket" | "simulated";
  handler: CallerHandler | null;
  /** The call was accepted: the caller hears that it rings. */
  ring(): void;
  /** Early media. `port`: where this side receives RTP. Idempotent. */
  early(port: number): void;
  answer(port: number): void;
  /** The call is not accepted. */
  refuse(refusal: Refusal): void;
  hangup(cause: Cause): void;
  /** The app is told this about the call. */
  happened(event: EventName): void;
}

/** How long a caller that found no room is asked to wait, in seconds. */
const retryAfter = 10;
const refusals = {
  // ITU-T Q.850: 1 unallocated number, 42 switching equipment congestion, 41 temporary failure.
  no_app: { status: 404, q850: 1 },
  overloaded: { status: 503, q850: 42, retryAfter },
  unavailable: { status: 503, q850: 41, retryAfter },
} as const satisfies Record<Refusal, { status: number; q850: number; retryAfter?: number }>;

/** One with a SIP phone. */
export class SipCaller implements Caller {
  readonly transport = "socket";
  readonly #call: SipCall;
  readonly #address: string;

  /** @param address where this side receives RTP, as it stands in SDP */
  constructor(call: SipCall, address: string) {
    this.#call = call;
    this.#address = address;
  }

  get caller_id(): string {
    return this.#call.callerId;
  }

  get did(): string {
    return this.#call.did;
  }

  get handler(): CallerHandler | null {
    return this.#call.handler;
  }

  set handler(handler: CallerHandler | null) {
    this.#call.handler = handler;
  }

  ring(): void {
    this.#call.ring();
  }

  early(port: number): void {
    this.#call.early({ address: this.#address, port });
  }

  answer(port: number): void {
    this.#call.answer({ address: this.#address, port });
  }

  refuse(refusal: Refusal): void {
    const { status, ...options } = refusals[refusal];
    this.#call.refuse(status, options);
  }

  hangup(cause: Cause): void {
    this.#call.hangup(cause);
  }

  happened(): void {
    // A phone hears what happens.
  }
}
