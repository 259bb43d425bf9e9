/** What an application does with a call: greets, asks for a PIN, and ends it. By a simulated caller and by a phone alike. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { opening, type Script, Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

interface Caller {
  readonly session_uuid: string;
  /** Keys these digits, once the app asks for them. */
  press(digits: string): Promise<void>;
}

/** After the results of the answer, of the greeting, and of the question. */
const asked: Script = Array.from({ length: 3 }, () => ({ do: "wait_for", event: "command.result" }));

async function simulated(digits: string): Promise<Caller> {
  const session_uuid = await stage.answered([...asked, { do: "press", digits, gap_ms: 40 }]);
  return { session_uuid, press: async () => undefined };
}

async function phone(): Promise<Caller> {
  const { phone: baresip, session_uuid } = await stage.talking();
  return { session_uuid, press: (digits) => baresip.press(digits) };
}

describe.each([
  ["a simulated caller", simulated],
  ["a phone", phone],
])("%s", (_, call) => {
  async function ask(digits: string, greeting: string): Promise<string[]> {
    const caller = await call(digits);
    const { session_uuid } = caller;
    await stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: [greeting] });
    await stage.receiver.event("playback.stopped", session_uuid);
    await stage.done(session_uuid, "play_and_get_digits", {
      command_uid: "pin",
      prompt_files: [stage.files.tone(60, "prompt")],
      invalid_files: [stage.files.tone(60, "invalid")],
      min_digits: 4,
      max_digits: 5,
      max_tries: 2,
      timeout_ms: 10_000,
      digits_regex: "1[0-9]{3}",
    });
    await caller.press(digits);
    const { data } = await stage.receiver.event("digits.collected", session_uuid);
    const cause = data.status === "success" ? "NORMAL_CLEARING" : "CALL_REJECTED";
    await stage.taken(session_uuid, "hangup", { command_uid: "bye", cause });
    return stage.story(session_uuid);
  }
  const beginning = [
    ...opening,
    "playback.started hello",
    "command.result playback/start hello done",
    "playback.stopped hello completed",
    "command.result play_and_get_digits pin done",
  ];
  const keys = (digits: string) => [...digits].map((digit) => `dtmf ${digit}`);

  test("a wrong PIN, then the right one", async () => {
    expect(await ask("9999#1234#", stage.files.tone(100))).toEqual([
      ...beginning,
      ...keys("9999#1234#"),
      "digits.collected pin 1234 # success",
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
    ]);
  });

  test("two wrong ones", async () => {
    expect(await ask("123#77777", stage.files.tone(100))).toEqual([
      ...beginning,
      ...keys("123#77777"),
      "digits.collected pin 77777 failure",
      "command.result hangup bye done",
      "call.hangup CALL_REJECTED by app",
    ]);
  });
});

test("a caller who says nothing: each try has its prompt and its time", async () => {
  const session_uuid = await stage.answered();
  await stage.done(session_uuid, "play_and_get_digits", {
    command_uid: "pin",
    prompt_files: [stage.files.tone(40), stage.files.missing()],
    invalid_files: [stage.files.missing("invalid")],
    max_tries: 2,
    timeout_ms: 100,
  });
  await stage.receiver.event("digits.collected", session_uuid);
  await stage.taken(session_uuid, "disconnect", { command_uid: "bye" });
  expect(await stage.story(session_uuid)).toEqual([
    ...opening,
    "command.result play_and_get_digits pin done",
    "playback.file_not_found pin not_found",
    "playback.file_not_found pin not_found",
    "playback.file_not_found pin not_found",
    "digits.collected pin timeout",
    "command.result disconnect bye done",
    "call.hangup NORMAL_CLEARING by media_server",
  ]);
});
