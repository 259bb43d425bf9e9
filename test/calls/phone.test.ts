/** Whole calls with a phone that nobody here wrote. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { tones } from "./hearing";
import { opening, Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe.each([
  ["UDP", ""],
  ["TCP", ";transport=tcp"],
])("a call over SIP/%s", (transport, parameters) => {
  test("rings, is answered, hears a tone, keys digits and is hung up", async () => {
    const { phone, session_uuid } = await stage.ringing(parameters);
    const { data } = await stage.receiver.event("call.new", session_uuid);
    expect(data).toEqual({ caller_id: phone.name, did: "100", direction: "inbound" });
    expect((await phone.received("SIP/2.0 180")).transport).toBe(transport);
    await stage.done(session_uuid, "answer", { command_uid: "take" });
    await phone.event("CALL_ESTABLISHED");
    await stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: [stage.files.tone(1000)] });
    const stopped = await stage.receiver.event("playback.stopped", session_uuid);
    expect(stopped.data).toMatchObject({ reason: "completed", offset_ms: 1000 });
    await stage.done(session_uuid, "play_and_get_digits", {
      command_uid: "pin",
      prompt_files: [stage.files.tone(100)],
      min_digits: 4,
      max_digits: 4,
    });
    await phone.press("12A*");
    await stage.receiver.event("digits.collected", session_uuid);
    await stage.taken(session_uuid, "hangup", { command_uid: "bye", cause: "USER_BUSY" });
    await phone.event("CALL_CLOSED");
    const bye = await phone.received("BYE ");
    expect(bye.transport).toBe(transport);
    expect(bye.text).toContain('\r\nReason: Q.850;cause=17;text="USER_BUSY"\r\n');

    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "playback.started hello",
      "command.result playback/start hello done",
      "playback.stopped hello completed",
      "command.result play_and_get_digits pin done",
      "dtmf 1",
      "dtmf 2",
      "dtmf A",
      "dtmf *",
      "digits.collected pin 12A* success",
      "command.result hangup bye done",
      "call.hangup USER_BUSY by app",
    ]);
    const keyed = stage.receiver.of(session_uuid).filter(({ event }) => event === "dtmf");
    for (const { data } of keyed) expect(data).toMatchObject({ duration_ms: expect.any(Number) });

    const [tone] = tones(await phone.heard());
    expect(tone?.hz).toBeCloseTo(440, 0);
    // 8000 at the web server, through G.711 and back: within 1 %.
    expect(tone?.amplitude).toBeGreaterThan(7920);
    expect(tone?.amplitude).toBeLessThan(8080);
    expect(tone?.purity).toBeGreaterThan(0.99);
    expect(tone?.samples).toBeGreaterThan(7900);
  });
});
