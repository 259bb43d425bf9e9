/**
 * A PIN at the door: answers each call, asks for four digits, plays a tone when they are right, and hangs up.
 * Start the gateway with `npm start`, then `node dist/examples/ivr.js`, and call any number (or use the sandbox call).
 * Environment: VOICEGATE_URL, APP_ID, API_KEY, ADMIN_API_KEY, PIN, PORT (of this application).
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

const gateway = process.env.VOICEGATE_URL ?? "http://127.0.0.1:8080";
const app = process.env.APP_ID ?? "ivr";
const key = process.env.API_KEY ?? "ivr-api-key-0123456789";
const tone = `${gateway}/samples/tone.wav`;

async function post(path: string, headers: Record<string, string>, body: object): Promise<{ webhook_secret?: string }> {
  const all = { "Content-Type": "application/json", ...headers };
  const response = await fetch(gateway + path, { method: "POST", headers: all, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json() as Promise<{ webhook_secret?: string }>;
}

const command = (session: string, name: string, body: object = {}) =>
  post(`/api/v1/sessions/${session}/commands/${name}`, { "X-App-ID": app, "X-API-Key": key }, body);

const pin = { prompt_files: [tone], max_digits: 4, max_tries: 3, digits_regex: process.env.PIN ?? "1234" };

/** One line per event that matters: what to do next. */
async function on(event: { event: string; session_uuid: string; data: { status?: string } }): Promise<void> {
  if (event.event === "call.new") await command(event.session_uuid, "answer");
  if (event.event === "call.answered") await command(event.session_uuid, "play_and_get_digits", pin);
  if (event.event === "digits.collected" && event.data.status !== "unknown")
    await (event.data.status === "success"
      ? command(event.session_uuid, "playback/start", { urls: [tone] })
      : command(event.session_uuid, "hangup", { cause: "CALL_REJECTED" }));
  if (event.event === "playback.stopped") await command(event.session_uuid, "hangup");
}

let secret = "";
const server = createServer(async (request, response) => {
  const text = Buffer.concat(await request.toArray()).toString("utf8");
  try {
    new Webhook(secret).verify(text, request.headers as Record<string, string>);
  } catch {
    return response.writeHead(401).end();
  }
  const event = JSON.parse(text);
  console.log(event.event, event.data);
  on(event).catch((error: unknown) => console.error(error));
  return response.writeHead(204).end();
});

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", async () => {
  const webhook_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const admin = { "X-Admin-API-Key": process.env.ADMIN_API_KEY ?? "demo-admin-key-0123456789" };
  await post(`/admin/apps/${app}`, admin, { api_key: key, webhook_url, dids: ["200"] });
  secret = (await post(`/admin/apps/${app}/webhook-secret`, admin, {})).webhook_secret ?? "";
  console.log("ivr ready: call 200");
});
