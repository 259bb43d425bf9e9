/** What waits for a store that is away: bounded, in order, and nobody behind it hangs. */
import { expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { type Applied, Lines, type Step } from "../../src/sessions/lines";
import type { SessionEvent } from "../../src/sessions/session";

const digit = (key: number): SessionEvent => ({ type: "dtmf", digit: String(key % 10), duration_ms: key });
const hangup: SessionEvent = {
  type: "hangup",
  cause: "NORMAL_CLEARING",
  q850_cause: 16,
  sip_status: null,
  by: "caller",
};
const overdue: SessionEvent = { type: "command.overdue", operation_id: "o" };

/** Lines whose store is away until `back` is called. */
function place() {
  const log: string[] = [];
  const applied: SessionEvent[] = [];
  let there = false;
  const apply = async (_: string, { event }: Step): Promise<Applied> => {
    if (!there) throw new Error("away");
    applied.push(event);
    return "changed";
  };
  const lines = new Lines(apply, createLog("info", { write: (line) => void log.push(line) }));
  const back = () => {
    there = true;
  };
  return { lines, applied, log, back };
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

test("digits go first, and only digits; an operation is overdue once", async () => {
  const { lines, applied, log, back } = place();
  lines.add("s", digit(0));
  for (let key = 1; key < 1500; key++) lines.add("s", digit(key));
  lines.add("s", hangup);
  for (let sweep = 0; sweep < 1000; sweep++) lines.add("s", overdue);
  back();
  await expect(lines.run("s", hangup))
    .rejects.toThrow("away")
    .catch(() => undefined);
  await lines.close();
  expect(applied.filter(({ type }) => type === "dtmf").length).toBeLessThanOrEqual(1000);
  expect(applied.filter(({ type }) => type === "hangup").length).toBe(2);
  expect(applied.filter(({ type }) => type === "command.overdue").length).toBe(1);
  const [dropped] = log.filter((line) => line.includes("digits given up"));
  expect(JSON.parse(dropped ?? "{}").dropped).toBeGreaterThanOrEqual(500);
});
