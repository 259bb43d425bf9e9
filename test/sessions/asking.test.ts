/** The time that engines have to take a command: one timer for all of them. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { Refused } from "../../src/engines/engine";
import { Asking } from "../../src/sessions/asking";

const never = new Promise<never>(() => undefined);

test("each is late in its turn, those that were begun while the timer ran as well", async () => {
  const asking = new Asking(40);
  const told: string[] = [];
  const ask = (name: string) => asking.inTime(name, never).catch((error: unknown) => told.push(`${name} ${error}`));
  const first = ask("first");
  const quick = asking.inTime("quick", Promise.resolve("taken"));
  await delay(10);
  const second = ask("second");
  expect(await quick).toBe("taken");
  asking.end("quick");
  await Promise.all([first, second]);
  expect(told).toEqual(["first Refused: late", "second Refused: late"]);
  asking.close();
});

test("one that is late is still being asked, until somebody has written it down", async () => {
  const asking = new Asking(10);
  let answer: (taken: string) => void = () => undefined;
  const asked = asking.inTime("one", new Promise<string>((resolve) => (answer = resolve)));
  await expect(asked).rejects.toEqual(new Refused("late"));
  expect(asking.has("one")).toBe(true);
  answer("taken after all");
  await expect(asked).rejects.toEqual(new Refused("late"));
  asking.end("one");
  expect(asking.has("one")).toBe(false);
  asking.close();
});

test("what an engine refuses is refused at once, and what is settled is known to be", async () => {
  const asking = new Asking(60_000);
  await expect(asking.inTime("gone", Promise.reject(new Refused("gone")))).rejects.toEqual(new Refused("gone"));
  const asked = asking.inTime("one", Promise.resolve("taken"));
  expect(asking.settled("one")).toBe(false);
  asking.settle("one");
  asking.settle("another");
  expect([asking.settled("one"), asking.settled("another")]).toEqual([true, false]);
  expect(await asked).toBe("taken");
  asking.close();
});
