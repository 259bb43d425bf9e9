import { describe, expect, test } from "@jest/globals";
import { type Failed, retryAfterMs, retryInMs } from "../../src/outbound/backoff";

const now = Date.parse("2030-01-01T00:00:00Z");
const failed = (changes: Partial<Failed>): Failed => ({
  attempts: 1,
  age_ms: 0,
  retry_ms: 300_000,
  retry_after: null,
  now,
  random: 0.5,
  ...changes,
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
  expect(retryInMs(failed({ attempts }))).toBe(ms);
  expect(retryInMs(failed({ attempts, random: 0 }))).toBe(Math.round(ms * 0.8));
  expect(retryInMs(failed({ attempts, random: 0.999_999 }))).toBe(Math.round(ms * 1.2));
  expect(retryInMs(failed({ attempts, retry_ms: 3000 }))).toBe(Math.round(ms / 100));
});

describe("the end", () => {
  test("eight attempts", () => {
    expect(retryInMs(failed({ attempts: 8 }))).toBeNull();
    expect(retryInMs(failed({ attempts: 80 }))).toBeNull();
  });
  test("the last one is just before time is up", () => {
    expect(retryInMs(failed({ attempts: 7, age_ms: 200_000 }))).toBe(100_000);
    expect(retryInMs(failed({ attempts: 2, age_ms: 299_999 }))).toBe(1);
  });
  test("what is older has one attempt", () => {
    expect(retryInMs(failed({ age_ms: 300_000 }))).toBeNull();
    expect(retryInMs(failed({ age_ms: 1e9, retry_after: "1" }))).toBeNull();
  });
});

describe("Retry-After", () => {
  test.each([
    ["120", 120_000],
    ["Tue, 01 Jan 2030 00:00:30 GMT", 30_000],
    ["86400", 300_000],
    ["0", 1000],
    ["Tue, 01 Jan 1980 00:00:30 GMT", 1000],
    ["soon", 2000],
    ["-5", 2000],
  ])("%s", (retry_after, ms) => {
    expect(retryInMs(failed({ attempts: 2, retry_after }))).toBe(ms);
  });
  test("is clamped to what is left", () => {
    expect(retryInMs(failed({ age_ms: 290_000, retry_after: "60" }))).toBe(10_000);
  });
  test("cannot be read from anything else", () => {
    for (const text of ["", "1.5", "1e3", "2030-01-01", "9".repeat(400), "GMT"])
      expect(retryAfterMs(text, now)).toBeNull();
    expect(retryAfterMs(null, now)).toBeNull();
  });
});
