/** What waits for a store that is away: bounded, in order, and nobody behind it hangs. */
import { describe, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import type { SessionEvent } from "../../src/sessions/happening";
import { type Applied, Lines, type Step } from "../../src/sessions/lines";

const digit = (key: number): SessionEvent => ({ type: "dtmf", digit: String(key % 10), duration_ms: key });
const hangup: SessionEvent = {
  type: "hangup",
  cause: "NORMAL_CLEARING",
  q850_cause: 16,
  sip_status: null,
  by: "caller",
};
const overdue: SessionEvent = { type: "command.overdue", operation_id: "o", abandoned: false };

/** Lines whose store is away until `back` is called. */
function place() {
  const log: string[] = [];
  const givenUp = new Map<string, number>();
  const applied: SessionEvent[] = [];
  let there = false;
  const apply = async (_: string, { event }: Step<SessionEvent, never>): Promise<Applied> => {
    if (!there) throw new Error("away");
    applied.push(event);
    return "changed";
  };
  const source = (session_uuid: string) => ({ session_uuid });
  const lines = new Lines<SessionEvent, never>(
    apply,
    source,
    { givenUp: (what, count) => void givenUp.set(what, (givenUp.get(what) ?? 0) + count) },
    createLog("info", { write: (line) => void log.push(line) }),
  );
  const back = () => {
    there = true;
  };
  return { lines, applied, log, givenUp, back };
}

/** What the log says of it. */
function givenUp(log: readonly string[]) {
  return JSON.parse(log.find((line) => line.includes("given up")) ?? "{}");
}

test("in order, once it is back", async () => {
  const { lines, applied, back } = place();
  await expect(lines.run("s", digit(0))).rejects.toThrow("away");
  for (let key = 1; key < 5; key++) lines.add("s", digit(key));
  back();
  await expect(lines.run("s", hangup)).rejects.toThrow("away");
  await lines.run("other", digit(9));
  await lines.close();
  expect(applied.filter((event) => event.type === "dtmf" && event.duration_ms < 9)).toEqual([0, 1, 2, 3, 4].map(digit));
  expect(applied.at(-1)).toEqual(hangup);
});

test("digits go first, and no command or end; an operation is overdue once", async () => {
  const { lines, applied, log, givenUp: counted, back } = place();
  lines.add("s", digit(0));
  for (let key = 1; key < 1500; key++) lines.add("s", digit(key));
  lines.add("s", hangup);
  // What is given up is counted as it goes, not when the store is back.
  expect(counted.get("digit")).toBeGreaterThanOrEqual(500);
  for (let sweep = 0; sweep < 1000; sweep++) lines.add("s", overdue);
  back();
  await expect(lines.run("s", hangup))
    .rejects.toThrow("away")
    .catch(() => undefined);
  await lines.close();
  expect(applied.filter(({ type }) => type === "dtmf").length).toBeLessThanOrEqual(1000);
  expect(applied.filter(({ type }) => type === "hangup").length).toBe(2);
  expect(applied.filter(({ type }) => type === "command.overdue").length).toBe(1);
  expect(givenUp(log).digits).toBeGreaterThanOrEqual(500);
  expect(counted.get("digit")).toBe(givenUp(log).digits);
});

test("what waits is counted, and what is lost at the end", async () => {
  const { lines, givenUp: counted, back } = place();
  await expect(lines.run("s", digit(0))).rejects.toThrow("away");
  lines.add("s", hangup);
  await expect(lines.run("other", digit(1))).rejects.toThrow("away");
  expect(lines.waiting).toBe(3);
  await lines.close();
  expect([lines.waiting, counted.get("closed")]).toEqual([0, 3]);
  back();
  await lines.run("s", hangup);
  expect(lines.waiting).toBe(0);
});

test("what is still pending is overdue once more after its turn, also while others wait", async () => {
  const { lines, applied, back } = place();
  back();
  const first = lines.run("s", overdue);
  for (let key = 0; key < 20; key++) lines.add("s", digit(key));
  await first;
  lines.add("s", overdue);
  await lines.close();
  expect([applied[0], applied.length, applied.at(-1)]).toEqual([overdue, 22, overdue]);
});

describe("where a playback is", () => {
  const moved = (command_uid: string, offset_ms: number): SessionEvent => ({
    type: "playback.moved",
    command_uid,
    index: 0,
    offset_ms,
    paused: false,
  });
  const stopped = (command_uid: string): SessionEvent => ({
    type: "playback.stopped",
    command_uid,
    offset_ms: 1,
    duration_ms: 1,
    reason: "completed",
  });
  /** As they were applied behind the first. */
  const settled = async ({ lines, applied, back }: ReturnType<typeof place>) => {
    back();
    await lines.close();
    return applied.slice(1);
  };

  test("waits once for each, the newest of it, behind what came before that", async () => {
    const tried = place();
    const { lines } = tried;
    await expect(lines.run("s", digit(0))).rejects.toThrow("away");
    for (let at = 0; at < 2000; at++) lines.add("s", moved("loop", at));
    lines.add("s", moved("other", 1));
    lines.add("s", digit(1));
    lines.add("s", moved("loop", 2000));
    lines.add("s", stopped("loop"));
    lines.add("s", moved("other", 2));
    expect(await settled(tried)).toEqual([digit(1), moved("loop", 2000), stopped("loop"), moved("other", 2)]);
  });

  test("belongs to the start before it, also where a uid is used again", async () => {
    const tried = place();
    const { lines } = tried;
    await expect(lines.run("s", digit(0))).rejects.toThrow("away");
    const started = { type: "playback.started", operation_id: "o", command_uid: "again", urls: [], index: 0 } as const;
    for (const event of [moved("again", 1), stopped("again"), { ...started, offset_ms: 0 }, moved("again", 2)])
      lines.add("s", event);
    expect(await settled(tried)).toEqual([stopped("again"), { ...started, offset_ms: 0 }, moved("again", 2)]);
  });

  test("is told by the head as it is on its way, and by what came after it", async () => {
    const { lines, applied, back } = place();
    await expect(lines.run("s", moved("loop", 0))).rejects.toThrow("away");
    lines.add("s", moved("loop", 1));
    lines.add("s", moved("loop", 2));
    back();
    await lines.close();
    expect(applied).toEqual([moved("loop", 0), moved("loop", 2)]);
  });

  test("goes before any digit when there is no room", async () => {
    const tried = place();
    const { lines } = tried;
    await expect(lines.run("s", digit(0))).rejects.toThrow("away");
    for (const uid of ["one", "two"]) lines.add("s", moved(uid, 1));
    for (let key = 1; key < 998; key++) lines.add("s", digit(key));
    lines.add("s", moved("three", 1));
    lines.add("s", digit(998));
    lines.add("s", digit(999));
    lines.add("s", moved("four", 1));
    const events = await settled(tried);
    expect(events).toEqual(Array.from({ length: 999 }, (_, i) => digit(i + 1)));
    expect(givenUp(tried.log)).toMatchObject({ digits: 0, positions: 4 });
  });
});
