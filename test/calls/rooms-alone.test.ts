/** Rooms that nobody is in any more: those that stand empty, and those whose members were lost. */
import { expect, test } from "@jest/globals";
import { stages } from "./stage";
import { told } from "./story";

const open = stages();

test("one that stands empty for too long goes, one with a member stays", async () => {
  const stage = await open({ env: { ROOM_IDLE_SECONDS: "1" } });
  const session_uuid = await stage.answered();
  const kept = await stage.room("kept");
  await stage.join(session_uuid, kept, "in");
  const idle = await stage.room("idle");
  expect(await stage.story(idle)).toEqual(["conference.created idle", "conference.destroyed idle"]);
  expect((await stage.app("GET", `/conferences/${idle}`)).status).toBe(404);
  expect((await stage.app("GET", `/conferences/${kept}`)).body).toMatchObject({ members: [{ session_uuid }] });
  await stage.taken(session_uuid, "hangup");
  expect(await stage.story(kept)).toEqual(["conference.created kept", "conference.destroyed kept"]);
});

test("one whose members were lost with their media process lives on, and takes others", async () => {
  const stage = await open();
  stage.expected.push("media child lost");
  const lost = await stage.answered();
  const room_id = await stage.room("survivor");
  await stage.join(lost, room_id, "in");
  await stage.done(room_id, "room/play", { command_uid: "music", urls: [stage.files.tone(60_000)] });
  process.kill(stage.mediaPid, "SIGKILL");
  expect((await stage.story(lost)).slice(-2)).toEqual([
    "conference.member.left orphan",
    "call.hangup MEDIA_SERVER_LOST by gateway",
  ]);
  while (!JSON.stringify((await stage.admin("GET", "/health")).body).includes('"connected":true'));
  expect((await stage.app("GET", `/conferences/${room_id}`)).body).toMatchObject({ members: [], playback: null });
  const next = await stage.answered();
  await stage.join(next, room_id, "in");
  await stage.done(room_id, "room/play", { command_uid: "more", urls: [stage.files.tone(60_000)] });
  expect((await stage.app("DELETE", `/conferences/${room_id}`)).status).toBe(204);
  const { body } = await stage.app("GET", `/conferences/${room_id}/events`);
  const list = told(Object(body).events);
  // Whether the music or its hearer ends first is no promise.
  expect([...list].sort()).toEqual(
    [
      "conference.created survivor",
      "conference.member.joined",
      "conference.play.started music",
      "command.result room/play music done",
      "conference.play.stopped music stopped",
      "conference.member.left orphan",
      "conference.member.joined",
      "conference.play.started more",
      "command.result room/play more done",
      "conference.play.stopped more destroyed",
      "conference.member.left removed",
      "conference.destroyed survivor",
    ].sort(),
  );
  expect(list.at(-1)).toBe("conference.destroyed survivor");
  await stage.taken(next, "hangup");
});
