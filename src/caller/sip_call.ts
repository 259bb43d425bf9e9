/** What a call by a SIP phone is to who places it. */
import type { ScriptStep } from "../engines/engine";

export type { ScriptStep } from "../engines/engine";

/** How a call ended. */
export interface CallEnd {
  /** `failure`: nobody answered, the connection broke, or the answer could not be understood. */
  readonly by: "caller" | "callee" | "failure";
  /** SIP status of the INVITE that was refused or cancelled; null after an answer, and where there was none. */
  readonly status: number | null;
  /** The status's phrase, the Reason of a BYE, or what went wrong. */
  readonly reason: string;
}

/** What happens on the line, for who watches. */
export type Progress =
  | { readonly what: "calling"; readonly transport: "UDP" | "TCP"; readonly address: string; readonly port: number }
  /** Not a word came back in two seconds; it goes on trying. */
  | { readonly what: "silence" }
  | { readonly what: "trying" }
  | { readonly what: "authenticating"; readonly status: number }
  | { readonly what: "ringing"; readonly status: number; readonly reason: string }
  | { readonly what: "early_media" }
  | { readonly what: "answered"; readonly codec: "PCMU" | "PCMA"; readonly keys: boolean }
  | { readonly what: "press"; readonly digits: string }
  | { readonly what: "tone"; readonly hz: number; readonly ms: number }
  | { readonly what: "hold"; readonly on: boolean }
  | ({ readonly what: "ended" } & CallEnd);

export interface SipCallOptions {
  /** `sip:number@host[:port][;transport=udp|tcp]` */
  readonly uri: string;
  /** User part of From. */
  readonly callerId: string;
  /** Begins when it rings, and runs as the sandbox's does; keys and tones wait for a way for sound. */
  readonly script: readonly ScriptStep[];
  /** For who is asked for a password. */
  readonly username?: string;
  readonly password?: string;
  readonly told?: (line: Progress) => void;
  /** T1 of RFC 3261 in ms. @default 500 */
  readonly t1?: number;
}

export interface SipCall {
  /** An event of this call happened, as the app is told: for `wait_for`. `call.answered` the phone knows by itself. */
  tell(event: string): void;
  /** BYE, or CANCEL before the answer. Resolves when that is over; does nothing once the call has ended. */
  hangUp(): Promise<void>;
  /** Keys, each held for 100 ms. Resolves when they were sent, or the call ended before. @param gapMs between keys, 100 */
  press(digits: string, gapMs?: number): Promise<void>;
  readonly ended: Promise<CallEnd>;
  /** Rejects when the call ends without an answer. */
  readonly answered: Promise<void>;
  /** RTP packets with sound so far; dBFS of the last second (0: a sine at full scale, -Infinity: silence). */
  readonly heard: { readonly packets: number; readonly level: number };
  /** Hangs up where that is left to do, and frees what it holds. Idempotent. */
  close(): Promise<void>;
}
