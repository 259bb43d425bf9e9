/** The Redis of REDIS_URL: can it be reached, and will it keep what it is told? */
import { once } from "node:events";
import { Cluster, type Redis } from "ioredis";
import { clientOf } from "../../store/redis/client";
import { type RedisPlace, redisPlace, shownPlace } from "../../store/redis/url";
import { type Findings, judgeClock, why } from "./finding";
import { within } from "./reach";

/** A round trip that takes longer is worth a word, in ms: each command costs one. */
const slowMs = 20;
const pings = 5;

export async function examineRedis(url: string, findings: Findings): Promise<void> {
  const place = redisPlace(url);
  const client = clientOf(place);
  let trouble: unknown = null;
  // It tries again and again: what went wrong last is what is told.
  client.on("error", (error: unknown) => {
    trouble = error;
  });
  try {
    await within(ready(client));
  } catch (error) {
    client.disconnect();
    findings.wrong(
      `Redis cannot be used at ${shownPlace(place)}: ${why(trouble ?? error)}.`,
      adviceOn(why(trouble ?? error), place),
    );
    return;
  }
  try {
    const nodes = client instanceof Cluster ? client.nodes("master") : [client];
    findings.good(`Redis is there: ${shownPlace(place)}${nodes.length > 1 ? `, ${nodes.length} masters` : ""}.`);
    for (const node of nodes) await examineNode(node, findings);
  } finally {
    client.disconnect();
  }
}

async function ready(client: Redis | Cluster): Promise<void> {
  if (client.status !== "ready") await once(client, "ready");
}

function adviceOn(trouble: string, place: RedisPlace): string {
  if (/WRONGPASS|NOAUTH|invalid username/i.test(trouble))
    return "Mend user and password in REDIS_URL; both are percent-encoded there.";
  if (/NOPERM/.test(trouble)) return "Give the user of REDIS_URL the commands that it lacks.";
  if (/self.signed|certificate/i.test(trouble)) return "Make its authority known: NODE_EXTRA_CA_CERTS=/path/to/ca.pem.";
  if (place.kind === "sentinel") return "Look whether the sentinels run, and know a master of this name.";
  return "Start it, or mend REDIS_URL.";
}

async function examineNode(node: Redis, findings: Findings): Promise<void> {
  await examineTime(node, findings);
  const info = fieldsOf(await said(node, "INFO", [], findings));
  const { role, redis_version: version = "?", used_memory, maxmemory } = info;
  if (role !== undefined && role !== "master")
    findings.wrong(
      `This Redis is a ${role}: nothing can be written there.`,
      "Name the master, or the sentinels that know it: redis+sentinel://….",
    );
  if (Number(version.split(".")[0]) < 7)
    findings.wrong(`This is Redis ${version}; the gateway needs 7 or newer.`, "Install a newer one.");
  else if (version !== "?") findings.good(`It is Redis ${version}.`);
  const limit = Number(maxmemory ?? 0);
  if (limit > 0 && Number(used_memory) > 0.8 * limit)
    findings.warning(
      `It uses ${Math.round((100 * Number(used_memory)) / limit)} % of its maxmemory.`,
      "Give it more: when it is full, no call can be taken.",
    );
  await examineSettings(node, findings, info.aof_enabled);
}

async function examineTime(node: Redis, findings: Findings): Promise<void> {
  const took: number[] = [];
  for (let ping = 0; ping < pings; ping++) {
    const began = performance.now();
    await node.ping();
    took.push(performance.now() - began);
  }
  const [best = 0] = took.sort((a, b) => a - b);
  const shown = best.toFixed(1);
  if (best > slowMs)
    findings.warning(
      `A round trip to Redis takes ${shown} ms: each command takes at least so long.`,
      "Put the gateway and Redis near each other.",
    );
  else findings.good(`A round trip takes ${shown} ms.`);
  const [seconds, micros] = await node.time();
  judgeClock(findings, "Redis", Number(seconds) * 1000 + Number(micros) / 1000 - Date.now(), best);
}

async function examineSettings(node: Redis, findings: Findings, aof: string | undefined): Promise<void> {
  const policy = await setting(node, "maxmemory-policy", findings);
  if (policy !== null && policy !== "noeviction")
    findings.wrong(
      `Its maxmemory-policy is ${policy}: when memory is short, it throws away calls and webhooks that nobody has got.`,
      "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.",
    );
  else if (policy !== null) findings.good("It evicts nothing (maxmemory-policy noeviction).");
  const appends = aof === undefined ? await setting(node, "appendonly", findings) : aof === "1" ? "yes" : "no";
  if (appends === null) return;
  if (appends !== "yes") {
    findings.warning(
      "It keeps no append only file: what it was told since its last snapshot is lost when it stops.",
      "CONFIG SET appendonly yes, and the same in redis.conf.",
    );
    return;
  }
  const sync = await setting(node, "appendfsync", findings);
  if (sync === "no")
    findings.warning(
      "Its append only file is written when the system likes (appendfsync no).",
      "CONFIG SET appendfsync everysec, or always.",
    );
  else if (sync !== null)
    findings.good(
      `It keeps an append only file (appendfsync ${sync}${sync === "always" ? "" : ": a crash of its machine may cost about two seconds"}).`,
    );
}

/** Null: it cannot be asked, which is told. */
async function setting(node: Redis, name: string, findings: Findings): Promise<string | null> {
  const found = await said(node, "CONFIG", ["GET", name], findings);
  return Array.isArray(found) && found.length > 1 ? String(found[1]) : null;
}

/** Some providers forbid what only looks: that is no fault, and is told. */
async function said(node: Redis, name: string, args: readonly string[], findings: Findings): Promise<unknown> {
  try {
    return await node.call(name, ...args);
  } catch (error) {
    const what = [name, ...args].join(" ");
    findings.warning(
      `Redis does not say ${what}: ${why(error)}.`,
      "Look there by hand: maxmemory-policy noeviction, appendonly yes.",
    );
    return null;
  }
}

/** `name:value` lines of INFO. */
function fieldsOf(info: unknown): Readonly<Record<string, string | undefined>> {
  const lines = typeof info === "string" ? info.split("\r\n") : [];
  return Object.fromEntries(
    lines
      .filter((line) => line.includes(":"))
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
}
