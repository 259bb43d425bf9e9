import { expect, test } from "@jest/globals";
import { type Entry, Schedule } from "../../src/store/memory/schedule";
import { chances } from "./repeating";

test.each([1, 2, 3])("a schedule is a sorted list, whatever is added and removed (seed %i)", (seed) => {
  const chance = chances(seed);
  const schedule = new Schedule<number>();
  let listed: Entry<number>[] = [];
  const sorted = () => [...listed].sort((one, other) => one.at - other.at || one.order - other.order);
  for (let step = 0; step < 2000; step++) {
    if (chance() < 0.55) {
      listed.push(schedule.add(Math.floor(chance() * 50), step));
    } else {
      const gone = listed[Math.floor(chance() * listed.length)];
      if (gone === undefined) continue;
      schedule.remove(gone);
      schedule.remove(gone);
      listed = listed.filter((entry) => entry !== gone);
    }
    expect(schedule.first).toBe(sorted()[0]);
  }
  const due = sorted().filter((entry) => entry.at <= 25);
  expect(schedule.due(25, 1000)).toEqual(due.map((entry) => entry.value));
  expect(schedule.due(25, 7)).toEqual(due.slice(0, 7).map((entry) => entry.value));
  expect(schedule.first).toBe(sorted()[0]);
  expect(due.length).toBeGreaterThan(20);
});
