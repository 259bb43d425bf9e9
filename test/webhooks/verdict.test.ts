import { describe, expect, test } from "@jest/globals";
import { retryAfterMs } from "../../src/outbound/backoff";
import { type Attempted, verdict } from "../../src/webhooks/verdict";

const now = Date.parse("2030-01-01T00:00:00Z");
const attempted = (changes: Partial<Attempted>): Attempted => ({
  outcome: { status: 500, retry_after: undefined },
  mode: "normal",
  attempts: 1,
  age_ms: 0,
  retry_ms: 300_000,
  now,
  random: 0.5,
  ...changes,
});
const answered = (status: number, retry_after?: string): Attempted["outcome"] => ({ status, retry_after });
const silent: Attempted["outcome"] = { failure: "timeout", code: null };

test.each([200, 201, 202, 204, 299])("%i is delivered, whatever the mode", (status) => {
  const outcome = answered(status);
  expect(verdict(attempted({ outcome }))).toBe("delivered");
  expect(verdict(attempted({ outcome, mode: "closing" }))).toBe("delivered");
  expect(verdict(attempted({ outcome, attempts: 8, age_ms: 1e9 }))).toBe("delivered");
});

test("410 turns the webhooks off", () => {
  expect(verdict(attempted({ outcome: answered(410) }))).toBe("disable");
  expect(verdict(attempted({ outcome: answered(410), attempts: 8 }))).toBe("disable");
  expect(verdict(attempted({ outcome: answered(410), mode: "closing" }))).toBe("dead");
});

test.each([
  answered(0),
  answered(199),
  answered(301),
  answered(304),
  answered(400),
  answered(404),
  answered(429),
  answered(503),
  silent,
])("%j is tried again", (outcome) => {
  expect(verdict(attempted({ outcome }))).toEqual({ retry_in_ms: 1000 });
  expect(verdict(attempted({ outcome, mode: "closing" }))).toBe("dead");
});

test.each([
  [1, 1000],
  [2, 2000],
  [3, 5000],
  [4, 12_000],
  [5, 30_000],
  [6, 75_000],
  [7, 150_000],
])("after attempt %i it waits %i ms, 20 %% more or less", (attempts, ms) => {
  expect(verdict(attempted({ attempts }))).toEqual({ retry_in_ms: ms });
  expect(verdict(attempted({ attempts, random: 0 }))).toEqual({ retry_in_ms: Math.round(ms * 0.8) });
  expect(verdict(attempted({ attempts, random: 0.999_999 }))).toEqual({ retry_in_ms: Math.round(ms * 1.2) });
  expect(verdict(attempted({ attempts, retry_ms: 3000 }))).toEqual({ retry_in_ms: Math.round(ms / 100) });
});

describe("the end", () => {
  test("eight attempts", () => {
    expect(verdict(attempted({ attempts: 8 }))).toBe("dead");
    expect(verdict(attempted({ attempts: 80 }))).toBe("dead");
  });
  test("the last one is just before time is up", () => {
    expect(verdict(attempted({ attempts: 7, age_ms: 200_000 }))).toEqual({ retry_in_ms: 100_000 });
    expect(verdict(attempted({ attempts: 2, age_ms: 299_999 }))).toEqual({ retry_in_ms: 1 });
  });
  test("an event that is older has one attempt", () => {
    expect(verdict(attempted({ attempts: 1, age_ms: 300_000 }))).toBe("dead");
    expect(verdict(attempted({ attempts: 1, age_ms: 1e9, outcome: answered(503, "1") }))).toBe("dead");
  });
});

describe("Retry-After", () => {
  test.each([
    ["120", { retry_in_ms: 120_000 }],
    ["Tue, 01 Jan 2030 00:00:30 GMT", { retry_in_ms: 30_000 }],
    ["86400", { retry_in_ms: 300_000 }],
    ["0", { retry_in_ms: 1000 }],
    ["Tue, 01 Jan 1980 00:00:30 GMT", { retry_in_ms: 1000 }],
    ["soon", { retry_in_ms: 2000 }],
    ["-5", { retry_in_ms: 2000 }],
  ])("%s", (value, expected) => {
    expect(verdict(attempted({ attempts: 2, outcome: answered(503, value) }))).toEqual(expected);
  });
  test("is clamped to what is left", () => {
    expect(verdict(attempted({ age_ms: 290_000, outcome: answered(429, "60") }))).toEqual({ retry_in_ms: 10_000 });
  });
  test("cannot be read from anything else", () => {
    for (const text of ["", "1.5", "1e3", "2030-01-01", "9".repeat(400), "GMT"])
      expect(retryAfterMs(text, now)).toBeNull();
    expect(retryAfterMs(null, now)).toBeNull();
  });
});
