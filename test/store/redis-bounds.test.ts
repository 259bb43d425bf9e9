/**
 * How much one app may fill at most in Redis. Of what a hundred thousand requests would have left there all but the first and
 * the last is put there by the test, in one go.
 */
import { expect, test } from "@jest/globals";
import type { EventList } from "../../src/store/store";
import { type RedisTried, redisPlace } from "../redis/place";
import {
  admit,
  appPut,
  commitOf,
  decided,
  eachTime,
  ended,
  eventOf,
  loaded,
  names,
  only,
  roomOf,
  sessionOf,
  settlementOf,
  turn,
  withUid,
} from "./samples";

const place = redisPlace();
let subject: RedisTried;
const tried = eachTime(async () => {
  subject = await place.make();
  await subject.store.putApp(appPut("acme"));
  for (const uuid of ["one", "two"]) await subject.store.createSession(sessionOf(uuid), []);
  return subject;
});

/** Does this for each `i` from 1; `T` is what the keys of the app's epoch begin with, `call` calls Redis. */
async function fill(times: number, statement: string): Promise<void> {
  const text = `
    local call = redis.call
    local T = KEYS[1] .. call('GET', KEYS[1] .. 'cur') .. ':'
    for i = 1, tonumber(ARGV[1]) do ${statement} end`;
  await place.lua(text, `${subject.prefix}{acme}:`, times);
}
/** Commits the next event of a call. */
async function tell(uuid: string): Promise<void> {
  const before = await loaded(tried().store, uuid);
  const sequence = before.state.sequence + 1;
  const events = [eventOf(sequence, "dtmf", { id: `${uuid}.${sequence}` })];
  await tried().store.commit(commitOf(before, { sequence }, { events }));
}
const outcome = async (uuid: string, uid: string) =>
  (await admit(tried().store, uuid, withUid(uid, { fingerprint: "another" }))).outcome;
const numbers = ({ events }: EventList) => events.map(({ number }) => number);

test("an app forgets its oldest uid", async () => {
  const { store } = tried();
  await decided(store, "one", withUid("oldest"), 202);
  await decided(store, "one", withUid("second"), 202);
  expect(await outcome("one", "oldest")).toBe("uid_used");
  await fill(99_998, "call('RPUSH', T .. 'uids', 'op' .. i .. '\\31two\\31uid' .. i)");
  expect(await outcome("one", "oldest")).toBe("uid_used");
  await decided(store, "two", withUid("newest"), 202);
  expect(await outcome("one", "second")).toBe("uid_used");
  expect(await outcome("two", "newest")).toBe("uid_used");
  expect(await outcome("one", "oldest")).toBe("admitted");
});

test("an app forgets its call that ended first", async () => {
  const { store } = tried();
  for (const uuid of ["one", "two"]) await decided(store, uuid, withUid("uid"), 202);
  await ended(store, "one");
  await fill(99_999, "call('ZADD', T .. 'ended', call('HGET', T .. 's:one', 'forget') + 1, 'call' .. i)");
  await store.sweep();
  expect(await outcome("one", "uid")).toBe("uid_used");
  await ended(store, "two");
  await store.sweep();
  expect(await outcome("one", "uid")).toBe("session_gone");
  expect(await outcome("two", "uid")).toBe("uid_used");
});

test("an app has no more than a thousand rooms", async () => {
  const { store } = tried();
  await fill(999, "call('ZADD', T .. 'rooms', 1, 'room' .. i)");
  expect(await store.createRoom(roomOf("last"))).toEqual({ outcome: "created" });
  expect(await store.createRoom(roomOf("more"))).toEqual({ outcome: "full" });
});

const full = {
  events: [99_999, "call('RPUSH', T .. 'feed', i .. '\\t1\\t1\\tcall')"],
  bytes: [1, "call('HINCRBY', T .. 'log', 'bytes', 67108864 - 20)"],
} as const;
test.each(["events", "bytes"] as const)(
  "the log of an app is full of %s: it forgets the oldest once that is delivered",
  async (of) => {
    const { store } = tried();
    const { position } = await store.feedPosition("acme", null);
    await tell("one");
    const [times, statement] = full[of];
    await fill(times, statement);
    await tell("two");
    await tell("one");
    expect((await store.feed("acme", position, 10)).gap).toBe(true);
    // What nobody has got yet is kept, however full it is.
    const first = (await turn(store)).taken;
    expect(first.map(({ queue, event }) => `${queue}:${event.sequence}`)).toEqual(["one:1", "two:1"]);
    const next = await turn(store, { settled: first.map((taken) => settlementOf(taken)) });
    expect(names(next)).toEqual(["one:2"]);
    expect(numbers(await store.sessionEvents("acme", "one", 0, 10))).toEqual([2]);
  },
);

test("an app forgets its oldest dead letter", async () => {
  const { store } = tried();
  const die = async (uuid: string) => {
    await tell(uuid);
    await turn(store, { settled: [settlementOf(only(await turn(store)), "dead")] });
  };
  const ids = async () => {
    const { letters } = await store.deadLetters("acme", 3, null);
    return letters.map(({ source }) => source);
  };
  await die("one");
  expect(await ids()).toEqual(["one"]);
  const later = "call('ZRANGE', T .. 'dead', 0, 0, 'WITHSCORES')[2] + i";
  await fill(
    9999,
    `call('ZADD', T .. 'dead', ${later}, 'id' .. i) call('HSET', T .. 'letters', 'id' .. i, '1\\t1\\tcall\\n1\\t1\\t1\\t\\t1\\tdtmf\\t\\n{}')`,
  );
  expect(await store.countDeadLetters()).toBe(10_000);
  await subject.advance(100);
  await die("two");
  expect(await store.countDeadLetters()).toBe(10_000);
  expect((await ids())[0]).toBe("two");
  expect(await store.replayDeadLetters("acme", ["one.1"], "nonce")).toBeNull();
});

test.each(["'n', 200000", "'b', 134217728"])(
  "an app with too much that waits (%s) is not tried any more; nothing is lost",
  async (of) => {
    const { store } = tried();
    await tell("one");
    await fill(1, `call('HINCRBY', T .. 'log', ${of})`);
    const taken = only(await turn(store));
    expect(taken).toMatchObject({ event: { sequence: 1 }, mode: "disabled" });
    expect(await turn(store, { settled: [settlementOf(taken, "dead")] })).toMatchObject({ dropped: 0 });
    expect((await store.deadLetters("acme", 10, null)).letters).toMatchObject([{ source: "one", attempts: 0 }]);
  },
);
