/** A gateway in a process of its own, and what an administrator and an app can do with it. */
import { Program } from "./process";

const adminKey = "bench-admin-key-0123456789";
const apiKey = "bench-api-key-0123456789";

type Headers = Readonly<Record<string, string>>;

export function credentials(app_id: string): Headers {
  return { "X-App-ID": app_id, "X-API-Key": apiKey };
}

/** Route of a command. */
export const command = (session_uuid: string, name: string): string =>
  `/api/v1/sessions/${session_uuid}/commands/${name}`;

export class Gateway {
  private constructor(readonly program: Program) {}

  /** @param role `gateway`, or `events`: one whose media server is a keypad */
  static async start(role: "gateway" | "events", env: Headers = {}): Promise<Gateway> {
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
    return this.program.stop();
  }

  /** @throws on anything but success */
  async #post(route: string, headers: Headers, body: object): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`${this.url}${route}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${route}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}
