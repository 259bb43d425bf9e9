import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "@jest/globals";
import { MemoryStore } from "../../src/store/memory";
import {
  appPut,
  commandOf,
  commitOf,
  decided,
  ended,
  endedRoom,
  eventOf,
  loaded,
  memberOf,
  requestOf,
  roomOf,
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

test("days of calls, each from a new address, with a remembered uid, a room and deliveries, leave nothing behind", async () => {
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
      const room_id = `room of ${uuid}`;
      await store.createRoom(roomOf(room_id));
      const joined = eventOf(1, "conference.member.joined", { id: `joined ${uuid}`, room_id });
      await store.commit(commitOf(await loaded(store, uuid), memberOf(room_id), { events: [joined] }));
      await ended(store, uuid, [eventOf(2, "call.hangup", { id: `hangup ${uuid}` })]);
      await endedRoom(store, room_id, [eventOf(1, "conference.destroyed", { id: `destroyed ${uuid}` })]);
      for (let { taken } = await turn(store); taken.length > 0; ) {
        ({ taken } = await turn(store, { settled: taken.map((each) => settlementOf(each)) }));
      }
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
