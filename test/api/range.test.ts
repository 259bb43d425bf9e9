import { expect, test } from "@jest/globals";
import { askedRange } from "../../src/handlers/range";

const etag = '"0b8d5c6e"';
const bytes = 10_000;
const asked = (range: string | undefined, ifRange?: string) => askedRange(range, ifRange, etag, bytes);

test.each([
  // The examples of RFC 9110, 14.1.2 and 14.2.
  ["bytes=0-499", 0, 499],
  ["bytes=500-999", 500, 999],
  ["bytes=-500", 9500, 9999],
  ["bytes=9500-", 9500, 9999],
  ["bytes=0-0", 0, 0],
  ["bytes=-1", 9999, 9999],
  ["bytes=0-", 0, 9999],
  ["bytes=9999-", 9999, 9999],
  ["bytes=9000-99999999", 9000, 9999],
  ["bytes=-99999999", 0, 9999],
  [`bytes=1-${"9".repeat(400)}`, 1, 9999],
  ["BYTES=1-2", 1, 2],
  ["bytes=007-0008", 7, 8],
  ["bytes= 1-2 ", 1, 2],
  ["bytes=,1-2,\t,", 1, 2],
])("%s", (range, first, last) => {
  expect(asked(range)).toEqual({ first, last });
  expect(asked(range, etag)).toEqual({ first, last });
});

test.each(["bytes=10000-", "bytes=10000-10001", "bytes=-0", `bytes=${"9".repeat(400)}-`])(
  "%s is not there",
  (range) => {
    expect(asked(range)).toBe("unsatisfiable");
  },
);

test.each([
  undefined,
  "",
  "bytes",
  "bytes=",
  "bytes=,",
  "bytes=-",
  "bytes=a-b",
  "bytes=1",
  "bytes=2-1",
  "bytes=1-2-3",
  "bytes=--1",
  "bytes=+1-2",
  "bytes=1.5-2",
  "bytes=0x1-2",
  "bytes=1 - 2",
  "bytes =1-2",
  " bytes=1-2",
  "items=1-2",
  "bytes:1-2",
  "bytes=0-0,-1",
  "bytes=500-600, 601-999",
  "bytes=0-1, bytes=2-3",
])("%j is ignored", (range) => {
  expect(asked(range)).toBe("whole");
});

test.each(['"other"', `W/${etag}`, "0b8d5c6e", "", "*", "Tue, 01 Jan 2030 00:00:30 GMT", `${etag}, "other"`])(
  "If-Range %j is of another version",
  (ifRange) => {
    expect(asked("bytes=0-1", ifRange)).toBe("whole");
    // Whoever has another version wants the whole of this one, whatever there is not of it.
    expect(asked("bytes=99999-", ifRange)).toBe("whole");
  },
);

test("an empty file has no part", () => {
  expect(askedRange("bytes=0-", undefined, etag, 0)).toBe("unsatisfiable");
  expect(askedRange("bytes=-5", undefined, etag, 0)).toBe("unsatisfiable");
  expect(askedRange(undefined, undefined, etag, 0)).toBe("whole");
});
