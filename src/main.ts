/**
 * The composition root: config → store → recordings, engines → sessions → webhooks → HTTP. The only place that names an adapter.
 */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Api } from "./api/gateway";
import { warmValidations } from "./api/validation";
import type { Config } from "./config";
import type { CommandId, ErrorCode, RoomCommandId } from "./contract";
import { type ContractCheck, DriftMeter, unchecked } from "./contract_check";
import { AsteriskEngine } from "./engines/asterisk/asterisk";
import { EmbeddedEngine } from "./engines/embedded/embedded";
import type { Engine, Sandbox } from "./engines/engine";
import { FreeswitchEngine } from "./engines/freeswitch/freeswitch";
import { createHandlers } from "./handlers";
import { nodeOf } from "./ids";
import { createLog, type Log } from "./log";
import { MediaFiles } from "./media/files";
import { Metrics } from "./metrics";
import { Portal } from "./portal/portal";
import { Recordings } from "./recordings/recordings";
import { Sessions } from "./sessions/sessions";
import { MemoryStore } from "./store/memory";
import { RedisStore } from "./store/redis";
import type { Store } from "./store/store";
import { Webhooks } from "./webhooks/delivery";

/** How long the store may take to be there at the start. */
const reachMs = 5000;
const reachAgainMs = 100;

/** What may be handed in instead of what the configuration names. */
export interface Parts {
  readonly store?: Store;
  readonly engines?: readonly Engine[];
  readonly log?: Log;
  readonly portal?: Portal;
}

export interface Gateway {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly store: Store;
  readonly embedded: EmbeddedEngine | null;
  /** Makes ready what the first requests would have to wait for. Requests are answered meanwhile. */
  warm(): Promise<void>;
  /**
   * Drains: no new calls, everything else works until the last call has ended or SHUTDOWN_TIMEOUT_MS is over; then
   * refuses requests, ends what is left and releases every socket and process. Idempotent.
   */
  shutdown(): Promise<void>;
}

/** Something that the gateway needs is not there: said in one line. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** @throws when the store cannot be asked or a port cannot be opened; nothing is left open then */
export async function startGateway(config: Config, parts: Parts = {}): Promise<Gateway> {
  const log = parts.log ?? createLog(config.LOG_LEVEL);
  const metrics = new Metrics();
  const check = contractCheck(config, metrics, log);
  const secretsKey = config.SECRETS_KEY ? createHash("sha256").update(config.SECRETS_KEY).digest() : randomBytes(32);
  const store = parts.store ?? configuredStore(config, secretsKey, log);
  const media = new MediaFiles({
    allowLocalhost: config.ALLOW_LOCALHOST_MEDIA,
    directory: config.MEDIA_CACHE_DIR,
    baseUrl: config.MEDIA_BASE_URL,
    log,
  });
  const embedded = config.EMBEDDED_ENGINE && !parts.engines ? embeddedEngine(config, media, log) : null;
  const engines = parts.engines ?? [...(embedded ? [embedded] : []), ...mediaServers(config, media, log)];
  const sandbox: Sandbox | null = embedded;
  const webhooks = new Webhooks({
    store,
    allowLocalhost: config.ALLOW_LOCALHOST_WEBHOOKS,
    retrySeconds: config.WEBHOOK_RETRY_SECONDS,
    meter: metrics,
    check,
    log,
  });
  const recordings = new Recordings({
    dir: config.RECORDING_DIR,
    baseUrl: config.RECORDING_BASE_URL,
    uploadUrl: config.RECORDING_UPLOAD_URL,
    retentionDays: config.RECORDING_RETENTION_DAYS,
    retrySeconds: config.WEBHOOK_RETRY_SECONDS,
    completed: (session_uuid, facts) => sessions.recorded(session_uuid, facts),
    log,
  });
  const sessions: Sessions = new Sessions({
    store,
    engines,
    wake: (app_id) => webhooks.wake(app_id),
    maxSessions: config.MAX_SESSIONS,
    defaultAppId: config.DEFAULT_APP_ID,
    commandTimeoutMs: config.COMMAND_TIMEOUT_MS,
    roomIdleMs: config.ROOM_IDLE_SECONDS * 1000,
    leaseMs: config.LEASE_SECONDS * 1000,
    nodeLostMs: config.NODE_LOST_SECONDS * 1000,
    recordings,
    meter: metrics,
    log,
  });
  const portal = parts.portal ?? Portal.built();
  if (portal.paths.length === 0) log.warn({}, "the documentation has not been built: /docs is not found");
  const lifecycle = { draining: false };
  const handlers = createHandlers({
    store,
    sessions,
    webhooks,
    engines,
    sandbox,
    recordings,
    media,
    metrics,
    portal,
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
    corsOrigins: config.CORS_ORIGINS,
    barred: barredCommands(engines, recordings.available),
    meter: metrics,
    check,
  });
  metrics.ask(
    {
      nodes: () =>
        engines.map((engine) => {
          const { node, kind } = engine;
          return { node, engine: kind, connected: engine.connected(), ...sessions.counts(node) };
        }),
      leases: () => sessions.leases,
      waiting: () => sessions.waiting,
      deadLetters: () => store.countDeadLetters(),
    },
    log,
  );

  /**
   * Who speaks is closed before who listens: engines end recordings, sessions have them finished, and are told of it
   * while they still commit. The API comes late, so that until then it says what is going on.
   */
  async function close(): Promise<void> {
    const closers = [...engines, recordings, sessions, webhooks, api, media, store];
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
    await reached(() => store.now());
    await media.start();
    // Before anybody can begin a new one: what lies there then was left by a crash.
    await recordings.start();
    // Before they say anything: what is said to nobody is lost.
    await reached(() => sessions.hold());
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
      warm: warmValidations,
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

function configuredStore(config: Config, secretsKey: Buffer, log: Log): Store {
  const eventRetentionMs = config.EVENT_RETENTION_SECONDS * 1000;
  if (config.REDIS_URL === null) return new MemoryStore({ eventRetentionMs });
  return new RedisStore({ url: config.REDIS_URL, secretsKey, eventRetentionMs, log });
}

/** One that comes back by itself later is no mistake; one that is not there at the start most likely is. */
async function reached(ask: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + reachMs;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (performance.now() >= until) throw new StartError(`the store cannot be reached: ${why}`, { cause: error });
      await delay(reachAgainMs);
    }
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
    recordingMaxMs: config.RECORDING_MAX_SECONDS * 1000,
    media,
    log,
  });
}

/** Those elsewhere, of whatever kind. */
function mediaServers(config: Config, media: MediaFiles, log: Log): Engine[] {
  const { COMMAND_TIMEOUT_MS: commandTimeoutMs, RECORDING_MAX_SECONDS } = config;
  const shared = { commandTimeoutMs, recordingMaxMs: RECORDING_MAX_SECONDS * 1000, media, log };
  return [
    ...(config.FREESWITCH_NODES ?? []).map((place) => new FreeswitchEngine({ ...place, ...shared })),
    ...(config.ASTERISK_NODES ?? []).map((place) => new AsteriskEngine({ ...place, ...shared })),
  ];
}

function contractCheck({ CONTRACT_CHECK }: Config, meter: Metrics, log: Log): ContractCheck {
  return CONTRACT_CHECK === "off" ? unchecked : new DriftMeter({ mode: CONTRACT_CHECK, meter, log });
}

/** What is refused whatever the state of the call or room: recording where it is off, and what the engine of the node cannot do. */
function barredCommands(
  engines: readonly Engine[],
  recording: boolean,
): (command: CommandId | RoomCommandId, id: string) => ErrorCode | null {
  const unsupported = new Map(
    engines.map(({ node, commands, roomCommands }) => {
      const all = Object.entries({ ...commands, ...roomCommands });
      return [node, new Set(all.filter(([, command]) => command === "unsupported").map(([name]) => name))];
    }),
  );
  return (command, id) => {
    if (!recording && (command === "startRecording" || command === "stopRecording")) return "recording_not_available";
    return unsupported.get(nodeOf(id))?.has(command) ? "not_supported" : null;
  };
}
