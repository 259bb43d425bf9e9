import { describe, expect, test } from "@jest/globals";
import { Breaker } from "../../src/webhooks/breaker";
import { Slots } from "../../src/webhooks/slots";

describe("slots", () => {
  test("whoever holds all it may leaves some for the next, and that one for the one after", () => {
    const slots = new Slots(64);
    const grants = Array.from({ length: 5 }, () => slots.take(64, 0));
    expect(grants).toEqual([32, 16, 8, 4, 2]);
  });

  test("nobody gets more than wanted, or any when it holds more than is left", () => {
    const slots = new Slots(64);
    expect(slots.take(3, 0)).toBe(3);
    expect(slots.take(0, 0)).toBe(0);
    expect(slots.take(64, 61)).toBe(0);
  });

  test("the last one goes to somebody who has none", () => {
    const slots = new Slots(1);
    expect(slots.take(64, 1)).toBe(0);
    expect(slots.take(64, 0)).toBe(1);
    expect(slots.take(64, 0)).toBe(0);
  });

  test("who waits is called in turn, once, while there is any", () => {
    const slots = new Slots(2);
    slots.take(2, 0);
    slots.take(1, 0);
    const called: string[] = [];
    for (const name of ["first", "second", "third"]) {
      slots.wait(() => {
        called.push(name);
        slots.take(1, 0);
      });
    }
    slots.give(1);
    expect(called).toEqual(["first"]);
    slots.give(2);
    expect(called).toEqual(["first", "second", "third"]);
    slots.give(1);
    expect(called).toHaveLength(3);
  });
});

describe("breaker", () => {
  const fail = (breaker: Breaker, times: number, now: number, endpoint = "a"): void => {
    for (let i = 0; i < times; i++) breaker.unanswered(endpoint, now, now);
  };

  test("opens after ten attempts in a row without an answer, for this endpoint alone", () => {
    const breaker = new Breaker();
    fail(breaker, 9, 1000);
    expect(breaker.pause("a", 1000)).toBeNull();
    fail(breaker, 1, 1000);
    expect(breaker.pause("a", 1000)).toBe(500);
    expect(breaker.pause("a", 1400)).toBe(100);
    expect(breaker.pause("b", 1000)).toBeNull();
  });

  test("lets one through after the pause; pauses grow up to five seconds", () => {
    const breaker = new Breaker();
    fail(breaker, 10, 0);
    let now = 0;
    for (const pause of [500, 1000, 2000, 4000, 5000, 5000]) {
      expect(breaker.pause("a", now)).toBe(pause);
      now += pause;
      expect(breaker.pause("a", now)).toBe(0);
      fail(breaker, 1, now);
    }
  });

  test("what was under way when it opened does not make the pause longer", () => {
    const breaker = new Breaker();
    fail(breaker, 10, 1000);
    breaker.unanswered("a", 900, 1400);
    expect(breaker.pause("a", 1400)).toBe(100);
  });

  test("any answer closes it, and the count begins anew", () => {
    const breaker = new Breaker();
    fail(breaker, 10, 0);
    breaker.answered("a");
    expect(breaker.pause("a", 0)).toBeNull();
    fail(breaker, 9, 0);
    expect(breaker.pause("a", 0)).toBeNull();
  });

  test("remembers the last thousand", () => {
    const breaker = new Breaker();
    fail(breaker, 10, 0);
    for (let i = 0; i < 999; i++) fail(breaker, 1, 0, `other ${i}`);
    expect(breaker.pause("a", 0)).toBe(500);
    fail(breaker, 1, 0, "one more");
    expect(breaker.pause("a", 0)).toBeNull();
  });
});
