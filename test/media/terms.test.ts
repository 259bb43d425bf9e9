import { performance } from "node:perf_hooks";
import { describe, expect, test } from "@jest/globals";
import { Terms } from "../../src/media/terms";

type Headers = Readonly<Record<string, string>>;
const etag = { etag: '"1"' };
const modified = { "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT" };
/** An HTTP date so many seconds from now. */
const date = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

function answer(headers: Headers, authorized = false, delay_ms = 0) {
  const answered = performance.now();
  return { headers, authorized, asked: answered - delay_ms, answered };
}
/** For how many seconds from its arrival it is fresh. */
function lifetime(terms: Terms): number {
  const now = performance.now();
  let seconds = 0;
  while (seconds < 10_000 && terms.isFresh(now + seconds * 1000)) seconds += 1;
  return seconds;
}

describe("how long an answer is fresh", () => {
  test.each<[string, Headers, number]>([
    ["nothing is said", {}, 0],
    ["max-age", { "cache-control": "max-age=60" }, 60],
    ["in capitals, among others, in quotes", { "cache-control": 'Public , MAX-AGE="60", x="a, max-age=5"' }, 60],
    ["s-maxage is for us", { "cache-control": "max-age=60, s-maxage=30" }, 30],
    ["the first of two", { "cache-control": "max-age=10, max-age=60" }, 10],
    ["max-age is more than Expires", { "cache-control": "max-age=60", expires: date(600), date: date(0) }, 60],
    ["Expires", { expires: date(60), date: date(0) }, 60],
    ["Expires by the server's clock", { expires: date(3660), date: date(3600) }, 60],
    ["Expires without a date", { expires: date(60) }, 60],
    ["Expires in the past", { expires: date(-60), date: date(0) }, 0],
    ["Expires that is no date", { expires: "0", date: date(0) }, 0],
    ["no such number", { "cache-control": "max-age=1e3" }, 0],
    ["not closed", { "cache-control": 'max-age="60' }, 0],
    ["no-cache", { "cache-control": "max-age=60, no-cache" }, 0],
    ["no-cache of a field", { "cache-control": 'max-age=60, no-cache="set-cookie"' }, 0],
    ["older by what a cache in between says", { "cache-control": "max-age=60", age: "20" }, 40],
    ["older by its date", { "cache-control": "max-age=60", date: date(-20) }, 40],
    ["older than its time", { "cache-control": "max-age=60", age: "60" }, 0],
    ["of a server whose clock is fast", { "cache-control": "max-age=60", date: date(600) }, 60],
  ])("%s", (_what, headers, seconds) => {
    // Dates are whole seconds, and part of one may be over.
    expect(Math.abs(lifetime(Terms.of(answer(headers))) - seconds)).toBeLessThanOrEqual(1);
  });

  test("the time on the way counts", () => {
    expect(lifetime(Terms.of(answer({ "cache-control": "max-age=60" }, false, 50_000)))).toBe(10);
  });
});

describe("what is kept, and whom it serves", () => {
  test.each<[string, Headers, boolean, Terms["serves"]]>([
    ["nothing is said", {}, false, "waiting"],
    ["fresh", { "cache-control": "max-age=60" }, true, "all"],
    ["a tag", etag, true, "waiting"],
    ["a weak tag", { etag: 'W/"1"' }, true, "waiting"],
    ["no such tag", { etag: "1" }, false, "waiting"],
    ["when it was modified", modified, true, "waiting"],
    ["no such time", { "last-modified": "yesterday" }, false, "waiting"],
    ["stale, with a tag", { ...etag, "cache-control": "max-age=0" }, true, "none"],
    ["to be asked for, with a tag", { ...etag, "cache-control": "no-cache" }, true, "none"],
    ["stale, without one", { "cache-control": "max-age=0" }, false, "none"],
    ["no-store", { ...etag, "cache-control": "no-store, max-age=60" }, false, "none"],
    ["private", { ...etag, "cache-control": "private, max-age=60" }, false, "none"],
    ["private in part", { ...etag, "cache-control": 'private="x", max-age=60' }, false, "none"],
    [
      "it varies by what we always send",
      { "cache-control": "max-age=60", vary: "Accept, Accept-Encoding" },
      true,
      "all",
    ],
    ["it varies by anything", { ...etag, "cache-control": "max-age=60", vary: "Accept, *" }, false, "none"],
    ["a tag that is longer than one remembers", { etag: `"${"x".repeat(3000)}"` }, false, "waiting"],
  ])("%s", (_what, headers, kept, serves) => {
    const terms = Terms.of(answer(headers));
    expect([terms.kept, terms.serves]).toEqual([kept, serves]);
  });

  test.each([
    ["max-age=60", false],
    ["max-age=60, public", true],
    ["max-age=60, must-revalidate", true],
    ["s-maxage=60", true],
  ])("asked for with credentials: %s", (control, kept) => {
    expect(Terms.of(answer({ "cache-control": control }, true)).kept).toBe(kept);
  });
});

describe("asked again", () => {
  test("by all that is known of the version", () => {
    expect(Terms.of(answer({ ...etag, ...modified })).conditions).toEqual({
      "If-None-Match": '"1"',
      "If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT",
    });
    expect(Terms.of(answer({ "cache-control": "max-age=60" })).conditions).toEqual({});
  });

  test("what is not said again stays, but for the date and the age", () => {
    const before = Terms.of(answer({ ...etag, "cache-control": "max-age=60", age: "60", date: date(-60) }));
    const terms = before.renewed(answer({}));
    expect(terms && [lifetime(terms), terms.kept, terms.conditions]).toEqual([60, true, { "If-None-Match": '"1"' }]);
  });

  test("what is said replaces what was said", () => {
    const before = Terms.of(answer({ ...etag, "cache-control": "max-age=60" }));
    expect(before.renewed(answer({ "cache-control": "no-store" }))?.kept).toBe(false);
    const terms = before.renewed(answer({ etag: 'W/"1"', "cache-control": "max-age=5" }));
    expect(terms && [lifetime(terms), terms.conditions]).toEqual([5, { "If-None-Match": 'W/"1"' }]);
  });

  test("an answer about another version says nothing of this one", () => {
    expect(Terms.of(answer(etag)).renewed(answer({ etag: '"2"' }))).toBeNull();
  });
});
