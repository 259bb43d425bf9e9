/** The HTTP API for a test, alone: real store and handlers, no engine, on a free port of the loopback address. */
import { randomUUID } from "node:crypto";
import { Api, type ApiOptions } from "../../src/api/gateway";
import { readConfig } from "../../src/config";
import { createHandlers } from "../../src/handlers";
import { keyDigest } from "../../src/keys";
import { createLog } from "../../src/log";
import { Sessions } from "../../src/sessions/sessions";
import { MemoryStore } from "../../src/store/memory";
import type { Store } from "../../src/store/store";
import { Webhooks } from "../../src/webhooks/delivery";

export const adminKey = "raw-admin-key-0123456789";
export const apiKey = "raw-api-key-0123456789";
const secretsKey = Buffer.alloc(32, 1);

export interface Place {
  readonly api: Api;
  readonly store: Store;
  readonly port: number;
  readonly url: string;
  /** Lines of the log, as they were written. */
  readonly log: readonly string[];
  /** A call of the app `raw`. */
  readonly session_uuid: string;
  close(): Promise<void>;
}

export const credentials = { "X-App-ID": "raw", "X-API-Key": apiKey };
export const admin = { "X-Admin-API-Key": adminKey };

export async function startApi(options: Partial<ApiOptions> = {}): Promise<Place> {
  const lines: string[] = [];
  const log = options.log ?? createLog("info", { write: (line) => void lines.push(line) });
  const store = options.store ?? new MemoryStore();
  const config = readConfig({ ADMIN_API_KEY: adminKey });
  const webhooks = new Webhooks({ store, allowLocalhost: true, retrySeconds: 1, log });
  const sessions = new Sessions({
    store,
    engines: [],
    wake: (app_id) => webhooks.wake(app_id),
    maxSessions: 10,
    defaultAppId: null,
    commandTimeoutMs: 100,
    log,
  });
  const lifecycle = { draining: false };
  const api = new Api({
    store,
    handlers: createHandlers({
      store,
      sessions,
      webhooks,
      engines: [],
      sandbox: null,
      config,
      secretsKey,
      lifecycle,
      log,
    }),
    log,
    adminApiKey: adminKey,
    secretsKey,
    defaultRateLimit: 10_000,
    authFailuresPerSecond: 10_000,
    maxInflight: 1000,
    trustProxy: [],
    commandTimeoutMs: 100,
    ...options,
  });
  const session_uuid = await placeCall(store);
  const { port } = await api.listen("127.0.0.1", 0);
  const close = async () => {
    await api.close();
    await sessions.close();
    await webhooks.close();
    await store.close();
  };
  return { api, store, port, url: `http://127.0.0.1:${port}`, log: lines, session_uuid, close };
}

/** An app and a call of it. */
async function placeCall(store: Store): Promise<string> {
  const settings = { app_id: "raw", webhook_url: "", rate_limit: 0, events: [], dids: [] };
  const digest = keyDigest(secretsKey, "raw", apiKey);
  await store.putApp({ settings, digest, created: { digest, secret: "" } });
  const session_uuid = `node1-${randomUUID()}`;
  const now = await store.now();
  const call = { node: "node1", state: "ringing", direction: "inbound", caller_id: "100", did: "200" } as const;
  const rest = { created_at: now, answered_at: null, playback: null, collecting: null, operations: [], sequence: 0 };
  await store.createSession({ session_uuid, app_id: "raw", ...call, ...rest }, []);
  return session_uuid;
}
