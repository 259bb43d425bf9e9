/**
 * The caller's side of a call, as the rest of the engine sees it: a SIP dialog or a simulated caller. Everything that a
 * command does goes through this port, so a call from the sandbox takes the same path as one from a phone.
 */
import type { EventName } from "../../contract";
import type { EndedBy, Verdict } from "../engine";
import type { SipCall } from "./sip/call";
import type { Cause } from "./sip/causes";
import type { RemoteMedia } from "./sip/sdp";

/** How a call ended. */
export interface LegEnd {
  readonly by: EndedBy;
  readonly cause: string;
  readonly q850: number;
  /** The final status of an unanswered call; null once it was answered. */
  readonly sipStatus: number | null;
}

export interface LegHandler {
  /** The caller, or the way to him, ended the call. Once and last; never after `refuse` or `hangup`. */
  onEnd(end: LegEnd): void;
  /** A key that came by signalling. */
  onDigit(digit: string, duration_ms: number): void;
  /** Where and how the caller wants his media from now on. */
  onRemote(remote: RemoteMedia): void;
}

export type Refusal = Exclude<Verdict, "accepted">;

/** Every method does nothing once the leg has ended. */
export interface Leg {
  readonly caller_id: string;
  readonly did: string;
  /** What the media process opens for it. */
  readonly transport: "socket" | "simulated";
  handler: LegHandler | null;
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

/** A leg that is a SIP dialog. */
export class SipLeg implements Leg {
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

  get handler(): LegHandler | null {
    return this.#call.handler;
  }

  set handler(handler: LegHandler | null) {
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
