/** A media server that another gateway takes over: what ended meanwhile, and who may not touch it before and after. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Refused } from "../../src/engines/engine";
import { Exchange } from "../engine/exchange";
import { away } from "../errors/failing";
import { answered, closeInstances, type Instance, instance, said, taken } from "./instances";

let exchange: Exchange;
let first: Instance;
beforeEach(async () => {
  exchange = new Exchange();
  first = await instance(exchange);
});
afterEach(closeInstances);

const silence = { duration_ms: 60_000 };
const unreachable = new Refused("unreachable");

describe("a call that came to its end meanwhile", () => {
  test("ends with its media server lost, once, after all that ends with it; and its room is lost with it", async () => {
    const room_id = await first.here.room("standup");
    const session_uuid = await answered(exchange, first);
    await first.here.command("joinRoom", session_uuid, { room_id, muted: false });
    await first.here.event(session_uuid, "conference.member.joined");
    await first.here.command("playSilence", session_uuid, silence);
    await first.here.event(session_uuid, "playback.started");
    const { operation_id } = await first.here.admit("startPlayback", session_uuid);
    const second = await instance(exchange, first);
    await first.engine.close();
    exchange.hangUp(session_uuid);
    exchange.closeRoom(room_id);
    await first.here.sessions.close();
    await taken(second);
    await second.here.event(session_uuid, "call.hangup");
    await second.here.event(room_id, "conference.destroyed");
    expect((await said(second, session_uuid)).slice(4)).toEqual([
      ...["playback.stopped hangup", "conference.member.left orphan"],
      ...["playback/start Session ended", "call.hangup MEDIA_SERVER_LOST gateway"],
    ]);
    expect(operation_id).not.toBe("");
    expect((await second.here.names(room_id)).filter((name) => name === "conference.destroyed")).toHaveLength(1);
    expect([second.here.sessions.live, second.here.sessions.rooms]).toEqual([0, 0]);
  });

  test("and one that came while nobody read is offered by whoever reads then", async () => {
    const second = await instance(exchange, first);
    await first.engine.close();
    const { session_uuid, verdict } = exchange.ring();
    expect(verdict).toBeNull();
    await first.here.sessions.close();
    await taken(second);
    await second.here.event(session_uuid, "call.new");
    await second.here.command("answer", session_uuid, {});
    await second.here.event(session_uuid, "call.answered");
  });
});

describe("who does not read the media server", () => {
  test("takes no command for it, and opens no room there, from its start on", async () => {
    const session_uuid = await answered(exchange, first);
    const room_id = await first.here.room("standup");
    const second = await instance(exchange, first);
    expect(second.engine.isReading).toBe(false);
    await expect(second.here.command("playSilence", session_uuid, silence)).rejects.toEqual(unreachable);
    await expect(second.here.roomCommand("stopRoom", room_id, {})).rejects.toEqual(unreachable);
    await expect(second.here.sessions.createRoom("a", "other", null)).rejects.toEqual(unreachable);
    expect(second.engine.switchboard.has(session_uuid)).toBe(false);
    expect(await said(first, session_uuid)).toEqual([]);
  });

  test("any more: what it was asked and had not done is refused so, and what it still hears is not told", async () => {
    const session_uuid = await answered(exchange, first);
    const second = await instance(exchange, first);
    let answer: () => void = () => undefined;
    exchange.meet = (what) => (what === "ping" ? new Promise((resolve) => (answer = resolve)) : Promise.resolve());
    const late = first.here.command("stopPlayback", session_uuid, {});
    const waiting = first.here.command("pausePlayback", session_uuid, {});
    while (!exchange.asked.includes("ping")) await delay(5);
    const handler = first.engine.handler(session_uuid);
    await first.here.failing.while({ hold: away }, () => taken(second));
    while (first.engine.isReading) await delay(5);
    exchange.meet = async () => undefined;
    answer();
    await expect(late).rejects.toEqual(unreachable);
    await expect(waiting).rejects.toEqual(unreachable);
    expect(first.here.sessions.counts(exchange.node)).toEqual({ sessions: 0, rooms: 0 });
    handler.onDigit("1", 100);
    handler.onEnd({ by: "caller", cause: "NORMAL_CLEARING", q850: 16, sipStatus: null });
    await second.here.command("hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    await second.here.event(session_uuid, "call.hangup");
    expect(await said(second, session_uuid)).toEqual(["hangup done", "call.hangup NORMAL_CLEARING app"]);
  });

  test("yet: a command that comes before it has taken up the calls is refused so, and done when it comes again", async () => {
    const session_uuid = await answered(exchange, first);
    const second = await instance(exchange, first);
    await second.here.failing.while({ subjectsOf: away }, async () => {
      await first.engine.close();
      await first.here.sessions.close();
      while (!second.engine.isReading) await delay(5);
      await expect(second.engine.synced).rejects.toThrow("the store is away");
      await expect(second.here.command("stopPlayback", session_uuid, {})).rejects.toEqual(unreachable);
    });
    await second.engine.resync();
    await second.here.command("stopPlayback", session_uuid, {});
    expect(await said(second, session_uuid)).toEqual(["playback/stop No active playback"]);
  });
});
