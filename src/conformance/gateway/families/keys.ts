/** Keys that are almost right. */
import type { ErrorCode } from "../../../contract";
import type { Check } from "../../check";
import { expectFailure } from "../requests/failure";
import { headersOf } from "../requests/states";
import type { World } from "../world";
import { lane } from "./errors";

const swapped = (text: string) =>
  text.replaceAll(/[a-z]/gi, (sign) => (sign === sign.toUpperCase() ? sign.toLowerCase() : sign.toUpperCase()));

/** What somebody has who does not have this key, though he may have another. */
const almost: Readonly<Record<string, (key: string, another: string) => string>> = {
  "a beginning of it": (key) => key.slice(0, -1),
  "one sign more": (key) => `${key}x`,
  "another first sign": (key) => (key.startsWith("x") ? "y" : "x") + key.slice(1),
  "another last sign": (key) => key.slice(0, -1) + (key.endsWith("x") ? "y" : "x"),
  "letters of another size": (key) => (swapped(key) === key ? `${key}0` : swapped(key)),
  "a key of somebody else": (_, another) => another,
};

/** @throws Broken when one of these lets in */
async function refused(
  world: World,
  path: string,
  code: ErrorCode,
  headers: (wrong: (key: string, another: string) => string) => Readonly<Record<string, string>>,
): Promise<void> {
  for (const [how, wrong] of Object.entries(almost))
    expectFailure(await world.request({ method: "GET", path, headers: headers(wrong) }), code, how);
}

export const keys: readonly Check<World>[] = [
  {
    id: "keys/app",
    title: "A key that is almost that of the app lets nobody in",
    clause: "order of checks: step 5",
    profile: "full",
    lane,
    async run(world) {
      const [app, other] = [await world.main(), await world.other()];
      const path = "/api/v1/sessions";
      await refused(world, path, "invalid_api_key", (wrong) => ({
        "X-App-ID": app.app_id,
        "X-API-Key": wrong(app.api_key, other.api_key),
      }));
      const mixed = { ...headersOf(app), "X-App-ID": swapped(app.app_id) };
      expectFailure(await world.request({ method: "GET", path, headers: mixed }), "invalid_api_key", "another app_id");
    },
  },
  {
    id: "keys/admin",
    title: "A key that is almost that of the administration lets nobody in",
    clause: "order of checks: step 5",
    profile: "full",
    lane,
    async run(world) {
      const key = String(world.admin["X-Admin-API-Key"]);
      const app = await world.main();
      await refused(world, "/admin/apps", "invalid_admin_key", (wrong) => ({
        "X-Admin-API-Key": wrong(key, app.api_key),
      }));
      const headers = { "X-App-ID": app.app_id, "X-API-Key": key };
      const answer = await world.request({ method: "GET", path: "/api/v1/sessions", headers });
      expectFailure(answer, "invalid_api_key", "the key of the administration");
    },
  },
];
