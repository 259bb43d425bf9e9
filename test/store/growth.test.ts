import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "@jest/globals";
import { MemoryStore } from "../../src/store/memory";
import {
  appPut,
  commandOf,
  decided,
  ended,
  eventOf,
  requestOf,
  sessionOf,
  settlementOf,
  turn,
  withUid,
} from "./samples";

const DAY = 86_400_000;

/** Bytes in use once everything that nobody holds is gone. */
function used(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("no garbage collector to call");
  collect();
  return process.memoryUsage().heapUsed;
}

test("days of calls, each from a new address, with a remembered uid and deliveries, leave nothing behind", async () => {
  let now = Date.UTC(2024, 0, 1);
  const store = new MemoryStore({ now: () => now });
  let calls = 0;
  await store.putApp(appPut("acme", { rate_limit: 10_000 }));

  async function day(): Promise<void> {
    for (let i = 0; i < 2000; i++) {
      const uuid = `call ${calls++}`;
      await store.createSession(sessionOf(uuid), []);
      await store.countAdmin(`address of ${uuid}`, 1);
      await store.admit(requestOf({ address: `address of ${uuid}`, session_uuid: uuid, command: commandOf() }));
      await decided(store, uuid, withUid(`taken of ${uuid}`), 202);
      await decided(store, uuid, withUid(`refused of ${uuid}`), "free");
      await ended(store, uuid, [eventOf(1)]);
      const { taken } = await turn(store);
      await turn(store, { settled: taken.map((each) => settlementOf(each)) });
    }
    now += DAY;
    await store.sweep();
  }

  await day();
  const before = used();
  const days = 6;
  for (let i = 0; i < days; i++) await day();
  const perCall = (used() - before) / (days * 2000);
  // The smallest thing that could be left, an entry of a Map, takes more.
  expect(perCall).toBeLessThan(24);
});
