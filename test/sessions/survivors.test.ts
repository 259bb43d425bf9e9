/** A media server that cannot be heard for a while, by the gateway that has it; and what the store says of its calls. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Exchange } from "../engine/exchange";
import { ExchangeEngine } from "../engine/exchange-engine";
import { away } from "../errors/failing";
import { answered, closeInstances, type Instance, instance, said, taken } from "./instances";
import { Place } from "./place";

let exchange: Exchange;
let only: Instance;
beforeEach(async () => {
  exchange = new Exchange();
  only = await instance(exchange);
});
afterEach(closeInstances);

/** The connection breaks, this happens, and it is there again. */
async function unheard(work: () => Promise<unknown>): Promise<void> {
  only.engine.isConnected = false;
  await work();
  only.engine.isConnected = true;
  await only.engine.resync();
}

describe("a media server that was not heard", () => {
  test("goes on with its calls as they were, and nothing is told twice", async () => {
    const [session_uuid, gone] = [await answered(exchange, only), await answered(exchange, only)];
    for (const call of [session_uuid, gone]) {
      await only.here.command("playSilence", call, { duration_ms: 60_000 });
      await only.here.event(call, "playback.started");
    }
    await unheard(async () => {
      exchange.hangUp(gone);
      // It is nobody's for a while.
      while (only.here.sessions.leases.away === 0) await delay(5);
    });
    await only.here.event(gone, "call.hangup");
    expect(exchange.plays(session_uuid)).toBe(true);
    await taken(only);
    await only.here.command("stopPlayback", session_uuid, {});
    exchange.hangUp(session_uuid);
    await only.here.event(session_uuid, "call.hangup");
    const played = ["playback.started", "playback/silence done"];
    expect(await said(only, gone)).toEqual([
      ...played,
      "playback.stopped hangup",
      "call.hangup MEDIA_SERVER_LOST gateway",
    ]);
    expect(await said(only, session_uuid)).toEqual([
      ...played,
      "playback.stopped stopped",
      "playback/stop done",
      "call.hangup NORMAL_CLEARING caller",
    ]);
    expect(only.here.sessions.live).toBe(0);
  });

  test("began anew: every call has ended, once, and a room that it has not is closed", async () => {
    const room_id = await only.here.room("standup");
    const session_uuid = await answered(exchange, only);
    await only.here.command("joinRoom", session_uuid, { room_id, muted: false });
    await only.here.event(session_uuid, "conference.member.joined");
    await unheard(async () => {
      exchange.channels.clear();
      exchange.closeRoom(room_id);
      only.engine.switchboard.lost();
    });
    await only.here.event(session_uuid, "call.hangup");
    await only.here.event(room_id, "conference.destroyed");
    expect((await said(only, session_uuid)).slice(2)).toEqual([
      "conference.member.left orphan",
      "call.hangup MEDIA_SERVER_LOST gateway",
    ]);
  });

  test("has a call whose end the store was not told: it is told once", async () => {
    const session_uuid = await answered(exchange, only);
    await only.here.failing.while({ commit: away }, async () => {
      exchange.hangUp(session_uuid);
      while (only.here.sessions.waiting === 0) await delay(5);
      await only.engine.resync();
      while (only.here.sessions.waiting < 2) await delay(5);
    });
    await only.here.event(session_uuid, "call.hangup");
    while (only.here.sessions.waiting > 0) await delay(5);
    expect(await said(only, session_uuid)).toEqual(["call.hangup NORMAL_CLEARING caller"]);
  });

  test("has recorded a call that is gone: its file is finished", async () => {
    const session_uuid = await answered(exchange, only);
    await only.here.command("startRecording", session_uuid, {});
    const { recording } = exchange.channel(session_uuid);
    while (!(await only.here.store.loadSession(session_uuid))?.state.recording) await delay(5);
    await unheard(async () => exchange.channels.delete(session_uuid));
    while (only.here.finished.length === 0) await delay(5);
    expect(only.here.finished).toEqual([recording]);
  });
});

describe("what the store says of a node", () => {
  test("all that has not ended: where it is, and where by now its playback is", async () => {
    const room_id = await only.here.room("standup");
    const session_uuid = await answered(exchange, only);
    await only.here.command("joinRoom", session_uuid, { room_id, muted: true });
    await only.here.event(session_uuid, "conference.member.joined");
    const { command_uid } = await only.here.command("playSilence", session_uuid, { duration_ms: 60_000 });
    await only.here.event(session_uuid, "playback.started");
    const { session_uuid: ended, verdict } = exchange.ring();
    await verdict;
    exchange.hangUp(ended);
    await only.here.event(ended, "call.hangup");
    await delay(20);
    const { calls, rooms } = await only.here.sessions.survivors(exchange.node);
    expect(rooms).toEqual([{ room_id, playback: null }]);
    const playback = { command_uid, offset_ms: expect.any(Number), duration_ms: expect.any(Number) };
    const parties = { session_uuid, state: "answered", caller_id: "1", did: "2" };
    expect(calls).toMatchObject([
      { ...parties, playback, collecting: null, room: { room_id, muted: true }, recording: null },
    ]);
    expect(calls[0]?.playback?.offset_ms).toBeGreaterThanOrEqual(10);
    expect((await only.here.sessions.survivors("other").catch((err: Error) => err)).toString()).toMatch(
      "another instance has the media node, or nobody does",
    );
  });

  test("nothing before those who had it can write nothing more", async () => {
    await answered(exchange, only);
    const second = await Place.open([new ExchangeEngine(exchange)], { leaseMs: 60 }, only.here);
    let asked = false;
    const subjectsOf = (node: string) => {
      asked = true;
      return only.here.store.subjectsOf(node);
    };
    await second.failing.while({ raiseFence: away, subjectsOf }, async () => {
      await only.here.sessions.close();
      while (second.sessions.leases.away === 0) await delay(5);
      await expect(second.sessions.survivors(exchange.node)).rejects.toThrow("the store is away");
      expect(asked).toBe(false);
    });
    expect((await second.sessions.survivors(exchange.node)).calls).toHaveLength(1);
    await second.sessions.close();
  });
});

describe("a call that names its app", () => {
  test("is that app's, when there is one, else it goes by its number", async () => {
    const settings = { app_id: "named", webhook_url: "", rate_limit: 0, events: [], dids: [] };
    await only.here.store.putApp({ settings, digest: "other", created: { digest: "other", secret: "s" } });
    const owner = async (app_id: string | null) => {
      const { session_uuid, verdict } = exchange.ring({ app_id });
      expect(await verdict).toBe("accepted");
      return (await only.here.store.loadSession(session_uuid))?.state.app_id;
    };
    expect(await owner("named")).toBe("named");
    expect(await owner("nobody")).toBe("a");
    expect(await owner(null)).toBe("a");
    const asked: string[] = [];
    const app = (app_id: string) => {
      asked.push(app_id);
      return only.here.failing.real.app(app_id);
    };
    await only.here.failing.while({ app }, async () => {
      for (const name of ["", "no such app!", "a}:b", "x".repeat(65), "named\n"]) expect(await owner(name)).toBe("a");
    });
    expect(asked).toEqual([]);
  });

  test("a number that nobody has is refused, whatever app it names", async () => {
    const other = new Exchange("other");
    const place = await instance(other, only);
    const settings = { app_id: "a", webhook_url: "", rate_limit: 0, events: [], dids: ["3"] };
    await only.here.store.putApp({ settings, digest: "digest", created: { digest: "digest", secret: "t" } });
    const { session_uuid, verdict } = other.ring({ app_id: "nobody" });
    expect(await verdict).toBe("no_app");
    expect(other.channels.has(session_uuid)).toBe(false);
    expect(place.here.sessions.live).toBe(0);
  });
});

test("a call that comes just as another gateway takes the media server is left to that one", async () => {
  const second = await instance(exchange, only);
  let create: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (create = resolve));
  const createSession: typeof only.here.store.createSession = async (...args) => {
    await held;
    return only.here.failing.real.createSession(...args);
  };
  const { session_uuid, verdict } = await only.here.failing.while({ createSession }, async () => {
    const ringing = exchange.ring();
    await delay(5);
    return ringing;
  });
  await only.here.failing.while({ hold: away }, () => taken(second));
  while (only.engine.isReading) await delay(5);
  create();
  expect(await verdict).toBe("unavailable");
  expect(only.here.sessions.live).toBe(0);
  expect(only.here.log.join("")).toContain("call left to another instance");
  expect(exchange.channel(session_uuid).end).toBeNull();
  await second.here.command("answer", session_uuid, {});
  exchange.hangUp(session_uuid);
  await second.here.event(session_uuid, "call.hangup");
  expect(await second.here.names(session_uuid)).toEqual(["call.new", "call.answered", "command.result", "call.hangup"]);
});
