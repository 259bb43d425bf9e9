/** Apps that an operator deletes, seen from outside: on a whole gateway. */
import { setImmediate as nextRound } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import { MemoryStore } from "../../src/store/memory";
import type { Commit, CommitOutcome } from "../../src/store/store";
import { Client } from "../api/client";
import { apiKey, TestGateway } from "../gateway";

/** A memory store with a clock that a test moves, and that takes no commit when a test says so. */
class Moody extends MemoryStore {
  ahead = 0;
  away = false;

  constructor() {
    super({ now: () => Date.now() + this.ahead });
  }

  override async commit(commit: Commit): Promise<CommitOutcome> {
    if (this.away) throw new Error("the store is away");
    return super.commit(commit);
  }
}

const places: TestGateway[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});
async function open(store = new Moody()): Promise<TestGateway> {
  const place = await TestGateway.start({ store });
  places.push(place);
  return place;
}
const remove = ({ client, admin }: TestGateway, by: Client = client) =>
  by.request({ method: "DELETE", path: "/admin/apps/test", headers: admin });

test("a deletion during which the store fails is brought to its end all the same", async () => {
  const store = new Moody();
  const place = await open(store);
  const session_uuid = await place.call();
  store.away = true;
  // Whether it waits for the call until the store is back, or says that it cannot, is a matter of a second.
  const deleted = remove(place, new Client(place.url, { inside: true }));
  while ((await store.app("test")) !== null) await nextRound();
  expect((await remove(place)).status).toBe(404);
  expect(await store.loadSession(session_uuid)).not.toBeNull();
  store.ahead = 30_000;
  while ((await store.loadSession(session_uuid)) !== null) await nextRound();
  expect(await store.appsWithEvents()).toEqual([]);
  store.away = false;
  await deleted;
});

test("an app that is made anew right after its deletion has its last events delivered", async () => {
  const place = await open();
  const { receiver } = place;
  // The endpoint is busy with the first event until the app is there again.
  let made = (): void => undefined;
  const again = new Promise<void>((resolve) => {
    made = resolve;
  });
  receiver.answer = async ({ event }) => {
    if (event === "call.new") await again;
    return 204;
  };
  const session_uuid = await place.call();
  await receiver.attempted(1);
  expect((await remove(place)).status).toBe(200);
  await place.putApp("test", { webhook_url: "", dids: ["*"], api_key: apiKey });
  made();
  await receiver.event("call.hangup", session_uuid);
  expect(receiver.names(session_uuid)).toEqual(["call.new", "call.hangup"]);
  const shown = { method: "GET", path: `/api/v1/sessions/${session_uuid}`, headers: place.app };
  expect((await place.client.request(shown)).body).toMatchObject({ error: "Session not found" });
});
