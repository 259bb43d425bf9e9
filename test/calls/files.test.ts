/** Files that cannot be played: the app is told of each, and the call goes on. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { opening, Stage } from "./stage";

let stage: Stage;
/** Announces more than 50 MiB, and never sends it. */
const large = createServer((_, response) =>
  response.writeHead(200, { "Content-Length": 50 * 1024 * 1024 + 1 }).flushHeaders(),
);
let tooLarge = "";
beforeAll(async () => {
  stage = await Stage.open();
  large.listen(0, "127.0.0.1");
  await once(large, "listening");
  tooLarge = `http://127.0.0.1:${(large.address() as AddressInfo).port}/large.wav`;
});
afterAll(async () => {
  large.close();
  large.closeAllConnections();
  await stage.close();
});

/** For documentation only (RFC 5737): nobody may be sent there. */
const forbidden = "http://192.0.2.1/tone.wav";

test("the rest of a list is played, and one that does not come holds it up for 10 s", async () => {
  const session_uuid = await stage.answered();
  const slow = stage.files.tone(50, "slow");
  const { release } = stage.files.hold(slow);
  const urls = [
    stage.files.missing(),
    stage.files.tone(60, "first"),
    stage.files.text(),
    tooLarge,
    forbidden,
    stage.files.tone(60, "second"),
    "http://127.0.0.1:1/nobody.wav",
    slow,
    stage.files.tone(60, "third"),
  ];
  await stage.taken(session_uuid, "playback/start", { command_uid: "list", urls });
  await stage.receiver.event("playback.stopped", session_uuid);
  await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
  expect(await stage.story(session_uuid)).toEqual([
    ...opening,
    "playback.file_not_found list not_found",
    "playback.started list",
    "command.result playback/start list done",
    "playback.file_not_found list unsupported_format",
    "playback.file_not_found list too_large",
    "playback.file_not_found list forbidden_address",
    "playback.file_not_found list unreachable",
    "playback.file_not_found list timeout",
    "playback.stopped list completed",
    "command.result hangup bye done",
    "call.hangup NORMAL_CLEARING by app",
  ]);
  const missed = stage.receiver.of(session_uuid).filter(({ event }) => event === "playback.file_not_found");
  const [missing, , text, big, never, , nobody, late] = urls;
  const wanted = [missing, text, big, never, nobody, late].map((url) => ({ url }));
  expect(missed.map(({ data }) => data)).toMatchObject(wanted);
  release();
});

test("nothing of a list can be played: the command failed, the call did not", async () => {
  const session_uuid = await stage.answered([
    { do: "wait_for", event: "playback.file_not_found" },
    { do: "press", digits: "5" },
  ]);
  const urls = [stage.files.missing(), stage.files.text()];
  const { data } = await stage.done(session_uuid, "playback/start", { command_uid: "list", urls });
  expect(data).toMatchObject({ success: false, code: "no_file_could_be_played" });
  await stage.receiver.event("dtmf", session_uuid);
  await stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: [stage.files.tone(40)] });
  await stage.receiver.event("playback.stopped", session_uuid);
  await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
  const story = await stage.story(session_uuid);
  // The key may come before the result.
  expect(story.filter((line) => line !== "dtmf 5")).toEqual([
    ...opening,
    "playback.file_not_found list not_found",
    "playback.file_not_found list unsupported_format",
    "command.result playback/start list failed: No file could be played",
    "playback.started hello",
    "command.result playback/start hello done",
    "playback.stopped hello completed",
    "command.result hangup bye done",
    "call.hangup NORMAL_CLEARING by app",
  ]);
});

test("local addresses are forbidden unless they are allowed, whatever leads there", async () => {
  const strict = await Stage.open({ env: { ALLOW_LOCALHOST_MEDIA: "false" } });
  const session_uuid = await strict.answered();
  const local = strict.files.tone(100);
  const urls = [
    local,
    local.replace("127.0.0.1", "localhost"),
    local.replace("127.0.0.1", "[::1]"),
    "http://10.0.0.1/a.wav",
  ];
  await strict.done(session_uuid, "playback/start", { command_uid: "list", urls });
  await strict.taken(session_uuid, "hangup", { command_uid: "bye" });
  expect(await strict.story(session_uuid)).toEqual([
    ...opening,
    ...urls.map(() => "playback.file_not_found list forbidden_address"),
    "command.result playback/start list failed: No file could be played",
    "command.result hangup bye done",
    "call.hangup NORMAL_CLEARING by app",
  ]);
  await strict.close();
});
