import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { Media, remote } from "./listener";
import { event, RtpPeer } from "./peer";

let media: Media;
let peer: RtpPeer;
let call: string;
let calls = 0;

beforeAll(async () => {
  media = await Media.start();
});
afterAll(() => media.end());

beforeEach(async () => {
  call = `call ${++calls}`;
  peer = await RtpPeer.bind();
  const { port } = await media.link.open(call, "socket");
  peer.callTo(port);
  await media.link.remote(call, remote(peer.port));
});
afterEach(() => {
  media.link.close(call);
  peer.close();
});

/** Sends an event packet of the given beginning; durations in milliseconds. */
function send(code: number, start: number, ms: number, end = false, payload = 101): Promise<void> {
  return peer.packet(event(code, ms * 8, end), { payload, timestamp: start });
}

/** What was sent before this has been looked at once its digit is there. */
async function heardBefore(start: number): Promise<string> {
  await send(15, start, 40, true);
  for (;;) {
    const digits = media.listener.digits(call);
    if (digits.endsWith("D:40")) return digits.slice(0, -"D:40".length).trim();
    await media.listener.more();
  }
}

test("each of the sixteen keys is told once, with its duration, however often its end is sent", async () => {
  for (const digit of "0123456789*#ABC") await peer.press(digit);
  const told = [..."0123456789*#ABC"].map((digit) => `${digit}:100`).join(" ");
  expect(await heardBefore(0x7fffffff)).toBe(told);
});

test("a digit is told by its end, not before", async () => {
  await send(1, 1000, 20);
  await send(1, 1000, 40);
  expect(media.listener.digits(call)).toBe("");
  await send(1, 1000, 60, true);
  expect(await heardBefore(9000)).toBe("1:60");
});

test("a lost end is made up for by the next digit", async () => {
  await send(1, 1000, 20);
  await send(1, 1000, 80);
  await send(2, 2000, 20, true);
  expect(await heardBefore(9000)).toBe("1:80 2:20");
});

test("a lost end is made up for by silence", async () => {
  await send(5, 1000, 20);
  await send(5, 1000, 60);
  expect(await media.listener.first("digit", call)).toMatchObject({ digit: "5", duration_ms: 60 });
  // The end that comes after all tells nothing new.
  await send(5, 1000, 100, true);
  expect(await heardBefore(9000)).toBe("5:60");
});

test("only the last packet of a digit arrives: it is enough", async () => {
  await send(11, 1000, 100, true);
  expect(await heardBefore(9000)).toBe("#:100");
});

test("packets out of order neither shorten a digit nor tell it twice", async () => {
  await send(1, 1000, 60);
  await send(1, 1000, 20);
  await send(1, 1000, 40, true);
  await send(1, 1000, 40);
  await send(2, 3000, 40, true);
  await send(1, 1000, 40, true);
  expect(await heardBefore(9000)).toBe("1:60 2:40");
});

test("a repeated end of a long digit is not a new one when the next digit has begun", async () => {
  await send(1, 1000, 5000, true);
  await send(2, 60_000, 40, true);
  await send(1, 1000, 5000, true);
  expect(await heardBefore(90_000)).toBe("1:5000 2:40");
});

test("the same key twice is two digits", async () => {
  await peer.press("7");
  await peer.press("7");
  expect(await heardBefore(0x7fffffff)).toBe("7:100 7:100");
});

test("timestamps run over their end", async () => {
  await send(3, 0xffffff00, 40, true);
  await send(4, 0x00000300, 40, true);
  expect(await heardBefore(0x00009000)).toBe("3:40 4:40");
});

test("a key held for longer than 16 bits can say is one digit (RFC 4733, 2.5.1.3)", async () => {
  await send(6, 1000, 8000);
  await peer.packet(event(6, 0xffff), { payload: 101, timestamp: 1000 });
  await send(6, 1000 + 0xffff, 1000);
  await send(6, 1000 + 0xffff, 2000, true);
  expect(await heardBefore(200_000)).toBe("6:10192");
});

test("several digits in one packet follow each other (RFC 4733, 2.5.1.5)", async () => {
  const body = Buffer.concat([event(1, 800, true), event(2, 400, true), event(3, 160, true)]);
  for (let times = 0; times < 3; times++) await peer.packet(body, { payload: 101, timestamp: 1000 });
  expect(await heardBefore(90_000)).toBe("1:100 2:50 3:20");
});

test("a sender that begins anew, by another SSRC or far back in time, is heard", async () => {
  await send(1, 4_000_000, 40, true);
  await peer.packet(event(2, 320, true), { payload: 101, timestamp: 1000, ssrc: 77 });
  await peer.packet(event(2, 320, true), { payload: 101, timestamp: 1000, ssrc: 77 });
  await send(3, 1000, 40, true);
  await send(4, 5_000_000, 40, true);
  await send(5, 1_000_000, 40, true);
  expect(await heardBefore(2_000_000)).toBe("1:40 2:40 3:40 4:40 5:40");
});

test("other events and other payload types are no digits", async () => {
  await send(16, 1000, 40, true);
  await send(255, 2000, 40, true);
  await send(1, 3000, 40, true, 96);
  await send(1, 4000, 40, true, 0);
  await peer.packet(Buffer.from([1, 0x80, 1]), { payload: 101, timestamp: 5000 });
  expect(await heardBefore(9000)).toBe("");
});

test("the payload type is the negotiated one, and without one there are none", async () => {
  await media.link.remote(call, remote(peer.port, { dtmfPayload: null }));
  await send(1, 1000, 40, true);
  await media.link.remote(call, remote(peer.port, { dtmfPayload: 96 }));
  await send(2, 2000, 40, true);
  await send(3, 3000, 40, true, 96);
  expect(await media.listener.first("digit", call)).toMatchObject({ digit: "3" });
});

test("a flood of digits is cut to what a dialler could send, and counted", async () => {
  for (let digit = 0; digit < 400; digit++) {
    await send(digit % 10, 10_000 * (digit + 1), 40, true);
    // By the rhythm of what comes back, so that the socket's buffer holds a batch.
    if (digit % 50 === 0) await peer.listen(1);
  }
  await peer.listen(5);
  media.link.close(call);
  const closed = await media.lines.find((line) => line.msg === "media closed" && line.call === call);
  const told = media.listener.digits(call).split(" ").length;
  expect(closed.received).toBeGreaterThan(300);
  expect(told).toBeGreaterThanOrEqual(20);
  expect(told).toBeLessThan(200);
  expect(Number(closed.excess_digits) + told).toBe(closed.received);
});
