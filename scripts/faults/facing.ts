/** One run of the conformance kit against one faulty gateway or receiver: as a partner runs it, and told of no fault. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Instance } from "../chaos/instance";
import type { Fault } from "./fault";
import { isObject, type Json, listIn } from "./message";
import { GatewayProxy } from "./proxy";
import { type FaultyReceiver, oldSecret } from "./receivers";
import type { Verdict } from "./verdict";

const adminKey = "faults-admin-key-0123456789";
/** A second. Who is refused so often has to wait: with the usual 10 a run takes twice as long. */
const authFailures = "40";
/** The longest run that is waited for. */
const patienceMs = 300_000;
/** Compiled scripts lie in dist/scripts/faults. */
const program = path.join(__dirname, "../../src/cli/voicegate.js");

const environment = {
  HOST: "127.0.0.1",
  PORT: "0",
  SIP_PORT: "0",
  REDIS_URL: "",
  ADMIN_API_KEY: adminKey,
  ALLOW_HTTP_WEBHOOKS: "true",
  ALLOW_LOCALHOST_WEBHOOKS: "true",
  ALLOW_LOCALHOST_MEDIA: "true",
  CONTRACT_CHECK: "off",
  AUTH_FAILURES_PER_SECOND: authFailures,
  SHUTDOWN_TIMEOUT_MS: "0",
  // Its line "ready" is one of these.
  LOG_LEVEL: "info",
};

/**
 * Runs the full profile against a gateway of its own behind a proxy with this fault.
 *
 * @param fault null: none
 * @param slot tells gateways apart that run at the same time
 */
export async function facedGateway(fault: Fault | null, slot: number, signal: AbortSignal): Promise<Verdict> {
  const folder = await mkdtemp(path.join(tmpdir(), "voicegate-faults-"));
  const proxy = new GatewayProxy(fault);
  await proxy.listen();
  // Recordings are fetched where everything else is asked for.
  const env = { ...environment, RECORDING_DIR: folder, RECORDING_BASE_URL: proxy.url };
  const instance = new Instance({ slot, life: 1, env, log: path.join(folder, "gateway.log") });
  try {
    proxy.gateway = (await instance.ready).url;
    const args = ["gateway", "--url", proxy.url, "--admin-key", adminKey, "--auth-failures-per-second", authFailures];
    const said = await kit(args, fault !== null, signal);
    return { name: fault?.name ?? "", about: fault?.about ?? "", struck: proxy.struck, ...said };
  } finally {
    await instance.terminate();
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the full profile against a receiver. @param name "": it has no fault */
export async function facedReceiver(receiver: FaultyReceiver, name: string, signal: AbortSignal): Promise<Verdict> {
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const { url, probe, close } = await receiver.start(secret);
  try {
    const probing = probe === null ? [] : ["--probe", probe];
    const args = ["receiver", "--url", url, "--secret", secret, "--old-secret", oldSecret, ...probing];
    return { name, about: receiver.about, struck: null, ...(await kit(args, name !== "", signal)) };
  } finally {
    await close();
  }
}

/** What one run came to. */
export type Said = Pick<Verdict, "failed" | "reasons" | "passed" | "skipped" | "broken" | "seconds">;

/**
 * Runs the full profile in a process of its own.
 *
 * @param side which side, and what it is to be told
 * @param faulty it ends at the first check that fails: most of the time is for what is hard to catch
 */
export async function kit(side: readonly string[], faulty: boolean, signal: AbortSignal): Promise<Said> {
  const begun = performance.now();
  const few = faulty ? ["--max-failures", "1"] : [];
  const args = ["conformance", ...side, "--profile", "full", "--json", ...few];
  const child = spawn(process.execPath, [program, ...args], {
    // What the environment says of other gateways is not for this run.
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // An abort comes as an error, before the exit that is waited for.
  child.on("error", (error) => err.push(Buffer.from(error.message)));
  const [code] = await once(child, "close");
  const outcomes = listIn(parsed(Buffer.concat(out).toString("utf8")), "outcomes");
  const of = (verdict: string) => outcomes.filter((outcome) => outcome.verdict === verdict);
  const last = Buffer.concat(err).toString("utf8").slice(-500).trim();
  return {
    failed: of("failed").map(({ id }) => String(id)),
    reasons: of("failed").map(({ id, reason }) => `${id}: ${reason}`),
    passed: of("passed").length,
    skipped: of("skipped").map(({ id, reason }) => `${id}: ${reason}`),
    broken: outcomes.length > 0 ? "" : `exit ${code}: ${last}`,
    seconds: (performance.now() - begun) / 1000,
  };
}

function parsed(text: string): Json | null {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : null;
  } catch {
    // Told as what it is: the kit gave no report.
    return null;
  }
}
