import { expect, test } from "@jest/globals";
import { MemoryStore } from "../../src/store/memory";
import { redisPlace } from "../redis/place";
import { type Told, walk } from "./walk";

const place = redisPlace();

/** As a text each, in one order: which of what came at the same moment is first is not said. */
function inOrder(list: readonly unknown[]): readonly string[] {
  return list.map((each) => JSON.stringify(each)).sort();
}

/** What both must tell alike: without what is opaque, and without what is not said. */
function alike({ asked, answer, more }: Told): unknown {
  const told = JSON.parse(JSON.stringify({ more }), (key, value) => (key === "position" ? null : value)).more;
  switch (asked) {
    case "deadLetters":
      return [asked, told.letters, told.next === null];
    case "overdue":
      // Of more than were asked for it is not said which, where they are late since the same moment.
      return [asked, told.map((list: unknown[]) => (list.length < 5 ? inOrder(list) : list.length))];
    case "appsWithEvents":
      return [asked, inOrder(told)];
    case "turn":
      // How long the last events of a deleted app are still handed out depends on when somebody sweeps.
      return [asked, told.filter((taken: string) => !taken.includes(" closing "))];
    default:
      return [asked, answer, told];
  }
}

test.each([1, 2, 3, 4])("a walk over Redis and one over memory are told the same (seed %i)", async (seed) => {
  const redis = await place.make();
  try {
    let now = await redis.store.now();
    const advance = (ms: number) => {
      now += ms;
    };
    const expected = await walk({ store: new MemoryStore({ now: () => now }), advance }, () => false, seed, 2000);
    expect((await walk(redis, () => false, seed, 2000)).map(alike)).toEqual(expected.map(alike));
  } finally {
    await redis.store.close();
  }
});
