/** Which keys are keys of their own. Times in ms, as a phone would send them. */
import { describe, expect, test } from "@jest/globals";
import { Keypad, type KeyWay } from "../../src/engines/embedded/keypad";

type Arrival = readonly [at: number, way: KeyWay, key: string, duration_ms: number];

const cases: Record<string, { readonly arrive: readonly Arrival[]; readonly keys: string }> = {
  "one way only: every one, however quick": {
    arrive: [
      [0, "info", "1", 100],
      [150, "info", "1", 100],
      [300, "info", "1", 100],
    ],
    keys: "111",
  },
  "both ways, RFC 4733 first": {
    arrive: [
      [100, "rfc4733", "1", 100],
      [120, "info", "1", 100],
      [300, "rfc4733", "1", 100],
      [320, "info", "1", 100],
    ],
    keys: "11",
  },
  "both ways, INFO first": {
    arrive: [
      [5, "info", "1", 250],
      [100, "rfc4733", "1", 100],
      [205, "info", "2", 250],
      [300, "rfc4733", "2", 100],
    ],
    keys: "12",
  },
  "one way lags behind the other by two keys": {
    arrive: [
      [100, "rfc4733", "1", 80],
      [300, "rfc4733", "1", 80],
      [350, "info", "1", 80],
      [550, "info", "1", 80],
    ],
    keys: "11",
  },
  "first at different times, then by different ways": {
    arrive: [
      [100, "rfc4733", "1", 80],
      [150, "info", "1", 80],
      [300, "info", "2", 80],
      [350, "rfc4733", "2", 80],
    ],
    keys: "12",
  },
  "a key held for long is told of by RFC 4733 when it ends": {
    arrive: [
      [10, "info", "5", 250],
      [6000, "rfc4733", "5", 6000],
    ],
    keys: "5",
  },
  "the other way, but much later: another key": {
    arrive: [
      [100, "rfc4733", "1", 100],
      [2300, "info", "1", 100],
    ],
    keys: "11",
  },
  "the other way, but another key": {
    arrive: [
      [100, "rfc4733", "1", 100],
      [120, "info", "2", 100],
    ],
    keys: "12",
  },
};

describe("a keypad", () => {
  test.each(Object.entries(cases))("%s", (_name, { arrive, keys }) => {
    const keypad = new Keypad();
    const own = arrive.filter(([at, way, key, duration]) => keypad.press(way, key, duration, at));
    expect(own.map(([, , key]) => key).join("")).toBe(keys);
  });

  test("thousands of keys without a twin are all keys, and only the last wait for one", () => {
    const keypad = new Keypad();
    for (let i = 0; i < 5000; i++) expect(keypad.press("info", "7", 0, i)).toBe(true);
    const twins = Array.from({ length: 100 }, () => keypad.press("rfc4733", "7", 0, 5000)).filter((own) => !own);
    expect(twins).toHaveLength(64);
  });
});
