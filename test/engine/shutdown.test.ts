/** How the engine starts, drains and ends, and what its callers see of it. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { EmbeddedEngine } from "../../src/engines/embedded/embedded";
import type { Verdict } from "../../src/engines/engine";
import { MediaFiles } from "../../src/media/files";
import { readHeard, Shelf } from "./ear";
import { type EmbeddedPlace, embeddedOptions, openEmbedded, silent, sipOptions } from "./place";
import { Recorder } from "./recorder";
import { SipCaller } from "./sip-caller";
import { openRoom, play, run, runRoom } from "./suite";

describe("the embedded engine", () => {
  let place: EmbeddedPlace;
  const callers: SipCaller[] = [];
  const phone = async (): Promise<SipCaller> => {
    const caller = await SipCaller.at(place.engine.sipPort, place.recorder);
    callers.push(caller);
    return caller;
  };
  const simulated = { did: "1000", caller_id: "sandbox", script: [] };
  afterEach(async () => {
    await place.close();
    for (const caller of callers.splice(0)) await caller.close();
  });

  test("draining takes no new calls, and goes on with those it has", async () => {
    place = await openEmbedded({ sip: sipOptions });
    const { engine, recorder, files } = place;
    const caller = await phone();
    const session_uuid = await caller.ring();
    engine.drain();
    const late = await phone();
    late.phone.invite();
    const refusal = await late.phone.response(503);
    late.phone.ackRefusal(refusal);
    expect(Number(refusal.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await engine.call(simulated)).toBe("unavailable");
    expect(recorder.offers).toHaveLength(1);
    await run(place, "answer", session_uuid, {});
    await play(place, session_uuid, files.tone(40));
    expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
    engine.end(session_uuid, "SERVER_SHUTDOWN");
    await caller.settled();
  });

  test("closing ends every call: a BYE, a 503, and one hangup each by the gateway", async () => {
    place = await openEmbedded({ sip: sipOptions });
    const { engine, recorder, files } = place;
    const answered = await phone();
    const ringing = await phone();
    const sessions = [await answered.ring(), await ringing.ring()];
    const called = await engine.call(simulated);
    const [first = "", second = ""] = sessions;
    await run(place, "answer", first, {});
    await answered.reached;
    await play(place, first, files.tone(20_000));
    await recorder.event(first, "playback.started");
    const closed = engine.close();
    expect(engine.close()).toBe(closed);
    await Promise.all([answered.settled(), ringing.settled(), closed]);
    const end = { type: "hangup", by: "gateway", cause: "SERVER_SHUTDOWN" };
    expect(recorder.of(first).at(-1)).toMatchObject({ ...end, sip_status: null });
    expect(recorder.of(second)).toMatchObject([{ ...end, sip_status: 503 }]);
    expect(recorder.of(typeof called === "string" ? called : called.session_uuid)).toMatchObject([end]);
    expect(engine.connected()).toBe(false);
    expect(() => process.kill(engine.mediaPid ?? 0x7fffffff, 0)).toThrow("ESRCH");
  });

  test("closing ends recordings and rooms, and all of that is told before it is over", async () => {
    place = await openEmbedded();
    const { engine, recorder, files } = place;
    const called = await engine.call(simulated);
    const session_uuid = typeof called === "string" ? called : called.session_uuid;
    const shelf = new Shelf();
    await shelf.open();
    const file = shelf.file();
    const room_id = await openRoom(place);
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    await run(place, "startRecording", session_uuid, { file });
    await runRoom(place, "playRoom", room_id, { urls: [files.tone(20_000)], loop: true, volume: 0 });
    await recorder.roomEvent(room_id, "play.started");
    await engine.close();
    expect(recorder.types(session_uuid)).toEqual(["room.joined", "recording.started", "hangup", "recording.stopped"]);
    expect(recorder.of(session_uuid).at(-1)).toMatchObject({ recording_id: file.recording_id, failure: null });
    expect(recorder.ofRoom(room_id).at(-1)).toMatchObject({ type: "play.stopped", reason: "destroyed" });
    await readHeard(file.path);
    await shelf.close();
    await expect(openRoom(place)).rejects.toMatchObject({ refusal: "unreachable" });
  });

  test("closing while a call is being offered: its end is told once it was taken", async () => {
    place = await openEmbedded();
    const { engine, recorder } = place;
    let decide: (verdict: Verdict) => void = () => undefined;
    recorder.verdict = () =>
      new Promise((resolve) => {
        decide = resolve;
      });
    const called = engine.call(simulated);
    const { session_uuid } = await recorder.offered();
    const closed = engine.close();
    // Nobody can await what must not happen.
    expect(await Promise.race([closed, delay(100, "waits")])).toBe("waits");
    expect(recorder.events).toEqual([]);
    decide("accepted");
    await Promise.all([called, closed]);
    expect(recorder.of(session_uuid)).toMatchObject([{ type: "hangup", by: "gateway", cause: "SERVER_SHUTDOWN" }]);
  });

  test("does not start where the port is taken, and leaves no process behind", async () => {
    // Below the ports of RTP and those that the system hands out: nobody else takes it, for TCP either.
    const taken = createSocket("udp4");
    const port = 10_000 + Math.floor(Math.random() * 6_000);
    taken.bind(port, "127.0.0.1");
    await once(taken, "listening");
    const media = new MediaFiles({ allowLocalhost: true, log: silent });
    const engine = new EmbeddedEngine({ ...embeddedOptions, sip: { ...sipOptions, port }, media });
    await expect(engine.start(new Recorder())).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(() => process.kill(engine.mediaPid ?? 0x7fffffff, 0)).toThrow("ESRCH");
    expect(engine.connected()).toBe(false);
    await engine.close();
    await media.close();
    taken.close();
    await once(taken, "close");
    place = await openEmbedded({ sip: { ...sipOptions, port } });
    expect(place.engine.sipPort).toBe(port);
  });

  test("its callers get a BYE or a 503 when the media process dies", async () => {
    place = await openEmbedded({ sip: sipOptions });
    const { engine } = place;
    const answered = await phone();
    const ringing = await phone();
    await run(place, "answer", await answered.ring(), {});
    await answered.reached;
    await ringing.ring();
    process.kill(engine.mediaPid ?? Number.NaN, "SIGKILL");
    await Promise.all([answered.settled(), ringing.settled()]);
    expect(ringing.phone.heard()).toContain("503 INVITE");
    expect(answered.phone.heard()).toContain("BYE");
  });

  test("two of them have two names", async () => {
    place = await openEmbedded();
    const other = await openEmbedded();
    await other.close();
    expect(place.engine.node).not.toBe(other.engine.node);
  });
});
