/** One request against an app, and what the store answers. */
import type { ErrorCode } from "../../contract";
import type { App } from "./app";
import type { Loaded, Room, Session } from "./session";

/** What is left of a fixed window of one second. `reset_ms` is the time until it ends. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly reset_ms: number;
  readonly exceeded: boolean;
}

/**
 * "Refuse with `error` unless the field of the session is one of, or none of, these." Data, so that the store needs no rule
 * of the domain. `room_id`: of its membership, or null. `muted`: false outside of a room. `recording`: is one under way?
 */
export interface Guard {
  readonly field: "state" | "room_id" | "muted" | "recording" | "node";
  readonly one_of?: readonly (string | boolean | null)[];
  readonly none_of?: readonly (string | boolean | null)[];
  readonly error: ErrorCode;
}

export interface CommandAdmission {
  readonly command: string;
  readonly operation_id: string;
  readonly command_uid: string;
  readonly uid_given: boolean;
  /** Digest of command and body after validation and defaults. */
  readonly fingerprint: string;
  /** What this instance knows to refuse, whatever the state: decided before the guards. */
  readonly barred: ErrorCode | null;
  /** In the order of the checks. Only commands of sessions have any. */
  readonly guards: readonly Guard[];
  readonly cooldown: { readonly group: string; readonly ms: number } | null;
  readonly timeout_ms: number;
}

export interface AdmissionRequest {
  readonly app_id: string;
  /** Keyed digest of app id and API key: the authority on the key is here, a cache elsewhere decides nothing. */
  readonly digest: string;
  /** Client address, for the quota. */
  readonly address: string;
  /** Applies to apps with `rate_limit` 0. */
  readonly default_rate_limit: number;
  /** An error of the body or parameters, found before the store was asked: answered once key and quota held. */
  readonly held: boolean;
  /** The session that the request names; looked for before the room. */
  readonly session_uuid: string | null;
  readonly room_id: string | null;
  /** Those that have ended will do, too, as long as something of them is remembered: then nothing is loaded. */
  readonly ended: boolean;
  /** Of the session when one is named, else of the room. */
  readonly command: CommandAdmission | null;
}

/** Answers are in the order of the checks: the first that fails decides. */
export type Admission =
  | { readonly outcome: "key" }
  | { readonly outcome: "quota"; readonly quota: Quota }
  /** The held-back refusal may now be answered. */
  | { readonly outcome: "held"; readonly quota: Quota }
  | { readonly outcome: "session_gone" | "session_foreign" | "room_gone" | "room_foreign"; readonly quota: Quota }
  | { readonly outcome: "uid_used" | "uid_busy"; readonly quota: Quota }
  /** Answered before: the same answer again. */
  | {
      readonly outcome: "replay";
      readonly quota: Quota;
      readonly status: 202 | 504;
      readonly operation_id: string;
      readonly timeout_ms: number;
    }
  /** By `barred` or by a guard. */
  | { readonly outcome: "refused"; readonly quota: Quota; readonly error: ErrorCode }
  | { readonly outcome: "cooldown"; readonly quota: Quota; readonly retry_after_ms: number }
  | {
      readonly outcome: "admitted";
      readonly quota: Quota;
      readonly app: App;
      readonly session: Loaded<Session> | null;
      readonly room: Loaded<Room> | null;
    };
