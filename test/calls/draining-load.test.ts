/** More than the gateway takes: calls, requests, and webhooks that nobody took. */
import { expect, test } from "@jest/globals";
import { Wire } from "../api/wire";
import type { Attempt } from "../receiver";
import { stages } from "./stage";
import { told } from "./story";

const open = stages();

test("of calls that come at once as many are taken as there may be, and one more for each that ends", async () => {
  const stage = await open({ env: { MAX_SESSIONS: "3" } });
  const place = () => stage.admin("POST", "/admin/sandbox/calls", { did: "100", script: [] });
  const answers = await Promise.all(Array.from({ length: 10 }, place));
  const taken = answers.filter(({ status }) => status === 201).map(({ body }) => String(body?.session_uuid));
  const refused = answers.filter(({ status }) => status !== 201);
  expect(taken).toHaveLength(3);
  for (const answer of refused) {
    expect(answer).toMatchObject({ status: 503, body: { error: "Server is overloaded" } });
    expect(answer.headers["retry-after"]).toMatch(/^[1-9]\d*$/);
  }
  expect((await stage.admin("GET", "/admin/nodes")).body).toMatchObject({ nodes: [{ sessions: 3 }] });
  const phone = await stage.dialled();
  expect((await phone.event("CALL_CLOSED")).param).toMatch(/^503 /);
  const [first = ""] = taken;
  await stage.taken(first, "hangup");
  await stage.story(first);
  const again = await Promise.all([place(), place()]);
  expect(again.map(({ status }) => status).sort()).toEqual([201, 503]);
  expect((await stage.admin("GET", "/admin/nodes")).body).toMatchObject({ nodes: [{ sessions: 3 }] });
  // Nobody was told of a call that was not taken.
  for (const uuid of taken) await stage.receiver.event("call.new", uuid);
  expect(new Set(stage.receiver.events.map(({ source }) => source)).size).toBeLessThanOrEqual(4);
});

test("of requests as many as there may be: further ones hear so, whatever they ask for, and the next is served", async () => {
  const stage = await open({ env: { MAX_INFLIGHT: "2" } });
  const session_uuid = await stage.sandbox();
  const port = Number(new URL(stage.gateway.url).port);
  const body = JSON.stringify({ command_uid: "take" });
  const path = `/api/v1/sessions/${session_uuid}/commands/answer`;
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: gateway",
    ...Object.entries(stage.gateway.app).map(([name, value]) => `${name}: ${value}`),
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Expect: 100-continue",
  ].join("\r\n");
  const slow = await Promise.all([Wire.open(port), Wire.open(port)]);
  for (const wire of slow) {
    wire.write(`${head}\r\n\r\n`);
    // It has a place now.
    expect((await wire.response())?.status).toBe(100);
  }
  const full = { status: 503, body: { error: "Server is overloaded" } };
  for (const request of [() => stage.session(session_uuid), () => stage.admin("GET", "/nowhere")]) {
    const answer = await request();
    expect(answer).toMatchObject(full);
    expect(answer.headers["retry-after"]).toMatch(/^[1-9]\d*$/);
  }
  for (const always of ["/health", "/live", "/metrics"]) expect((await stage.admin("GET", always)).status).toBe(200);
  const [first, second] = slow;
  first?.write(body);
  expect((await first?.response("POST", path))?.status).toBe(202);
  expect((await stage.session(session_uuid)).status).toBe(200);
  second?.write(body);
  expect((await second?.response("POST", path))?.status).toBe(202);
  for (const wire of slow) wire.destroy();
  await stage.taken(session_uuid, "hangup");
  // Both were one command.
  expect((await stage.story(session_uuid)).filter((line) => line === "command.result answer take done")).toHaveLength(
    1,
  );
});

test("webhooks that were given up are listed, and replayed once, to a receiver that is well again", async () => {
  const stage = await open({ env: { WEBHOOK_RETRY_SECONDS: "1" } });
  const letters = async (query = ""): Promise<Record<string, unknown>> => {
    const { status, body } = await stage.admin("GET", `/admin/apps/test/dead-letters${query}`);
    expect(status).toBe(200);
    return Object(body);
  };
  const list = async () => {
    const { dead_letters } = await letters("?limit=100");
    return Array.isArray(dead_letters) ? dead_letters : [];
  };
  stage.receiver.answer = () => 500;
  const session_uuid = await stage.sandbox([{ do: "press", digits: "12", gap_ms: 40 }, { do: "hangup" }]);
  const whole = ["call.new", "dtmf 1", "dtmf 2", "call.hangup ORIGINATOR_CANCEL 487 by caller"];
  let dead = await list();
  while (dead.length < whole.length) dead = await list();
  expect(dead.map(({ sequence }) => sequence)).toEqual([4, 3, 2, 1]);
  expect(dead.every((letter) => letter.session_uuid === session_uuid)).toBe(true);
  expect(told(dead.map(({ body }) => body)).reverse()).toEqual(whole);
  expect(dead.at(-1)?.attempts).toBeGreaterThan(1);
  const { next_cursor } = await letters("?limit=3");
  expect((await letters(`?limit=3&cursor=${next_cursor}`)).dead_letters).toEqual([dead.at(-1)]);
  // What was given up is there to be read all the same.
  expect((await stage.app("GET", `/sessions/${session_uuid}/events`)).body).toMatchObject({ next_after: 4 });

  const attempted = stage.receiver.attempts.length;
  stage.receiver.answer = () => 204;
  const replay = (body: object) => stage.admin("POST", "/admin/apps/test/dead-letters/replay", body);
  const named = dead.filter(({ event }) => event === "dtmf").map(({ webhook_id }) => String(webhook_id));
  expect((await replay({ webhook_ids: named })).body).toEqual({ success: true, replayed: 2 });
  expect(await replay({ webhook_ids: named })).toMatchObject({ status: 404, body: { error: "Dead letter not found" } });
  expect((await replay({})).body).toEqual({ success: true, replayed: 2 });
  await stage.receiver.until(() => (stage.receiver.of(session_uuid).length === 4 ? true : undefined));
  expect(await list()).toEqual([]);
  expect((await replay({})).body).toEqual({ success: true, replayed: 0 });
  // An event that came after all this is no later for it; and nothing came twice.
  const next = await stage.sandbox([{ do: "hangup" }]);
  await stage.story(next);
  const after: Attempt[] = stage.receiver.attempts.slice(attempted).filter(({ source }) => source === session_uuid);
  expect(told(after).sort()).toEqual([...whole].sort());
  expect(new Set(after.map(({ id }) => id))).toEqual(new Set(dead.map(({ webhook_id }) => webhook_id)));
});
