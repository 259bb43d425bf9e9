/** What the main process and the media child say to each other: small JSON messages over the fork's channel, in order. */
import type { Refusal } from "../../engine";

/** Where a caller's audio goes and how, as negotiated by SDP (RFC 3264). */
export interface Remote {
  /** IP literal of the `c=` line. `0.0.0.0`, `::`, names and port 0: nothing is sent until the caller's first packet shows where to. */
  readonly address: string;
  readonly port: number;
  /** RTP payload type (RFC 3551): 0 PCMU, 8 PCMA. */
  readonly payload: 0 | 8;
  /** Payload type of `telephone-event/8000`; null when the caller did not offer it. */
  readonly dtmfPayload: number | null;
  /** Milliseconds of audio in each packet that the caller wants: 10–60, taken to the nearest multiple of 5. */
  readonly ptime: number;
  /** May audio be sent? False while on hold: files go on, unheard. */
  readonly send: boolean;
  /** Is audio expected? False on hold and before the answer: then its absence is no RTP time-out. */
  readonly receive: boolean;
}

/** Headerless signed 16-bit little-endian samples, mono, 8 kHz. The file must stay as it is while it plays. */
export interface PcmFile {
  readonly path: string;
  readonly samples: number;
}

/** What was playing when it was stopped, and the position in its file. */
export interface Stopped {
  readonly play: number;
  readonly offset_ms: number;
}

/** Packets of one call. `rejected`: no RTP, unknown payload type, or from a stranger. `skipped`: not sent, the socket was full. */
export interface Counters {
  readonly received: number;
  readonly rejected: number;
  readonly sent: number;
  readonly skipped: number;
  /** Digits beyond what fingers and diallers can do; they were not reported. */
  readonly excess_digits: number;
}

export interface MediaSettings {
  /** Local address of all RTP sockets. */
  readonly host: string;
  /** Bounds of the local ports, both included; only even ones are used (RFC 3550, section 11). */
  readonly portMin: number;
  readonly portMax: number;
  readonly rtpTimeoutMs: number;
}

export type Command =
  | ({ readonly do: "start" } & MediaSettings)
  | { readonly do: "open"; readonly call: string; readonly kind: "socket" | "simulated" }
  | { readonly do: "remote"; readonly call: string; readonly remote: Remote }
  | {
      readonly do: "play";
      readonly call: string;
      readonly play: number;
      readonly file: PcmFile;
      readonly from_ms: number;
    }
  /** `only`: stop this play, and leave whatever else has taken its place. */
  | { readonly do: "stop"; readonly call: string; readonly only: number | null }
  | { readonly do: "ping" }
  | { readonly do: "close"; readonly call: string }
  | {
      readonly do: "press";
      readonly call: string;
      readonly step: number;
      readonly digits: string;
      readonly gap_ms: number;
    }
  | { readonly do: "tone"; readonly call: string; readonly step: number; readonly hz: number; readonly ms: number };

/** A command on its way. With an `id` it is answered by `taken` or `refused`. */
export interface Order {
  readonly id: number | null;
  readonly command: Command;
}

/** What a taken command gives back: the local port of `open`, what `stop` stopped. */
export interface Taken {
  readonly port: number;
  readonly stopped: Stopped | null;
}

export type Report =
  | ({ readonly tell: "taken"; readonly id: number } & Taken)
  | { readonly tell: "refused"; readonly id: number; readonly refusal: Refusal; readonly reason: string }
  | { readonly tell: "digit"; readonly call: string; readonly digit: string; readonly duration_ms: number }
  | { readonly tell: "played"; readonly call: string; readonly play: number; readonly offset_ms: number }
  | { readonly tell: "play_failed"; readonly call: string; readonly play: number; readonly reason: string }
  | { readonly tell: "timeout"; readonly call: string }
  | { readonly tell: "pressed"; readonly call: string; readonly step: number }
  | { readonly tell: "trouble"; readonly call: string; readonly reason: string }
  | { readonly tell: "closed"; readonly call: string; readonly counters: Counters };
