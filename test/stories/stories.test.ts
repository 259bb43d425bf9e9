/**
 * Whole calls, from the INVITE to the last webhook, on each kind of media server. What the app is told is written down here
 * once: whatever is behind the gateway, it is told the same.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { tone as loudness } from "../media-child/party";
import { readWav } from "../media-child/wav";
import { beginning, byApp, completed, done, failed, hangup, started, stopped } from "./lines";
import { storySuite } from "./suite";
import { answering, calling, type Party } from "./telling";

storySuite((at) => {
  /** One after the other: Asterisk makes one key of two that it finds at once. */
  async function press({ session_uuid, caller }: Party, digits: string): Promise<void> {
    for (const digit of digits) {
      const before = at.stage.receiver.of(session_uuid).length;
      await caller.press(digit);
      await at.stage.receiver.event("dtmf", session_uuid, before);
    }
  }

  async function greeting(wrong: string, digits: string): Promise<{ session_uuid: string; party: Party }> {
    const party = await at.story.talking();
    const { session_uuid } = party;
    await at.stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: [at.stage.files.tone(200)] });
    await at.stage.receiver.event("playback.stopped", session_uuid);
    await at.stage.done(session_uuid, "play_and_get_digits", {
      command_uid: "pin",
      prompt_files: [at.stage.files.tone(60)],
      invalid_files: [at.stage.files.missing("invalid"), at.stage.files.tone(40)],
      min_digits: 4,
      max_digits: 5,
      max_tries: 2,
      timeout_ms: 10_000,
      digits_regex: "1[0-9]{3}",
    });
    await press(party, wrong);
    // Fetched for the second try, and told of only as long as that lasts.
    await at.stage.receiver.event("playback.file_not_found", session_uuid);
    await press(party, digits);
    await at.stage.receiver.event("digits.collected", session_uuid);
    return { session_uuid, party };
  }
  const keys = (digits: string) => [...digits].map((digit) => `dtmf digit=${digit}`);
  const asked = [
    ...beginning,
    ...started("hello", "/tone/200.wav"),
    completed("hello", "/tone/200.wav", 200),
    done("play_and_get_digits", "pin"),
  ];
  const noInvalid = "playback.file_not_found command_uid=pin url=/missing/invalid reason=not_found";
  /** It comes while the caller keys the next digits. */
  const without = (lines: readonly string[], line: string) => lines.filter((each) => each !== line);

  test("a greeting, a wrong PIN, and the right one", async () => {
    const { session_uuid, party } = await greeting("9999#", "1234#");
    await at.story.end(party);
    const told = await at.story.told(session_uuid);
    expect(told.filter((line) => line === noInvalid)).toHaveLength(1);
    expect(without(told, noInvalid)).toEqual([
      ...asked,
      ...keys("9999#1234#"),
      "digits.collected command_uid=pin digits=1234 terminator=# status=success",
      ...byApp,
    ]);
  });

  test("a greeting, and two wrong PINs", async () => {
    const { session_uuid, party } = await greeting("123#", "77777");
    await at.stage.taken(session_uuid, "hangup", { command_uid: "bye", cause: "CALL_REJECTED" });
    await party.caller.hungUp();
    expect(without(await at.story.told(session_uuid), noInvalid)).toEqual([
      ...asked,
      ...keys("123#77777"),
      "digits.collected command_uid=pin digits=77777 status=failure",
      done("hangup", "bye"),
      hangup("CALL_REJECTED", 21, "app"),
    ]);
  });

  test("a playback that is paused, taken elsewhere, replaced, stopped, and is not there any more", async () => {
    const party = await at.story.talking();
    const { session_uuid } = party;
    await at.stage.done(session_uuid, "playback/start", { command_uid: "a", urls: at.story.long() });
    await at.stage.done(session_uuid, "playback/pause", { command_uid: "hold" });
    expect((await at.stage.session(session_uuid)).body).toMatchObject({ playback: { index: 0, paused: true } });
    await at.stage.done(session_uuid, "playback/resume", { command_uid: "on" });
    await at.stage.done(session_uuid, "playback/seek", { command_uid: "there", offset_sec: 30 });
    expect((await at.stage.session(session_uuid)).body).toMatchObject({ playback: { paused: false } });
    await at.stage.done(session_uuid, "playback/restart", { command_uid: "again" });
    await at.stage.done(session_uuid, "playback/start", { command_uid: "b", urls: at.story.long(), offset_sec: 20 });
    await at.stage.done(session_uuid, "playback/stop", { command_uid: "enough" });
    for (const name of ["stop", "pause", "resume", "restart"] as const)
      await at.stage.done(session_uuid, `playback/${name}`, { command_uid: `late-${name}` });
    await at.story.end(party);
    const nothing = "No active playback";
    expect(await at.story.told(session_uuid)).toEqual([
      ...beginning,
      ...started("a", "/tone/60000.wav"),
      done("playback/pause", "hold"),
      done("playback/resume", "on"),
      done("playback/seek", "there"),
      done("playback/restart", "again"),
      stopped("a", "/tone/60000.wav", "replaced"),
      ...started("b", "/tone/60000.wav"),
      stopped("b", "/tone/60000.wav", "stopped"),
      done("playback/stop", "enough"),
      failed("playback/stop", "late-stop", nothing),
      failed("playback/pause", "late-pause", nothing),
      failed("playback/resume", "late-resume", nothing),
      failed("playback/restart", "late-restart", nothing),
      ...byApp,
    ]);
  });

  test("silence, a list with a file that is missing, one that begins in its midst, and nothing but a missing one", async () => {
    const party = await at.story.talking();
    const { session_uuid } = party;
    const played = async (command_uid: string) => {
      const last = at.stage.receiver.of(session_uuid).length;
      await at.stage.receiver.event("playback.stopped", session_uuid, last);
      return command_uid;
    };
    await at.stage.taken(session_uuid, "playback/silence", { command_uid: "quiet", duration_ms: 120 });
    await at.stage.receiver.event("playback.stopped", session_uuid);
    const { files } = at.stage;
    const urls = [files.tone(100), files.missing(), files.tone(60)];
    await at.stage.taken(session_uuid, "playback/start", { command_uid: "list", urls });
    await played("list");
    await at.stage.taken(session_uuid, "playback/start", {
      command_uid: "end",
      urls: [files.tone(1300)],
      offset_sec: 1,
    });
    await played("end");
    await at.stage.done(session_uuid, "playback/start", { command_uid: "none", urls: [files.missing()] });
    await at.story.end(party);
    const list = "/tone/100.wav,/missing/nothing,/tone/60.wav";
    const missing = (uid: string) => `playback.file_not_found command_uid=${uid} url=/missing/nothing reason=not_found`;
    expect(await at.story.told(session_uuid)).toEqual([
      ...beginning,
      "playback.started command_uid=quiet urls=",
      done("playback/silence", "quiet"),
      "playback.stopped command_uid=quiet urls= offset_ms=120 reason=completed",
      ...started("list", list),
      missing("list"),
      completed("list", list, 60),
      ...started("end", "/tone/1300.wav"),
      completed("end", "/tone/1300.wav", 1300),
      missing("none"),
      failed("playback/start", "none", "No file could be played"),
      ...byApp,
    ]);
  });

  test("a recording: stereo at 8 kHz, the caller left, right what he hears", async () => {
    const party = await at.story.talking();
    const { session_uuid, caller } = party;
    caller.sing?.(1000);
    await at.stage.done(session_uuid, "record/start", { command_uid: "tape" });
    await at.stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls: [at.stage.files.tone(1000)] });
    await at.stage.receiver.event("playback.stopped", session_uuid);
    await at.stage.done(session_uuid, "record/stop", { command_uid: "enough" });
    const { data } = await at.stage.receiver.event("recording.completed", session_uuid);
    await at.story.end(party);
    expect(await at.story.told(session_uuid)).toEqual([
      ...beginning,
      done("record/start", "tape"),
      ...started("hello", "/tone/1000.wav"),
      completed("hello", "/tone/1000.wav", 1000),
      done("record/stop", "enough"),
      "recording.completed command_uid=tape recording_url=there",
      ...byApp,
    ]);
    const { app, url } = at.stage.gateway;
    const answer = await fetch(`${url}/api/v1/recordings/${data.recording_id}`, { headers: app });
    const file = path.join(at.stage.gateway.recordings ?? "", "test", `${data.recording_id}.wav`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(readFileSync(file))).toBe(true);
    const { left, right } = readWav(file);
    expect(left.length).toBe(right.length);
    expect(Math.abs(left.length / 8 - data.duration_ms)).toBeLessThanOrEqual(1);
    const sung = 20 * Math.log10(8000 / 32_768);
    // In its middle both are there for sure.
    const middle = [left, right].map((side) => side.slice(side.length / 2 - 1600, side.length / 2 + 1600));
    const [said = left, heard = right] = middle;
    expect(Math.abs(loudness(heard, 440) - sung)).toBeLessThan(2);
    expect(loudness(heard, 1000)).toBeLessThan(-40);
    if (caller.sing) expect(Math.abs(loudness(said, 1000) - sung)).toBeLessThan(2);
    expect(loudness(said, 440)).toBeLessThan(-40);
  });

  test("a conference of three: played to, muted, left, and deleted", async () => {
    const parties = [await at.story.talking("ann"), await at.story.talking("bob"), await at.story.talking("eve")];
    const [ann, bob, eve] = parties;
    if (!ann || !bob || !eve) throw new Error("nobody called");
    const room_id = await at.story.room(`story-${ann.session_uuid.slice(-12)}`);
    for (const [i, { session_uuid }] of parties.entries())
      await at.stage.done(session_uuid, "conference/join", { command_uid: "in", room_id, muted: i === 2 });
    await at.stage.done(room_id, "room/play", { command_uid: "music", urls: [at.stage.files.tone(300)], loop: true });
    await at.stage.done(room_id, "room/volume", { command_uid: "low", volume: -2 });
    await at.stage.done(room_id, "room/pause", { command_uid: "hold" });
    await at.stage.done(room_id, "room/pause", { command_uid: "on", paused: false });
    await at.stage.done(room_id, "room/stop", { command_uid: "enough" });
    await at.stage.done(room_id, "room/stop", { command_uid: "late" });
    await at.stage.done(bob.session_uuid, "conference/mute", { command_uid: "hush" });
    await at.stage.done(eve.session_uuid, "conference/unmute", { command_uid: "speak" });
    await at.stage.done(bob.session_uuid, "conference/leave", { command_uid: "out" });
    await at.stage.done(room_id, "room/play", { command_uid: "last", urls: at.story.long() });
    const { status } = await at.stage.app("DELETE", `/conferences/${room_id}`);
    expect(status).toBe(204);
    // They have their calls for themselves again.
    await at.stage.taken(ann.session_uuid, "playback/silence", { command_uid: "quiet", duration_ms: 60 });
    await at.stage.receiver.event("playback.stopped", ann.session_uuid);
    for (const party of parties) await at.story.end(party);
    const name = (who: string) =>
      `session_uuid=${who} room_id=room caller_id=49${["ann", "bob", "eve"].indexOf(who) + 1}`;
    const joined = (who: string, muted: boolean) => [
      `conference.member.joined ${name(who)} muted=${muted}`,
      done("conference/join", "in"),
    ];
    expect(await at.story.told(ann.session_uuid)).toEqual([
      calling(1),
      ...answering,
      ...joined("ann", false),
      `conference.member.left ${name("ann")} reason=removed`,
      "playback.started command_uid=quiet urls=",
      done("playback/silence", "quiet"),
      "playback.stopped command_uid=quiet urls= offset_ms=60 reason=completed",
      ...byApp,
    ]);
    expect(await at.story.told(bob.session_uuid)).toEqual([
      calling(2),
      ...answering,
      ...joined("bob", false),
      `conference.member.muted ${name("bob")}`,
      done("conference/mute", "hush"),
      `conference.member.left ${name("bob")} reason=left`,
      done("conference/leave", "out"),
      ...byApp,
    ]);
    expect(await at.story.told(eve.session_uuid)).toEqual([
      calling(3),
      ...answering,
      ...joined("eve", true),
      `conference.member.unmuted ${name("eve")}`,
      done("conference/unmute", "speak"),
      `conference.member.left ${name("eve")} reason=removed`,
      ...byApp,
    ]);
    const called = `room_id=room name=story-${ann.session_uuid.slice(-12)}`;
    const playing = (uid: string, urls: string) => [
      `conference.play.started command_uid=${uid} urls=${urls}`,
      done("room/play", uid),
    ];
    expect(await at.story.told(room_id, "conference.destroyed")).toEqual([
      `conference.created ${called}`,
      ...playing("music", "/tone/300.wav"),
      done("room/volume", "low"),
      done("room/pause", "hold"),
      done("room/pause", "on"),
      "conference.play.stopped command_uid=music urls=/tone/300.wav reason=stopped",
      done("room/stop", "enough"),
      failed("room/stop", "late", "No active playback"),
      ...playing("last", "/tone/60000.wav"),
      "conference.play.stopped command_uid=last urls=/tone/60000.wav reason=destroyed",
      `conference.destroyed ${called}`,
    ]);
  });
});
