/**
 * The caller's side of a call, as call control sees it: a SIP dialog of our own, a simulated caller, a channel of a media
 * server. Everything that a command does to the call itself goes through this port.
 */
import type { EventName } from "../../contract";
import type { Cause } from "../causes";
import type { EndedBy, Verdict } from "../engine";

/** How a call ended. */
export interface LegEnd {
  readonly by: EndedBy;
  readonly cause: string;
  readonly q850: number;
  /** The final status of an unanswered call; null once it was answered. */
  readonly sipStatus: number | null;
}

export interface LegHandler {
  /** The caller is heard, and hears: by `answer`, or because the media server has done so itself. */
  onAnswered(): void;
  /** A key, once however many ways it came: one of `0-9A-D*#`. */
  onDigit(digit: string, duration_ms: number): void;
  /** The call is over, whoever ended it. Once and last; not after `refuse`. */
  onEnd(end: LegEnd): void;
}

export type Refusal = Exclude<Verdict, "accepted">;

/** Every method does nothing once the leg has ended, but for those that say otherwise. */
export interface Leg {
  readonly caller_id: string;
  readonly did: string;
  /** The app that the media server names for it; null: it goes by its number. */
  readonly app_id: string | null;
  /** Set before anything is asked of it. */
  handler: LegHandler | null;
  /** Before the call is offered: gets ready what it needs of the media server. Rejects when that cannot be had. */
  open(): Promise<void>;
  /** The call was accepted: the caller hears that it rings, unless he was answered already. */
  ring(): void;
  /** Something is about to sound to an unanswered caller. Idempotent. */
  early(): void;
  /** Resolves once the media server has taken it; that it is so is told by `onAnswered`, before or after. Rejects with `Refused`. */
  answer(): Promise<void>;
  /** The call is not accepted. */
  refuse(refusal: Refusal): void;
  /** Ends the call towards the caller; that it has ended is told by `onEnd`, before or after. Rejects with `Refused`. */
  hangup(cause: Cause, by: EndedBy): Promise<void>;
  /**
   * The media server's dialplan goes on with the call: resolves true once it has it. False: there is none, and the call ends
   * instead. Rejects with `Refused`.
   */
  handBack(): Promise<boolean>;
  /** The call is over, and was told of: frees what `open` took. */
  release(): void;
  /** The app is told this about the call. */
  happened(event: EventName): void;
}
