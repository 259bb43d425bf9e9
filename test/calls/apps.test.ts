/** Apps and their calls: who gets which call and which events, and what becomes of calls when their app goes. */
import { expect, test } from "@jest/globals";
import { apiKey, credentials } from "../gateway";
import { Receiver } from "../receiver";
import { opening, type Stage, stages } from "./stage";
import { told } from "./story";

const open = stages();
const long = (stage: Stage) => [stage.files.tone(20_000)];

test("an app is deleted during a call", async () => {
  const stage = await open();
  const { receiver } = stage;
  const session_uuid = await stage.answered();
  await stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: long(stage) });
  expect(await stage.admin("DELETE", "/admin/apps/test")).toMatchObject({ status: 200, body: { success: true } });

  const answer = await stage.command(session_uuid, "answer");
  expect(answer).toMatchObject({ status: 401, body: { error: "Invalid API key" } });
  expect((await stage.session(session_uuid)).status).toBe(401);
  expect((await stage.admin("GET", "/admin/apps/test")).status).toBe(404);
  expect((await stage.admin("DELETE", "/admin/apps/test")).status).toBe(404);
  expect((await stage.admin("POST", "/admin/sandbox/calls", { did: "100", script: [] })).status).toBe(409);

  expect(await stage.story(session_uuid)).toEqual([
    ...opening,
    "playback.started hello",
    "command.result playback/start hello done",
    "playback.stopped hello hangup",
    "call.hangup APP_DELETED by gateway",
  ]);
  expect(receiver.forged).toEqual([]);

  // Its name and its numbers are free; nothing of the old one is left.
  receiver.secret = await stage.gateway.putApp("test", { dids: ["*"], api_key: apiKey, webhook_url: receiver.url });
  const sessions = { method: "GET", path: "/api/v1/sessions", headers: stage.gateway.app };
  expect((await stage.gateway.client.request(sessions)).body).toEqual({ sessions: [], next_cursor: null });
  const again = await stage.sandbox([{ do: "hangup" }]);
  expect(await stage.story(again)).toEqual(["call.new", "call.hangup ORIGINATOR_CANCEL 487 by caller"]);
});

test("what waits for a deleted app's receiver is tried once more, each event once", async () => {
  const stage = await open();
  const { receiver } = stage;
  receiver.answer = () => 500;
  const session_uuid = await stage.sandbox();
  await receiver.attempted(1);
  await stage.admin("DELETE", "/admin/apps/test");
  await receiver.until(() => receiver.attempts.find(({ event }) => event === "call.hangup"));
  await stage.close();
  const attempts = told(receiver.attempts);
  // The first one may have been repeated before the app was deleted.
  expect(attempts.slice(0, -1)).toEqual(attempts.slice(0, -1).map(() => "call.new"));
  expect(attempts.at(-1)).toBe("call.hangup APP_DELETED 480 by gateway");
  expect(receiver.attempts.at(-1)).toMatchObject({ source: session_uuid, sequence: 2 });
});

test("an app gets only the events that it wants, and their numbers have no gaps", async () => {
  const stage = await open({ app: { events: ["dtmf", "playback.stopped", "call.hangup"] } });
  const session_uuid = await stage.sandbox([
    { do: "wait_for", event: "playback.stopped" },
    { do: "press", digits: "42" },
  ]);
  await stage.taken(session_uuid, "answer");
  await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls: [stage.files.tone(40)] });
  await stage.receiver.until(() => stage.receiver.of(session_uuid).find(({ sequence }) => sequence === 3));
  await stage.taken(session_uuid, "hangup");
  expect(await stage.story(session_uuid)).toEqual([
    "playback.stopped hello completed",
    "dtmf 4",
    "dtmf 2",
    "call.hangup NORMAL_CLEARING by app",
  ]);
});

test("a change of what an app wants holds from the next event on", async () => {
  const stage = await open({ app: { events: ["call.hangup"] } });
  const { receiver } = stage;
  const session_uuid = await stage.sandbox();
  await stage.taken(session_uuid, "answer", { command_uid: "take" });
  await stage.gateway.putApp("test", { dids: ["*"], webhook_url: receiver.url });
  await stage.taken(session_uuid, "answer", { command_uid: "again" });
  await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
  const story = await stage.story(session_uuid);
  // The confirmation of the first answer may come before the change or after it.
  expect(story.slice(-3)).toEqual([
    "command.result answer again done",
    "command.result hangup bye done",
    "call.hangup NORMAL_CLEARING by app",
  ]);
});

test("numbers decide whose call it is, and an app sees its own calls only", async () => {
  const stage = await open({ app: { dids: ["49*", "100"] } });
  const other = new Receiver();
  const webhook_url = await other.listen();
  other.secret = await stage.gateway.putApp("other", { dids: ["4930*", "491"], api_key: apiKey, webhook_url });
  const theirs = await Promise.all(["4930", "493012", "491"].map((did) => stage.sandbox([], did)));
  const ours = await Promise.all(["49", "4931", "4911", "100"].map((did) => stage.sandbox([], did)));
  for (const uuid of theirs) expect((await other.event("call.new", uuid)).app_id).toBe("other");
  for (const uuid of ours) expect((await stage.receiver.event("call.new", uuid)).app_id).toBe("test");
  const [foreign = ""] = theirs;
  const denied = { status: 403, body: { error: "Session belongs to a different application" } };
  expect(await stage.session(foreign)).toMatchObject(denied);
  expect(await stage.command(foreign, "hangup")).toMatchObject(denied);
  const list = { method: "GET", path: "/api/v1/sessions?limit=2", headers: credentials("other") };
  const page = await stage.gateway.client.request(list);
  expect(page.body?.sessions).toHaveLength(2);
  const rest = { ...list, path: `${list.path}&cursor=${page.body?.next_cursor}` };
  expect((await stage.gateway.client.request(rest)).body).toMatchObject({
    sessions: [{ did: expect.any(String) }],
    next_cursor: null,
  });
  // Both stop listening only once nobody sends to them.
  await stage.close();
  await other.close();
});

test("an app without a receiver has its calls all the same", async () => {
  const stage = await open({ app: { webhook_url: "" } });
  const session_uuid = await stage.sandbox();
  await stage.taken(session_uuid, "answer");
  expect((await stage.session(session_uuid)).body).toMatchObject({ state: "answered" });
  await stage.taken(session_uuid, "hangup");
  expect((await stage.session(session_uuid)).status).toBe(404);
  expect(stage.receiver.attempts).toEqual([]);
});
