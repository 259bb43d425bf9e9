/** Messages out of a stream, in whatever pieces it comes. */
import { describe, expect, test } from "@jest/globals";
import { Framing } from "../../src/engines/embedded/sip/framing";
import { limits } from "../../src/engines/embedded/sip/message";

/** A message with a body of so many bytes. */
function message(size: number): string {
  return `OPTIONS sip:a SIP/2.0\r\nVia: x\r\nl: ${size}\r\n\r\n${"\r\n\r\n#".repeat(size).slice(0, size)}`;
}

const sizes = [0, 1, 4, 400, 0, limits.body];
const stream = Buffer.from(sizes.map(message).join("\r\n\r\n"), "latin1");

describe.each([1, 2, 3, 5, 64, 1460, stream.length])("in pieces of %d", (size) => {
  test("each message comes whole, once", () => {
    const framing = new Framing();
    const frames = [];
    for (let at = 0; at < stream.length; at += size) frames.push(...framing.push(stream.subarray(at, at + size)));
    expect(frames.map((frame) => frame.message.toString("latin1"))).toEqual(sizes.map(message));
    expect(frames.some((frame) => frame.last)).toBe(false);
    expect(framing.pending).toBe(0);
    expect([framing.pinged(), framing.pinged()]).toEqual([true, false]);
  });

  test.each([
    ["a body that is too long", message(0).replace("l: 0", `l: ${limits.body + 1}`)],
    ["no length", message(0).replace("l: 0", "s: 0")],
    ["two lengths", message(0).replace("l: 0", "l: 0\r\nl: 0")],
    ["a head that is too long", message(0).replace("Via: x", `Via: ${"x".repeat(limits.head)}`)],
    ["garbage", `${"\0".repeat(50_000)}\r\n\r\n`],
  ])("%s is the last that is read, however much follows", (_, text) => {
    const framing = new Framing();
    const frames = [];
    let most = 0;
    const bytes = Buffer.from(text + message(3), "latin1");
    for (let at = 0; at < bytes.length; at += size) {
      frames.push(...framing.push(bytes.subarray(at, at + size)));
      most = Math.max(most, framing.pending);
    }
    expect(most).toBeLessThanOrEqual(limits.head + limits.body);
    expect(frames.map((frame) => frame.last)).toEqual([true]);
    expect(frames[0]?.message.length).toBeLessThanOrEqual(limits.head);
  });
});
