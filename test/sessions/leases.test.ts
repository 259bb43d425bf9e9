/** Who tells what a media node says: one instance at a time, and none that was only asleep. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { away } from "../errors/failing";
import { hangup } from "./facts";
import { Place, PlayedEngine } from "./place";

/** Until another instance may have it. Longer than a test is held up. */
const leaseMs = 3000;
const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

async function open(node: string, beside?: Place, options = {}): Promise<{ engine: PlayedEngine; here: Place }> {
  const engine = new PlayedEngine(node, "freeswitch");
  const here = await Place.open([engine], { leaseMs, ...options }, beside);
  places.push(here);
  return { engine, here };
}

/** Resolves once this instance may tell what so many nodes say. */
async function own(place: Place, nodes: number): Promise<void> {
  while (place.sessions.leases.own !== nodes) await delay(5);
}

const digit = (key: string) => ({ type: "dtmf", digit: key, duration_ms: 1 }) as const;
const keys = async (place: Place, id: string) =>
  (await place.told(id)).flatMap(({ event, data }) => (event === "dtmf" ? [data.digit] : []));

test("without the store there is no beginning", async () => {
  const { here } = await open("first");
  const second = here.failing.while({ hold: away }, () => here.sessions.hold());
  await expect(second).rejects.toThrow("the store is away");
});

test("one instance of two tells what both hear", async () => {
  const { here: one } = await open("node");
  const { here: other } = await open("node", one);
  const session_uuid = await one.call("node");
  await expect(other.call("node")).rejects.toThrow("unavailable");
  for (const place of [one, other]) place.sessions.emit({ session_uuid, ...digit("1") });
  for (const place of [one, other]) place.sessions.emit({ session_uuid, ...hangup("caller") });
  await one.event(session_uuid, "call.hangup");
  await Promise.all([one.sessions.close(), other.sessions.close()]);
  expect(await one.names(session_uuid)).toEqual(["call.new", "dtmf", "call.hangup"]);
  expect([one.sessions.leases, other.sessions.leases]).toMatchObject([{ own: 0 }, { own: 0, other: 1 }]);
});

describe("an instance that does not renew its lease", () => {
  test("keeps what it hears as long as nobody else has the node, and tells it when it holds it again", async () => {
    const { here } = await open("node", undefined, { leaseMs: 60 });
    const session_uuid = await here.call("node");
    await here.failing.while({ hold: away }, async () => {
      await own(here, 0);
      for (const key of "12") here.sessions.emit({ session_uuid, ...digit(key) });
      while (here.sessions.waiting < 2) await delay(5);
      expect(await keys(here, session_uuid)).toEqual([]);
    });
    here.sessions.emit({ session_uuid, ...hangup("caller") });
    await here.event(session_uuid, "call.hangup");
    expect(await keys(here, session_uuid)).toEqual(["1", "2"]);
    expect(here.sessions.waiting).toBe(0);
    const said = here.log.map((line) => JSON.parse(line).msg).filter((msg: string) => msg.startsWith("leases"));
    expect(said).toEqual([
      "leases of media nodes are not renewed: the store cannot be asked",
      "leases of media nodes are held again",
    ]);
  });

  test("tells nothing any more once another one has the node, though it takes itself for its holder", async () => {
    const { here: one } = await open("node");
    const { here: other } = await open("node", one);
    const session_uuid = await one.call("node");
    await one.failing.while({ hold: away }, async () => {
      one.failing.forward(leaseMs);
      await own(other, 1);
      expect(one.sessions.leases.own).toBe(1);
      one.sessions.emit({ session_uuid, ...digit("1") });
      while (!one.givenUp.get("fenced")) await delay(5);
    });
    other.sessions.emit({ session_uuid, ...digit("2") });
    other.sessions.emit({ session_uuid, ...hangup("caller") });
    await other.event(session_uuid, "call.hangup");
    expect(await keys(one, session_uuid)).toEqual(["2"]);
    expect(one.log.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ session_uuid, event: "dtmf", msg: "event dropped: its media node was given up" }),
    );
  });

  test("drops what waited when another one had the node meanwhile, also when it has it again", async () => {
    const { here: one } = await open("node", undefined, { leaseMs: 60 });
    const { here: other } = await open("node", one);
    const session_uuid = await one.call("node");
    await one.failing.while({ hold: away }, async () => {
      await own(one, 0);
      one.sessions.emit({ session_uuid, ...digit("1") });
      await own(other, 1);
      await other.sessions.close();
    });
    await own(one, 1);
    one.sessions.emit({ session_uuid, ...digit("2") });
    one.sessions.emit({ session_uuid, ...hangup("caller") });
    await one.event(session_uuid, "call.hangup");
    expect(await keys(one, session_uuid)).toEqual(["2"]);
    expect(one.givenUp.get("fenced")).toBe(1);
  });

  test("whose media server it cannot reach gives it up", async () => {
    const { here: one, engine } = await open("node", undefined, { leaseMs: 60 });
    const { here: other } = await open("node", one);
    engine.isConnected = false;
    await own(other, 1);
    while (one.sessions.leases.other === 0) await delay(5);
    engine.isConnected = true;
    await expect(one.call("node")).rejects.toThrow("unavailable");
  });
});

test("nothing is told under a new fence before those before it are shut out", async () => {
  const { here: one } = await open("node", undefined, { leaseMs: 600_000 });
  const session_uuid = await one.call("node");
  const { here: other } = await open("node", one, { leaseMs: 600_000 });
  await other.failing.while({ raiseFence: away }, async () => {
    await one.sessions.close();
    while (!other.log.some((line) => line.includes("media nodes: not done"))) await delay(5);
    other.sessions.emit({ session_uuid, ...digit("1") });
    while (other.sessions.waiting === 0) await delay(5);
    expect(other.sessions.leases).toMatchObject({ own: 0, away: 1 });
  });
  await other.event(session_uuid, "dtmf");
});

test("who is closed gives its nodes up at once, and not before all is told", async () => {
  // Nobody waits for the end of this one.
  const { here: one } = await open("node", undefined, { leaseMs: 600_000 });
  const { here: other } = await open("node", one, { leaseMs: 600_000 });
  const session_uuid = await one.call("node");
  one.sessions.emit({ session_uuid, ...digit("1") });
  await one.sessions.close();
  await own(other, 1);
  expect(await keys(one, session_uuid)).toEqual(["1"]);
  other.sessions.emit({ session_uuid, ...digit("2") });
  await other.event(session_uuid, "dtmf");
  one.sessions.emit({ session_uuid, ...digit("3") });
  other.sessions.emit({ session_uuid, ...hangup("caller") });
  await other.event(session_uuid, "call.hangup");
  expect(await keys(one, session_uuid)).toEqual(["1", "2"]);
});

test("what became of a file is told whoever has the node", async () => {
  const { here: one } = await open("node");
  const session_uuid = await one.call("node");
  const recording = { recording_id: "r", command_uid: "u" };
  one.sessions.emit({ session_uuid, type: "recording.started", operation_id: "gone", ...recording });
  while ((await one.store.loadSession(session_uuid))?.state.recording === null) await delay(5);
  await one.store.raiseFence("node", Number.MAX_SAFE_INTEGER);
  one.sessions.emit({ session_uuid, type: "recording.stopped", recording_id: "r", failure: null });
  while (one.finished.length === 0) await delay(5);
  await one.sessions.recorded(session_uuid, { recording_id: "r", recording_url: null, duration_ms: 1 });
  expect(await one.names(session_uuid)).toEqual(["call.new", "recording.completed"]);
});
