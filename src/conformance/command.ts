/** `voicegate conformance`: proves by the wire that a gateway, or a webhook endpoint, keeps the contract. */
import { writeFileSync } from "node:fs";
import { type Command, type Given, is, type Option, text, texts, WrongUse, whole } from "../cli/command";
import { type Check, type Profile, type Report, Unreachable } from "./check";
import { contract } from "./document";
import type { Settings as GatewaySettings } from "./gateway/world";
import { receiverChecks } from "./receiver/checks";
import { type Settings as ReceiverSettings, ReceiverWorld } from "./receiver/world";
import { html } from "./report/html";
import { json } from "./report/json";
import { junit } from "./report/junit";
import { Mask, type Secret } from "./report/mask";
import { plain } from "./report/plain";
import { type Progress, run, selected } from "./run";
import { Terminal } from "./terminal";

const shared: Readonly<Record<string, Option>> = {
  profile: {
    type: "string",
    choices: ["minimal", "full"],
    default: "full",
    value: "profile",
    about: "minimal: what a first look needs, some seconds",
  },
  only: { type: "string", multiple: true, value: "ids", about: "checks by the beginning of their ids, * for anything" },
  list: { type: "boolean", about: "the checks, without making them" },
  "max-failures": { type: "string", value: "number", about: "makes no further checks once so many have failed" },
  "report-json": { type: "string", file: true, value: "file", about: "writes the report as JSON" },
  "report-junit": { type: "string", file: true, value: "file", about: "writes the report as JUnit XML" },
  "report-html": { type: "string", file: true, value: "file", about: "writes the report as one HTML page" },
};

const gatewayOptions: Readonly<Record<string, Option>> = {
  url: { type: "string", env: "VOICEGATE_URL", default: "http://127.0.0.1:8080", value: "url", about: "the gateway" },
  "admin-key": { type: "string", env: "ADMIN_API_KEY", value: "key", about: "its admin key: apps are made with it" },
  "app-id": { type: "string", env: "VOICEGATE_APP_ID", value: "id", about: "an app that is there, with --api-key" },
  "api-key": { type: "string", env: "VOICEGATE_API_KEY", value: "key", about: "the key of --app-id" },
  caller: { type: "string", default: "sandbox", value: "who", about: "who rings: sandbox, sip:host:port, or manual" },
  did: { type: "string", value: "number", about: "the number that leads to the gateway, for --caller manual" },
  listen: { type: "string", default: "127.0.0.1:0", value: "host:port", about: "where the kit takes webhooks" },
  "public-url": { type: "string", value: "url", about: "--listen as the gateway reaches it" },
  "auth-failures-per-second": {
    type: "string",
    default: "10",
    value: "number",
    about: "AUTH_FAILURES_PER_SECOND of the gateway",
  },
  "webhook-retry-seconds": {
    type: "string",
    default: "300",
    value: "number",
    about: "WEBHOOK_RETRY_SECONDS of the gateway",
  },
  ...shared,
};

const receiverOptions: Readonly<Record<string, Option>> = {
  url: { type: "string", value: "url", about: "the webhook endpoint" },
  secret: { type: "string", env: "WEBHOOK_SECRET", value: "whsec_…", about: "the secret that it verifies with" },
  "old-secret": { type: "string", env: "OLD_WEBHOOK_SECRET", value: "whsec_…", about: "one that is over" },
  probe: { type: "string", value: "url", about: "where it tells how often each event took effect" },
  "app-id": { type: "string", multiple: true, value: "id", about: "the apps whose events it takes; default: any" },
  ...shared,
};

const gatewayExample =
  "voicegate conformance gateway --url http://127.0.0.1:8080 --admin-key demo-admin-key-0123456789 --report-html report.html";
const receiverExample =
  "voicegate conformance receiver --url http://127.0.0.1:3000/webhooks --secret whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/** The overview of both sides. */
export const conformance: Command = {
  name: "conformance",
  summary: "prove that a gateway, or a webhook endpoint, keeps the contract",
  usage: "voicegate conformance gateway|receiver [options]",
  options: {},
  positionals: [{ name: "side", about: "gateway or receiver", optional: true, suggestions: ["gateway", "receiver"] }],
  example: gatewayExample,
  async run({ positionals, output }) {
    if (positionals.length > 0) throw new WrongUse(`there is no side "${positionals[0]}": gateway or receiver`);
    const lines = [
      "voicegate conformance gateway    holds a gateway against the contract",
      `  ${gatewayExample}`,
      "voicegate conformance receiver   plays the gateway to your webhook endpoint",
      `  ${receiverExample}`,
      "Both exit with 0 when everything passed, 1 when something failed, 2 when it could not be tried.",
    ];
    if (output.json) output.print(JSON.stringify({ sides: ["gateway", "receiver"] }));
    else for (const line of lines) output.print(line);
    return 0;
  },
};

export const conformanceGateway: Command = {
  name: "conformance gateway",
  summary: "hold a gateway against the contract",
  usage: "voicegate conformance gateway --url <url> --admin-key <key> [options]",
  options: gatewayOptions,
  positionals: [],
  example: gatewayExample,
  about: () =>
    "It makes apps of its own, places calls to their numbers and deletes them in the end. The gateway has to reach\n" +
    "the kit for webhooks and media files: --listen and --public-url, and on loopback addresses the gateway's\n" +
    "ALLOW_HTTP_WEBHOOKS, ALLOW_LOCALHOST_WEBHOOKS and ALLOW_LOCALHOST_MEDIA. Without them what needs them fails.",
  async run(given) {
    // They are made of the whole document, which takes its time: no other command waits for it.
    const [{ gatewayChecks }, { World }] = await Promise.all([
      import("./gateway/checks.js"),
      import("./gateway/world.js"),
    ]);
    return conduct(given, "gateway", gatewayChecks, async () => {
      const settings = gatewaySettings(given);
      const world = await World.open(settings);
      return {
        world,
        target: settings.url,
        secrets: () => [
          ...named("ADMIN_API_KEY", settings.adminKey),
          ...named("VOICEGATE_API_KEY", settings.app?.api_key),
          ...world.apps.map(({ api_key }) => ({ name: "VOICEGATE_API_KEY", value: api_key })),
        ],
        remarks: () => [],
      };
    });
  },
};

export const conformanceReceiver: Command = {
  name: "conformance receiver",
  summary: "play the gateway to a webhook endpoint",
  usage: "voicegate conformance receiver --url <url> --secret <whsec_…> [options]",
  options: receiverOptions,
  positionals: [],
  example: receiverExample,
  about: () =>
    "The endpoint gets events that never happened: use one for tests. With --probe the kit also sees whether each event\n" +
    'took effect once: GET of that URL answers {"effects": {"<webhook-id>": <how often>}}.',
  run: (given) =>
    conduct(given, "receiver", receiverChecks(), async () => {
      const settings = receiverSettings(given);
      const world = await ReceiverWorld.open(settings);
      return {
        world,
        target: settings.url,
        secrets: () => [
          ...named("WEBHOOK_SECRET", settings.secret),
          ...named("OLD_WEBHOOK_SECRET", settings.oldSecret),
        ],
        remarks: () => world.remarks(),
      };
    }),
};

/** What is tested, once it is open. */
interface Subject<World> {
  readonly world: World;
  readonly target: string;
  secrets(): readonly Secret[];
  remarks(): readonly string[];
}

/** @returns the exit code */
async function conduct<World extends { close(): Promise<void> }>(
  given: Given,
  side: Report["side"],
  all: readonly Check<World>[],
  open: () => Promise<Subject<World>>,
): Promise<number> {
  const { output, signal } = given;
  // Nobody is asked to place all the calls of the full profile by hand.
  const few = text(given, "profile") === "minimal" || text(given, "caller") === "manual";
  const profile: Profile = few ? "minimal" : "full";
  const only = texts(given, "only")
    .flatMap((each) => each.split(","))
    .map((each) => each.trim())
    .filter(Boolean);
  const checks = selected(all, { profile, only });
  const unknown = only.find((each) => selected(all, { profile: "full", only: [each] }).length === 0);
  if (unknown !== undefined) throw new WrongUse(`no check is called ${unknown}: --list names them`);
  if (checks.length === 0) throw new WrongUse("these checks are of the full profile: --profile full");
  if (is(given, "list")) {
    const rows = checks.map(({ id, title, clause, profile: own }) => ({ id, title, clause, profile: own }));
    if (output.json) output.print(JSON.stringify(rows));
    else for (const { id, title } of rows) output.print(`${id}  ${title}`);
    return 0;
  }
  const began = performance.now();
  const started = new Date().toISOString();
  const subject = await opened(open, output);
  if (subject === null) return 2;
  // A line that lives needs the terminal itself.
  const living = process.stderr.isTTY && !output.json;
  const screen = living ? process.stderr : { write: (text: string) => output.progress(text.trimEnd()) };
  const terminal = new Terminal(screen, output.colours, checks.length);
  const { world, target } = subject;
  const most = whole(given, "max-failures", 1, 1_000_000) ?? Number.POSITIVE_INFINITY;
  const enough = new AbortController();
  let failures = 0;
  const progress: Progress = {
    begun: (check) => terminal.begun(check),
    done: (outcome, done, all) => {
      terminal.done(outcome, done, all);
      if (outcome.verdict === "failed" && ++failures >= most) enough.abort();
    },
  };
  let outcomes: Report["outcomes"];
  try {
    outcomes = await run(checks, world, progress, AbortSignal.any([signal, enough.signal]));
  } finally {
    terminal.close();
    await world.close();
  }
  const ms = Math.round(performance.now() - began);
  const told = { side, target, profile, contract: contract().info.version, started, ms, outcomes };
  const report = new Mask(subject.secrets()).report({ ...told, remarks: subject.remarks() });
  write(given, report);
  if (output.json) output.print(JSON.stringify(json(report)));
  else for (const line of plain(report, output.colours)) output.print(line);
  return outcomes.some(({ verdict }) => verdict === "failed") || signal.aborted ? 1 : 0;
}

/** Null: it cannot be tested, and that was said. */
async function opened<T>(open: () => Promise<T>, output: Given["output"]): Promise<T | null> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    output.error(error.message);
    return null;
  }
}

function write(given: Given, report: Report): void {
  const to = (name: string, make: () => string) => {
    const file = text(given, name);
    if (file !== undefined) writeFileSync(file, make());
  };
  to("report-json", () => `${JSON.stringify(json(report), null, 1)}\n`);
  to("report-junit", () => junit(report));
  to("report-html", () => html(report));
}

const named = (name: string, value: string | null | undefined): Secret[] => (value ? [{ name, value }] : []);

function gatewaySettings(given: Given): GatewaySettings {
  const app_id = text(given, "app-id");
  const api_key = text(given, "api-key");
  if ((app_id === undefined) !== (api_key === undefined)) throw new WrongUse("--app-id and --api-key go together");
  const public_url = text(given, "public-url");
  const did = text(given, "did");
  return {
    url: address(given, "url").replace(/\/+$/, ""),
    adminKey: text(given, "admin-key") ?? null,
    app: app_id !== undefined && api_key !== undefined ? { app_id, api_key } : null,
    caller: text(given, "caller") ?? "sandbox",
    ...(did !== undefined && { did }),
    listen: listenAt(text(given, "listen") ?? "127.0.0.1:0"),
    publicUrl: public_url === undefined ? null : address(given, "public-url"),
    authFailuresPerSecond: whole(given, "auth-failures-per-second", 2, 1_000_000) ?? 10,
    webhookRetrySeconds: whole(given, "webhook-retry-seconds", 1, 1_000_000) ?? 300,
    ask: (line) => given.output.error(line),
  };
}

function receiverSettings(given: Given): ReceiverSettings {
  const secret = text(given, "secret");
  if (secret === undefined) throw new WrongUse("--secret is needed: the endpoint's signing secret");
  for (const name of ["secret", "old-secret"]) {
    const value = text(given, name);
    if (value !== undefined && !/^(?:whsec_)?[A-Za-z0-9+/]{16,}={0,2}$/.test(value))
      throw new WrongUse(`--${name} must be whsec_ and base64`);
  }
  return {
    url: address(given, "url"),
    secret,
    oldSecret: text(given, "old-secret") ?? null,
    probe: text(given, "probe") === undefined ? null : address(given, "probe"),
    apps: texts(given, "app-id"),
  };
}

/** @throws WrongUse when the option has no http(s) URL */
function address(given: Given, name: string): string {
  const value = text(given, name);
  if (value === undefined) throw new WrongUse(`--${name} is needed`);
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) throw new WrongUse(`--${name} must be an http or https URL`);
  return value;
}

function listenAt(value: string): { host: string; port: number } {
  const [, bracketed, plainHost, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plainHost;
  if (host === undefined || Number(port) > 65535) throw new WrongUse("--listen must be host:port");
  return { host, port: Number(port) };
}
