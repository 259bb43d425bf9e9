/** Commands that come at the same moment: the same one many times, two that exclude each other, and the end of the call. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ClientResponse } from "../api/client";
import { type CommandBody, type CommandName, opening, Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ recordings: true });
});
afterAll(() => stage.close());

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const long = () => [stage.files.tone(60_000)];
const taken = (answers: readonly ClientResponse[]) => answers.filter(({ status }) => status === 202);
const refused = (answers: readonly ClientResponse[]) =>
  answers.filter(({ status }) => status !== 202).map(({ status, body }) => `${status} ${body?.error}`);

/** @returns what was answered to the one that was done */
async function fifty<C extends CommandName>(id: string, name: C, body: CommandBody<C>): Promise<ClientResponse> {
  const give = () => stage.command(id, name, body);
  const answers = await Promise.all(many(50, give));
  const first = answers.filter(({ status, headers }) => status === 202 && !headers["idempotent-replayed"]);
  expect(first).toHaveLength(1);
  const [done] = first;
  if (!done) throw new Error("none was done");
  for (const answer of taken(answers)) expect(answer.body).toEqual(done.body);
  expect(new Set(refused(answers))).toEqual(
    new Set(refused(answers).length > 0 ? ["409 command_uid is still being processed"] : []),
  );
  await stage.receiver.result(String(done.body?.operation_id));
  expect(await give()).toMatchObject({ status: 202, body: done.body, headers: { "idempotent-replayed": "true" } });
  return done;
}

describe("one command, fifty times with one command_uid, is done once", () => {
  const end = ["command.result hangup bye done", "call.hangup NORMAL_CLEARING by app"];
  const over = async (session_uuid: string) => {
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    return stage.story(session_uuid);
  };

  test("playback/start", async () => {
    const session_uuid = await stage.answered();
    await fifty(session_uuid, "playback/start", { command_uid: "hello", urls: long() });
    expect(await over(session_uuid)).toEqual([
      ...opening,
      "playback.started hello",
      "command.result playback/start hello done",
      "playback.stopped hello hangup",
      ...end,
    ]);
  });

  test("record/start, and record/stop", async () => {
    const session_uuid = await stage.answered();
    await fifty(session_uuid, "record/start", { command_uid: "tape" });
    await fifty(session_uuid, "record/stop", { command_uid: "cut" });
    await stage.receiver.event("recording.completed", session_uuid);
    const story = await over(session_uuid);
    expect([...story].sort()).toEqual(
      [
        ...opening,
        "command.result record/start tape done",
        "command.result record/stop cut done",
        "recording.completed tape",
        ...end,
      ].sort(),
    );
  });

  test("conference/join", async () => {
    const session_uuid = await stage.answered();
    const room_id = await stage.room("crowded");
    await fifty(session_uuid, "conference/join", { command_uid: "in", room_id });
    const { body } = await stage.app("GET", `/conferences/${room_id}`);
    expect(body).toMatchObject({ members: [{ session_uuid }] });
    expect(await over(session_uuid)).toEqual([
      ...opening,
      "conference.member.joined",
      "command.result conference/join in done",
      "conference.member.left hangup",
      ...end,
    ]);
  });

  test("room/play", async () => {
    const room_id = await stage.room("loud");
    await fifty(room_id, "room/play", { command_uid: "music", urls: long() });
    await stage.app("DELETE", `/conferences/${room_id}`);
    expect(await stage.story(room_id)).toEqual([
      "conference.created loud",
      "conference.play.started music",
      "command.result room/play music done",
      "conference.play.stopped music destroyed",
      "conference.destroyed loud",
    ]);
  });
});

describe("two commands at the same moment", () => {
  test("of one rate group: one is taken, the other has to wait", async () => {
    const session_uuid = await stage.answered();
    const start = (command_uid: string) => stage.command(session_uuid, "playback/start", { command_uid, urls: long() });
    const answers = await Promise.all([start("a"), start("b")]);
    expect(taken(answers)).toHaveLength(1);
    expect(refused(answers)).toEqual(["429 Command rate limited"]);
    await stage.taken(session_uuid, "hangup");
  });

  test("of one command_uid, for different things: one is taken", async () => {
    const session_uuid = await stage.answered();
    const answers = await Promise.all([
      stage.command(session_uuid, "playback/start", { command_uid: "same", urls: long() }),
      stage.command(session_uuid, "record/start", { command_uid: "same" }),
    ]);
    expect(taken(answers)).toHaveLength(1);
    expect(refused(answers)).toEqual(["409 command_uid already used for a different command"]);
    await stage.taken(session_uuid, "hangup");
  });

  test("two calls join while a third leaves: the room has who is in it", async () => {
    const calls = await Promise.all(many(3, () => stage.answered()));
    const [leaver = "", ...joiners] = calls;
    const room_id = await stage.room("door");
    await stage.join(leaver, room_id, "in");
    await Promise.all([
      stage.done(leaver, "conference/leave", { command_uid: "out" }),
      ...joiners.map((uuid) => stage.join(uuid, room_id, "in")),
    ]);
    const { body } = await stage.app("GET", `/conferences/${room_id}`);
    const members: { session_uuid: string }[] = Object(body).members;
    expect(members.map(({ session_uuid }) => session_uuid).sort()).toEqual([...joiners].sort());
    await Promise.all(calls.map((uuid) => stage.taken(uuid, "hangup")));
  });

  test("a collection and a playback: whichever came last goes on, and both had their result", async () => {
    const session_uuid = await stage.answered();
    const answers = await Promise.all([
      stage.command(session_uuid, "playback/start", { command_uid: "hello", urls: long() }),
      stage.command(session_uuid, "play_and_get_digits", { command_uid: "pin", prompt_files: long() }),
    ]);
    expect(taken(answers)).toHaveLength(2);
    for (const { body } of answers) await stage.receiver.result(String(body?.operation_id));
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    const story = await stage.story(session_uuid);
    const result = (command: string) => story.filter((line) => line.startsWith(`command.result ${command} `));
    expect(result("playback/start hello")).toHaveLength(1);
    expect(result("play_and_get_digits pin")).toHaveLength(1);
    const count = (line: RegExp) => story.filter((told) => line.test(told)).length;
    // What has begun has ended, once.
    expect(count(/^playback.stopped /)).toBe(count(/^playback.started /));
    expect(count(/^digits.collected /)).toBe(count(/^command.result play_and_get_digits pin done/));
    expect(story.slice(-2)).toEqual(["command.result hangup bye done", "call.hangup NORMAL_CLEARING by app"]);
  });
});

test("commands for a call that ends meanwhile: each that was taken has its one result before the end, others find nothing", async () => {
  const rounds = 20;
  const each = async (round: number) => {
    const session_uuid = await stage.answered();
    const room_id = await stage.room(`ending-${round}`);
    const commands = [
      () => stage.command(session_uuid, "playback/start", { command_uid: "play", urls: long() }),
      () => stage.command(session_uuid, "record/start", { command_uid: "tape" }),
      () => stage.command(session_uuid, "conference/join", { command_uid: "in", room_id }),
      () => stage.command(session_uuid, "playback/stop", { command_uid: "stop" }),
      () => stage.command(session_uuid, "answer", { command_uid: "again" }),
    ];
    // The end comes before, between and behind them.
    commands.splice(round % (commands.length + 1), 0, () =>
      stage.command(session_uuid, "hangup", { command_uid: "bye" }),
    );
    const answers = await Promise.all(commands.map((command) => command()));
    expect(new Set(refused(answers).map((text) => text.slice(0, 3)))).toEqual(
      new Set(refused(answers).length > 0 ? ["404"] : []),
    );
    await stage.receiver.event("call.hangup", session_uuid);
    const events = await stage.receiver.story(session_uuid);
    const results = events.flatMap(({ event, data }) =>
      event === "command.result" ? [Object(data).operation_id] : [],
    );
    const ids = taken(answers).map(({ body }) => body?.operation_id);
    // The first is that of the answer, before all this.
    expect(results.slice(1).sort()).toEqual(ids.sort());
    const names = events.map(({ event }) => event);
    const count = (name: string) => names.filter((other) => other === name).length;
    expect(count("playback.stopped")).toBe(count("playback.started"));
    expect(count("conference.member.left")).toBe(count("conference.member.joined"));
    expect(count("call.hangup")).toBe(1);
    expect(names.slice(names.indexOf("call.hangup") + 1).every((name) => name === "recording.completed")).toBe(true);
    expect((await stage.app("GET", `/conferences/${room_id}`)).body).toMatchObject({ members: [] });
  };
  await Promise.all(many(rounds, each));
});
