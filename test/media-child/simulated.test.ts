import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Media, remote, sine } from "./listener";

let media: Media;

beforeAll(async () => {
  media = await Media.start({ rtpTimeoutMs: 100 });
});
afterAll(() => media.end());

test("a simulated caller has no port, and keys digits as a telephone does", async () => {
  expect(await media.link.open("keys", "simulated")).toEqual({ port: 0 });
  media.link.press("keys", 1, "12#", 100);
  media.link.press("keys", 2, "00", 0);
  await media.listener.find((word) => word.told === "pressed" && word.step === 2);
  const told = media.listener.about("keys").map((word) => (word.told === "digit" ? word.digit : word.told));
  expect(told).toEqual(["1", "2", "#", "pressed", "0", "0", "pressed"]);
  expect(media.listener.digits("keys")).toBe("1:100 2:100 #:100 0:100 0:100");
});

test("his tone goes the same way, packet by packet", async () => {
  await media.link.open("tone", "simulated");
  media.link.tone("tone", 1, 440, 230);
  await media.listener.first("pressed", "tone");
  media.link.close("tone");
  const closed = await media.lines.find(({ msg, call }) => msg === "media closed" && call === "tone");
  expect(closed).toMatchObject({ received: 12, rejected: 0 });
});

test("files are played to him, and stopped", async () => {
  await media.link.open("plays", "simulated");
  const file = await media.file("plays.wav", sine(440, 300));
  await media.link.play("plays", 1, file, 100);
  expect(await media.listener.first("played", "plays")).toEqual({
    told: "played",
    target: "plays",
    play: 1,
    offset_ms: 300,
  });
  await media.link.play("plays", 2, await media.file("more.wav", sine(440, 60_000)), 50_000);
  media.link.tone("plays", 1, 440, 200);
  await media.listener.first("pressed", "plays");
  const stopped = await media.link.stop("plays");
  expect(stopped?.play).toBe(2);
  expect((stopped?.offset_ms ?? 0) % 20).toBe(0);
  expect(stopped?.offset_ms).toBeGreaterThan(50_000);
  expect(stopped?.offset_ms).toBeLessThan(60_000);
});

test("what is negotiated for others changes nothing for him, and he never times out", async () => {
  await media.link.open("stays", "simulated");
  await media.link.remote("stays", remote(9, { dtmfPayload: null }));
  media.link.tone("stays", 1, 440, 300);
  media.link.press("stays", 2, "*", 100);
  await media.listener.find((word) => word.told === "pressed" && word.call === "stays" && word.step === 2);
  expect(media.listener.about("stays").map(({ told }) => told)).toEqual(["pressed", "digit", "pressed"]);
});

test("a simulated caller who is closed in the middle of a step says no more", async () => {
  await media.link.open("cut", "simulated");
  media.link.press("cut", 1, "123456789", 100);
  await media.listener.first("digit", "cut");
  media.link.close("cut");
  await media.link.ping();
  const { length } = media.listener.about("cut");
  await media.link.open("witness", "simulated");
  media.link.tone("witness", 1, 440, 400);
  await media.listener.first("pressed", "witness");
  expect(media.listener.about("cut").length).toBe(length);
});
