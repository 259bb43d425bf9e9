/** What the quota refuses is not done. */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check } from "../../check";
import { expectStatus } from "../ground/app";
import type { Answer } from "../ground/client";
import { together, type WireResponse } from "../ground/wire";
import { exampleRequest, type HttpRequest, withBody } from "../requests/requests";
import { originOf } from "../requests/states";
import type { World } from "../world";
import { limit, limitedApp, most_tries, sound, windowMs } from "./quota_app";

const clause = "order of checks: step 6";

const undone: Check<World> = {
  id: "quota/undone",
  title: "What the quota refuses is not done",
  clause,
  profile: "full",
  async run(world) {
    const app = await limitedApp(world, 1);
    let refused: WireResponse | undefined;
    let name = "";
    for (let tried = 0; !refused && tried < most_tries; tried += 1) {
      name = `kit-refused-${tried}`;
      const request = withBody(exampleRequest("createRoom", originOf(world, app)), { name });
      // What is let in because a second has just begun is done, under a name of its own.
      const [, second] = await together(world.url, [sound(app), request]);
      if (second?.status === 429) refused = second;
    }
    if (!refused) throw new Broken({ expected: "a refusal of the second request at once of an app of 1", got: "none" });
    const rooms = await answered(world, { ...sound(app), path: "/api/v1/conferences" });
    expectStatus(rooms, 200);
    if (rooms.bytes.toString("utf8").includes(`"${name}"`))
      throw new Broken({ expected: `no room ${name}`, got: "one", exchanges: [refused.exchange, rooms.exchange] });
  },
};

/** Asks once the window is over, and again when somebody else was quicker. */
async function answered(world: World, request: HttpRequest): Promise<Answer> {
  for (let tried = 1; ; tried += 1) {
    await delay(windowMs);
    const answer = await world.request(request);
    if (answer.status !== 429 || tried === most_tries) return answer;
  }
}

const undoneCommand: Check<World> = {
  id: "quota/undone-command",
  title: "A command that the quota refuses is not done, and not later either",
  clause,
  profile: "full",
  limitMs: 60_000,
  async run(world) {
    const app = await world.app({ rate_limit: 50 });
    for (let tried = 0; tried < most_tries; tried += 1) {
      const call = await app.answered();
      await limit(app, 1);
      const [state, hangup] = [
        exampleRequest("getSession", originOf(world, app), { uuid: call.source }),
        exampleRequest("hangup", originOf(world, app), { uuid: call.source }),
      ];
      const [, , third] = await together(world.url, [state, state, hangup]);
      // Behind the window in which it could be done late.
      await delay(windowMs);
      const after = await answered(world, state);
      await limit(app, 50);
      // It was let in, because a second had just begun.
      if (third?.status !== 429) continue;
      if (after.status === 200) return;
      throw new Broken({
        expected: "a call that goes on",
        got: `${after.status} for it`,
        exchanges: [third.exchange, after.exchange],
      });
    }
    throw new Broken({ expected: "a refusal of the third request at once of an app of 1", got: "none" });
  },
};

export const undoneChecks: readonly Check<World>[] = [undone, undoneCommand];
