import { expect, test } from "@jest/globals";
import { isoTime } from "../../src/time";

test("times are written as by Date, from one second to the next and back", () => {
  const seconds = [0, 1_767_225_599, 1_767_225_600, 1_709_164_800, 1_767_225_599, -1, 253_402_300_799];
  for (const second of seconds) {
    for (const ms of [0, 7, 42, 999]) {
      const at = second * 1000 + ms;
      expect(isoTime(at)).toBe(new Date(at).toISOString());
    }
  }
});
