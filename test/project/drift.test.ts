/** The drift meter: what it looks at, what it says of what it finds, and that it says so of a whole gateway. */
import { expect, test } from "@jest/globals";
import { DriftMeter } from "../../src/contract_check";
import { createLog } from "../../src/log";
import { MemoryStore } from "../../src/store/memory";
import type { App } from "../../src/store/store";
import { TestGateway } from "../gateway";

const json = ["X-Request-ID", "r1", "Content-Type", "application/json; charset=utf-8", "Cache-Control", "no-store"];
const live = '{"status":"ok"}';
const dead = '{"status":"secret"}';

function meter(mode: "sample" | "all") {
  const violations: string[] = [];
  const lines: string[] = [];
  const clock = { now: 0 };
  const check = new DriftMeter({
    mode,
    meter: { violation: (what, name) => void violations.push(`${what} ${name}`) },
    log: createLog("info", { write: (line) => void lines.push(line) }),
    now: () => clock.now,
  });
  return { check, violations, lines, clock };
}

test("sampling looks at the first of each kind of answer, then at one in a hundred", () => {
  const { check, violations } = meter("sample");
  for (let i = 0; i < 250; i++) check.response("getLive", 200, json, dead);
  expect(violations).toHaveLength(3);
  check.response("getLive", 500, json, dead);
  check.response("getHealth", 200, json, dead);
  expect(violations.slice(3)).toEqual(["response getLive", "response getHealth"]);
});

test("sampling looks at the first of each event, then at one in a hundred", () => {
  const { check, violations } = meter("sample");
  for (let i = 0; i < 101; i++) check.webhook("dtmf", "{}");
  check.webhook("call.new", "{}");
  expect(violations).toEqual(["webhook dtmf", "webhook dtmf", "webhook call.new"]);
});

test("all means all, and what is right is no violation", () => {
  const { check, violations } = meter("all");
  for (let i = 0; i < 5; i++) check.response("getLive", 200, json, live);
  expect(violations).toEqual([]);
  for (let i = 0; i < 5; i++) check.response("getLive", 200, json, dead);
  expect(violations).toHaveLength(5);
});

test.each<[string, string, number, readonly string[], string | null]>([
  ["an operation that there is not", "dance", 200, json, live],
  ["a missing header", "getLive", 200, json.slice(2), live],
  ["another type", "getSampleTone", 200, ["X-Request-ID", "r1", "Content-Type", "text/html"], null],
  ["a body that is no JSON", "getLive", 200, json, "{"],
  ["a body where there is none", "deleteRoom", 204, json, live],
  ["a header that nobody declared", "getLive", 200, [...json, "X-Odd", "1"], live],
])("%s is found", (_, operation, status, headers, body) => {
  const { check, violations, lines } = meter("all");
  check.response(operation, status, headers, body);
  expect(violations).toEqual([`response ${operation}`]);
  expect(lines).toHaveLength(1);
});

test("a line says what is wrong and never what was sent; of one kind there is one line a second", () => {
  const { check, violations, lines, clock } = meter("all");
  for (let i = 0; i < 1000; i++) check.response("getLive", 200, json, dead);
  for (let i = 0; i < 1000; i++) check.response("getLive", 200, json, "secret");
  check.webhook("dtmf", '{"event":"dtmf","secret":1}');
  expect(violations).toHaveLength(2001);
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: 50,
    what: "response",
    name: "getLive",
    errors: ["getLive 200: body/status must be equal to constant"],
    msg: "contract violation",
  });
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({ what: "webhook", name: "dtmf" });
  clock.now = 999;
  check.response("getLive", 200, json, "secret");
  expect(lines).toHaveLength(2);
  clock.now = 1000;
  check.response("getLive", 200, json, "secret");
  expect(lines).toHaveLength(3);
  expect(lines.join()).not.toContain('secret"');
});

/** Answers an id that no app can have. */
class WrongStore extends MemoryStore {
  override async app(app_id: string): Promise<App | null> {
    const app = await super.app(app_id);
    return app && { ...app, app_id: "no id!" };
  }
}

const counted = async (place: TestGateway) => {
  const metrics = await (await fetch(`${place.url}/metrics`)).text();
  return metrics.match(/^voicegate_contract_violations_total.*/gm) ?? [];
};

test("a gateway that does not keep the contract fails its test, and counts it", async () => {
  const place = await TestGateway.start({ store: new WrongStore() });
  const wrong = await fetch(`${place.url}/admin/apps/test`, { headers: place.admin });
  const shown = await wrong.json();
  const count = await counted(place);
  await expect(place.close()).rejects.toThrow(/the contract was not kept:\n.*app_id/);
  expect(shown).toMatchObject({ app_id: "no id!" });
  expect(count).toEqual(['voicegate_contract_violations_total{what="response",name="getApp"} 1']);
});

test("off, nothing is looked at", async () => {
  const place = await TestGateway.start({ store: new WrongStore(), env: { CONTRACT_CHECK: "off" } });
  await fetch(`${place.url}/admin/apps/test`, { headers: place.admin });
  const count = await counted(place);
  await place.close();
  expect(count).toEqual([]);
});
