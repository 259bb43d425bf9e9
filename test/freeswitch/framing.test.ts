/** The recorded bytes of a real FreeSWITCH, cut into pieces of any size; and bytes that are no event socket's. */
import { describe, expect, test } from "@jest/globals";
import { FreeswitchEvent, percentDecoded } from "../../src/engines/freeswitch/event";
import { type Frame, FrameReader, FramingError, frameLimits } from "../../src/engines/freeswitch/frames";
import { frameCounts, trace } from "./recorded";

/** What the server said on each connection of a trace. */
function said(name: string): Buffer[] {
  const texts = new Map<string, string>();
  for (const { from, connection, text } of trace(name)) {
    if (from === "server") texts.set(connection, (texts.get(connection) ?? "") + text);
  }
  return [...texts.values()].map((text) => Buffer.from(text));
}

function framesOf(bytes: Buffer, pieceBytes: number): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    frames.push(...reader.push(bytes.subarray(at, at + pieceBytes)));
  expect(reader.unfinished).toBe(false);
  return frames;
}

const events = (name: string): FreeswitchEvent[] =>
  said(name)
    .flatMap((bytes) => framesOf(bytes, 65_536))
    .filter(({ head }) => head.get("Content-Type") === "text/event-plain")
    .map(({ body }) => FreeswitchEvent.parse(body.toString("utf8")));

describe("every trace", () => {
  test.each([...frameCounts])("%s has its %d frames, and each event its name", (name, count) => {
    expect(said(name).flatMap((bytes) => framesOf(bytes, 4096))).toHaveLength(count);
    for (const event of events(name)) expect(event.name).toMatch(/^[A-Z_]+$/);
  });

  test.each([1, 2, 3, 7, 1460])("in pieces of %d bytes it says the same", (bytes) => {
    const whole = said("01-auth-api-bgapi").flatMap((text) => framesOf(text, 1 << 20));
    const pieces = said("01-auth-api-bgapi").flatMap((text) => framesOf(text, bytes));
    expect(pieces).toEqual(whole);
  });
});

describe("events", () => {
  test("values are decoded, heads of frames are not", () => {
    const [frame] = new FrameReader().push(Buffer.from("Content-Type: command/reply\nReply-Text: +OK a%20b\n\n"));
    expect(frame?.head.get("Reply-Text")).toBe("+OK a%20b");
    const parked = events("02-inbound-park-cancel").find(({ name }) => name === "CHANNEL_PARK");
    expect(parked?.get("Caller-Caller-ID-Number")).toBe("+15551230002");
    expect(parked?.get("variable_sip_full_from")).toContain('"Phone" <sip:+15551230002@127.0.0.1:5200>');
    expect(parked?.get("nothing")).toBe("");
  });

  test("a literal %41 comes undistinguished from an A; broken encodings stay as they are", () => {
    const odd = events("12-filters-heartbeat").find((event) => event.get("Application-Data").startsWith("weird2="));
    expect(odd?.get("Application-Data")).toBe("weird2=ü A 100% \\n end");
    expect(percentDecoded("100%")).toBe("100%");
    expect(percentDecoded("%zz%4")).toBe("%zz%4");
    expect(percentDecoded("%ff")).toBe("\ufffd");
  });

  test("a head that comes twice counts once, by its first value", () => {
    const ended = events("10-hangup-transfer").find(({ name }) => name === "CHANNEL_HANGUP_COMPLETE");
    expect(ended?.get("Hangup-Cause")).toBe("USER_BUSY");
    const twice = FreeswitchEvent.parse("Event-Name: X\nA: 1\nA: 2\n\n");
    expect(twice.get("A")).toBe("1");
  });

  test("a body inside of an event is its own", () => {
    const jobs = events("01-auth-api-bgapi").filter(({ name }) => name === "BACKGROUND_JOB");
    expect(jobs.map(({ body }) => body.trim())).toEqual([
      expect.stringContaining("UP 0 years"),
      "hello",
      "-ERR no_such_command Command not found!",
    ]);
    expect(jobs[1]?.number("Content-Length")).toBe(5);
  });

  test("numbers are numbers, or not there", () => {
    const event = FreeswitchEvent.parse("Event-Name: X\nA: 12\nB: -1\nC: 1e3\nD:\nE: 99999999999999999999\n\n");
    expect(["A", "B", "C", "D", "E", "F"].map((name) => event.number(name))).toEqual([
      12,
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  test("what has no name is none", () => {
    expect(() => FreeswitchEvent.parse("Unique-ID: x\n\n")).toThrow(FramingError);
  });
});

describe("what is not taken", () => {
  const push = (text: string) => () => new FrameReader({ headBytes: 100, bodyBytes: 1000 }).push(Buffer.from(text));

  test.each([
    ["a banner of SSH", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["an answer of HTTP", "HTTP/1.1 400 Bad Request\r\n"],
    ["a line without a name", "Content-Type: x\nnothing\n\n"],
    ["a line that begins with its colon", ": x\n\n"],
    ["a head without an end", "A".repeat(101)],
    ["a length that is none", "Content-Length: -1\n\n"],
    ["a length in hexadecimal", "Content-Length: 0x10\n\n"],
    ["a body that nobody can want", "Content-Length: 1001\n\n"],
    ["a body that no number holds", "Content-Length: 99999999999999999999\n\n"],
  ])("%s", (_, text) => {
    expect(push(text)).toThrow(FramingError);
  });

  test("50 MB are refused by their announcement, before they come", () => {
    expect(frameLimits.bodyBytes).toBeLessThan(50 * 1024 * 1024);
    const head = `Content-Length: ${50 * 1024 * 1024}\nContent-Type: text/event-plain\n\n`;
    expect(() => new FrameReader().push(Buffer.from(head))).toThrow("a body of 52428800 bytes");
  });

  test("half a frame is no frame yet", () => {
    const reader = new FrameReader();
    expect(reader.push(Buffer.from("Content-Length: 5\n\nhel"))).toEqual([]);
    expect(reader.unfinished).toBe(true);
    expect(reader.push(Buffer.from("lo"))).toHaveLength(1);
  });
});
