/** The HTTP API for a test, alone: real store and handlers, no engine, on a free port of the loopback address. */
import { randomUUID } from "node:crypto";
import { Api, type ApiOptions } from "../../src/api/gateway";
import { readConfig } from "../../src/config";
import { DriftMeter } from "../../src/contract_check";
import { createHandlers } from "../../src/handlers";
import { keyDigest } from "../../src/keys";
import { createLog } from "../../src/log";
import { MediaFiles } from "../../src/media/files";
import { Metrics } from "../../src/metrics";
import { Portal } from "../../src/portal/portal";
import { Recordings } from "../../src/recordings/recordings";
import { Sessions } from "../../src/sessions/sessions";
import { MemoryStore } from "../../src/store/memory";
import type { Room, Session, Store } from "../../src/store/store";
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
  /** What `/metrics` would say. */
  metrics(): Promise<string>;
  /** A call of the app `raw`. */
  readonly session_uuid: string;
  /** @throws when an answer was not what the document promises */
  close(): Promise<void>;
}

export interface PlaceOptions extends Omit<Partial<ApiOptions>, "handlers"> {
  /** In place of the gateway's own. */
  readonly handlers?: Partial<ApiOptions["handlers"]>;
}

export const credentials = { "X-App-ID": "raw", "X-API-Key": apiKey };
export const admin = { "X-Admin-API-Key": adminKey };

export async function startApi({ handlers, ...options }: PlaceOptions = {}): Promise<Place> {
  const lines: string[] = [];
  const log = options.log ?? createLog("info", { write: (line) => void lines.push(line) });
  const store = options.store ?? new MemoryStore();
  const config = readConfig({ ADMIN_API_KEY: adminKey });
  const metrics = new Metrics();
  const check = new DriftMeter({ mode: "all", meter: metrics, log });
  const webhooks = new Webhooks({ store, allowLocalhost: true, retrySeconds: 1, meter: metrics, check, log });
  const recordings = new Recordings({
    dir: null,
    baseUrl: null,
    uploadUrl: null,
    retentionDays: 0,
    retrySeconds: 1,
    completed: (session_uuid, facts) => sessions.recorded(session_uuid, facts),
    log,
  });
  const sessions: Sessions = new Sessions({
    store,
    engines: [],
    wake: (app_id) => webhooks.wake(app_id),
    maxSessions: 10,
    defaultAppId: null,
    commandTimeoutMs: 100,
    roomIdleMs: 3_600_000,
    leaseMs: 3000,
    nodeLostMs: 120_000,
    recordings,
    meter: metrics,
    log,
  });
  const lifecycle = { draining: false };
  const api = new Api({
    store,
    handlers: {
      ...createHandlers({
        store,
        sessions,
        webhooks,
        engines: [],
        sandbox: null,
        recordings,
        media: new MediaFiles({ allowLocalhost: true, log }),
        metrics,
        portal: Portal.built(),
        config,
        secretsKey,
        lifecycle,
        log,
      }),
      ...handlers,
    },
    log,
    adminApiKey: adminKey,
    secretsKey,
    defaultRateLimit: 10_000,
    authFailuresPerSecond: 10_000,
    maxInflight: 1000,
    trustProxy: [],
    corsOrigins: null,
    commandTimeoutMs: 100,
    barred: () => null,
    meter: metrics,
    check,
    ...options,
  });
  const session_uuid = await placeCall(store);
  const { port } = await api.listen("127.0.0.1", 0);
  const close = async () => {
    await api.close();
    await sessions.close();
    await recordings.close();
    await webhooks.close();
    await store.close();
    const violations = lines.filter((line) => line.includes('"msg":"contract violation"'));
    if (violations.length > 0) throw new Error(violations.join(""));
  };
  const url = `http://127.0.0.1:${port}`;
  return { api, store, port, url, log: lines, metrics: () => metrics.text(), session_uuid, close };
}

/** An app and a call of it. */
async function placeCall(store: Store): Promise<string> {
  const settings = { app_id: "raw", webhook_url: "", rate_limit: 0, events: [], dids: [] };
  const digest = keyDigest(secretsKey, "raw", apiKey);
  await store.putApp({ settings, digest, created: { digest, secret: "" } });
  const session = ringing("raw", await store.now());
  await store.createSession(session, []);
  return session.session_uuid;
}

/** A call that nobody has answered. */
export function ringing(app_id: string, now: number): Session {
  const call = { node: "node1", state: "ringing", direction: "inbound", caller_id: "100", did: "200" } as const;
  const nothing = { answered_at: null, playback: null, collecting: null, room: null, recording: null, unfinished: [] };
  const session_uuid = `node1-${randomUUID()}`;
  return { session_uuid, app_id, ...call, ...nothing, created_at: now, operations: [], sequence: 0 };
}

/** A room that is open. */
export function opened(app_id: string, node: string, now: number): Room {
  const room_id = `${node}-room-${randomUUID()}`;
  const name = room_id.slice(-12);
  return { room_id, app_id, node, name, state: "open", playback: null, created_at: now, operations: [], sequence: 0 };
}
