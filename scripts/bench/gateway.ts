/** A gateway in a process of its own, and what an administrator and an app can do with it. */
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { Program } from "./process";

const adminKey = "bench-admin-key-0123456789";
export const apiKey = "bench-api-key-0123456789";

type Headers = Readonly<Record<string, string>>;

export function credentials(app_id: string): Headers {
  return { "X-App-ID": app_id, "X-API-Key": apiKey };
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Route of a command. */
export const command = (session_uuid: string, name: string): string =>
  `/api/v1/sessions/${session_uuid}/commands/${name}`;

export class Gateway {
  #agent = new Agent({ keepAlive: true });

  private constructor(readonly program: Program) {}

  /** @param role `gateway`; or `events`: one whose media server is a keypad; or `growing`: one that counts what it holds */
  static async start(role: "gateway" | "events" | "growing", env: Headers = {}): Promise<Gateway> {
    return new Gateway(await Program.start(role, { ADMIN_API_KEY: adminKey, ...env }));
  }

  get url(): string {
    return `http://127.0.0.1:${this.program.ready.port}`;
  }

  async putApp(app_id: string, settings: { readonly webhook_url: string; readonly dids: readonly string[] }) {
    await this.admin(`/admin/apps/${app_id}`, { api_key: apiKey, ...settings });
  }

  admin(route: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    return this.#post(route, { "X-Admin-API-Key": adminKey }, body);
  }

  async command(app_id: string, session_uuid: string, name: string, body: object = {}): Promise<void> {
    await this.#post(command(session_uuid, name), credentials(app_id), body);
  }

  stop(): Promise<void> {
    this.hangUp();
    return this.program.stop();
  }

  /** A request of the app, whatever is answered. */
  app(app_id: string, method: string, route: string, body?: object): Promise<Answered> {
    return this.#request(method, `/api/v1${route}`, credentials(app_id), body);
  }

  /** @throws on anything but success */
  async #post(route: string, headers: Headers, body: object): Promise<Readonly<Record<string, unknown>>> {
    const { status, text } = await this.#request("POST", route, headers, body);
    if (status < 200 || status > 299) throw new Error(`${route}: ${status} ${text}`);
    return JSON.parse(text);
  }

  /** Closes the connections that wait for another request. */
  hangUp(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true });
  }

  async #request(method: string, route: string, headers: Headers, body?: object): Promise<Answered> {
    const sent = request(`${this.url}${route}`, {
      method,
      agent: this.#agent,
      headers: { ...headers, ...(body && { "Content-Type": "application/json" }) },
    });
    sent.end(body && JSON.stringify(body));
    const [response]: IncomingMessage[] = await once(sent, "response");
    if (!response) throw new Error("an answer without an answer");
    const text = Buffer.concat(await response.toArray()).toString("utf8");
    return { status: response.statusCode ?? 0, text };
  }
}
