import { randomBytes, randomUUID } from "node:crypto";
import type { Reply } from "../contract";
import { keyDigest } from "../keys";
import { isForbiddenHost } from "../outbound/addresses";
import type { App } from "../store/store";
import { newSecret } from "../webhooks/signature";
import type { Call, Gateway, TagHandlers } from "./gateway";

/** How long the old signing secret signs as well after a rotation. */
const keepOldSecretMs = 24 * 3600 * 1000;
/** How long the calls of a deleted app may take to end, and its queued webhooks for their last try. */
const keepDeletedMs = 30_000;

export function apps(gateway: Gateway): TagHandlers<"apps"> {
  const { store, sessions, webhooks, secretsKey } = gateway;

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
      await Promise.all(live.map((session_uuid) => sessions.end(session_uuid, "APP_DELETED")));
      return { status: 200, body: { success: true } };
    },

    async rotateWebhookSecret(call) {
      const secret = newSecret();
      if (!(await store.rotateSecret(call.params.app_id, secret, keepOldSecretMs)))
        throw call.error("404 App not found");
      return { status: 200, body: { success: true, webhook_secret: secret } };
    },
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
