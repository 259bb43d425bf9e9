/**
 * The composition root: config → store → engines → sessions → webhooks → HTTP. The only place that names an adapter.
 */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Api } from "./api/gateway";
import type { Config } from "./config";
import { EmbeddedEngine } from "./engines/embedded/embedded";
import type { Engine, Sandbox } from "./engines/engine";
import { createHandlers } from "./handlers";
import { createLog, type Log } from "./log";
import { MediaFiles } from "./media/files";
import { Sessions } from "./sessions/sessions";
import { MemoryStore } from "./store/memory";
import type { Store } from "./store/store";
import { Webhooks } from "./webhooks/delivery";

/** What may be handed in instead of what the configuration names. */
export interface Parts {
  readonly store?: Store;
  readonly engines?: readonly Engine[];
  readonly log?: Log;
}

export interface Gateway {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly store: Store;
  readonly embedded: EmbeddedEngine | null;
  /**
   * Drains: no new calls, everything else works until the last call has ended or SHUTDOWN_TIMEOUT_MS is over; then
   * refuses requests, ends what is left and releases every socket and process. Idempotent.
   */
  shutdown(): Promise<void>;
}

/** @throws when a port cannot be opened; nothing is left open then */
export async function startGateway(config: Config, parts: Parts = {}): Promise<Gateway> {
  const log = parts.log ?? createLog(config.LOG_LEVEL);
  const store = parts.store ?? new MemoryStore();
  const media = new MediaFiles({ allowLocalhost: config.ALLOW_LOCALHOST_MEDIA, log });
  const embedded = config.EMBEDDED_ENGINE && !parts.engines ? embeddedEngine(config, media, log) : null;
  const engines = parts.engines ?? (embedded ? [embedded] : []);
  const sandbox: Sandbox | null = embedded;
  const webhooks = new Webhooks({
    store,
    allowLocalhost: config.ALLOW_LOCALHOST_WEBHOOKS,
    retrySeconds: config.WEBHOOK_RETRY_SECONDS,
    log,
  });
  const sessions = new Sessions({
    store,
    engines,
    wake: (app_id) => webhooks.wake(app_id),
    maxSessions: config.MAX_SESSIONS,
    defaultAppId: config.DEFAULT_APP_ID,
    commandTimeoutMs: config.COMMAND_TIMEOUT_MS,
    log,
  });
  const lifecycle = { draining: false };
  const secretsKey = config.SECRETS_KEY ? createHash("sha256").update(config.SECRETS_KEY).digest() : randomBytes(32);
  const handlers = createHandlers({
    store,
    sessions,
    webhooks,
    engines,
    sandbox,
    config,
    secretsKey,
    lifecycle,
    log,
  });
  const api = new Api({
    store,
    handlers,
    log,
    adminApiKey: config.ADMIN_API_KEY,
    secretsKey,
    defaultRateLimit: config.DEFAULT_RATE_LIMIT,
    authFailuresPerSecond: config.AUTH_FAILURES_PER_SECOND,
    maxInflight: config.MAX_INFLIGHT,
    trustProxy: config.TRUST_PROXY ?? [],
    commandTimeoutMs: config.COMMAND_TIMEOUT_MS,
  });

  /** Who speaks is closed before who listens; the API last, so that until then it says what is going on. */
  async function close(): Promise<void> {
    const closers = [...engines, sessions, webhooks, api, media, store];
    for (const part of closers) {
      // What cannot be closed must not keep the rest open.
      await part.close().catch((err: unknown) => log.error({ err }, "closing failed"));
    }
  }

  async function drain(): Promise<void> {
    lifecycle.draining = true;
    log.info({ calls: sessions.live }, "draining");
    for (const engine of engines) engine.drain();
    const waiting = new AbortController();
    const timeout = delay(config.SHUTDOWN_TIMEOUT_MS, undefined, { signal: waiting.signal });
    await Promise.race([sessions.emptied(), timeout]);
    waiting.abort();
    api.shutdown();
    // Before the rest is ended, so that no call that is being offered slips in behind.
    sessions.refuse();
    await sessions.endAll("SERVER_SHUTDOWN");
    await close();
    log.info({}, "closed");
  }

  let closing: Promise<void> | null = null;
  try {
    await media.start();
    for (const engine of engines) await engine.start(sessions);
    sessions.start();
    webhooks.start();
    const { port } = await api.listen(config.HOST, config.PORT);
    const host = config.HOST.includes(":") ? `[${config.HOST}]` : config.HOST;
    const url = `http://${host}:${port}`;
    log.info({ url, sip_port: embedded?.sipPort, node: embedded?.node }, "ready");
    return {
      url,
      store,
      embedded,
      shutdown: () => {
        closing ??= drain();
        return closing;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function embeddedEngine(config: Config, media: MediaFiles, log: Log): EmbeddedEngine {
  return new EmbeddedEngine({
    sip: {
      host: config.SIP_HOST,
      port: config.SIP_PORT,
      publicHost: config.SIP_PUBLIC_HOST,
      users: config.SIP_USERS,
    },
    rtp: { portMin: config.RTP_PORT_MIN, portMax: config.RTP_PORT_MAX, timeoutMs: config.RTP_TIMEOUT_SECONDS * 1000 },
    commandTimeoutMs: config.COMMAND_TIMEOUT_MS,
    media,
    log,
  });
}
