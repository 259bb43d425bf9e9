/** Commands given twice, and too soon after one another. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { opening, Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const long = () => [stage.files.tone(20_000)];

test("one command_uid fifty times at once is done once, and repeats have its answer for as long as it is known", async () => {
  const session_uuid = await stage.answered();
  const body = { command_uid: "hello", urls: long() };
  const give = () => stage.command(session_uuid, "playback/start", body);
  const answers = await Promise.all(Array.from({ length: 50 }, give));
  const first = answers.filter(({ status, headers }) => status === 202 && !headers["idempotent-replayed"]);
  expect(first).toHaveLength(1);
  for (const answer of answers) {
    if (answer === first[0]) continue;
    if (answer.status === 202) {
      expect(answer.headers["idempotent-replayed"]).toBe("true");
      expect(answer.body).toEqual(first[0]?.body);
    } else {
      expect(answer).toMatchObject({ status: 409, body: { error: "command_uid is still being processed" } });
      expect(answer.headers["retry-after"]).toBe("1");
    }
  }
  await stage.receiver.result(String(first[0]?.body?.operation_id));
  const again = { status: 202, body: first[0]?.body, headers: { "idempotent-replayed": "true" } };
  expect(await give()).toMatchObject(again);

  const other = await stage.command(session_uuid, "playback/start", { ...body, offset_sec: 1 });
  expect(other).toMatchObject({ status: 409, body: { error: "command_uid already used for a different command" } });
  expect((await stage.command(session_uuid, "playback/stop", { command_uid: "hello" })).status).toBe(409);

  await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
  expect(await stage.story(session_uuid)).toEqual([
    ...opening,
    "playback.started hello",
    "command.result playback/start hello done",
    "playback.stopped hello hangup",
    "command.result hangup bye done",
    "call.hangup NORMAL_CLEARING by app",
  ]);
  // The call is over, the command is remembered.
  expect(await give()).toMatchObject(again);
  expect((await stage.command(session_uuid, "playback/start", { ...body, command_uid: "new" })).status).toBe(404);
});

test("groups have cooldowns of their own, and sessions too; a refused command starts none and leaves its uid free", async () => {
  const session_uuid = await stage.answered();
  const ask = (uuid: string, command_uid: string) =>
    stage.command(uuid, "play_and_get_digits", { command_uid, prompt_files: long() });
  expect((await ask(session_uuid, "first")).status).toBe(202);
  const refused = await ask(session_uuid, "second");
  expect(refused).toMatchObject({ status: 429, body: { error: "Command rate limited", code: "command_rate_limited" } });
  const { retry_after_ms } = Object(refused.body?.detail);
  expect(retry_after_ms).toBeGreaterThan(0);
  expect(retry_after_ms).toBeLessThanOrEqual(2000);
  expect(refused.headers["retry-after"]).toBe(String(Math.ceil(retry_after_ms / 1000)));
  expect((await stage.command(session_uuid, "playback/start", { urls: long() })).status).toBe(202);
  expect((await stage.command(session_uuid, "playback/stop")).status).toBe(202);
  for (let i = 0; i < 5; i++) expect((await stage.command(session_uuid, "answer")).status).toBe(202);
  const other = await stage.answered();
  expect((await ask(other, "first")).status).toBe(202);
  await delay(retry_after_ms);
  // It would still be refused, had the second one started the window anew.
  const taken = await ask(session_uuid, "second");
  expect(taken.status).toBe(202);
  expect(taken.headers["idempotent-replayed"]).toBeUndefined();
  for (const uuid of [session_uuid, other]) await stage.taken(uuid, "hangup");
});
