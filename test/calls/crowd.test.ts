/** Many real calls at once: each has its own story, whole and in order. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callers } from "./sipp";
import { Stage } from "./stage";

const calls = 40;
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** Answers, and hangs up on who keys a digit. */
async function serve(session_uuid: string): Promise<string[]> {
  await stage.taken(session_uuid, "answer", { command_uid: "take" });
  await stage.receiver.event("dtmf", session_uuid);
  await stage.taken(session_uuid, "hangup", { command_uid: "bye", cause: "CALL_REJECTED" });
  return stage.story(session_uuid);
}

test.each([["UDP"], ["TCP"]] as const)(`${calls} callers over %s`, async (transport) => {
  const before = stage.receiver.events.length;
  const done = callers({ transport, calls, port: stage.sipPort, digit: "7", q850: 21 });
  const rung = stage.receiver.until(() => {
    const fresh = stage.receiver.events.slice(before).filter(({ event }) => event === "call.new");
    return fresh.length >= calls ? fresh : undefined;
  });
  const arrived = await Promise.race([rung, done.then(() => Promise.reject(new Error("sipp has ended early")))]);
  const [stories] = await Promise.all([Promise.all(arrived.map(({ source }) => serve(source))), done]);
  const story = [
    "call.new",
    "call.answered take",
    "command.result answer take done",
    "dtmf 7",
    "command.result hangup bye done",
    "call.hangup CALL_REJECTED by app",
  ];
  expect(stories).toEqual(Array.from({ length: calls }, () => story));
  const caller_ids = arrived.map(({ data }) => Object(data).caller_id);
  expect(new Set(caller_ids).size).toBe(calls);
});
