/** Apps as the store keeps them. */
import type { EventName } from "../../contract";

/** A tenant as the admin API shows it. Never holds a key or a secret. */
export interface App {
  readonly app_id: string;
  /** "" sends nothing. */
  readonly webhook_url: string;
  /** Requests per second, per client address; 0 = the gateway's default. */
  readonly rate_limit: number;
  /** Canonical event names; empty = all. */
  readonly events: readonly EventName[];
  /** Numbers whose calls this app gets: exact, or ending in `*`. */
  readonly dids: readonly string[];
  /** Epoch milliseconds. */
  readonly created_at: number;
  /** Epoch milliseconds; set by a 410 of the receiver, cleared by the next `putApp`. */
  readonly webhook_disabled_at: number | null;
}

export type AppSettings = Pick<App, "app_id" | "webhook_url" | "rate_limit" | "events" | "dids">;

export interface PutApp {
  readonly settings: AppSettings;
  /** Keyed digest of app id and API key; null keeps the present one. */
  readonly digest: string | null;
  /** What a new app gets, the digest only where the other one is null. A repeat is known by the secret, new for each call. */
  readonly created: { readonly digest: string; readonly secret: string };
}

export type PutAppResult =
  | { readonly outcome: "created" | "replaced"; readonly app: App }
  | { readonly outcome: "did_taken"; readonly did: string };

export interface CloseApp {
  readonly app_id: string;
  /** Made up anew for each deletion, so that a second run of the same one is known, also after the app was made anew. */
  readonly nonce: string;
  /** How long its calls may take to end and its queue to be tried: then a sweep deletes what is left. */
  readonly keep_ms: number;
}
