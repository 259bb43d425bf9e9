/** One request against an app, and what the store answers. */
import type { App } from "./app";
import type { Loaded } from "./session";

/** What is left of a fixed window of one second. `reset_ms` is the time until it ends. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly reset_ms: number;
  readonly exceeded: boolean;
}

/** "Refuse with `refusal` unless session[field] = is (or ≠ is_not)". Data, so that the store needs no rule of the domain. */
export interface Guard {
  readonly field: "state";
  readonly is?: string;
  readonly is_not?: string;
  readonly refusal: string;
}

export interface CommandAdmission {
  readonly command: string;
  readonly operation_id: string;
  readonly command_uid: string;
  readonly uid_given: boolean;
  /** Digest of command and body after validation and defaults. */
  readonly fingerprint: string;
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
  /** The session that the route names. */
  readonly session_uuid: string | null;
  readonly command: CommandAdmission | null;
}

/** Answers are in the order of the checks: the first that fails decides. */
export type Admission =
  | { readonly outcome: "key" }
  | { readonly outcome: "quota"; readonly quota: Quota }
  /** The held-back refusal may now be answered. */
  | { readonly outcome: "held"; readonly quota: Quota }
  | { readonly outcome: "gone" | "foreign"; readonly quota: Quota }
  | { readonly outcome: "uid_used" | "uid_busy"; readonly quota: Quota }
  /** Answered before: the same answer again. */
  | {
      readonly outcome: "replay";
      readonly quota: Quota;
      readonly status: 202 | 504;
      readonly operation_id: string;
      readonly timeout_ms: number;
    }
  | { readonly outcome: "guard"; readonly quota: Quota; readonly refusal: string }
  | { readonly outcome: "cooldown"; readonly quota: Quota; readonly retry_after_ms: number }
  | { readonly outcome: "admitted"; readonly quota: Quota; readonly app: App; readonly loaded: Loaded | null };
