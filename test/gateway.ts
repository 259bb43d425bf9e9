/** A whole gateway for a test: every socket on a free port of the loopback address, an app with its receiver. */
import { readConfig } from "../src/config";
import type { Body } from "../src/contract";
import { createLog } from "../src/log";
import { type Gateway, type Parts, startGateway } from "../src/main";
import { Client } from "./api/client";
import { Receiver } from "./receiver";

export const adminKey = "test-admin-key-0123456789";
export const apiKey = "test-api-key-0123456789";

export interface TestOptions {
  /** Environment in place of the values for tests; "" is unset. */
  readonly env?: Readonly<Record<string, string>>;
  readonly store?: Parts["store"];
  readonly engines?: Parts["engines"];
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

  private constructor(gateway: Gateway, receiver: Receiver, log: readonly string[]) {
    this.gateway = gateway;
    this.client = new Client(gateway.url);
    this.receiver = receiver;
    this.log = log;
  }

  get url(): string {
    return this.gateway.url;
  }

  /** An app that gets all calls to numbers that nobody else has. */
  static async start(options: TestOptions = {}): Promise<TestGateway> {
    const config = readConfig({
      PORT: "0",
      SIP_PORT: "0",
      ADMIN_API_KEY: adminKey,
      AUTH_FAILURES_PER_SECOND: "10000",
      ALLOW_HTTP_WEBHOOKS: "true",
      ALLOW_LOCALHOST_WEBHOOKS: "true",
      ALLOW_LOCALHOST_MEDIA: "true",
      SHUTDOWN_TIMEOUT_MS: "0",
      ...options.env,
    });
    const lines: string[] = [];
    const log = createLog(config.LOG_LEVEL, { write: (line) => void lines.push(line) });
    const { store, engines } = options;
    const receiver = new Receiver();
    const webhook_url = await receiver.listen();
    let gateway: Gateway | undefined;
    try {
      gateway = await startGateway(config, { log, ...(store && { store }), ...(engines && { engines }) });
      const place = new TestGateway(gateway, receiver, lines);
      if (options.app === null) return place;
      receiver.secret = await place.putApp("test", { webhook_url, dids: ["*"], api_key: apiKey, ...options.app });
      return place;
    } catch (error) {
      await gateway?.shutdown();
      await receiver.close();
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

  async close(): Promise<void> {
    await this.gateway.shutdown();
    await this.receiver.close();
  }
}

export function credentials(app_id: string, api_key: string = apiKey): Headers {
  return { "X-App-ID": app_id, "X-API-Key": api_key };
}
