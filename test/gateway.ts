/**
 * A whole gateway for a test: every socket on a free port of the loopback address, an app with its receiver. It holds all
 * that goes out against the document: what did not keep it fails the test when the gateway is closed.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readConfig } from "../src/config";
import type { Body } from "../src/contract";
import { createLog } from "../src/log";
import { type Gateway, type Parts, startGateway } from "../src/main";
import { Client } from "./api/client";
import { Receiver } from "./receiver";

export const adminKey = "test-admin-key-0123456789";
export const apiKey = "test-api-key-0123456789";
/** Before the path of each `recording_url`: the port is not known when the gateway is told. */
export const recordingBaseUrl = "http://recordings.test";
const mediaBaseUrl = "http://media.test";

export interface TestOptions {
  /** Environment in place of the values for tests; "" is unset. */
  readonly env?: Readonly<Record<string, string>>;
  readonly store?: Parts["store"];
  readonly engines?: Parts["engines"];
  readonly portal?: Parts["portal"];
  /** Recording is on, and media servers can fetch files, both from folders that go with the gateway. */
  readonly recordings?: boolean;
  /** Settings of the app; null: none is made. */
  readonly app?: Partial<Body<"putApp">> | null;
}

type Headers = Readonly<Record<string, string>>;

export class TestGateway {
  /** Gets every event of the app. */
  readonly receiver: Receiver;
  readonly gateway: Gateway;
  readonly client: Client;
  /** Lines of the log, as they were written. */
  readonly log: readonly string[];
  readonly admin: Headers = { "X-Admin-API-Key": adminKey };
  /** Credentials of the app. */
  readonly app: Headers = credentials("test");
  /** Folders of recordings and media files. Null unless they were asked for. */
  readonly recordings: string | null;
  readonly media: string | null;
  readonly #folder: string | null;

  private constructor(gateway: Gateway, receiver: Receiver, log: readonly string[], folder: string | null) {
    this.gateway = gateway;
    this.client = new Client(gateway.url);
    this.receiver = receiver;
    this.log = log;
    this.#folder = folder;
    this.recordings = folder && path.join(folder, "recordings");
    this.media = folder && path.join(folder, "media");
  }

  get url(): string {
    return this.gateway.url;
  }

  /** An app that gets all calls to numbers that nobody else has. */
  static async start(options: TestOptions = {}): Promise<TestGateway> {
    const folder = options.recordings ? await mkdtemp(path.join(tmpdir(), "voicegate-test-")) : null;
    for (const name of ["recordings", "media"]) if (folder) await mkdir(path.join(folder, name));
    const config = readConfig({
      PORT: "0",
      SIP_PORT: "0",
      ADMIN_API_KEY: adminKey,
      AUTH_FAILURES_PER_SECOND: "10000",
      ALLOW_HTTP_WEBHOOKS: "true",
      ALLOW_LOCALHOST_WEBHOOKS: "true",
      ALLOW_LOCALHOST_MEDIA: "true",
      SHUTDOWN_TIMEOUT_MS: "0",
      CONTRACT_CHECK: "all",
      ...(folder && { RECORDING_DIR: path.join(folder, "recordings"), RECORDING_BASE_URL: recordingBaseUrl }),
      ...(folder && { MEDIA_CACHE_DIR: path.join(folder, "media"), MEDIA_BASE_URL: mediaBaseUrl }),
      ...options.env,
    });
    const lines: string[] = [];
    const log = createLog(config.LOG_LEVEL, { write: (line) => void lines.push(line) });
    const { store, engines, portal } = options;
    const receiver = new Receiver();
    const webhook_url = await receiver.listen();
    let gateway: Gateway | undefined;
    try {
      gateway = await startGateway(config, {
        log,
        ...(store && { store }),
        ...(engines && { engines }),
        ...(portal && { portal }),
      });
      const place = new TestGateway(gateway, receiver, lines, folder);
      if (options.app === null) return place;
      receiver.secret = await place.putApp("test", { webhook_url, dids: ["*"], api_key: apiKey, ...options.app });
      return place;
    } catch (error) {
      await gateway?.shutdown();
      await receiver.close();
      if (folder) await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** @returns the webhook secret of a new app */
  async putApp(app_id: string, body: Partial<Body<"putApp">>): Promise<string> {
    const request = { method: "POST", path: `/admin/apps/${app_id}`, headers: this.admin, body };
    const { status, text } = await this.client.request(request);
    if (status !== 200) throw new Error(`app ${app_id}: ${status} ${text}`);
    return JSON.parse(text).webhook_secret;
  }

  /** A simulated caller. @returns the uuid of the session, whose `call.new` is on its way */
  async call(body: Partial<Body<"createSandboxCall">> = {}): Promise<string> {
    const request = {
      method: "POST",
      path: "/admin/sandbox/calls",
      headers: this.admin,
      body: { did: "100", ...body },
    };
    const { status, text } = await this.client.request(request);
    if (status !== 201) throw new Error(`call: ${status} ${text}`);
    return JSON.parse(text).session_uuid;
  }

  /** @throws when something that went out did not keep the document */
  async close(): Promise<void> {
    await this.gateway.shutdown();
    await this.receiver.close();
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    const broken = this.log.filter((line) => /"msg":"contract (?:violation|check failed)"/.test(line));
    if (broken.length > 0) throw new Error(`the contract was not kept:\n${broken.join("")}`);
  }
}

export function credentials(app_id: string, api_key: string = apiKey): Headers {
  return { "X-App-ID": app_id, "X-API-Key": api_key };
}
