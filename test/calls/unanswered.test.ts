/** Calls that end before, or without, a word between the two: refused, cancelled, vanished. The caller is baresip. */
import { describe, expect, test } from "@jest/globals";
import { opening, stages } from "./stage";

const open = stages();

describe("an app that does not want the call", () => {
  test.each([
    ["USER_BUSY", 486, 17],
    ["CALL_REJECTED", 603, 21],
    ["NORMAL_CLEARING", 480, 16],
  ] as const)("%s: the caller sees %d", async (cause, status, q850) => {
    const stage = await open();
    const { phone, session_uuid } = await stage.ringing();
    await stage.taken(session_uuid, "hangup", { command_uid: "no", cause });
    expect((await phone.event("CALL_CLOSED")).param).toMatch(new RegExp(`^${status} `));
    const { text } = await phone.received(`SIP/2.0 ${status} `);
    expect(text).toContain(`\r\nReason: Q.850;cause=${q850};text="${cause}"\r\n`);
    expect(await stage.story(session_uuid)).toEqual([
      "call.new",
      "command.result hangup no done",
      `call.hangup ${cause} ${status} by app`,
    ]);
  });
});

describe("a caller who does not wait", () => {
  test("cancels while it rings", async () => {
    const stage = await open();
    const { phone, session_uuid } = await stage.ringing();
    await phone.hangUp();
    await phone.received("SIP/2.0 487 ");
    expect(await stage.story(session_uuid)).toEqual(["call.new", "call.hangup ORIGINATOR_CANCEL 487 by caller"]);
    expect((await stage.command(session_uuid, "answer")).status).toBe(404);
  });

  test("hangs up after the answer", async () => {
    const stage = await open();
    const { phone, session_uuid } = await stage.talking();
    await phone.hangUp();
    expect(await stage.story(session_uuid)).toEqual([...opening, "call.hangup NORMAL_CLEARING by caller"]);
  });

  test("vanishes without a word", async () => {
    const stage = await open({ env: { RTP_TIMEOUT_SECONDS: "1" } });
    const { phone, session_uuid } = await stage.talking();
    await phone.vanish();
    expect(await stage.story(session_uuid)).toEqual([...opening, "call.hangup MEDIA_TIMEOUT by media_server"]);
  });
});

describe("a gateway that does not take the call", () => {
  test("nobody has the number: 404", async () => {
    const stage = await open({ app: { dids: ["200", "3*"] } });
    const phone = await stage.dialled("999");
    expect((await phone.event("CALL_CLOSED")).param).toMatch(/^404 /);
    expect((await phone.received("SIP/2.0 404 ")).text).toContain("\r\nReason: Q.850;cause=1;");
    expect((await stage.admin("POST", "/admin/sandbox/calls", { did: "999", script: [] })).status).toBe(409);
    expect(stage.receiver.events).toEqual([]);
  });

  test("no room is left: 503 with Retry-After, and room again once a call has ended", async () => {
    const stage = await open({ env: { MAX_SESSIONS: "1" } });
    const first = await stage.sandbox();
    const phone = await stage.dialled();
    expect((await phone.event("CALL_CLOSED")).param).toMatch(/^503 /);
    expect((await phone.received("SIP/2.0 503 ")).text).toMatch(/\r\nRetry-After: [1-9]\d*\r\n/);
    const refused = await stage.admin("POST", "/admin/sandbox/calls", { did: "100", script: [] });
    expect(refused).toMatchObject({ status: 503, body: { error: "Server is overloaded" } });
    await stage.taken(first, "hangup", { command_uid: "go" });
    await stage.story(first);
    const second = await stage.sandbox([{ do: "hangup" }]);
    expect(await stage.story(second)).toEqual(["call.new", "call.hangup ORIGINATOR_CANCEL 487 by caller"]);
    expect(stage.receiver.events.filter(({ event }) => event === "call.new")).toHaveLength(2);
  });
});
