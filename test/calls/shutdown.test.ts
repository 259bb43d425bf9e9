/** A gateway goes down while somebody is on the line. */
import { afterEach, describe, expect, test } from "@jest/globals";
import type { TestOptions } from "../gateway";
import { Baresip } from "./baresip";
import { opening, Stage } from "./stage";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function place(options: TestOptions): Promise<{ stage: Stage; phone: Baresip; session_uuid: string }> {
  const [stage, phone] = await Promise.all([Stage.open(options), Baresip.start()]);
  open.push(phone, stage);
  await phone.dial(stage.address("100"));
  const { session_uuid } = await stage.receiver.event("call.new");
  await stage.done(session_uuid, "answer", { command_uid: "take" });
  await phone.event("CALL_ESTABLISHED");
  return { stage, phone, session_uuid };
}

describe("there is time for the call to end", () => {
  test("everything but new calls works until then", async () => {
    const { stage, phone, session_uuid } = await place({ env: { SHUTDOWN_TIMEOUT_MS: "60000" } });
    const closed = stage.gateway.gateway.shutdown();
    expect(await stage.admin("GET", "/health")).toMatchObject({ status: 503, body: { error: "Server is draining" } });
    expect((await stage.admin("GET", "/live")).status).toBe(200);
    const placed = await stage.admin("POST", "/admin/sandbox/calls", { did: "100", script: [] });
    expect(placed).toMatchObject({ status: 503, body: { error: "Media server unavailable" } });
    const late = await Baresip.start("bob");
    open.push(late);
    await late.dial(stage.address("100"));
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
    const { stage, phone, session_uuid } = await place({ env: { SHUTDOWN_TIMEOUT_MS: "0" } });
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
