/** The order in which a call ends: what sounds, what is collected, what is pending, then the call. Nothing after it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { opening, type Script, Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const byCaller = "call.hangup NORMAL_CLEARING by caller";
const hello = ["playback.started hello", "command.result playback/start hello done"];
const pin = "command.result play_and_get_digits pin done";
const long = () => [stage.files.tone(20_000)];

describe("the caller hangs up", () => {
  test("while it plays", async () => {
    const session_uuid = await stage.answered([{ do: "wait_for", event: "playback.started" }, { do: "hangup" }]);
    await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls: long() });
    expect(await stage.story(session_uuid)).toEqual([...opening, ...hello, "playback.stopped hello hangup", byCaller]);
  });

  test("while it collects: what was keyed is told", async () => {
    const after: Script = [
      { do: "wait_for", event: "command.result" },
      { do: "wait_for", event: "command.result" },
      { do: "press", digits: "12", gap_ms: 40 },
      { do: "wait_for", event: "dtmf" },
      { do: "wait_for", event: "dtmf" },
      { do: "hangup" },
    ];
    const session_uuid = await stage.answered(after);
    await stage.taken(session_uuid, "play_and_get_digits", {
      command_uid: "pin",
      prompt_files: long(),
      max_digits: 4,
      digit_timeout_ms: 60_000,
    });
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      pin,
      "dtmf 1",
      "dtmf 2",
      "digits.collected pin 12 unknown",
      byCaller,
    ]);
  });

  test("while a command waits for its file, over a collection", async () => {
    const missed: Script = [{ do: "wait_for", event: "digits.collected" }, { do: "hangup" }];
    const session_uuid = await stage.answered(missed);
    await stage.done(session_uuid, "play_and_get_digits", { command_uid: "pin", prompt_files: long() });
    const urls = [stage.files.tone(100, "never-sent")];
    const { release } = stage.files.hold(urls[0] ?? "");
    await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls });
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      pin,
      "digits.collected pin unknown",
      "command.result playback/start hello failed: Session ended",
      byCaller,
    ]);
    release();
  });

  test("before it is answered, while a command waits", async () => {
    const session_uuid = await stage.sandbox([{ do: "wait_for", event: "playback.file_not_found" }, { do: "hangup" }]);
    const urls = [stage.files.missing(), stage.files.tone(100, "never-sent-either")];
    const { release } = stage.files.hold(urls[1] ?? "");
    await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls });
    expect(await stage.story(session_uuid)).toEqual([
      "call.new",
      "playback.file_not_found hello not_found",
      "command.result playback/start hello failed: Session ended",
      "call.hangup ORIGINATOR_CANCEL 487 by caller",
    ]);
    release();
  });
});

describe("the app hangs up", () => {
  test("while it plays: the hangup is done, last before the end", async () => {
    const session_uuid = await stage.answered();
    await stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: long() });
    await stage.taken(session_uuid, "hangup", { command_uid: "bye", cause: "NO_USER_RESPONSE" });
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      ...hello,
      "playback.stopped hello hangup",
      "command.result hangup bye done",
      "call.hangup NO_USER_RESPONSE by app",
    ]);
    const { data } = await stage.receiver.event("call.hangup", session_uuid);
    expect(data).toMatchObject({ q850_cause: 18, sip_status: null, duration_ms: expect.any(Number) });
  });

  test("while a command waits for its file", async () => {
    const session_uuid = await stage.answered();
    const urls = [stage.files.tone(100, "nobody-waits")];
    const { release } = stage.files.hold(urls[0] ?? "");
    await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls });
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "command.result playback/start hello failed: Session ended",
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
    ]);
    release();
    expect((await stage.session(session_uuid)).status).toBe(404);
  });

  test("twice at once: one of them ended it, and the other has its one result or none", async () => {
    const session_uuid = await stage.answered();
    const uids = ["a", "b", "c", "d"];
    const answers = await Promise.all(
      uids.map((command_uid) => stage.command(session_uuid, "hangup", { command_uid })),
    );
    const taken = uids.filter((_, i) => answers[i]?.status === 202);
    expect(answers.filter(({ status }) => status !== 202 && status !== 404)).toEqual([]);
    const story = await stage.story(session_uuid);
    expect(story.slice(0, 3)).toEqual(opening);
    expect(story.slice(3, -1).sort()).toEqual(taken.map((uid) => `command.result hangup ${uid} done`));
    expect(story.at(-1)).toBe("call.hangup NORMAL_CLEARING by app");
    expect(taken.length).toBeGreaterThan(0);
  });
});
