/** The door itself, in front of a bare server. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import Koa from "koa";
import { FrontDoor } from "../../src/api/front_door";

test("it is quiet again once the second of the last failure is over", async () => {
  const door = new FrontDoor(10);
  expect(door.quiet).toBe(true);
  const server = new Koa()
    .use(async (ctx) => {
      await door.enter(ctx, "192.0.2.1");
      await door.failed(ctx, "192.0.2.1");
      ctx.body = String(door.quiet);
    })
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("false");
  server.close();
  server.closeAllConnections();
  // The time-out of the test is the limit: nothing happens that could be awaited.
  while (!door.quiet) await delay(50);
});
