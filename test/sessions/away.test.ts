/** A store that is away for a while: nobody hangs behind it, and what happened meanwhile is told once it is back. */
import { expect, test } from "@jest/globals";
import { Refused } from "../../src/engines/engine";
import type { Store } from "../../src/store/store";
import { Client } from "../api/client";
import { opened } from "../api/place";
import { away, elsewhere, FailingStore } from "../errors/failing";
import { TestGateway } from "../gateway";
import { Place, PlayedEngine } from "./place";

/** A method that does its work, and whose answer is lost. */
function lost<K extends "createSession" | "commit">(store: FailingStore, name: K, times: number): Partial<Store> {
  let left = times;
  const real = store.real[name].bind(store.real) as (...args: unknown[]) => Promise<unknown>;
  return {
    [name]: async (...args: unknown[]) => {
      const answer = await real(...args);
      if (left-- > 0) throw new Error("the answer was lost");
      return answer;
    },
  };
}

test("an app is deleted: 500 while its calls cannot be ended, and done at the next try", async () => {
  const store = new FailingStore();
  const place = await TestGateway.start({ store: store.store });
  const client = new Client(place.url, { inside: true });
  const session_uuid = await place.call();
  const request = { method: "DELETE", path: "/admin/apps/test", headers: place.admin };
  const { status } = await store.while({ loadSession: away }, () => client.request(request));
  expect(status).toBe(500);
  const { data } = await place.receiver.event("call.hangup", session_uuid);
  expect(data).toMatchObject({ cause: "APP_DELETED", by: "gateway" });
  await place.close();
});

test("an app is deleted whose room another instance has, which does not close it now", async () => {
  const store = new FailingStore();
  await store.real.hold(elsewhere);
  const place = await TestGateway.start({ store: store.store, env: { COMMAND_TIMEOUT_MS: "100" } });
  const { room_id, ...room } = opened("test", "elsewhere", await store.real.now());
  await store.real.createRoom({ ...room, room_id });
  const request = { method: "DELETE", path: "/admin/apps/test", headers: place.admin };
  expect((await place.client.request(request)).status).toBe(200);
  const asked = (await store.real.hold(elsewhere)).find(({ node }) => node === "elsewhere");
  expect(asked?.ending).toEqual([{ id: room_id, cause: "NORMAL_CLEARING" }]);
  await place.close();
});

test("the gateway shuts down all the same", async () => {
  const store = new FailingStore();
  const place = await TestGateway.start({ store: store.store });
  await place.call();
  await store.while({ loadSession: away, commit: away }, () => place.gateway.shutdown());
  expect(place.gateway.embedded?.mediaPid).toBeNull();
  expect(place.log.some((line) => line.includes("events lost"))).toBe(true);
  await place.close();
});

test("a call that was stored, but whose caller was refused, is ended", async () => {
  const store = new FailingStore();
  const place = await TestGateway.start({ store: store.store });
  const client = new Client(place.url, { inside: true });
  const request = { method: "POST", path: "/admin/sandbox/calls", headers: place.admin, body: { did: "100" } };
  const { status } = await store.while(lost(store, "createSession", 1), () => client.request(request));
  expect(status).toBe(503);
  const { source, data } = await place.receiver.event("call.hangup");
  expect(data).toMatchObject({ cause: "NORMAL_TEMPORARY_FAILURE", by: "gateway" });
  expect(place.receiver.names(source)).toEqual(["call.new", "call.hangup"]);
  await place.close();
});

test("a commit whose answer was lost is not done twice", async () => {
  const store = new FailingStore();
  const place = await TestGateway.start({ store: store.store });
  const script = [{ do: "press" as const, digits: "1" }, { do: "hangup" as const }];
  const session_uuid = await store.while(lost(store, "commit", 2), async () => {
    const placed = await place.call({ script });
    await place.receiver.event("call.hangup", placed);
    return placed;
  });
  expect(place.receiver.names(session_uuid)).toEqual(["call.new", "dtmf", "call.hangup"]);
  await place.close();
});

test("what the media server took is answered 202, and its result follows when the store is back", async () => {
  const store = new FailingStore();
  const place = await TestGateway.start({ store: store.store });
  const session_uuid = await place.call();
  const path = `/api/v1/sessions/${session_uuid}/commands/answer`;
  const request = { method: "POST", path, headers: place.app, body: {} };
  const { status, body } = await store.while({ commit: away }, () => place.client.request(request));
  expect(status).toBe(202);
  const { data } = await place.receiver.result(String(body?.operation_id));
  expect(data).toMatchObject({ command: "answer", success: true });
  await place.close();
});

test("nobody is told of a refusal that cannot be written down: the call may end first, and with it the operation", async () => {
  const engine = new PlayedEngine();
  const here = await Place.open([engine]);
  const session_uuid = await here.call();
  engine.take = async () => {
    here.sessions.emit({
      ...{ session_uuid, type: "hangup", cause: "NORMAL_CLEARING", q850_cause: 16, sip_status: null, by: "caller" },
    });
    throw new Refused("gone");
  };
  const asked = here.failing.while({ commit: away }, () => here.command("stopPlayback", session_uuid, {}));
  await expect(asked).rejects.not.toEqual(new Refused("gone"));
  const result = { command: "playback/stop", success: false, error: "Session ended" };
  expect(await here.event(session_uuid, "command.result")).toMatchObject({ data: result });
  await here.close();
});
