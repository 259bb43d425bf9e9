/** What a phone sees and hears of the embedded engine. */
import { afterEach, describe, expect, test } from "@jest/globals";
import type { EmbeddedOptions } from "../../src/engines/embedded/embedded";
import type { Verdict } from "../../src/engines/engine";
import { levelAt, samples } from "../media-child/peer";
import { sdp } from "../sip/phone";
import { type EmbeddedPlace, openEmbedded, sipOptions } from "./place";
import { SipCaller } from "./sip-caller";
import { play, run } from "./suite";

/** The tones of the files: 8000 of 32768. */
const toneLevel = -12.2;

describe("a phone", () => {
  let place: EmbeddedPlace;
  const callers: SipCaller[] = [];
  const open = async (options: Partial<EmbeddedOptions> = {}) => {
    place = await openEmbedded({ sip: sipOptions, ...options });
  };
  const phone = async (): Promise<SipCaller> => {
    const caller = await SipCaller.at(place.engine.sipPort, place.recorder);
    callers.push(caller);
    return caller;
  };
  afterEach(async () => {
    await place.close();
    for (const caller of callers.splice(0)) await caller.close();
  });

  test.each([
    ["no_app", 404, "Q.850;cause=1", ""],
    ["overloaded", 503, "Q.850;cause=42", "10"],
    ["unavailable", 503, "Q.850;cause=41", "10"],
  ] as const)("whose call is not taken (%s) gets a %d", async (verdict, status, reason, retryAfter) => {
    await open();
    place.recorder.verdict = () => verdict;
    const caller = await phone();
    caller.phone.invite();
    const refusal = await caller.phone.response(status);
    caller.phone.ackRefusal(refusal);
    expect(refusal.get("reason")).toContain(reason);
    expect(refusal.get("retry-after")).toBe(retryAfter);
    expect(place.recorder.events).toEqual([]);
  });

  test("gets a 503 when the gateway cannot be asked", async () => {
    await open();
    place.recorder.verdict = () => Promise.reject(new Error("the store is away"));
    const caller = await phone();
    caller.phone.invite();
    caller.phone.ackRefusal(await caller.phone.response(503));
    expect(place.recorder.events).toEqual([]);
  });

  test("finds no room while 1000 calls are being offered, simulated callers included", async () => {
    await open();
    const simulated = { did: "1000", caller_id: "sandbox", script: [] };
    const decide: ((verdict: Verdict) => void)[] = [];
    place.recorder.verdict = () => new Promise((resolve) => decide.push(resolve));
    const waiting = Array.from({ length: 1000 }, () => place.engine.call(simulated));
    await place.recorder.offered(1000);
    const caller = await phone();
    caller.phone.invite();
    const refusal = await caller.phone.response(503);
    caller.phone.ackRefusal(refusal);
    expect(refusal.get("retry-after")).toBe("10");
    expect(await place.engine.call(simulated)).toBe("overloaded");
    for (const answer of decide) answer("no_app");
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["no_app"]));
    place.recorder.verdict = () => "accepted";
    await caller.ring();
    expect(place.recorder.offers).toHaveLength(1001);
  });

  test("that cancels while it is offered: the end is told once the call was taken, and only then", async () => {
    await open();
    const decide: ((verdict: Verdict) => void)[] = [];
    place.recorder.verdict = () => new Promise((resolve) => decide.push(resolve));
    for (const verdict of ["accepted", "no_app"] as const) {
      const caller = await phone();
      caller.phone.invite();
      const { session_uuid } = await place.recorder.offered(place.recorder.offers.length + 1);
      await caller.phone.response(100);
      caller.phone.cancel();
      await caller.phone.response(200, "CANCEL");
      caller.phone.ackRefusal(await caller.phone.response(487));
      expect(place.recorder.of(session_uuid)).toEqual([]);
      decide.pop()?.(verdict);
      if (verdict === "accepted") await place.recorder.event(session_uuid, "hangup");
      await caller.phone.fence();
      const end = { type: "hangup", by: "caller", cause: "ORIGINATOR_CANCEL", sip_status: 487 };
      expect(place.recorder.of(session_uuid)).toMatchObject(verdict === "accepted" ? [end] : []);
    }
  });

  test("hears early media by a 183, and goes on hearing it after the answer", async () => {
    await open();
    const caller = await phone();
    const session_uuid = await caller.ring();
    await play(place, session_uuid, place.files.tone(1500));
    await caller.phone.response(183);
    await place.recorder.event(session_uuid, "playback.started");
    const early = samples(await caller.peer.listen(20)).slice(-1600);
    await run(place, "answer", session_uuid, {});
    await caller.reached;
    const after = samples(await caller.peer.listen(10));
    for (const pcm of [early, after]) expect(levelAt(pcm, 440)).toBeCloseTo(toneLevel, 0);
    expect(caller.phone.heard()).toEqual(["100 INVITE", "180 INVITE", "183 INVITE", "200 INVITE"]);
  });

  test("that sends no offer gets ours, and hears what is played after its answer", async () => {
    await open();
    const caller = await phone();
    caller.phone.send("INVITE");
    const { session_uuid } = await place.recorder.offered();
    await caller.phone.response(180);
    await run(place, "answer", session_uuid, {});
    const ok = await caller.phone.response(200);
    expect(ok.body).toContain("m=audio");
    await play(place, session_uuid, place.files.tone(1000));
    caller.phone.ack({ body: sdp([], "0").replace("m=audio 40000", `m=audio ${caller.peer.port}`) });
    await place.recorder.event(session_uuid, "playback.started");
    expect(levelAt(samples(await caller.peer.listen(20)).slice(-1600), 440)).toBeCloseTo(toneLevel, 0);
  });

  test("hears a list without a pause between the files", async () => {
    await open();
    const caller = await phone();
    const session_uuid = await caller.ring();
    await run(place, "answer", session_uuid, {});
    const urls = Array.from({ length: 8 }, (_, i) => place.files.tone(100, `part-${i}`));
    await play(place, session_uuid, ...urls);
    await place.recorder.event(session_uuid, "playback.stopped");
    const pcm = samples(caller.peer.heard);
    const sounding = Array.from(
      { length: pcm.length / 160 },
      (_, i) => levelAt(pcm.slice(i * 160, i * 160 + 160), 440) > -20,
    );
    const stretch = sounding.slice(sounding.indexOf(true), sounding.lastIndexOf(true) + 1);
    expect(stretch.filter(Boolean).length).toBeGreaterThanOrEqual(38);
    const gaps = stretch
      .map((sounds) => (sounds ? " " : "-"))
      .join("")
      .split(" ")
      .map(({ length }) => length * 20);
    expect(Math.max(...gaps)).toBeLessThan(300);
  });

  test("that sends each key both ways presses it once", async () => {
    await open();
    const caller = await phone();
    const session_uuid = await caller.ring();
    await run(place, "answer", session_uuid, {});
    await caller.reached;
    const info = (key: string) => {
      caller.phone.send("INFO", { type: "application/dtmf-relay", body: `Signal=${key}\r\nDuration=100\r\n` });
      return caller.phone.response(200, "INFO");
    };
    let nth = 0;
    for (const key of "55#") {
      await caller.peer.press(key);
      await place.recorder.event(session_uuid, "dtmf", ++nth);
      await info(key);
    }
    await info("1");
    await caller.peer.press("1");
    await info("2");
    await place.recorder.event(session_uuid, "dtmf", 5);
    const keys = place.recorder.of(session_uuid).map((event) => (event.type === "dtmf" ? event.digit : ""));
    expect(keys.join("")).toBe("55#12");
  });

  test("that vanishes is hung up after the RTP time-out; not before the answer, and not on hold", async () => {
    await open({ rtp: { portMin: 20_000, portMax: 32_000, timeoutMs: 200 } });
    const early = await phone();
    const ringing = await early.ring();
    await play(place, ringing, place.files.tone(700));
    const caller = await phone();
    const session_uuid = await caller.ring();
    await run(place, "answer", session_uuid, {});
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({
      by: "media_server",
      cause: "MEDIA_TIMEOUT",
      sip_status: null,
    });
    await caller.settled();
    const held = await phone();
    held.direction = "sendonly";
    const waiting = await held.ring();
    await run(place, "answer", waiting, {});
    await play(place, waiting, place.files.tone(700));
    for (const id of [ringing, waiting])
      expect(await place.recorder.event(id, "playback.stopped")).toMatchObject({ reason: "completed" });
  });
});
