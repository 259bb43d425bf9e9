/** An app with a quota that is used up quickly. */
import { expectStatus, type KitApp } from "../ground/app";
import type { Answer } from "../ground/client";
import { exampleRequest, type HttpRequest } from "../requests/requests";
import { originOf } from "../requests/states";
import type { World } from "../world";

/** How often a window that ends in the middle of what is looked at is waited for anew. */
export const most_tries = 6;

/** Longer than a window. */
export const windowMs = 1050;

export const limitedApp = (world: World, rate_limit: number): Promise<KitApp> =>
  world.app({ rate_limit, webhook_url: "" });

/** Gives an app another quota. */
export async function limit(app: KitApp, rate_limit: number | undefined): Promise<Answer> {
  const { world, app_id, did, endpoint, hears } = app;
  const body = { webhook_url: hears ? endpoint.url : "", dids: [did], rate_limit };
  const answer = await world.request({ method: "POST", path: `/admin/apps/${app_id}`, headers: world.admin, body });
  expectStatus(answer, 200);
  return answer;
}

export const sound = (app: KitApp): HttpRequest => exampleRequest("listSessions", originOf(app.world, app));
