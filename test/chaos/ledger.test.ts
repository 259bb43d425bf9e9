/** The judge itself: whatever is not as promised is found. */
import { describe, expect, test } from "@jest/globals";
import { Ledger } from "../../scripts/chaos/ledger";
import { Seed } from "../../scripts/chaos/seed";

const uuid = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
const call = `node-${uuid}`;

/** A story with its faults; each event is acknowledged unless its name ends in `!`. */
function told(events: readonly string[], ask: (ledger: Ledger) => void = () => undefined): string[] {
  const ledger = new Ledger();
  ask(ledger);
  for (const text of events) {
    const [, number = "", event = "", uid = "", operation = "", silent] =
      /^(\d+) ([a-z._]+)(?: (\w+)=(\w+))?(!)?$/.exec(text) ?? [];
    const sequence = Number(number);
    const data = { command_uid: uid, operation_id: operation };
    const delivery = { webhook_id: `${call}.${sequence}`, source: call, sequence, event, data };
    const rest = { app_id: "a", timestamp: "2025-03-01T12:00:00.000Z", body: text.replace("!", "") };
    const { source } = ledger.arrived({ ...delivery, ...rest });
    if (silent === undefined) ledger.acknowledged(source, sequence);
  }
  ledger.judge();
  return ledger.faults.map(({ text }) => text.replaceAll(uuid, "…"));
}

const accepted = (ledger: Ledger): void =>
  ledger.asked(ledger.source(call, "a"), "u", { outcome: "accepted", operation_id: "o" });
const refused = (ledger: Ledger): void => ledger.asked(ledger.source(call, "a"), "u", { outcome: "refused" });
const unknown = (ledger: Ledger): void => ledger.asked(ledger.source(call, "a"), "u", { outcome: "unknown" });

test("a story that is whole has no faults, however often it is told", () => {
  const story = ["1 call.new!", "1 call.new", "2 command.result u=o", "1 call.new", "3 call.hangup!", "3 call.hangup"];
  expect(told(story, accepted)).toEqual([]);
  expect(told(["1 call.new", "2 call.hangup"], refused)).toEqual([]);
  expect(told(["1 call.new", "2 call.hangup"], unknown)).toEqual([]);
  expect(told(["1 call.new", "2 command.result u=p", "3 call.hangup"], unknown)).toEqual([]);
});

describe("found:", () => {
  test.each([
    ["a gap", ["1 call.new", "3 call.hangup"], /came first, when #2 was due\n.*#2 never came/],
    ["an event that overtakes", ["1 call.new", "3 call.hangup", "2 dtmf"], /#3 .*came first, when #2 was due/],
    ["an event before the last was acknowledged", ["1 call.new!", "2 call.hangup"], /came before #1 was acknowledged/],
    ["an event that is another the second time", ["1 call.new", "1 dtmf", "2 call.hangup"], /not the same each time/],
    ["no end", ["1 call.new"], /no call.hangup; the last event is #1, call.new/],
    ["a delivery that was given up", ["1 call.new", "2 call.hangup!"], /#2 was never acknowledged/],
    ["an event after the end", ["1 call.new", "2 call.hangup", "3 dtmf"], /dtmf after call.hangup/],
    ["a result for which nobody asked", ["1 command.result x=o", "2 call.hangup"], /nobody has asked/],
  ])("%s", (_, events, fault) => expect(told(events).join("\n")).toMatch(fault));

  test.each([
    ["no result of what was accepted", accepted, ["1 call.hangup"], /0 results of u, which was accepted/],
    ["two", accepted, ["1 command.result u=o", "2 command.result u=o", "3 call.hangup"], /2 results of u/],
    ["one of another operation", accepted, ["1 command.result u=p", "2 call.hangup"], /u is not of o/],
    [
      "one of what was refused",
      refused,
      ["1 command.result u=o", "2 call.hangup"],
      /1 results of u, which was refused/,
    ],
    [
      "two of which nobody knows",
      unknown,
      ["1 command.result u=o", "2 command.result u=o", "3 call.hangup"],
      /2 results/,
    ],
  ])("%s", (_, ask, events, fault) => expect(told(events, ask).join("\n")).toMatch(fault));

  test("a command that was done twice", () => {
    const twice = (ledger: Ledger): void => {
      accepted(ledger);
      ledger.asked(ledger.source(call, "a"), "u", { outcome: "accepted", operation_id: "p" });
    };
    expect(told(["1 command.result u=o", "2 call.hangup"], twice).join()).toMatch(/u was done twice/);
  });
});

test("a seed decides the same again, and another one something else", () => {
  const draws = (seed: number): number[] => Array.from({ length: 50 }, (_, i) => new Seed(seed).whole(1, 6, "die", i));
  expect(draws(1)).toEqual(draws(1));
  expect(draws(1)).not.toEqual(draws(2));
  expect([...new Set(draws(1))].sort()).toEqual([1, 2, 3, 4, 5, 6]);
});
