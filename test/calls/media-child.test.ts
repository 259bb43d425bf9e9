/** The process that sends and receives RTP dies, hangs, or loses its parent. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "@jest/globals";
import { adminKey } from "../gateway";
import { opening, type Stage, stages } from "./stage";

const open = stages();
/** What is left of a test that failed. */
const remains: (() => void)[] = [];
afterEach(() => {
  for (const end of remains.splice(0)) end();
});

function mediaPid(stage: Stage): number {
  const pid = stage.gateway.gateway.embedded?.mediaPid;
  if (!pid) throw new Error("there is no media process");
  return pid;
}

describe("killed during a call", () => {
  test("the call ends, the caller hears of it, and the next one is served by another", async () => {
    const stage = await open();
    const pid = mediaPid(stage);
    stage.expected.push("media child lost");
    const { phone, session_uuid } = await stage.talking();
    await stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: [stage.files.tone(20_000)] });
    process.kill(pid, "SIGKILL");
    expect((await phone.received("BYE ")).text).toContain("\r\nReason: Q.850;cause=41;");
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "playback.started hello",
      "command.result playback/start hello done",
      "playback.stopped hello hangup",
      "call.hangup MEDIA_SERVER_LOST by gateway",
    ]);

    while (!JSON.stringify((await stage.admin("GET", "/health")).body).includes('"connected":true'));
    expect(mediaPid(stage)).not.toBe(pid);
    const next = await stage.answered([{ do: "wait_for", event: "playback.stopped" }, { do: "hangup" }]);
    await stage.taken(next, "playback/start", { command_uid: "hello", urls: [stage.files.tone(40)] });
    expect((await stage.story(next)).slice(-2)).toEqual([
      "playback.stopped hello completed",
      "call.hangup NORMAL_CLEARING by caller",
    ]);
  });

  test("a ringing call is refused, and its pending command has its result", async () => {
    const stage = await open();
    const pid = mediaPid(stage);
    stage.expected.push("media child lost");
    const session_uuid = await stage.sandbox();
    const urls = [stage.files.tone(100, "never-sent")];
    const { release } = stage.files.hold(urls[0] ?? "");
    await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls });
    process.kill(pid, "SIGKILL");
    expect(await stage.story(session_uuid)).toEqual([
      "call.new",
      "command.result playback/start hello failed: Session ended",
      "call.hangup MEDIA_SERVER_LOST 503 by gateway",
    ]);
    release();
  });
});

describe("stopped", () => {
  test("a command is answered 504, has no result, is known, and works once the process goes on", async () => {
    const stage = await open({ env: { COMMAND_TIMEOUT_MS: "300" } });
    const pid = mediaPid(stage);
    const session_uuid = await stage.sandbox();
    await stage.receiver.event("call.new", session_uuid);
    process.kill(pid, "SIGSTOP");
    try {
      const late = { status: 504, body: { error: "Media server timed out" } };
      const answer = () => stage.command(session_uuid, "answer", { command_uid: "take" }, true);
      const first = await answer();
      expect(first).toMatchObject(late);
      expect(first.headers["idempotent-replayed"]).toBeUndefined();
      const again = await answer();
      expect(again).toMatchObject(late);
      expect(again.headers["idempotent-replayed"]).toBe("true");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await stage.done(session_uuid, "answer", { command_uid: "retake" });
    await stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: [stage.files.tone(40)] });
    await stage.receiver.event("playback.stopped", session_uuid);
    await stage.taken(session_uuid, "hangup", { command_uid: "bye" });
    expect(await stage.story(session_uuid)).toEqual([
      "call.new",
      "call.answered retake",
      "command.result answer retake done",
      "playback.started hello",
      "command.result playback/start hello done",
      "playback.stopped hello completed",
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
    ]);
  });
});

describe("orphaned", () => {
  test("it ends when its gateway is killed", async () => {
    const env = { PATH: process.env.PATH, PORT: "0", SIP_PORT: "0", ADMIN_API_KEY: adminKey };
    const program = path.join(__dirname, "../../src/cli/voicegate.js");
    const gateway = spawn(process.execPath, [program, "serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
    const exited = once(gateway, "exit");
    let child = 0;
    remains.push(() => {
      gateway.stderr.destroy();
      gateway.kill("SIGKILL");
      if (child !== 0 && isAlive(child)) process.kill(child, "SIGKILL");
    });
    for await (const line of createInterface(gateway.stdout)) {
      const { msg, pid } = JSON.parse(line);
      if (msg === "media child is up") child = pid;
      if (msg === "ready") break;
    }
    expect(isAlive(child)).toBe(true);
    // The media process holds the same stderr, which ends with the last of the two.
    const over = once(gateway.stderr.resume(), "close");
    gateway.kill("SIGKILL");
    expect(await exited).toEqual([null, "SIGKILL"]);
    await over;
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
