/** Which node holds what, and how much of it. */
import { expect, test } from "@jest/globals";
import { isRoom, newRoomId, nodeOf } from "../../src/ids";
import { Live } from "../../src/sessions/live";
import { Nodes } from "../../src/sessions/nodes";
import { PlayedEngine } from "./place";

const uuid = "f47ac10b-58cc-4372-a567-0e02b2c3d479";

test("ids name their node, and what they are", () => {
  expect([nodeOf(`acW68-${uuid}`), isRoom(`acW68-${uuid}`)]).toEqual(["acW68", false]);
  expect([nodeOf(`acW68-room-${uuid}`), isRoom(`acW68-room-${uuid}`)]).toEqual(["acW68", true]);
  const room_id = newRoomId("acW68");
  expect(room_id).toMatch(/^acW68-room-[0-9a-f-]{36}$/);
  expect([nodeOf(room_id), isRoom(room_id)]).toEqual(["acW68", true]);
  for (const id of ["", "nothing", uuid]) expect(isRoom(id)).toBe(false);
});

test("an engine is found by what it holds, and the least loaded one of those that can be reached", () => {
  const [first, second, third] = [
    new PlayedEngine("one"),
    new PlayedEngine("two", "asterisk"),
    new PlayedEngine("three"),
  ];
  const nodes = new Nodes([first, second, third]);
  expect(nodes.engineOf(`two-room-${uuid}`)).toBe(second);
  expect([nodes.kindOf(`two-${uuid}`), nodes.kindOf(`four-${uuid}`)]).toEqual(["asterisk", "none"]);
  const load = (node: string) => ({ one: 2, two: 1, three: 0 })[node] ?? 9;
  expect(nodes.leastLoaded(load)).toBe(third);
  third.isConnected = false;
  expect(nodes.leastLoaded(load)).toBe(second);
  // Another instance reads it, and takes its commands.
  nodes.reads("two", false);
  expect(nodes.leastLoaded(load)).toBe(first);
  nodes.reads("two", true);
  expect(nodes.leastLoaded(load)).toBe(second);
  expect(new Nodes([]).leastLoaded(load)).toBeUndefined();
});

test("what lives is counted by node, and its end is waited for", async () => {
  const live = new Live();
  const ids = [`a-${uuid}`, `b-${uuid}`];
  for (const id of [...ids, ...ids]) live.add(id);
  expect(live.size).toBe(2);
  live.delete("unknown");
  const ended = live.ended(`a-${uuid}`);
  const emptied = live.emptied((id) => id.startsWith("a"));
  live.delete(ids[0] ?? "");
  await emptied;
  for (const id of live.ids) live.delete(id);
  await Promise.all([ended, emptied, live.ended("unknown"), live.emptied(() => true)]);
  expect(live.size).toBe(0);
});

test("a node that has nothing left counts nothing", () => {
  const live = new Live();
  const ids = [`a-${uuid}`, `a-room-${uuid}`, `b-${uuid}`];
  for (const id of ids) live.add(id);
  expect([live.count("a"), live.count("b"), live.count("c")]).toEqual([2, 1, 0]);
  live.delete(`a-${uuid}`);
  live.delete(`a-${uuid}`);
  expect([live.count("a"), live.count("b")]).toEqual([1, 1]);
  live.delete(`a-room-${uuid}`);
  expect(live.count("a")).toBe(0);
});
