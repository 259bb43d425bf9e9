/** A person with a SIP phone calls a gateway that asks for a password: over UDP and TCP, from the first ring to the last word. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Progress, placeSipCall, type ScriptStep, type SipCall } from "../../src/caller/call";
import { until } from "../asterisk/place";
import { Stage } from "../calls/stage";
import { level, levelAt } from "../media-child/peer";
import { heardBy } from "./hearing";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ recordings: true, env: { SIP_USERS: 'alice:ses"me\\é' } });
});
afterAll(() => stage.close());

let callers = 0;
const calls: SipCall[] = [];
afterEach(async () => {
  for (const call of calls.splice(0)) await call.close();
});

interface Placed {
  readonly call: SipCall;
  readonly told: Progress[];
  readonly session_uuid: string;
}

/** A call that the app has been told of; each caller has a name of his own. */
async function place(script: readonly ScriptStep[], transport = "udp"): Promise<Placed> {
  const callerId = `Zoë ${++callers}`;
  const told: Progress[] = [];
  const call = await placeSipCall({
    uri: `sip:100@127.0.0.1:${stage.sipPort};transport=${transport}`,
    callerId,
    script,
    username: "alice",
    password: 'ses"me\\é',
    told: (line) => told.push(line),
  });
  calls.push(call);
  const { source: session_uuid } = await stage.receiver.until(() =>
    stage.receiver.events.find(({ event, data }) => event === "call.new" && Object(data).caller_id === callerId),
  );
  return { call, told, session_uuid };
}

const whats = (told: readonly Progress[]) => told.map(({ what }) => what).filter((what) => what !== "trying");

describe.each(["udp", "tcp"])("by SIP over %s", (transport) => {
  test("it rings, is answered, hears what is played, is heard, keys what the app collects, and is hung up", async () => {
    const { call, told, session_uuid } = await place(
      [
        { do: "wait_for", event: "playback.started" },
        { do: "tone", hz: 700, ms: 400 },
      ],
      transport,
    );
    await stage.done(session_uuid, "answer");
    await call.answered;
    await stage.done(session_uuid, "record/start", { command_uid: "tape" });
    await stage.done(session_uuid, "playback/start", { urls: [stage.files.tone(20_000)] });
    // Only now: the recording is to have it.
    call.tell((await stage.receiver.event("playback.started", session_uuid)).event);
    // 8000 at the web server.
    const expected = 20 * Math.log10(8000 / 32_768);
    await until(async () => call.heard.packets > 60 && Math.abs(call.heard.level - expected) < 0.5);
    await stage.done(session_uuid, "play_and_get_digits", {
      prompt_files: [stage.files.tone(100)],
      min_digits: 5,
      max_digits: 5,
      terminators: "",
    });
    await call.press("110#D", 60);
    const collected = await stage.receiver.event("digits.collected", session_uuid);
    expect(collected.data).toMatchObject({ digits: "110#D", status: "success" });
    await stage.done(session_uuid, "record/stop");
    const taped = await heardBy(stage, (await stage.receiver.event("recording.completed", session_uuid)).data);
    expect(level(taped.caller)).toBeGreaterThan(-40);
    await stage.taken(session_uuid, "hangup", { cause: "USER_BUSY" });
    expect(await call.ended).toEqual({ by: "callee", status: null, reason: "USER_BUSY" });
    expect(whats(told)).toEqual(["calling", "authenticating", "ringing", "answered", "tone", "press", "ended"]);
    const keys = stage.receiver.of(session_uuid).filter(({ event }) => event === "dtmf");
    expect(keys.map(({ data }) => Object(data))).toEqual([..."110#D"].map((digit) => ({ digit, duration_ms: 100 })));
    expect(levelAt(taped.caller, 700)).toBeGreaterThan(-40);
  });
});

test("a script waits for events, presses, and hangs up: the call ends by the caller", async () => {
  const script: ScriptStep[] = [
    { do: "wait_for", event: "call.answered" },
    { do: "wait_for", event: "playback.started" },
    { do: "press", digits: "7" },
    { do: "hangup" },
  ];
  const { call, session_uuid } = await place(script);
  await stage.done(session_uuid, "answer");
  await stage.done(session_uuid, "playback/start", { urls: [stage.files.tone(5000)] });
  call.tell((await stage.receiver.event("playback.started", session_uuid)).event);
  expect(await call.ended).toEqual({ by: "caller", status: null, reason: "Hung up" });
  const { data } = await stage.receiver.event("call.hangup", session_uuid);
  expect(data).toMatchObject({ by: "caller", cause: "NORMAL_CLEARING" });
  expect(stage.receiver.names(session_uuid)).toContain("dtmf");
});

test("hung up before the answer it is cancelled; refused, it is told why", async () => {
  const left = await place([{ do: "wait", ms: 1 }, { do: "hangup" }]);
  expect(await left.call.ended).toEqual({ by: "caller", status: 487, reason: "Request Terminated" });
  await expect(left.call.answered).rejects.toThrow("The call was not answered: Request Terminated");
  const ended = await stage.receiver.event("call.hangup", left.session_uuid);
  expect(ended.data).toMatchObject({ by: "caller", cause: "ORIGINATOR_CANCEL", sip_status: 487 });
  const busy = await place([]);
  await stage.taken(busy.session_uuid, "hangup", { cause: "USER_BUSY" });
  expect(await busy.call.ended).toEqual({ by: "callee", status: 486, reason: "Busy Here" });
});

test("what is played before the answer is early media, and keys are taken then, too", async () => {
  const { call, told, session_uuid } = await place([]);
  await stage.done(session_uuid, "playback/start", { urls: [stage.files.tone(1000)] });
  await call.press("3");
  expect((await stage.receiver.event("dtmf", session_uuid)).data).toMatchObject({ digit: "3" });
  await stage.receiver.event("playback.stopped", session_uuid);
  expect(call.heard.packets).toBeGreaterThan(40);
  await call.close();
  await stage.receiver.event("call.hangup", session_uuid);
  expect(whats(told)).toEqual(["calling", "authenticating", "ringing", "ringing", "early_media", "press", "ended"]);
});

test("a wrong password is a refusal, tried once", async () => {
  const told: Progress[] = [];
  const call = await placeSipCall({
    uri: `sip:100@127.0.0.1:${stage.sipPort}`,
    callerId: "mallory",
    script: [],
    username: "alice",
    password: "guess",
    told: (line) => told.push(line),
  });
  calls.push(call);
  expect(await call.ended).toMatchObject({ by: "callee", status: 401 });
  expect(whats(told)).toEqual(["calling", "authenticating", "ended"]);
});
