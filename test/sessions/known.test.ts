/** What was seen of a call need not be looked up again; what was old there is never written. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Known } from "../../src/sessions/known";
import type { Loaded, Session, Store } from "../../src/store/store";
import { away } from "../errors/failing";
import { hangup, session } from "./facts";
import { Place, PlayedEngine } from "./place";

const app = {
  app_id: "a",
  webhook_url: "",
  rate_limit: 0,
  events: [],
  dids: [],
  created_at: 0,
  webhook_disabled_at: null,
};
const seen = (version: number, revision = 1, changes: Partial<Session> = {}): Loaded<Session> => ({
  state: session(changes),
  version,
  app,
  revision,
});

describe("what is known", () => {
  test("is the newest, in whatever order it comes", () => {
    const known = new Known<Session>();
    const [old, next, put] = [seen(1), seen(2), seen(2, 2)];
    known.put("call", next);
    known.put("call", old);
    expect(known.get("call")).toBe(next);
    known.put("call", put);
    known.put("call", next);
    expect(known.get("call")).toBe(put);
  });

  test("is given up only as what it was", () => {
    const known = new Known<Session>();
    const [old, next] = [seen(1), seen(2)];
    known.put("call", next);
    known.drop("call", old);
    expect(known.get("call")).toBe(next);
    known.drop("call", next);
    expect(known.get("call")).toBeUndefined();
    known.put("call", old);
    known.drop("call");
    expect(known.get("call")).toBeUndefined();
  });

  test("is bounded: what was not seen for the longest goes, sooner where addresses are long", () => {
    const known = new Known<Session>(1000);
    const left = () => Array.from({ length: 1000 }, (_, n) => n).filter((n) => known.get(`call ${n}`));
    for (let n = 0; n < 1000; n += 1) known.put(`call ${n}`, seen(1));
    const short = left();
    expect(short.length).toBeGreaterThan(100);
    expect(short.length).toBeLessThan(1000);
    expect(short.at(-1)).toBe(999);
    expect(short).toEqual(Array.from(short, (_, n) => 1000 - short.length + n));
    known.put(`call ${short[0]}`, seen(2));
    known.put("new", seen(1));
    expect(left()).toEqual([short[0], ...short.slice(2)]);
    const urls = Array.from({ length: 100 }, () => "x".repeat(2000));
    const playback = { command_uid: "p", urls, index: 0, offset_ms: 0, at: 0, started_at: 0, paused: false };
    for (let n = 0; n < 1000; n += 1) known.put(`call ${n}`, seen(3, 1, { playback }));
    expect(left()).toEqual([999]);
  });
});

describe("events of a call that was just seen", () => {
  let here: Place;
  let engine: PlayedEngine;
  /** Questions to the store. */
  let loads: number;
  beforeEach(async () => {
    engine = new PlayedEngine();
    here = await Place.open([engine]);
    loads = 0;
  });
  afterEach(() => here.close());

  const counted: Partial<Store> = {
    loadSession: (session_uuid) => {
      loads += 1;
      return here.failing.real.loadSession(session_uuid);
    },
  };
  const put = (events: readonly "call.hangup"[]) =>
    here.store.putApp({
      settings: { app_id: "a", webhook_url: "", rate_limit: 0, events, dids: ["*"] },
      digest: null,
      created: { digest: "", secret: "" },
    });
  const dtmf = (session_uuid: string) => here.sessions.emit({ session_uuid, type: "dtmf", digit: "1", duration_ms: 1 });
  const hung = (session_uuid: string) => {
    here.sessions.emit({ session_uuid, ...hangup("caller") });
    return here.event(session_uuid, "call.hangup");
  };

  test("a command and all that follows ask for nothing, from its admission to the end of the call", async () => {
    const session_uuid = await here.call();
    await here.failing.while({ loadSession: away }, async () => {
      const { operation_id } = await here.command("answer", session_uuid, {});
      here.sessions.emit({ session_uuid, type: "answered", operation_id });
      await here.command("stopPlayback", session_uuid, {});
      dtmf(session_uuid);
      await hung(session_uuid);
    });
    const names = ["call.new", "call.answered", "command.result", "command.result", "dtmf", "call.hangup"];
    expect(await here.names(session_uuid)).toEqual(names);
    expect(here.log.filter((line) => line.includes("events wait"))).toEqual([]);
  });

  test("nor does a command of a room", async () => {
    const room_id = await here.room("standup");
    await here.failing.while({ loadRoom: away }, () => here.roomCommand("stopRoom", room_id, {}));
    expect(await here.names(room_id)).toEqual(["conference.created", "command.result"]);
  });

  test("another writer came first: it is looked up once, and nothing is told twice or lost", async () => {
    const session_uuid = await here.call();
    await here.command("stopPlayback", session_uuid, {});
    await here.failing.while(counted, async () => {
      // Admitted by another instance: it is nowhere to be seen here.
      const { operation_id } = await here.admit("answer", session_uuid);
      dtmf(session_uuid);
      await here.event(session_uuid, "dtmf");
      expect(loads).toBe(1);
      here.sessions.emit({ session_uuid, type: "answered", operation_id });
      await hung(session_uuid);
    });
    expect(loads).toBe(1);
    const names = ["call.new", "command.result", "dtmf", "call.answered", "command.result", "call.hangup"];
    expect(await here.names(session_uuid)).toEqual(names);
  });

  test("what would change nothing of what was seen is held against what is there", async () => {
    const session_uuid = await here.call();
    await here.command("stopPlayback", session_uuid, {});
    const { operation_id } = await here.admit("startPlayback", session_uuid);
    here.sessions.emit({ session_uuid, type: "failed", operation_id, error: "No file could be played" });
    await hung(session_uuid);
    expect((await here.told(session_uuid)).slice(2)).toMatchObject([
      { event: "command.result", data: { operation_id, error: "No file could be played" } },
      { event: "call.hangup" },
    ]);
  });

  test("settings that were put since hold from the next event on", async () => {
    const session_uuid = await here.call();
    await here.command("stopPlayback", session_uuid, {});
    await put(["call.hangup"]);
    dtmf(session_uuid);
    await hung(session_uuid);
    const { events } = await here.store.sessionEvents("a", session_uuid, 0, 10);
    expect(events.map(({ event }) => [event.sequence, event.event])).toEqual([
      [1, "call.new"],
      [2, "command.result"],
      [3, "call.hangup"],
    ]);
  });

  test("a call that somebody else has ended is over, and its media server is told", async () => {
    const session_uuid = await here.call();
    await here.command("stopPlayback", session_uuid, {});
    const loaded = await here.store.loadSession(session_uuid);
    if (!loaded) throw new Error("the call is not there");
    const { state, version, revision } = loaded;
    const over = { state: { ...state, state: "ended" as const }, life: "ended" as const, events: [], decided: [] };
    const named = { id: session_uuid, app_id: "a", version, revision, fence: null, nonce: "n" };
    expect(await here.store.commit({ ...named, ...over })).toBe("committed");
    dtmf(session_uuid);
    dtmf(session_uuid);
    await here.sessions.end(session_uuid, "APP_DELETED");
    expect(engine.ended).toContain(session_uuid);
    expect(here.sessions.live).toBe(0);
    expect(await here.names(session_uuid)).toEqual(["call.new", "command.result"]);
  });
});
