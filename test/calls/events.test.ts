/** The events of calls and rooms once more, for those who missed one: in pages, without a receiver, and no longer than promised. */
import { describe, expect, test } from "@jest/globals";
import type { Received } from "../receiver";
import { opening, type Stage, stages } from "./stage";
import { told } from "./story";

const open = stages();

/** What is listed, in pages of so many. */
async function listed(stage: Stage, path: string, limit: number): Promise<Received[]> {
  const events: Received[] = [];
  for (let after = 0; ; ) {
    const { status, body } = await stage.app("GET", `${path}/events?after=${after}&limit=${limit}`);
    expect(status).toBe(200);
    const page: Received[] = Object(body).events;
    if (page.length === 0) {
      expect(body?.next_after).toBe(after);
      return events;
    }
    expect(page.length).toBeLessThanOrEqual(limit);
    expect(body?.next_after).toBe(after + page.length);
    events.push(...page);
    after += page.length;
  }
}

/** A call in a room that heard music, and has ended, as the room has. */
async function played(stage: Stage): Promise<{ session_uuid: string; room_id: string }> {
  const session_uuid = await stage.answered();
  const room_id = await stage.room("music");
  await stage.join(session_uuid, room_id, "in");
  await stage.done(room_id, "room/play", { command_uid: "tune", urls: [stage.files.tone(60_000)] });
  await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
  await stage.story(session_uuid);
  await stage.app("DELETE", `/conferences/${room_id}`);
  return { session_uuid, room_id };
}

const call = [
  ...opening,
  "conference.member.joined",
  "command.result conference/join in done",
  "conference.member.left hangup",
  "command.result hangup bye done",
  "call.hangup NORMAL_CLEARING by app",
];

describe("what a receiver got is what is listed", () => {
  test.each([1, 3, 1000])("in pages of %d, live and after the end", async (limit) => {
    const stage = await open();
    const live = await stage.answered();
    expect(told(await listed(stage, `/sessions/${live}`, limit))).toEqual(opening);
    await stage.taken(live, "hangup");
    const { session_uuid, room_id } = await played(stage);
    expect(await stage.story(session_uuid)).toEqual(call);
    const events = await listed(stage, `/sessions/${session_uuid}`, limit);
    // A receiver calls both names of a source by one.
    expect(events.map(({ event, data, sequence, timestamp }) => ({ event, data, sequence, timestamp }))).toEqual(
      stage.receiver
        .of(session_uuid)
        .map(({ event, data, sequence, timestamp }) => ({ event, data, sequence, timestamp })),
    );
    expect(told(await listed(stage, `/conferences/${room_id}`, limit))).toEqual([
      "conference.created music",
      "conference.member.joined",
      "conference.play.started tune",
      "command.result room/play tune done",
      "conference.member.left hangup",
      "conference.play.stopped tune destroyed",
      "conference.destroyed music",
    ]);
  });
});

test("an app without a receiver finds all of it, and nothing is sent", async () => {
  const stage = await open({ app: { webhook_url: "" } });
  const session_uuid = await stage.sandbox([
    { do: "wait_for", event: "playback.stopped" },
    { do: "press", digits: "7" },
    { do: "hangup" },
  ]);
  await stage.taken(session_uuid, "answer", { command_uid: "take" });
  await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls: [stage.files.tone(40)] });
  while ((await stage.session(session_uuid)).status === 200);
  expect(told(await listed(stage, `/sessions/${session_uuid}`, 100))).toEqual([
    ...opening,
    "playback.started hello",
    "command.result playback/start hello done",
    "playback.stopped hello completed",
    "dtmf 7",
    "call.hangup NORMAL_CLEARING by caller",
  ]);
  expect(stage.receiver.attempts).toEqual([]);
});

test("what an app does not want is not listed either, and leaves no gap", async () => {
  const stage = await open({ app: { events: ["conference.member.joined", "conference.destroyed", "call.hangup"] } });
  const session_uuid = await stage.sandbox();
  await stage.taken(session_uuid, "answer");
  while (Object((await stage.session(session_uuid)).body).state !== "answered");
  const room_id = await stage.room("quiet");
  await stage.taken(session_uuid, "conference/join", { room_id });
  await stage.receiver.event("conference.member.joined", session_uuid);
  await stage.taken(session_uuid, "hangup");
  await stage.story(session_uuid);
  await stage.app("DELETE", `/conferences/${room_id}`);
  const mine = await listed(stage, `/sessions/${session_uuid}`, 1);
  expect(told(mine)).toEqual(["conference.member.joined", "call.hangup NORMAL_CLEARING by app"]);
  expect(mine.map(({ sequence }) => sequence)).toEqual([1, 2]);
  const rooms = await listed(stage, `/conferences/${room_id}`, 1);
  expect(told(rooms)).toEqual(["conference.member.joined", "conference.destroyed quiet"]);
  // Each has the number of its own source.
  expect(rooms.map(({ sequence }) => sequence)).toEqual([1, 1]);
});

test("they are kept for their time after the end, and then they are gone", async () => {
  const stage = await open({ env: { EVENT_RETENTION_SECONDS: "3" } });
  const live = await stage.answered();
  const { session_uuid, room_id } = await played(stage);
  const paths = [`/sessions/${session_uuid}/events`, `/conferences/${room_id}/events`];
  for (const path of paths) expect(Object((await stage.app("GET", path)).body).events).not.toEqual([]);
  for (const path of paths) {
    let answer = await stage.app("GET", path);
    while (Object(answer.body).events.length > 0) answer = await stage.app("GET", path);
    // More is remembered of both than their events: the commands that they have seen.
    expect(answer).toMatchObject({ status: 200, body: { next_after: 0 } });
  }
  // A call that goes on keeps its own, however old they are.
  expect(told(await listed(stage, `/sessions/${live}`, 100))).toEqual(opening);
  await stage.taken(live, "hangup");
});
