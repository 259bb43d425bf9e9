import { randomBytes, randomUUID } from "node:crypto";
import type { Reply } from "../contract";
import { Refused } from "../engines/engine";
import { keyDigest } from "../keys";
import { isForbiddenHost } from "../outbound/addresses";
import type { App, DeadLetter } from "../store/store";
import { newSecret } from "../webhooks/signature";
import { formatLetterCursor, parseLetterCursor } from "./cursor";
import type { Call, Gateway, TagHandlers } from "./gateway";

/** How long the old signing secret signs as well after a rotation. */
const keepOldSecretMs = 24 * 3600 * 1000;
/** How long the calls of a deleted app may take to end, and its queued webhooks for their last try. */
const keepDeletedMs = 30_000;

export function apps(gateway: Gateway): TagHandlers<"apps"> {
  const { store, sessions, webhooks, recordings, secretsKey } = gateway;

  return {
    async putApp(call) {
      const { app_id } = call.params;
      const { webhook_url, rate_limit, events, dids, api_key } = call.body;
      checkWebhookUrl(call, gateway);
      const generated = api_key ?? randomBytes(24).toString("base64url");
      const secret = newSecret();
      const result = await store.putApp({
        settings: { app_id, webhook_url, rate_limit, events, dids },
        digest: api_key === undefined ? null : keyDigest(secretsKey, app_id, api_key),
        created: { digest: keyDigest(secretsKey, app_id, generated), secret },
      });
      if (result.outcome === "did_taken")
        throw call.error("409 Number already assigned to another app", { did: result.did });
      const body = { success: true as const, ...shown(result.app) };
      if (result.outcome === "replaced") return { status: 200, body };
      const key = api_key === undefined ? { api_key: generated } : {};
      return { status: 200, body: { ...body, ...key, webhook_secret: secret } };
    },

    async getApp(call) {
      const app = await store.app(call.params.app_id);
      if (!app) throw call.error("404 App not found");
      return { status: 200, body: { success: true, ...shown(app) } };
    },

    async listApps() {
      return { status: 200, body: { success: true, apps: (await store.apps()).map(shown) } };
    },

    async deleteApp(call) {
      const { app_id } = call.params;
      const live = await store.closeApp({ app_id, nonce: randomUUID(), keep_ms: keepDeletedMs });
      if (!live) throw call.error("404 App not found");
      // What waits for its next attempt is due now. Nobody waits for it here: the store ends the deletion by itself.
      webhooks.wake(app_id);
      const ended = await Promise.allSettled(live.sessions.map((uuid) => sessions.end(uuid, "APP_DELETED")));
      // Only then, so that members leave by their hangup; and recordings last, when nothing records any more.
      const closed = await Promise.allSettled(live.rooms.map((room_id) => sessions.closeRoom(room_id)));
      await recordings.removeApp(app_id);
      for (const each of [...ended, ...closed]) {
        // What another instance has been asked to close is its to do, however late.
        if (each.status === "rejected" && !(each.reason instanceof Refused)) throw each.reason;
      }
      return { status: 200, body: { success: true } };
    },

    async rotateWebhookSecret(call) {
      const secret = newSecret();
      if (!(await store.rotateSecret(call.params.app_id, secret, keepOldSecretMs)))
        throw call.error("404 App not found");
      return { status: 200, body: { success: true, webhook_secret: secret } };
    },

    async listDeadLetters(call) {
      const { app_id } = call.params;
      const { cursor, limit } = call.query;
      const before = cursor === undefined ? null : parseLetterCursor(cursor);
      if (cursor !== undefined && before === null) throw call.error("400 Invalid cursor");
      if (!(await store.app(app_id))) throw call.error("404 App not found");
      const { letters, next } = await store.deadLetters(app_id, limit, before);
      const next_cursor = next === null ? null : formatLetterCursor(next);
      return { status: 200, body: { success: true, dead_letters: letters.map(shownLetter), next_cursor } };
    },

    async replayDeadLetters(call) {
      const { app_id } = call.params;
      if (!(await store.app(app_id))) throw call.error("404 App not found");
      const replayed = await store.replayDeadLetters(app_id, call.body.webhook_ids ?? null, randomUUID());
      if (replayed === null) throw call.error("404 Dead letter not found");
      webhooks.wake(app_id);
      return { status: 200, body: { success: true, replayed } };
    },
  };
}

function shownLetter({
  event,
  died_at,
  attempts,
}: DeadLetter): Reply<"listDeadLetters">["body"]["dead_letters"][number] {
  const body: Readonly<Record<string, unknown>> = JSON.parse(event.body);
  const { session_uuid, room_id } = body;
  return {
    webhook_id: event.id,
    event: event.event,
    ...(typeof session_uuid === "string" && { session_uuid }),
    ...(typeof room_id === "string" && { room_id }),
    sequence: event.sequence,
    created_at: new Date(event.created_at).toISOString(),
    died_at: new Date(died_at).toISOString(),
    attempts,
    body,
  };
}

/** The schema knows that it is "" or an http(s) URL; what is allowed here, only the configuration knows. */
function checkWebhookUrl(call: Call<"putApp">, { config }: Gateway): void {
  const { webhook_url } = call.body;
  if (webhook_url === "") return;
  const { protocol, hostname } = new URL(webhook_url);
  if (protocol !== "https:" && !config.ALLOW_HTTP_WEBHOOKS) throw call.error("400 webhook_url must use HTTPS");
  if (isForbiddenHost(hostname, config.ALLOW_LOCALHOST_WEBHOOKS))
    throw call.error("400 webhook_url must not be a private or loopback address");
}

function shown(app: App): Omit<Reply<"getApp">["body"], "success"> {
  const { app_id, webhook_url, rate_limit, events, dids, created_at, webhook_disabled_at } = app;
  return {
    app_id,
    webhook_url,
    rate_limit,
    events,
    dids,
    created_at: new Date(created_at).toISOString(),
    webhook_disabled_at: webhook_disabled_at === null ? null : new Date(webhook_disabled_at).toISOString(),
  };
}
