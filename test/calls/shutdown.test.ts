/** A gateway goes down while somebody is on the line. */
import { describe, expect, test } from "@jest/globals";
import { opening, stages } from "./stage";

const open = stages();

describe("there is time for the call to end", () => {
  test("everything but new calls works until then", async () => {
    const stage = await open({ env: { SHUTDOWN_TIMEOUT_MS: "60000" } });
    const { phone, session_uuid } = await stage.talking();
    const closed = stage.gateway.gateway.shutdown();
    expect(await stage.admin("GET", "/health")).toMatchObject({ status: 503, body: { error: "Server is draining" } });
    expect((await stage.admin("GET", "/live")).status).toBe(200);
    const placed = await stage.admin("POST", "/admin/sandbox/calls", { did: "100", script: [] });
    expect(placed).toMatchObject({ status: 503, body: { error: "Media server unavailable" } });
    const late = await stage.dialled();
    expect((await late.event("CALL_CLOSED")).param).toMatch(/^503 /);
    expect((await late.received("SIP/2.0 503 ")).text).toMatch(/\r\nRetry-After: [1-9]\d*\r\n/);

    await stage.done(session_uuid, "playback/start", { command_uid: "sorry", urls: [stage.files.tone(60)] });
    await stage.receiver.event("playback.stopped", session_uuid);
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    await closed;
    await phone.event("CALL_CLOSED");
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "playback.started sorry",
      "command.result playback/start sorry done",
      "playback.stopped sorry completed",
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
    ]);
    await expect(stage.admin("GET", "/live")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("there is none", () => {
  test("the caller gets a BYE, the app the end of the call", async () => {
    const stage = await open({ env: { SHUTDOWN_TIMEOUT_MS: "0" } });
    const { phone, session_uuid } = await stage.talking();
    const ringing = await stage.sandbox();
    const urls = [stage.files.tone(100, "never-sent")];
    const { release } = stage.files.hold(urls[0] ?? "");
    await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls });
    await stage.gateway.gateway.shutdown();
    expect((await phone.received("BYE ")).text).toContain('text="SERVER_SHUTDOWN"');
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "command.result playback/start hello failed: Session ended",
      "call.hangup SERVER_SHUTDOWN by gateway",
    ]);
    expect(await stage.story(ringing)).toEqual(["call.new", "call.hangup SERVER_SHUTDOWN 503 by gateway"]);
    release();
    // A second time it is the same end.
    await stage.gateway.gateway.shutdown();
  });
});
