import { demo } from "../../src/cli/demo";
import { TestGateway } from "../gateway";

/** A gateway with the credentials that pages have filled in, and an app that sends no webhooks. */
export async function startDemo(): Promise<TestGateway> {
  const place = await TestGateway.start({ env: { ADMIN_API_KEY: demo.admin }, app: null });
  const body = { api_key: demo.key, webhook_url: "", dids: ["*"] };
  const headers = { "X-Admin-API-Key": demo.admin };
  const { status, text } = await place.client.request({
    method: "POST",
    path: `/admin/apps/${demo.app}`,
    headers,
    body,
  });
  if (status !== 200) throw new Error(`the demo app: ${status} ${text}`);
  return place;
}
