/** The door itself, in front of a bare server. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import Koa, { type Context } from "koa";
import { FrontDoor } from "../../src/api/front_door";

/** What a server behind the door answers, whatever is done there with a request. */
async function answered(done: (ctx: Context) => Promise<unknown>): Promise<unknown> {
  const server = new Koa().use(async (ctx) => {
    ctx.body = JSON.stringify(await done(ctx));
  });
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  const answer: unknown = await (await fetch(`http://127.0.0.1:${port}`)).json();
  listening.close();
  listening.closeAllConnections();
  return answer;
}

test("failures at the same time are counted one by one", async () => {
  const door = new FrontDoor(10);
  const passed = await answered((ctx) => {
    const fail = async () =>
      door.failed(ctx, "192.0.2.1").then(
        () => true,
        () => false,
      );
    return Promise.all(Array.from({ length: 14 }, fail));
  });
  expect(passed).toEqual(Array.from({ length: 14 }, (_, nth) => nth < 11));
});

test("it is quiet again once the second of the last failure is over", async () => {
  const door = new FrontDoor(10);
  expect(door.quiet).toBe(true);
  const quiet = await answered(async (ctx) => {
    await door.enter(ctx, "192.0.2.1");
    await door.failed(ctx, "192.0.2.1");
    return door.quiet;
  });
  expect(quiet).toBe(false);
  // The time-out of the test is the limit: nothing happens that could be awaited.
  while (!door.quiet) await delay(50);
});
