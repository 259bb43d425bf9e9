/** The client against a real gateway: every operation has its method, and each outcome its form. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { errors, operations } from "../../generated/operations";
import { type Client, createClient } from "../../src/client";
import { adminKey, apiKey, TestGateway } from "../gateway";

let place: TestGateway;
let client: Client;

beforeAll(async () => {
  place = await TestGateway.start({ recordings: true });
  client = createClient({ baseUrl: place.url, appId: "test", apiKey, adminApiKey: adminKey });
});

afterAll(() => place.close());

test("each operation of the document has a method, and no other name stands in its way", () => {
  const own = ["GET", "POST", "DELETE", "events"];
  expect(Object.keys(client).sort()).toEqual([...Object.keys(operations), ...own].sort());
  expect(new Set(Object.values(client).map((method) => typeof method))).toEqual(new Set(["function"]));
});

test("the codes that no document can declare are none of the gateway's", () => {
  expect(Object.keys(errors)).not.toContain("unreachable");
  expect(Object.keys(errors)).not.toContain("unexpected_answer");
});

test("a call from its beginning to its end, by operationId", async () => {
  const placed = await client.createSandboxCall({ body: { did: "100", caller_id: "alice" } });
  if (placed.error) throw new Error(placed.error.message);
  const uuid = placed.data.session_uuid;
  const answered = await client.answer({ uuid });
  expect(answered).toMatchObject({ status: 202, data: { status: "in_progress" } });
  expect((await place.receiver.event("call.answered", uuid)).data.command_uid).toBe(answered.commandUid);
  const shown = await client.getSession({ uuid });
  expect(shown.data).toMatchObject({ session_uuid: uuid, state: "answered", caller_id: "alice" });

  const named = await client.hangup({ uuid, body: { command_uid: "bye", cause: "USER_BUSY" } });
  expect(named).toMatchObject({ commandUid: "bye", status: 202 });
  expect((await place.receiver.event("call.hangup", uuid)).data.cause).toBe("USER_BUSY");
  const repeated = await client.hangup({ uuid, body: { command_uid: "bye", cause: "USER_BUSY" } });
  expect(repeated.data).toEqual(named.data);
  const page = await client.listSessionEvents({ uuid, limit: 2, after: 1 });
  expect(page.data?.events.map(({ event }) => event)).toEqual(["call.answered", "command.result"]);
});

test("an error says everything that the answer says", async () => {
  const { data, error } = await client.getSession({ uuid: "nobody" }, { headers: { "X-Request-ID": "mine" } });
  expect(data).toBeUndefined();
  const found = { status: 404, code: "session_not_found", message: "Session not found" };
  expect(error).toEqual({ ...found, detail: undefined, requestId: "mine", retryAfter: null });
  const taken = await client.createRoom({ body: { name: "standup" } });
  const again = await client.createRoom({ body: { name: "standup" } });
  if (again.error?.code !== "room_name_taken") throw new Error(JSON.stringify(again.error));
  expect(again.error.detail.room_id).toBe(taken.data?.room_id);
});

test("a method and a path have the outcome of their operation", async () => {
  const room = await client.POST("/api/v1/conferences", { body: { name: "by-path" } });
  const room_id = room.data?.room_id ?? "";
  const found = await client.GET("/api/v1/conferences/{room_id}", { params: { path: { room_id } } });
  expect(found.data).toMatchObject({ name: "by-path", members: [] });
  expect((await client.GET("/api/v1/conferences", { params: { query: { limit: 1 } } })).data?.rooms).toHaveLength(1);
  expect(await client.DELETE("/api/v1/conferences/{room_id}", { params: { path: { room_id } } })).toMatchObject({
    status: 204,
    data: undefined,
  });
  expect((await client.getRoom({ room_id })).error?.code).toBe("room_not_found");
});

test("bytes come as a stream, plain text as text", async () => {
  const tone = await client.getSampleTone();
  if (tone.error) throw new Error(tone.error.message);
  expect(Buffer.from(await new Response(tone.data).arrayBuffer()).toString("latin1", 0, 4)).toBe("RIFF");
  expect((await client.getMetrics()).data).toContain("# TYPE ");
  expect((await client.getOpenapi()).data).toMatchObject({ openapi: "3.1.0" });
});

test("keys go where they belong, and a call without its key is told what is missing", async () => {
  const administration = createClient({ baseUrl: place.url, adminApiKey: adminKey });
  expect((await administration.listSessions()).error?.code).toBe("missing_app_id");
  expect((await administration.getApp({ app_id: "test" })).data?.app_id).toBe("test");
  const app = createClient({ baseUrl: place.url, appId: "test", apiKey });
  expect((await app.listApps()).error?.code).toBe("missing_admin_key");
});

test("a quota that is used up is waited for", async () => {
  await place.putApp("slow", { api_key: apiKey, rate_limit: 1 });
  const slow = createClient({ baseUrl: place.url, appId: "slow", apiKey });
  const [one, other] = await Promise.all([slow.listSessions(), slow.listSessions()]);
  expect([one.error, other.error]).toEqual([undefined, undefined]);
  const [first, second] = await Promise.all([
    slow.listRooms({}, { retry: false }),
    slow.listRooms({}, { retry: false }),
  ]);
  const refused = first.error ?? second.error;
  expect(refused).toMatchObject({ code: "rate_limited", retryAfter: 1 });
});

test("the live events of a call, from the beginning, as they come", async () => {
  const uuid = await place.call({
    script: [{ do: "wait_for", event: "call.answered" }, { do: "press", digits: "5" }, { do: "hangup" }],
  });
  const seen: string[] = [];
  const began = await place.receiver.event("call.new", uuid);
  expect((await client.answer({ uuid })).error).toBeUndefined();
  for await (const event of client.events({ session_uuid: uuid, lastEventId: `${uuid}.${began.sequence}` })) {
    if (seen.length === 0) expect(event).toMatchObject({ known: true, source: uuid });
    seen.push(event.event);
    if (event.known && event.event === "dtmf") expect(event.data.digit).toBe("5");
    if (event.event === "call.hangup") break;
  }
  expect(seen.at(-1)).toBe("call.hangup");
});
