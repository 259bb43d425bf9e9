/**
 * Development mode: the production program with demo values for everything, an app of its own, and a receiver that
 * checks each webhook's signature and prints it in one line.
 */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Config, ConfigError, readConfig, variables } from "../config";
import { type Gateway, startGateway } from "../main";
import { isLoopback } from "../outbound/addresses";
import { verify } from "../webhooks/signature";
import { demo } from "./demo";
import { eventLine, readEvent } from "./event_line";

/** The largest webhook body the receiver reads. */
const maxBody = 1 << 20;

export interface Development {
  readonly gateway: Gateway;
  shutdown(): Promise<void>;
}

/**
 * @param env overrides the demo values; an empty value counts as unset
 * @param print one line, without its end
 * @param json each event is printed as it came, and before them one document about the gateway
 * @throws ConfigError also when others could reach the gateway with a key that everybody knows
 */
export async function startDevelopment(
  env: Readonly<Record<string, string | undefined>>,
  print: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
  colours: boolean = process.stdout.isTTY === true,
  json = false,
): Promise<Development> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  // Like everything else of this mode, recordings are gone with it.
  const folder = await mkdtemp(path.join(tmpdir(), "voicegate-dev-"));
  const close: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const shutdown = async () => {
    for (let part = close.pop(); part; part = close.pop()) await part();
  };
  try {
    const config = await demoConfig(given, folder);
    const local = isLoopback(config.HOST);
    if (!local && given.ADMIN_API_KEY === undefined)
      throw new ConfigError([
        `HOST ${config.HOST} is not a loopback address: set ADMIN_API_KEY, the demo key is known to everybody`,
      ]);
    const key = local ? demo.key : randomBytes(24).toString("base64url");
    const shown = (body: string) => {
      const event = json ? null : readEvent(body);
      print(event ? eventLine(event, colours) : body);
    };
    const receiver = new Receiver(print, shown);
    const webhook_url = await receiver.listen();
    close.push(() => receiver.close());
    const gateway = await startGateway(config);
    close.push(() => gateway.shutdown());
    receiver.secret = await putDemoApp(gateway.url, config, { api_key: key, webhook_url, dids: ["*"] });
    const { secret } = receiver;
    const about = { url: gateway.url, app_id: demo.app, api_key: key, webhook_secret: secret };
    print(
      json
        ? JSON.stringify({ ...about, sip_port: gateway.embedded?.sipPort ?? null })
        : welcome(gateway, key, secret, config.SIP_HOST, config.ADMIN_API_KEY ?? ""),
    );
    return { gateway, shutdown };
  } catch (error) {
    await shutdown();
    throw error;
  }
}

/** Demo values for everything, and what was given in place of them. */
async function demoConfig(given: Readonly<Record<string, string | undefined>>, folder: string): Promise<Config> {
  const read = (port: string) =>
    readConfig({
      ADMIN_API_KEY: demo.admin,
      ALLOW_HTTP_WEBHOOKS: "true",
      ALLOW_LOCALHOST_WEBHOOKS: "true",
      ALLOW_LOCALHOST_MEDIA: "true",
      RECORDING_DIR: folder,
      RECORDING_BASE_URL: ownUrl(given.HOST ?? variables.HOST.default, port),
      CONTRACT_CHECK: "all",
      SHUTDOWN_TIMEOUT_MS: "0",
      LOG_LEVEL: "warn",
      ...given,
      PORT: port,
    });
  const config = read(given.PORT ?? variables.PORT.default);
  // The URLs of recordings name the port: one that the system picks has to be known before.
  return config.PORT === 0 ? read(String(await freePort(config.HOST))) : config;
}

/** What is wrong with host or port is said of those, and not of what was made of them. */
function ownUrl(host: string, port: string): string {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return URL.canParse(url) ? url : "http://127.0.0.1";
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  // A listening TCP server always has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** @returns the secret that signs its webhooks */
async function putDemoApp(url: string, config: Config, body: object): Promise<string> {
  const headers = { "X-Admin-API-Key": config.ADMIN_API_KEY ?? "", "Content-Type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(`${url}/admin/apps/${demo.app}`, request);
  const app: unknown = await response.json();
  if (!isCreated(app)) throw new Error(`The demo app could not be made: ${JSON.stringify(app)}`);
  return app.webhook_secret;
}

function isCreated(app: unknown): app is { webhook_secret: string } {
  return typeof app === "object" && app !== null && "webhook_secret" in app && typeof app.webhook_secret === "string";
}

/** What to paste next. Lines for curl where there is one, else for Node alone. */
function welcome(gateway: Gateway, key: string, secret: string, sipHost: string, admin: string): string {
  const { url } = gateway;
  const app = [`X-App-ID: ${demo.app}`, `X-API-Key: ${key}`];
  const commands = `${url}/api/v1/sessions/$SESSION/commands`;
  const uuid = `node -pe 'JSON.parse(fs.readFileSync(0)).session_uuid'`;
  const sip = gateway.embedded
    ? `\n  SIP         sip:anything@${sipHost}:${gateway.embedded.sipPort} (UDP and TCP)`
    : "";
  return `Voicegate is ready.
  API         ${url}  (the contract: ${url}/openapi.json)${sip}
  docs        ${url}/docs
  app         ${demo.app}, key ${key}
  secret      ${secret}
Events of the app are printed here as they arrive. Paste into another terminal, one line after the other:

SESSION=$(${post(`${url}/admin/sandbox/calls`, [`X-Admin-API-Key: ${admin}`], { did: "100", caller_id: "alice" })} | ${uuid})
${post(`${commands}/answer`, app, {})}
${post(`${commands}/playback/start`, app, { urls: [`${url}/samples/tone.wav`] })}

Ctrl-C stops it.
`;
}

function post(url: string, headers: readonly string[], body: object): string {
  const all = [...headers, "Content-Type: application/json"];
  if (onPath("curl"))
    return `curl -s ${all.map((header) => `-H "${header}"`).join(" ")} -d '${JSON.stringify(body)}' ${url}`;
  const entries = Object.fromEntries(all.map((header) => header.split(": ")));
  const options = JSON.stringify({ method: "POST", headers: entries, body: JSON.stringify(body) });
  return `node -e 'fetch(process.argv[1],${options}).then(async r=>console.log(await r.text()))' ${url}`;
}

function onPath(command: string): boolean {
  return (process.env.PATH ?? "").split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
      return false;
    }
  });
}

/** Takes the demo app's webhooks on a free loopback port. */
class Receiver {
  /** Known once the app is made. */
  secret: string | null = null;
  readonly #server: Server;

  /** @param shown told the body of each genuine webhook */
  constructor(print: (line: string) => void, shown: (body: string) => void) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      request.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBody) request.destroy();
        else chunks.push(chunk);
      });
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        const genuine = this.secret !== null && verify(request.headers, body, this.secret);
        if (genuine) shown(body);
        else print("A webhook with a wrong signature was refused.");
        response.writeHead(genuine ? 204 : 401).end();
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    // A listening TCP server always has an AddressInfo.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}
