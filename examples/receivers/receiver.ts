/** `npm install voicegate`; WEBHOOK_SECRET=whsec_… PORT=8090 node receiver.ts. Takes each event once, and a call's in order. */
import { createServer, type IncomingMessage } from "node:http";
import { verifyWebhook, type WebhookEvent, WebhookVerificationError } from "voicegate/client";

const { WEBHOOK_SECRET: secret = "", PORT = "8090", VOICEGATE_PROBE: probe } = process.env;
const effects = new Map<string, number>(); // by webhook-id
const newest = new Map<string, number>(); // sequence, by call or room
/** Your application. What it throws is answered 500, and the gateway sends the event again. Slow work belongs in a queue. */
function handle(event: WebhookEvent): void {
  console.log(event.event, event.source, event.sequence);
}
function remember(map: Map<string, number>, key: string, value: number): void {
  map.delete(key);
  if (map.set(key, value).size > 10_000) map.delete(map.keys().next().value ?? "");
}
function take(event: WebhookEvent): void {
  // No number is sent for the first time before all lower ones are settled: what is not newer is a repeat.
  if (effects.has(event.webhookId) || event.sequence <= (newest.get(event.source) ?? 0)) return;
  handle(event); // Before it is remembered: what fails comes again.
  remember(effects, event.webhookId, 1);
  remember(newest, event.source, event.sequence);
  if (event.event === "call.hangup") setTimeout(() => newest.delete(event.source), 600_000).unref();
}
async function answer(request: IncomingMessage): Promise<[status: number, body?: string]> {
  if (probe === "1" && request.url === "/voicegate-probe")
    return [200, JSON.stringify({ effects: Object.fromEntries(effects) })];
  if (request.url !== "/") return [404];
  if (request.method !== "POST") return [405];
  if (!(Number(request.headers["content-length"]) <= 1 << 20)) return [413];
  take(await verifyWebhook(request.headers, Buffer.concat(await request.toArray()), secret));
  return [204];
}
createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error: unknown): [number, string?] => {
    if (error instanceof WebhookVerificationError) return [error.status];
    console.error(error);
    return [500];
  });
  response.writeHead(status).end(body);
}).listen(Number(PORT), () => console.log(`receiver ready on port ${PORT}`));
