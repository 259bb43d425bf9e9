/** What the main process and the media child say to each other: small JSON messages over the fork's channel, in order. */
import type { Position, Sound } from "../../control/media_server";
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

/** `target`: a call, heard by it alone, or a room, heard by all of its members. */
export type PlayCommand =
  | {
      readonly do: "play";
      readonly target: string;
      readonly play: number;
      readonly sound: Sound;
      readonly from_ms: number;
      readonly paused: boolean;
      /** Steps of 3 dB, 0 is as the file is. */
      readonly volume: number;
    }
  | { readonly do: "pause"; readonly target: string; readonly paused: boolean }
  | { readonly do: "seek"; readonly target: string; readonly offset_ms: number }
  | { readonly do: "volume"; readonly target: string; readonly volume: number }
  /** `only`: stop this play, and leave whatever else has taken its place. */
  | { readonly do: "stop"; readonly target: string; readonly only: number | null };

export type RoomCommand =
  | { readonly do: "open_room"; readonly room: string }
  /** `unused`: only when it has no member and plays nothing. */
  | { readonly do: "close_room"; readonly room: string; readonly unused: boolean }
  | { readonly do: "join"; readonly call: string; readonly room: string; readonly muted: boolean }
  /** `only`: leave this room, and no other. */
  | { readonly do: "leave"; readonly call: string; readonly only: string | null }
  | { readonly do: "mute"; readonly call: string; readonly muted: boolean };

export type RecordCommand =
  | {
      readonly do: "record";
      readonly call: string;
      readonly recording_id: string;
      readonly path: string;
      readonly max_ms: number;
    }
  /** `discard`: a recording whose beginning came too late for anybody; its file is removed and nothing is told. */
  | { readonly do: "stop_recording"; readonly call: string; readonly discard: string | null };

export type Command =
  | PlayCommand
  | RoomCommand
  | RecordCommand
  | ({ readonly do: "start" } & MediaSettings)
  | { readonly do: "open"; readonly call: string; readonly kind: "socket" | "simulated" }
  | { readonly do: "remote"; readonly call: string; readonly remote: Remote }
  | { readonly do: "ping" }
  | { readonly do: "close"; readonly call: string }
  | {
      readonly do: "press";
      readonly call: string;
      readonly step: number;
      readonly digits: string;
      readonly gap_ms: number;
    }
  | { readonly do: "tone"; readonly call: string; readonly step: number; readonly hz: number; readonly ms: number }
  /** All calls end. Answered once the last recording has been told. */
  | { readonly do: "end" };

/** A command on its way. With an `id` it is answered by `taken` or `refused`. */
export interface Order {
  readonly id: number | null;
  readonly command: Command;
}

/** What a taken command gives back. */
export interface Taken {
  /** The local port of `open`. */
  readonly port?: number;
  /** Of `pause`, `seek`, `volume` and `stop`: what plays, or played; null when nothing did. */
  readonly position?: Position | null;
  /** Why `record` could not begin. */
  readonly failure?: string | null;
}

export type Report =
  | ({ readonly tell: "taken"; readonly id: number } & Taken)
  | { readonly tell: "refused"; readonly id: number; readonly refusal: Refusal; readonly reason: string }
  | { readonly tell: "digit"; readonly call: string; readonly digit: string; readonly duration_ms: number }
  | { readonly tell: "played"; readonly target: string; readonly play: number; readonly offset_ms: number }
  | { readonly tell: "play_failed"; readonly target: string; readonly play: number; readonly reason: string }
  | {
      readonly tell: "recorded";
      readonly call: string;
      readonly recording_id: string;
      readonly failure: string | null;
    }
  | { readonly tell: "timeout"; readonly call: string }
  | { readonly tell: "pressed"; readonly call: string; readonly step: number }
  | { readonly tell: "trouble"; readonly call: string; readonly reason: string }
  | { readonly tell: "closed"; readonly call: string; readonly counters: Counters };
