import { expect, test } from "@jest/globals";
import { growth } from "../../scripts/growth/run";

test("300 calls of all kinds, 50 at a time, leave nothing behind", async () => {
  const { rows } = await growth({ calls: 300, atOnce: 50, warmUp: 300, sip: false, progress: () => undefined });
  expect(rows.map(({ name }) => name)).toContain("entries in the store");
  expect(rows.filter(({ grown }) => grown)).toEqual([]);
}, 120_000);
