/** Conference rooms from their creation to their end, and who is in them. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { credentials } from "../gateway";
import type { Received } from "../receiver";
import { opening, Stage } from "./stage";
import { line, told } from "./story";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const room = (room_id: string) => stage.app("GET", `/conferences/${room_id}`);
const destroy = async (room_id: string) => {
  expect((await stage.app("DELETE", `/conferences/${room_id}`)).status).toBe(204);
};
const long = () => [stage.files.tone(60_000)];
const gone = { status: 404, body: { error: "Room not found" } };

/** All of a list, page by page. */
async function pages(path: string, limit: number, key: string): Promise<Record<string, unknown>[][]> {
  const found: Record<string, unknown>[][] = [];
  let cursor = "";
  do {
    const { status, body } = await stage.app("GET", `${path}?limit=${limit}${cursor}`);
    expect(status).toBe(200);
    found.push(Object(body)[key]);
    cursor = body?.next_cursor ? `&cursor=${body.next_cursor}` : "";
  } while (cursor !== "");
  return found;
}

describe("a room", () => {
  test("has a name of its own, which is free again once it is gone", async () => {
    const first = await stage.room("standup");
    const taken = await stage.app("POST", "/conferences", { name: "standup" });
    expect(taken).toMatchObject({
      status: 409,
      body: { error: "Conference name already taken", detail: { room_id: first } },
    });
    // Names of other apps are no affair of this one.
    await stage.gateway.putApp("other", { api_key: "other-api-key-0123456789" });
    const others = credentials("other", "other-api-key-0123456789");
    const request = { method: "POST", path: "/api/v1/conferences", headers: others, body: { name: "standup" } };
    const theirs = await stage.gateway.client.request(request);
    expect(theirs.status).toBe(201);
    expect(await room(String(theirs.body?.room_id))).toMatchObject({
      status: 403,
      body: { error: "Room belongs to a different application" },
    });

    expect(await room(first)).toMatchObject({
      status: 200,
      body: { room_id: first, name: "standup", members: [], playback: null },
    });
    await destroy(first);
    expect(await room(first)).toMatchObject(gone);
    expect(await stage.app("DELETE", `/conferences/${first}`)).toMatchObject(gone);
    expect(await stage.command(first, "room/stop")).toMatchObject(gone);
    const second = await stage.room("standup");
    expect(second).not.toBe(first);
    await destroy(second);
    for (const id of [first, second])
      expect(await stage.story(id)).toEqual(["conference.created standup", "conference.destroyed standup"]);
  });

  test("of one name is made once, however many ask at the same time", async () => {
    const wish = () => stage.app("POST", "/conferences", { name: "rush" });
    const answers = await Promise.all(Array.from({ length: 20 }, wish));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    const room_id = String(made[0]?.body?.room_id);
    const refused = answers.filter((answer) => answer !== made[0]);
    for (const answer of refused) expect(answer).toMatchObject({ status: 409, body: { detail: { room_id } } });
    await destroy(room_id);
    expect(await stage.story(room_id)).toEqual(["conference.created rush", "conference.destroyed rush"]);
  });

  test("is listed with the others, page by page, as long as it is there", async () => {
    const names = Array.from({ length: 5 }, (_, n) => `listed-${n}`);
    const ids: string[] = [];
    for (const name of names) ids.push(await stage.room(name));
    const session_uuid = await stage.answered();
    await stage.join(session_uuid, ids[1] ?? "", "in");
    const listed = await pages("/conferences", 2, "rooms");
    expect(listed.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(new Set(listed.flat().map(({ room_id }) => room_id))).toEqual(new Set(ids));
    const member_counts = listed.flat().map(({ room_id, member_count }) => [room_id, member_count]);
    expect(Object.fromEntries(member_counts)).toEqual(Object.fromEntries(ids.map((id, n) => [id, n === 1 ? 1 : 0])));
    await destroy(ids[0] ?? "");
    expect((await pages("/conferences", 100, "rooms")).flat()).toHaveLength(4);
    for (const id of ids.slice(1)) await destroy(id);
    expect(await pages("/conferences", 100, "rooms")).toEqual([[]]);
    await stage.taken(session_uuid, "hangup");
  });
});

test("members leave, hang up, or are put out with the room: each is told of by its call and in the list of the room", async () => {
  const room_id = await stage.room("all");
  const [leaver, quitter, stayer] = await Promise.all([stage.answered(), stage.answered(), stage.answered()]);
  for (const uuid of [leaver, quitter, stayer]) await stage.join(uuid, room_id, "in", uuid === stayer);
  const inside = await room(room_id);
  expect(inside.body).toMatchObject({
    members: [leaver, quitter, stayer].map((session_uuid) => ({ session_uuid, muted: session_uuid === stayer })),
  });
  expect((await stage.session(stayer)).body).toMatchObject({ room_id, muted: true });
  await stage.done(stayer, "conference/unmute", { command_uid: "speak" });
  await stage.taken(quitter, "hangup", { command_uid: "bye" });
  await stage.done(leaver, "conference/leave", { command_uid: "out" });
  await stage.receiver.event("call.hangup", quitter);
  expect((await room(room_id)).body).toMatchObject({ members: [{ session_uuid: stayer, muted: false }] });
  await destroy(room_id);
  expect((await stage.session(stayer)).body).toMatchObject({ room_id: null, muted: false });
  for (const uuid of [leaver, stayer]) await stage.taken(uuid, "hangup", { command_uid: "bye" });

  const joined = [...opening, "conference.member.joined", "command.result conference/join in done"];
  const end = ["command.result hangup bye done", "call.hangup NORMAL_CLEARING by app"];
  expect(await stage.story(leaver)).toEqual([
    ...joined,
    "conference.member.left left",
    "command.result conference/leave out done",
    ...end,
  ]);
  expect(await stage.story(quitter)).toEqual([...joined, "conference.member.left hangup", ...end]);
  expect(await stage.story(stayer)).toEqual([
    ...opening,
    "conference.member.joined muted",
    "command.result conference/join in done",
    "conference.member.unmuted",
    "command.result conference/unmute speak done",
    "conference.member.left removed",
    ...end,
  ]);

  // The list of the room is read by its owner after its end as well, in parts.
  const events: Received[] = [];
  for (let after = 0, more = true; more; ) {
    const { status, body } = await stage.app("GET", `/conferences/${room_id}/events?limit=3&after=${after}`);
    expect(status).toBe(200);
    const page: Received[] = Object(body).events;
    events.push(...page);
    more = page.length > 0;
    expect(body?.next_after).toBe(after + page.length);
    after += page.length;
  }
  expect(events.map((event) => line(event))).toEqual([
    "conference.created all",
    "conference.member.joined",
    "conference.member.joined",
    "conference.member.joined muted",
    "conference.member.unmuted",
    "conference.member.left hangup",
    "conference.member.left left",
    "conference.member.left removed",
    "conference.destroyed all",
  ]);
});

describe("what plays to a room", () => {
  test("is paused, made louder, replaced, stopped, and ended with the room", async () => {
    const room_id = await stage.room("music");
    const nothing = { success: false, error: "No active playback" };
    expect((await stage.done(room_id, "room/pause", { command_uid: "p0" })).data).toMatchObject(nothing);
    await stage.done(room_id, "room/play", { command_uid: "one", urls: long(), loop: true, volume: -2 });
    await stage.done(room_id, "room/pause", { command_uid: "p1" });
    expect((await room(room_id)).body?.playback).toMatchObject({
      command_uid: "one",
      paused: true,
      loop: true,
      volume: -2,
    });
    await stage.done(room_id, "room/volume", { command_uid: "v1", volume: 4 });
    await stage.done(room_id, "room/pause", { command_uid: "p2", paused: false });
    expect((await room(room_id)).body?.playback).toMatchObject({ command_uid: "one", paused: false, volume: 4 });
    await stage.done(room_id, "room/play", { command_uid: "two", urls: long() });
    expect((await room(room_id)).body?.playback).toMatchObject({ command_uid: "two", loop: false, volume: 0 });
    await stage.done(room_id, "room/stop", { command_uid: "s1" });
    expect((await room(room_id)).body?.playback).toBeNull();
    await stage.done(room_id, "room/play", { command_uid: "three", urls: long() });
    await destroy(room_id);
    expect(await stage.story(room_id)).toEqual([
      "conference.created music",
      "command.result room/pause p0 failed: No active playback",
      "conference.play.started one",
      "command.result room/play one done",
      "command.result room/pause p1 done",
      "command.result room/volume v1 done",
      "command.result room/pause p2 done",
      "conference.play.stopped one replaced",
      "conference.play.started two",
      "command.result room/play two done",
      "conference.play.stopped two stopped",
      "command.result room/stop s1 done",
      "conference.play.started three",
      "command.result room/play three done",
      "conference.play.stopped three destroyed",
      "conference.destroyed music",
    ]);
  });

  test("a list plays to its end once, again and again as a loop, and says what is missing", async () => {
    const [once, loop] = await Promise.all([stage.room("once"), stage.room("loop")]);
    const urls = [stage.files.tone(40), stage.files.missing(), stage.files.tone(20)];
    await stage.done(once, "room/play", { command_uid: "list", urls });
    await stage.receiver.event("conference.play.stopped", once);
    await stage.done(loop, "room/play", { command_uid: "list", urls: [stage.files.tone(40)], loop: true });
    await destroy(once);
    await destroy(loop);
    const story = await stage.story(once);
    // A missing file is told of when it is found to be missing.
    expect(story.filter((told) => told !== "conference.play.file_not_found list not_found")).toEqual([
      "conference.created once",
      "conference.play.started list",
      "command.result room/play list done",
      "conference.play.stopped list completed",
      "conference.destroyed once",
    ]);
    expect(story).toHaveLength(6);
    expect((await stage.story(loop)).at(-2)).toBe("conference.play.stopped list destroyed");
  });

  test("that has not begun fails with the room", async () => {
    const room_id = await stage.room("hasty");
    const urls = [stage.files.tone(100, "never-sent")];
    const { release, requested } = stage.files.hold(urls[0] ?? "");
    await stage.taken(room_id, "room/play", { command_uid: "hello", urls });
    await requested;
    await destroy(room_id);
    expect(await stage.story(room_id)).toEqual([
      "conference.created hasty",
      "command.result room/play hello failed: Room ended",
      "conference.destroyed hasty",
    ]);
    release();
  });
});

test("calls that join a room while it is deleted are in none afterwards, and each join has its one answer", async () => {
  const rounds = 50;
  const each = async (round: number) => {
    const session_uuid = await stage.answered();
    const room_id = await stage.room(`round-${round}`);
    const join = () => stage.command(session_uuid, "conference/join", { command_uid: "in", room_id });
    const remove = () => stage.app("DELETE", `/conferences/${room_id}`);
    // Whose request is first is as much by turns as it can be said; of each third one it is sure.
    const order = ["join", "remove", "joined"][round % 3];
    const joined = order === "remove" ? null : join();
    if (order === "joined") await joined;
    const removed = remove();
    const [joining, removing] = await Promise.all([joined ?? join(), removed]);
    expect(removing.status).toBe(204);
    expect((await stage.session(session_uuid)).body).toMatchObject({ room_id: null });
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    const story = await stage.story(session_uuid);
    const between = story.slice(opening.length, -2);
    expect([404, 202]).toContain(joining.status);
    if (joining.status === 404) expect(between).toEqual([]);
    else if (between.length === 1) expect(between).toEqual(["command.result conference/join in failed: Room ended"]);
    else
      expect(between).toEqual([
        "conference.member.joined",
        "command.result conference/join in done",
        "conference.member.left removed",
      ]);
    expect(await stage.story(room_id)).toEqual([
      `conference.created round-${round}`,
      `conference.destroyed round-${round}`,
    ]);
    const { body } = await stage.app("GET", `/conferences/${room_id}/events`);
    // Nobody comes or goes once it is destroyed.
    expect(told(Object(body).events).at(-1)).toBe(`conference.destroyed round-${round}`);
  };
  await Promise.all(Array.from({ length: rounds }, (_, round) => each(round)));
});
