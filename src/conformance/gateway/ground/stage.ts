/** What apps and callers need of the world that they are in. */
import type { Caller } from "./caller";
import type { KitClient } from "./client";
import type { Endpoint, Witness } from "./endpoint";
import type { Answer, KitRequest, RequestHeaders } from "./messages";
import type { KitServer } from "./server";

export interface Settings {
  /** Of the gateway, as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Null: apps cannot be made, and what needs one is skipped unless `app` is given. */
  readonly adminKey: string | null;
  /** An app that is there already; null: the kit makes its own. */
  readonly app: { readonly app_id: string; readonly api_key: string } | null;
  /** `sandbox`, `manual`, `sip:host:port` (the kit's own number goes before it) or `sip:number@host:port`. */
  readonly caller: string;
  /** The number that leads to the gateway, for calls by hand and for a SIP URI with a number; left out: the URI's own. */
  readonly did?: string;
  /** Where the kit takes webhooks and offers files. */
  readonly listen: { readonly host: string; readonly port: number };
  /** As the gateway reaches it; null: by `listen`. */
  readonly publicUrl: string | null;
  /** AUTH_FAILURES_PER_SECOND of the gateway. */
  readonly authFailuresPerSecond: number;
  /** WEBHOOK_RETRY_SECONDS of the gateway; left out: 300. */
  readonly webhookRetrySeconds?: number;
  /** Asks a human to do something. */
  readonly ask: (line: string) => void;
}

export interface Stage {
  readonly settings: Settings;
  readonly url: string;
  /** Credentials of the administration. @throws Skipped without an admin key */
  readonly admin: RequestHeaders;
  readonly client: KitClient;
  readonly server: KitServer;
  readonly caller: Caller;
  /** Watches every delivery; `placed`: there is this call or room, of which an endpoint has to be told. */
  readonly laws: Witness & { placed(endpoint: Endpoint, source: string): void };
  request(request: KitRequest): Promise<Answer>;
  /** Asks until it is so, or some seconds have passed. @returns whether it is */
  settled(so: () => Promise<boolean>): Promise<boolean>;
}
