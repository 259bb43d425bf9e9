/**
 * The environment, read once: every variable with its default, its rule and its meaning in one table, which
 * `voicegate serve --help` prints and the README shows. Every problem is reported in one message, before a port is opened.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { logLevels } from "./log";
import {
  address,
  asteriskNodes,
  boolean,
  freeswitchNodes,
  httpUrl,
  integer,
  matching,
  networks,
  oneOf,
  origins,
  type Parse,
  port,
  printable,
  redisUrl,
  users,
  writableFolder,
} from "./values";

/** Thrown with every problem of the environment, one per line. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

interface Variable<T> {
  readonly parse: Parse<T>;
  /** As one would write it in the environment; null: unset means off. */
  readonly default: string | null;
  readonly about: string;
}

const contractChecks = ["off", "sample", "all"] as const;

/** The table. Order is that of the README. */
export const variables = {
  HOST: { parse: address, default: "127.0.0.1", about: "Address of the HTTP API" },
  PORT: { parse: port, default: "8080", about: "Port of the HTTP API; 0 picks a free one" },
  ADMIN_API_KEY: {
    parse: printable(16),
    default: null,
    about: "Key of the admin API, at least 16 characters; the admin API is off without it",
  },
  REDIS_URL: {
    parse: redisUrl,
    default: null,
    about:
      "Where everything is kept: redis://, rediss://, redis+sentinel:// or redis+cluster://; in the memory of this process without it",
  },
  SECRETS_KEY: {
    parse: printable(32),
    default: null,
    about:
      "Keys the digests of API keys and encrypts signing secrets, at least 32 characters, the same for all instances; required with REDIS_URL, else made up at each start",
  },
  EMBEDDED_ENGINE: { parse: boolean, default: "true", about: "The built-in SIP and RTP engine" },
  SIP_HOST: { parse: address, default: "127.0.0.1", about: "Address of SIP (UDP and TCP) and RTP" },
  SIP_PORT: { parse: port, default: "5060", about: "Port of SIP; 0 picks a free one" },
  SIP_PUBLIC_HOST: {
    parse: address,
    default: null,
    about: "Address that stands in SDP and Contact; required when SIP_HOST is 0.0.0.0 or ::",
  },
  SIP_USERS: { parse: users, default: null, about: "name:password,… turns digest authentication on" },
  RTP_PORT_MIN: { parse: integer(1024, 65534), default: "16384", about: "First port of RTP" },
  RTP_PORT_MAX: { parse: integer(1024, 65535), default: "32767", about: "Last port of RTP" },
  RTP_TIMEOUT_SECONDS: {
    parse: integer(1, 86400),
    default: "30",
    about: "A call that sends no RTP for so long is ended, unless it is on hold",
  },
  FREESWITCH_NODES: {
    parse: freeswitchNodes,
    default: null,
    about: "FreeSWITCH servers by their event sockets: name=host:port:password,…; parts percent-encoded",
  },
  ASTERISK_NODES: {
    parse: asteriskNodes,
    default: null,
    about: "Asterisk servers by their ARI: name=url|user|password,…; parts percent-encoded",
  },
  DEFAULT_APP_ID: {
    parse: matching(/^[a-zA-Z0-9_-]{1,64}$/, "must be an app id"),
    default: null,
    about: "App that gets the calls to numbers that no app has",
  },
  MAX_SESSIONS: {
    parse: integer(1, 100000),
    default: "1000",
    about: "Calls at a time; further ones are refused with SIP 503",
  },
  ROOM_IDLE_SECONDS: {
    parse: integer(1, 31_536_000),
    default: "3600",
    about: "A conference room that has been empty for so long is deleted",
  },
  MAX_INFLIGHT: {
    parse: integer(1, 100000),
    default: "1000",
    about: "HTTP requests at a time; further ones get the declared 503",
  },
  DEFAULT_RATE_LIMIT: {
    parse: integer(1, 10000),
    default: "10000",
    about: "Requests per second of one app from one address, where the app has no limit of its own",
  },
  AUTH_FAILURES_PER_SECOND: {
    parse: integer(1, 10000),
    default: "10",
    about: "Failed authentications per second of one address before it is refused unseen",
  },
  TRUST_PROXY: { parse: networks, default: null, about: "Addresses or networks whose X-Forwarded-For counts" },
  CORS_ORIGINS: {
    parse: origins,
    default: null,
    about: "Origins, separated by commas, whose pages may call the API from a browser",
  },
  ALLOW_HTTP_WEBHOOKS: { parse: boolean, default: "false", about: "Webhook URLs may be http" },
  ALLOW_LOCALHOST_WEBHOOKS: {
    parse: boolean,
    default: "false",
    about: "Webhooks may go to private and loopback addresses",
  },
  ALLOW_LOCALHOST_MEDIA: {
    parse: boolean,
    default: "false",
    about: "Media files may come from private and loopback addresses",
  },
  COMMAND_TIMEOUT_MS: {
    parse: integer(100, 60000),
    default: "2000",
    about: "How long a media server may take to take and to confirm a command",
  },
  WEBHOOK_RETRY_SECONDS: {
    parse: integer(1, 86400),
    default: "300",
    about: "How long after its creation an event is tried again",
  },
  NODE_LOST_SECONDS: {
    parse: integer(1, 86400),
    default: "120",
    about: "Calls of a media node that no instance has heard for so long are ended",
  },
  LEASE_SECONDS: {
    parse: integer(1, 30),
    default: "3",
    about: "How soon another instance takes over the media nodes of one that has died",
  },
  EVENT_RETENTION_SECONDS: {
    parse: integer(1, 2_592_000),
    default: "86400",
    about: "How long the events of a session or room are kept for those who missed one, after its end as well",
  },
  MEDIA_CACHE_DIR: {
    parse: writableFolder,
    default: null,
    about:
      "Folder of media files as they are played and kept, for media servers that have it too; without it the system's temporary one",
  },
  MEDIA_BASE_URL: {
    parse: httpUrl("without credentials"),
    default: null,
    about:
      "URL of this gateway as media servers reach it, from which they fetch what they play; without it they read MEDIA_CACHE_DIR",
  },
  RECORDING_DIR: {
    parse: writableFolder,
    default: null,
    about: "Folder of recordings, with RECORDING_BASE_URL; recording is off without it and RECORDING_UPLOAD_URL",
  },
  RECORDING_BASE_URL: {
    parse: httpUrl("without credentials"),
    default: null,
    about: "URL of this gateway as its users reach it: a recording_url begins with it",
  },
  RECORDING_UPLOAD_URL: {
    parse: httpUrl("with credentials"),
    default: null,
    about: "Recordings are put below this URL, as app_id/recording_id.wav",
  },
  RECORDING_MAX_SECONDS: {
    parse: integer(1, 86400),
    default: "14400",
    about: "How long one recording may become",
  },
  RECORDING_RETENTION_DAYS: {
    parse: integer(0, 36500),
    default: "0",
    about: "Days after which recordings are deleted; 0 keeps them for ever",
  },
  CONTRACT_CHECK: {
    parse: oneOf(contractChecks),
    default: "sample",
    about: "Which answers and webhooks are held against the document as they go out: off, sample or all",
  },
  SHUTDOWN_TIMEOUT_MS: {
    parse: integer(0, 3600000),
    default: "10000",
    about: "How long calls may go on after SIGTERM",
  },
  LOG_LEVEL: { parse: oneOf(logLevels), default: "info", about: "debug, info, warn, error or silent" },
} as const satisfies Record<string, Variable<unknown>>;

type Variables = typeof variables;
type Value<K extends keyof Variables> =
  | ReturnType<Variables[K]["parse"]>
  | (Variables[K]["default"] extends null ? null : never);

/** The environment as the gateway uses it. */
export type Config = { readonly [K in keyof Variables]: Value<K> };

const isVariable = (name: string): name is keyof Variables => Object.hasOwn(variables, name);

/**
 * @param env as `process.env`; an empty value counts as unset
 * @throws ConfigError with every problem
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const refused = new Set<string>();
  const read = <K extends keyof Variables>(name: K): Value<K> => {
    const variable: Variable<unknown> = variables[name];
    const text = env[name] || variable.default;
    try {
      return (text === null ? null : variable.parse(text)) as Value<K>;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`${name} ${error.message}`);
      refused.add(name);
      return null as Value<K>;
    }
  };
  const config = Object.fromEntries(
    Object.keys(variables)
      .filter(isVariable)
      .map((name) => [name, read(name)]),
  ) as Config;
  problems.push(...contradictions(config, refused));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/**
 * Rules over several variables.
 * @param refused variables whose value is wrong in itself: null here, and the cause of no second problem
 */
function contradictions(config: Config, refused: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const unset = (name: keyof Config) => config[name] === null && !refused.has(name);
  const { SIP_HOST, RTP_PORT_MIN: min, RTP_PORT_MAX: max } = config;
  if ((SIP_HOST === "0.0.0.0" || SIP_HOST === "::") && config.EMBEDDED_ENGINE && unset("SIP_PUBLIC_HOST"))
    problems.push(`SIP_PUBLIC_HOST is required when SIP_HOST is ${SIP_HOST}: it stands in SDP and Contact`);
  const names = [config.FREESWITCH_NODES, config.ASTERISK_NODES].flatMap(
    (nodes) => nodes?.map(({ node }) => node) ?? [],
  );
  for (const name of new Set(names.filter((name, i) => names.indexOf(name) < i)))
    problems.push(`ASTERISK_NODES and FREESWITCH_NODES both name a node ${name}`);
  if (config.RECORDING_DIR !== null && unset("RECORDING_BASE_URL"))
    problems.push("RECORDING_BASE_URL is required when RECORDING_DIR is set: recordings are fetched from there");
  if (config.REDIS_URL !== null && unset("SECRETS_KEY"))
    problems.push("SECRETS_KEY is required when REDIS_URL is set: what it protects outlives this process");
  if (min !== null && max !== null && max <= min) problems.push("RTP_PORT_MAX must be greater than RTP_PORT_MIN");
  return problems;
}

/** The version in package.json, of which the compiled files lie two folders deep (dist/src). */
export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(path.join(__dirname, "../../package.json"), "utf8"));
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "unknown";
}
