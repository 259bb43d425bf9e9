/** What the engine makes of what it finds when it connects: its own calls, those of another process, and those of nobody. */

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { channelRows, memberRows } from "../../src/engines/freeswitch/survey";
import { hear, Shelf } from "../engine/ear";
import { openRoom, play, run, runRoom } from "../engine/suite";
import { levelAt } from "../media-child/peer";
import { answeredAt, connected, type FreeswitchPlace, openReplayed } from "./place";
import { trace } from "./recorded";

let place: FreeswitchPlace;
const shelf = new Shelf();
beforeAll(() => shelf.open());
afterAll(() => shelf.close());
beforeEach(async () => {
  place = await openReplayed();
});
afterEach(() => place.close());

const answered = () => answeredAt(place);

async function member(room_id: string, muted = false): Promise<string> {
  const session_uuid = await answered();
  await run(place, "joinRoom", session_uuid, { room_id, muted });
  return session_uuid;
}

/** The connection is lost and comes back; calls go on meanwhile. */
async function reconnected(meanwhile: () => unknown): Promise<void> {
  const { replay } = place;
  let refused = true;
  replay.intercept = () => (refused ? null : undefined);
  replay.drop();
  await meanwhile();
  refused = false;
  replay.drop();
  while (place.engine.connected()) await delay(1);
  await connected(place.engine);
}

describe("its own calls", () => {
  test("go on as they were, and what was missed of them is made up for", async () => {
    const [playing, still, ringing, ended] = [
      await answered(),
      await answered(),
      await place.call([]),
      await answered(),
    ];
    await play(place, playing, place.files.tone(20_000));
    await play(place, still, place.files.tone(100));
    await place.recorder.event(playing, "playback.started");
    await place.recorder.event(still, "playback.started");
    await reconnected(async () => {
      place.channel(ended).hangup("NORMAL_CLEARING", "bye");
      place.channel(ringing).answer();
      await delay(150);
    });
    expect(await place.recorder.event(ended, "hangup")).toMatchObject({
      cause: "MEDIA_SERVER_LOST",
      by: "gateway",
      lost: true,
    });
    expect(await place.recorder.event(ringing, "answered")).toMatchObject({ operation_id: null });
    // It had ended meanwhile, and counts as played.
    expect(await place.recorder.event(still, "playback.stopped")).toMatchObject({
      reason: "completed",
      offset_ms: 100,
    });
    expect((await run(place, "stopPlayback", playing, {})).outcome).toBeUndefined();
    expect(place.recorder.types(playing)).toEqual(["answered", "playback.started", "playback.stopped"]);
  });

  test("a call that came while nobody listened is offered", async () => {
    const calls = place.recorder.offers.length;
    const made: string[] = [];
    await reconnected(() => made.push(place.replay.call({ caller_id: "4930999", did: "2000" }).uuid));
    const offer = await place.recorder.offered(calls + 1);
    expect(offer).toMatchObject({ session_uuid: `fs1-${made[0]}`, caller_id: "4930999", did: "2000", app_id: null });
  });

  test("one that somebody took out of its room meanwhile is put back, as muted as it was", async () => {
    const room_id = await openRoom(place);
    const session_uuid = await member(room_id, true);
    await reconnected(async () => {
      place.channel(session_uuid).transfer("park inline");
      while (place.channel(session_uuid).room) await delay(1);
    });
    while (!place.channel(session_uuid).room) await delay(1);
    expect(place.replay.room(room_id)?.muted.size).toBe(1);
    await run(place, "unmute", session_uuid, {});
    expect(place.replay.room(room_id)?.muted.size).toBe(0);
  });

  test("one that somebody muted meanwhile is heard again, and one that is where it belongs is left there", async () => {
    const room_id = await openRoom(place);
    const session_uuid = await member(room_id);
    const { uuid } = place.channel(session_uuid);
    const commands = place.replay.commands.length;
    await reconnected(() => place.replay.room(room_id)?.command(["mute", "1"]));
    while (place.replay.room(room_id)?.muted.size !== 0) await delay(1);
    const given = place.replay.commands.slice(commands).filter((command) => /uuid_transfer|sendmsg/.test(command));
    expect(given.filter((command) => command.includes(uuid))).toEqual([]);
    expect(place.recorder.types(session_uuid)).toEqual(["answered", "room.joined"]);
  });

  test("another FreeSWITCH, started anew: all calls are lost, rooms live on empty", async () => {
    const room_id = await openRoom(place);
    const inside = await member(room_id);
    await runRoom(place, "playRoom", room_id, { urls: [place.files.tone(20_000)], loop: false, volume: 0 });
    await place.recorder.roomEvent(room_id, "play.started");
    const { recording_id, path } = shelf.file();
    const recorded = await answered();
    await run(place, "startRecording", recorded, { file: { recording_id, path } });
    await place.replay.kill();
    await place.replay.restart();
    for (const id of [inside, recorded]) {
      const end = await place.recorder.event(id, "hangup");
      expect(end).toMatchObject({ cause: "MEDIA_SERVER_LOST", by: "gateway", lost: true, sip_status: null });
    }
    expect(await place.recorder.recorded(recording_id)).toMatchObject({ session_uuid: recorded });
    expect(await place.recorder.roomEvent(room_id, "play.stopped")).toMatchObject({ reason: "stopped" });
    await connected(place.engine);
    const again = await member(room_id);
    const nothing = await hear(place, shelf, again, () => delay(100));
    expect(levelAt(nothing.right, 440)).toBeLessThan(-50);
    const heard = await hear(place, shelf, again, async () => {
      await runRoom(place, "playRoom", room_id, { urls: [place.files.tone(300)], loop: false, volume: 0 });
      await place.recorder.roomEvent(room_id, "play.stopped", 2);
    });
    expect(levelAt(heard.right, 440)).toBeGreaterThan(-20);
  });

  test("what happens while it is found out what there is, is told afterwards, in its order", async () => {
    const session_uuid = await answered();
    const { survivors } = place.recorder;
    place.recorder.survivors = async () => {
      // In the list of channels it was still there.
      place.channel(session_uuid).press("7", 100);
      place.channel(session_uuid).hangup("NORMAL_CLEARING", "bye");
      // Longer than both are on their way.
      await delay(50);
      return survivors.call(place.recorder);
    };
    await reconnected(() => undefined);
    await place.recorder.event(session_uuid, "hangup");
    expect(place.recorder.of(session_uuid, "answered")).toMatchObject([
      { type: "dtmf", digit: "7" },
      { type: "hangup", cause: "NORMAL_CLEARING", by: "caller" },
    ]);
  });

  test("a call that ended while nobody listened is told of once, also when it is away twice", async () => {
    const session_uuid = await answered();
    await reconnected(() => place.channel(session_uuid).hangup("NORMAL_CLEARING", "bye"));
    await reconnected(() => undefined);
    expect(place.recorder.types(session_uuid)).toEqual(["answered", "hangup"]);
  });
});

test("what FreeSWITCH told of who is in a conference, and of its channels", () => {
  const answers = [...trace("09-conference"), ...trace("11-kill-restart")].filter(({ from }) => from === "server");
  const bodyOf = (mark: string) => {
    const { text } = answers.find((block) => block.text.includes(mark)) ?? { text: "" };
    return text.slice(text.indexOf("\n\n") + 2);
  };
  expect(memberRows(bodyOf('"conference_name":\t"room1"'))).toEqual([
    { uuid: "40283ff1-e9a5-4060-b8a4-e30c6212e519", member: 2, muted: true },
    { uuid: "7f2d7e07-fd97-4bbc-8a27-86ea2ae73c28", member: 1, muted: false },
  ]);
  expect(memberRows("-ERR Conference room1 not found\n")).toEqual([]);
  expect(memberRows("[]")).toEqual([]);
  expect([...channelRows(bodyOf('"row_count":2')).values()]).toEqual([
    { uuid: "bfa34fe2-d4e7-4855-a2d3-c039bd4e44a5", inbound: true, answered: true, parked: false, room: null },
    { uuid: "ae1acfc2-7343-4dc2-aba5-1c7a4b33919c", inbound: true, answered: false, parked: true, room: null },
  ]);
  expect(channelRows('{"row_count": 0}\n').size).toBe(0);
  for (const answer of ["", "null", "[]", '{"rows":[]}', '{"row_count":1,"rows":{}}', "-ERR no reply\n"]) {
    expect(() => channelRows(answer)).toThrow();
  }
});
