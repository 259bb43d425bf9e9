/** Answered calls, and the command that can be given to them over and over. */
import { command, credentials, type Gateway } from "./gateway";
import { post } from "./load";

/** One app may make 10,000 requests a second from one address at most: several share the load. */
export const apps = ["bench-0", "bench-1", "bench-2", "bench-3"];

export function answer(session_uuid: string, app_id: string, body: object = {}): Buffer {
  return post(command(session_uuid, "answer"), credentials(app_id), body);
}

/** Answered calls of apps that want no webhooks: `answer` has no cooldown, and its result follows at once. */
export async function answered(gateway: Gateway, connections: number): Promise<Buffer[]> {
  for (const [i, app_id] of apps.entries()) await gateway.putApp(app_id, { webhook_url: "", dids: [`10${i}`] });
  const requests: Buffer[] = [];
  for (let i = 0; i < connections; i++) {
    const app_id = apps[i % apps.length] ?? "";
    const { session_uuid } = await gateway.admin("/admin/sandbox/calls", { did: `10${i % apps.length}` });
    await gateway.command(app_id, String(session_uuid), "answer");
    requests.push(answer(String(session_uuid), app_id));
  }
  return requests;
}
