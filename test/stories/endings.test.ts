/** How a call ends, on each kind of media server: in each of its states the app is told the same. */
import { expect, test } from "@jest/globals";
import { beginning, byCaller, done, hangup, started, stopped } from "./lines";
import { storySuite } from "./suite";
import { calling } from "./telling";

storySuite((at) => {
  test("a caller who cancels: ringing, and while he hears something before the answer", async () => {
    const cancelled = hangup("ORIGINATOR_CANCEL", 16, "caller", "487");
    const ringing = await at.story.ringing();
    await ringing.caller.hangUp();
    expect(await at.story.told(ringing.session_uuid)).toEqual([calling(), cancelled]);
    const early = await at.story.ringing();
    await at.stage.done(early.session_uuid, "playback/start", { command_uid: "hello", urls: at.story.long() });
    expect((await at.stage.session(early.session_uuid)).body).toMatchObject({ state: "early" });
    await early.caller.hangUp();
    expect(await at.story.told(early.session_uuid)).toEqual([
      calling(2),
      ...started("hello", "/tone/60000.wav"),
      stopped("hello", "/tone/60000.wav", "hangup"),
      cancelled,
    ]);
  });

  test("a call that the app refuses before the answer", async () => {
    const { session_uuid } = await at.story.ringing();
    await at.stage.taken(session_uuid, "hangup", { command_uid: "bye", cause: "USER_BUSY" });
    expect(await at.story.told(session_uuid)).toEqual([
      calling(),
      done("hangup", "bye"),
      hangup("USER_BUSY", 17, "app", "486"),
    ]);
  });

  type Act = (session_uuid: string) => Promise<unknown>;
  const playing: Act = (id) => at.stage.done(id, "playback/start", { command_uid: "hello", urls: at.story.long() });
  const collecting: Act = (id) =>
    at.stage.done(id, "play_and_get_digits", { command_uid: "pin", prompt_files: at.story.long(), max_digits: 4 });
  const inRoom: Act = async (id) => {
    const room_id = await at.story.room(`room-${id.slice(-12)}`);
    return at.stage.done(id, "conference/join", { command_uid: "in", room_id });
  };
  const recorded: Act = (id) => at.stage.done(id, "record/start", { command_uid: "tape" });
  const member = "session_uuid=caller room_id=room caller_id=491";
  const joining = [`conference.member.joined ${member} muted=false`, done("conference/join", "in")];
  const taping = done("record/start", "tape");
  const taped = "recording.completed command_uid=tape recording_url=there";
  const hello = started("hello", "/tone/60000.wav");
  const interrupted = stopped("hello", "/tone/60000.wav", "hangup");
  const gone = `conference.member.left ${member} reason=hangup`;
  test.each<[string, Act[], string[]]>([
    ["answered", [], []],
    ["playing", [playing], [...hello, interrupted]],
    [
      "collecting",
      [collecting],
      [done("play_and_get_digits", "pin"), "digits.collected command_uid=pin digits= status=unknown"],
    ],
    ["in a room", [inRoom], [...joining, gone]],
    ["playing in a room", [inRoom, playing], [...joining, ...hello, interrupted, gone]],
    ["recorded", [recorded], [taping]],
    ["recorded and playing in a room", [recorded, inRoom, playing], [taping, ...joining, ...hello, interrupted, gone]],
  ])("a caller who hangs up: %s", async (__, acts, told) => {
    const { session_uuid, caller } = await at.story.talking();
    for (const act of acts) await act(session_uuid);
    await caller.hangUp();
    const untilEnd = await at.story.told(session_uuid);
    expect(untilEnd.filter((line) => line !== taped)).toEqual([...beginning, ...told, byCaller]);
    if (!acts.includes(recorded)) return;
    // The media server may have finished the file before the gateway hears of the end: then it is told before it.
    const untilTape = await at.story.told(session_uuid, "recording.completed");
    expect(untilTape.at(-1)).toBe(taped);
  });

  test("a call that is handed back to the dialplan, and goes on there", async () => {
    const { session_uuid, caller } = await at.story.talking();
    await playing(session_uuid);
    await at.stage.taken(session_uuid, "disconnect", { command_uid: "go" });
    if (at.place.dialplan) {
      const { status, body } = await at.stage.command(session_uuid, "playback/stop");
      expect([status, body?.error]).toEqual([409, "Session was handed back"]);
      await caller.hangUp();
    } else await caller.hungUp();
    expect(await at.story.told(session_uuid)).toEqual([
      ...beginning,
      ...hello,
      stopped("hello", "/tone/60000.wav", "stopped"),
      done("disconnect", "go"),
      at.place.dialplan ? byCaller : hangup("NORMAL_CLEARING", 16, "media_server"),
    ]);
  });
});
