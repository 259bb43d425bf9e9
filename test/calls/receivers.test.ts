/** Receivers of webhooks that are down, slow, or answer what they should not: events wait, in order, and others do not. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { apiKey } from "../gateway";
import { type Answer, Receiver } from "../receiver";
import { Stage } from "./stage";
import { told } from "./story";

let stage: Stage;
beforeAll(async () => {
  // The first repeats come after 0.1, 0.2, 0.5 s.
  stage = await Stage.open({ env: { WEBHOOK_RETRY_SECONDS: "30" } });
});
afterAll(() => stage.close());

let numbers = 0;

/** An app with a number, and its receiver. */
async function subscriber(): Promise<{ app_id: string; did: string; receiver: Receiver; webhook_url: string }> {
  const app_id = `app-${++numbers}`;
  const did = `20${numbers}`;
  const receiver = new Receiver();
  const webhook_url = await receiver.listen();
  receiver.secret = await stage.gateway.putApp(app_id, { dids: [did], api_key: apiKey, webhook_url });
  return { app_id, did, receiver, webhook_url };
}

/** A caller who keys two digits and hangs up: four events. */
const call = (did: string) => stage.sandbox([{ do: "press", digits: "12", gap_ms: 40 }, { do: "hangup" }], did);
const whole = ["call.new", "dtmf 1", "dtmf 2", "call.hangup ORIGINATOR_CANCEL 487 by caller"];

/** Events of another app arrive from beginning to end. */
async function othersAreServed(): Promise<void> {
  expect(await stage.story(await call("100"))).toEqual(whole);
}

test("down: what happened meanwhile arrives once it is back, in order", async () => {
  const { did, receiver } = await subscriber();
  await receiver.down();
  const session_uuid = await call(did);
  await othersAreServed();
  await receiver.listen();
  expect(told(await receiver.story(session_uuid))).toEqual(whole);
  expect(receiver.attempts).toHaveLength(4);
  await receiver.close();
});

describe.each<[string, Answer, number]>([
  ["500", 500, 2],
  ["a redirect", { status: 307, headers: { location: "/elsewhere" } }, 2],
  ["a broken connection", "cut", 2],
  ["Retry-After", { status: 503, headers: { "retry-after": "1" } }, 1],
])("%s", (_, answer, times) => {
  test("the event is sent again, the next ones wait for it", async () => {
    const { did, receiver } = await subscriber();
    receiver.answer = () => (receiver.attempts.length <= times ? answer : 204);
    const session_uuid = await call(did);
    await othersAreServed();
    expect(told(await receiver.story(session_uuid))).toEqual(whole);
    const repeats = Array.from({ length: times }, () => "call.new");
    expect(told(receiver.attempts)).toEqual([...repeats, ...whole]);
    await receiver.close();
  });
});

test("slow: the next event waits for the answer, other calls of the app do not", async () => {
  const { did, receiver } = await subscriber();
  let release: (answer: Answer) => void = () => undefined;
  const held = new Promise<Answer>((resolve) => {
    release = resolve;
  });
  receiver.answer = ({ source }) => (source === slow ? held : 204);
  const slow = await call(did);
  await othersAreServed();
  const quick = await call(did);
  expect(told(await receiver.story(quick))).toEqual(whole);
  expect(receiver.of(slow)).toEqual([]);
  release(204);
  expect(told(await receiver.story(slow))).toEqual(whole);
  expect(told(receiver.attempts.filter(({ source }) => source === slow))).toEqual(whole);
  await receiver.close();
});

test("no answer at all: the attempt ends after 5 s, and the event comes again", async () => {
  const { did, receiver } = await subscriber();
  receiver.answer = () => (receiver.attempts.length === 1 ? "never" : 204);
  const session_uuid = await call(did);
  await othersAreServed();
  expect(told(await receiver.story(session_uuid))).toEqual(whole);
  expect(told(receiver.attempts)).toEqual(["call.new", ...whole]);
  await receiver.close();
});

test("an answer without an end: its status counts, its body does not hold up the next event", async () => {
  const { did, receiver } = await subscriber();
  receiver.answer = () => "endless";
  const session_uuid = await call(did);
  expect(told(await receiver.story(session_uuid))).toEqual(whole);
  expect(receiver.attempts).toHaveLength(4);
  await receiver.close();
});

test("410: nothing more is sent until the app is put again", async () => {
  const { app_id, did, receiver, webhook_url } = await subscriber();
  receiver.gaps = true;
  receiver.answer = () => 410;
  const dead = await call(did);
  await receiver.attempted(1);
  await othersAreServed();
  const shown = () => stage.admin("GET", `/admin/apps/${app_id}`);
  while ((await shown()).body?.webhook_disabled_at === null);
  const alsoDead = await call(did);
  await othersAreServed();
  expect(told(receiver.attempts)).toEqual(["call.new"]);

  await stage.gateway.putApp(app_id, { dids: [did], webhook_url });
  expect((await shown()).body?.webhook_disabled_at).toBeNull();
  receiver.answer = () => 204;
  const session_uuid = await call(did);
  expect(told(await receiver.story(session_uuid))).toEqual(whole);
  expect([dead, alsoDead].flatMap((uuid) => receiver.of(uuid))).toEqual([]);
  await receiver.close();
});

test("a new signing secret: the old one verifies as well", async () => {
  const { app_id, did, receiver } = await subscriber();
  const rotated = await stage.admin("POST", `/admin/apps/${app_id}/webhook-secret`);
  expect(told(await receiver.story(await call(did)))).toEqual(whole);
  receiver.secret = String(rotated.body?.webhook_secret);
  expect(told(await receiver.story(await call(did)))).toEqual(whole);
  expect(receiver.forged).toEqual([]);
  await receiver.close();
});
