/** A gateway that goes down: what still works until its calls have ended, what is refused then, and how the rest ends. */
import { describe, expect, test } from "@jest/globals";
import { Reader } from "../api/reader";
import { readWav } from "../media-child/wav";
import { Caller } from "./caller";
import { opening, stages } from "./stage";
import { told } from "./story";

const open = stages();

describe("while it drains", () => {
  test("calls that are there have everything, new ones are refused, and the last call ends it", async () => {
    const stage = await open({ recordings: true, env: { SHUTDOWN_TIMEOUT_MS: "60000" } });
    const reader = await Reader.open(stage.gateway.url, "/api/v1/events", stage.gateway.app);
    const ringing = await stage.sandbox();
    const caller = await Caller.ring(stage);
    const closed = stage.gateway.gateway.shutdown();

    expect(await stage.admin("GET", "/health")).toMatchObject({ status: 503, body: { error: "Server is draining" } });
    expect((await stage.admin("GET", "/live")).status).toBe(200);
    expect(await stage.admin("POST", "/admin/sandbox/calls", { did: "100", script: [] })).toMatchObject({
      status: 503,
      body: { error: "Media server unavailable" },
    });
    const nodes = await stage.admin("GET", "/admin/nodes");
    expect(nodes.body).toMatchObject({ nodes: [{ engine: "embedded", connected: true, sessions: 2, rooms: 0 }] });

    for (const uuid of [ringing, caller.session_uuid]) await stage.done(uuid, "answer", { command_uid: "take" });
    await caller.talk();
    const room_id = await stage.room("last-orders");
    await stage.done(ringing, "record/start", { command_uid: "tape" });
    for (const uuid of [ringing, caller.session_uuid]) await stage.join(uuid, room_id, "in");
    await stage.done(room_id, "room/play", { command_uid: "tune", urls: [stage.files.tone(40)] });
    await stage.receiver.event("conference.play.stopped", room_id);
    await stage.gateway.putApp("late", { dids: ["700"] });
    await caller.hangUp();
    const hungUp = await stage.receiver.event("call.hangup", caller.session_uuid);
    const listed = await stage.app("GET", `/sessions/${caller.session_uuid}/events?after=${hungUp.sequence - 1}`);
    expect(Object(listed.body).events).toHaveLength(1);
    // Not yet: one call is left.
    expect((await stage.session(ringing)).body).toMatchObject({ state: "answered", room_id });
    await stage.taken(ringing, "hangup", { command_uid: "bye" });

    await closed;
    expect(await reader.ended).toBe(true);
    expect(reader.text).toContain("event: conference.destroyed\n");
    const { data } = await stage.receiver.event("recording.completed", ringing);
    expect(readWav(`${stage.gateway.recordings}/test/${data.recording_id}.wav`).beyond).toBe(0);
    const joined = [
      "conference.member.joined",
      "command.result conference/join in done",
      "conference.member.left hangup",
    ];
    expect(told(stage.receiver.of(ringing))).toEqual([
      ...opening,
      "command.result record/start tape done",
      ...joined,
      "command.result hangup bye done",
      "call.hangup NORMAL_CLEARING by app",
      "recording.completed tape",
    ]);
    expect(await stage.story(caller.session_uuid)).toEqual([
      ...opening,
      ...joined,
      "call.hangup NORMAL_CLEARING by caller",
    ]);
    expect(await stage.story(room_id)).toEqual([
      "conference.created last-orders",
      "conference.play.started tune",
      "command.result room/play tune done",
      "conference.play.stopped tune completed",
      "conference.destroyed last-orders",
    ]);
    await caller.close();
    await expect(stage.admin("GET", "/live")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("when its time is over", () => {
  test("every request is refused while what is left ends and is told of", async () => {
    const stage = await open({ env: { SHUTDOWN_TIMEOUT_MS: "100" } });
    const session_uuid = await stage.answered();
    const room_id = await stage.room("unfinished");
    await stage.join(session_uuid, room_id, "in");
    await stage.done(room_id, "room/play", { command_uid: "tune", urls: [stage.files.tone(60_000)] });
    // The gateway waits for what is on its way to a receiver.
    let release: (status: number) => void = () => undefined;
    const held = new Promise<number>((resolve) => {
      release = resolve;
    });
    stage.receiver.answer = ({ event }) => (event === "call.hangup" ? held : 204);
    const closed = stage.gateway.gateway.shutdown();
    await stage.receiver.until(() => stage.receiver.attempts.find(({ event }) => event === "call.hangup"));
    const over = { status: 503, body: { error: "Server is shutting down" } };
    const requests = [
      () => stage.session(session_uuid),
      () => stage.command(session_uuid, "hangup"),
      () => stage.command(room_id, "room/stop"),
      () => stage.app("POST", "/conferences", { name: "new" }),
      () => stage.admin("GET", "/admin/nodes"),
      () => stage.admin("POST", "/admin/sandbox/calls", { did: "100", script: [] }),
      () => stage.admin("GET", "/nowhere"),
    ];
    for (const request of requests) {
      const answer = await request();
      expect(answer).toMatchObject(over);
      expect(answer.headers["retry-after"]).toMatch(/^[1-9]\d*$/);
    }
    expect((await stage.admin("GET", "/live")).status).toBe(200);
    expect((await stage.admin("GET", "/metrics")).status).toBe(200);
    expect((await stage.admin("GET", "/health")).status).toBe(503);
    release(204);
    await closed;
    expect(await stage.story(session_uuid)).toEqual([
      ...opening,
      "conference.member.joined",
      "command.result conference/join in done",
      "conference.member.left hangup",
      "call.hangup SERVER_SHUTDOWN by gateway",
    ]);
    expect(await stage.story(room_id)).toEqual([
      "conference.created unfinished",
      "conference.play.started tune",
      "command.result room/play tune done",
      "conference.play.stopped tune destroyed",
      "conference.destroyed unfinished",
    ]);
  });
});
