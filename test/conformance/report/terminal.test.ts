/** Progress of a run, as it is drawn. */
import { expect, test } from "@jest/globals";
import type { Check, Outcome } from "../../../src/conformance/check";
import { Broken, Skipped } from "../../../src/conformance/check";
import { run } from "../../../src/conformance/run";
import { Terminal } from "../../../src/conformance/terminal";

const make = (id: string, act: () => void): Check<null> => {
  return { id, title: `${id} holds`, clause: "", profile: "minimal", run: async () => act() };
};
const checks = [
  make("a/one", () => undefined),
  make("a/two", () => {
    throw new Broken({ expected: "1", got: "\u001b[31m2" });
  }),
  make("a/three", () => {
    throw new Skipped("There is none.");
  }),
];

/** Everything that is written in a run of these checks. */
async function drawn(isTTY: boolean): Promise<{ text: string; outcomes: Outcome[] }> {
  let text = "";
  const terminal = new Terminal({ isTTY, columns: 60, write: (more) => (text += more) }, false, checks.length);
  const outcomes = await run(checks, null, terminal, new AbortController().signal);
  terminal.draw();
  terminal.close();
  return { text, outcomes };
}

test("without a terminal there are lines: each failure as it happens", async () => {
  const { text, outcomes } = await drawn(false);
  expect(text).toBe("✗ a/two: expected 1, got \\u001b[31m2\n3/3 · 1 failed · 1 skipped · 0 s\n");
  expect(outcomes.map(({ verdict }) => verdict)).toEqual(["passed", "failed", "skipped"]);
});

test("on a terminal one line lives, no longer than it is wide, and goes in the end", async () => {
  const { text } = await drawn(true);
  const erase = "\r\u001b[2K";
  expect(text.startsWith("✗ a/two: expected 1, got \\u001b[31m2\n")).toBe(true);
  expect(text.endsWith(`${erase}3/3 · 1 failed · 1 skipped · 0 s${erase}`)).toBe(true);
});
