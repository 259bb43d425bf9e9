/** The environment, as "voicegate serve" would read it: is everything there that it names? */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { statfs } from "node:fs/promises";
import { createServer, isIPv6 } from "node:net";
import { type Config, ConfigError, readConfig } from "../../config";
import { type Finding, Findings, why } from "./finding";
import { examineAsterisk, examineFreeswitch } from "./media_servers";
import { examineRedis } from "./redis";

const gib = 2 ** 30;
/** Bytes that should be free where recordings go: below the first it is too late soon, below the second already. */
const roomy = 5 * gib;
const tight = gib / 4;

type Environment = Readonly<Record<string, string | undefined>>;

/** Null and findings of what is wrong when it cannot be read. */
export function readEnvironment(env: Environment): {
  readonly config: Config | null;
  readonly findings: readonly Finding[];
} {
  const findings = new Findings("environment");
  try {
    const config = readConfig(env);
    findings.good("Every variable can be read.");
    if (config.ADMIN_API_KEY === null)
      findings.warning(
        "ADMIN_API_KEY is not set: no app can be made or changed.",
        "Set it to at least 16 random characters.",
      );
    if (config.REDIS_URL === null)
      findings.warning(
        "REDIS_URL is not set: a restart forgets apps, calls and events, and there can be one instance only.",
        "Set it to a Redis 7, and SECRETS_KEY with it.",
      );
    return { config, findings: findings.all };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems)
      findings.wrong(`${problem}.`, 'Mend it: "voicegate serve --help" lists every variable.');
    return { config: null, findings: findings.all };
  }
}

/** Everything that the configuration names. */
export async function examineEnvironment(config: Config): Promise<readonly Finding[]> {
  const about = (name: string, examine: (findings: Findings) => Promise<void>): Promise<readonly Finding[]> => {
    const findings = new Findings(name);
    return examine(findings).then(() => findings.all);
  };
  const url = config.REDIS_URL;
  const all = await Promise.all([
    ...(url === null ? [] : [about("Redis", (findings) => examineRedis(url, findings))]),
    ...(config.FREESWITCH_NODES ?? []).map((node) =>
      about(`FreeSWITCH ${node.node}`, (findings) => examineFreeswitch(node, findings)),
    ),
    ...(config.ASTERISK_NODES ?? []).map((node) =>
      about(`Asterisk ${node.node}`, (findings) => examineAsterisk(node, findings)),
    ),
    about("ports", (findings) => examinePorts(config, findings)),
    about("disk", (findings) => examineDisk(config, findings)),
  ]);
  return all.flat();
}

async function examinePorts(config: Config, findings: Findings): Promise<void> {
  await examinePort("HTTP", "PORT", config.HOST, config.PORT, ["tcp"], findings);
  if (!config.EMBEDDED_ENGINE) return;
  await examinePort("SIP", "SIP_PORT", config.SIP_HOST, config.SIP_PORT, ["tcp", "udp"], findings);
  const pairs = Math.floor((config.RTP_PORT_MAX - config.RTP_PORT_MIN) / 2) + 1;
  if (pairs < config.MAX_SESSIONS)
    findings.warning(
      `RTP has ${pairs} ports for MAX_SESSIONS ${config.MAX_SESSIONS}: each call takes an even one.`,
      "Widen RTP_PORT_MIN to RTP_PORT_MAX, or lower MAX_SESSIONS.",
    );
  else findings.good(`RTP has ${pairs} ports for up to ${config.MAX_SESSIONS} calls.`);
}

type Kind = "tcp" | "udp";

async function examinePort(
  what: string,
  variable: string,
  host: string,
  port: number,
  kinds: readonly Kind[],
  findings: Findings,
): Promise<void> {
  if (port === 0) return;
  for (const kind of kinds) {
    const trouble = kind === "tcp" ? await tcpTrouble(host, port) : await udpTrouble(host, port);
    const place = `${kind.toUpperCase()} port ${port} of ${host}`;
    if (trouble === null) findings.good(`${place} is free for ${what}.`);
    else if (trouble.includes("EADDRINUSE"))
      findings.wrong(
        `${place} is taken: ${what} cannot be opened there.`,
        `End what listens there, or set ${variable}. If it is the gateway: voicegate doctor --url.`,
      );
    else if (trouble.includes("EACCES"))
      findings.wrong(`${place} needs more rights than this user has.`, `Set ${variable} to 1024 or more.`);
    else findings.wrong(`${place} cannot be opened: ${trouble}.`, "Name an address of this machine.");
  }
}

async function tcpTrouble(host: string, port: number): Promise<string | null> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return null;
  } catch (error) {
    return why(error);
  }
}

async function udpTrouble(host: string, port: number): Promise<string | null> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  try {
    socket.bind(port, host);
    await once(socket, "listening");
    return null;
  } catch (error) {
    return why(error);
  } finally {
    socket.close();
  }
}

async function examineDisk(config: Config, findings: Findings): Promise<void> {
  const folders = { RECORDING_DIR: config.RECORDING_DIR, MEDIA_CACHE_DIR: config.MEDIA_CACHE_DIR };
  for (const [variable, folder] of Object.entries(folders)) {
    if (folder === null) continue;
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const shown = `${(free / gib).toFixed(1)} GiB`;
    if (free < tight)
      findings.wrong(
        `${variable} ${folder} has ${shown} left.`,
        "Make room: a recording that cannot be written is lost.",
      );
    // 8 kHz, 16 bits, stereo.
    else if (free < roomy)
      findings.warning(
        `${variable} ${folder} has ${shown} left: ${Math.floor(free / 32_000 / 3600)} hours of recordings.`,
        "Make room, or set RECORDING_RETENTION_DAYS.",
      );
    else findings.good(`${variable} has ${shown} left.`);
  }
}
