import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Place } from "./place";
import { chunk, type Encoding, extension, fmt, interleave, level, riff, rms, tone, wav } from "./sound";
import { mono16, stereo44 } from "./tones-mp3";

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const decibel = (one: number, other: number): number => 20 * Math.log10(one / other);
/** Without the ends, where a filter swings in and out. */
const middle = (samples: Int16Array): Int16Array => samples.subarray(400, samples.length - 400);

describe("WAV", () => {
  const rates = [8000, 16_000, 44_100, 48_000];
  const encodings: Encoding[] = ["pcm16", "mulaw", "alaw"];
  const all = rates.flatMap((rate) =>
    encodings.flatMap((encoding) => ([1, 2] as const).map((n) => ({ rate, encoding, n }))),
  );

  test.each(all)("$encoding, $rate Hz, $n channels", async ({ rate, encoding, n }) => {
    const left = tone(1000, rate, rate / 2);
    const samples = await place.play(wav(n === 2 ? interleave(left, left) : left, rate, n, encoding));
    expect(samples).toHaveLength(4000);
    expect(decibel(level(middle(samples), 1000), 10_000)).toBeCloseTo(0, 0.5);
    const rest = middle(samples).map(
      (sample, i) => sample - Math.round(10_000 * Math.sin((2 * Math.PI * 1000 * (i + 400)) / 8000)),
    );
    // In step with the original, to the noise of 8-bit companding.
    expect(decibel(rms(rest), rms(middle(samples)))).toBeLessThan(-30);
  });

  test("8 kHz PCM is not touched", async () => {
    const samples = Int16Array.from({ length: 1000 }, (_, i) => (i % 2 ? -32_768 + i : 32_767 - i));
    await expect(place.play(wav(samples, 8000))).resolves.toEqual(samples);
  });

  test("two channels become their mean", async () => {
    const samples = await place.play(wav(interleave(tone(500, 8000, 4000), tone(1500, 8000, 4000)), 8000, 2));
    expect(decibel(level(samples, 500), 5000)).toBeCloseTo(0, 1);
    expect(decibel(level(samples, 1500), 5000)).toBeCloseTo(0, 1);
  });

  test.each([16_000, 44_100, 48_000])("what 8 kHz cannot carry is gone, from %i Hz", async (rate) => {
    for (const hz of [4400, 5000, 6000, 7000]) {
      const samples = await place.play(wav(tone(hz, rate, rate / 4), rate));
      expect(decibel(rms(middle(samples)), 10_000 / Math.SQRT2)).toBeLessThan(-55);
    }
    for (const hz of [100, 300, 2000, 3400]) {
      const samples = await place.play(wav(tone(hz, rate, rate / 2), rate));
      expect(Math.abs(decibel(level(middle(samples), hz), 10_000))).toBeLessThan(0.5);
    }
  });

  test("full scale does not wrap around", async () => {
    const square = Int16Array.from({ length: 44_100 }, (_, i) => (i % 100 < 50 ? 32_767 : -32_768));
    const samples = await place.play(wav(square, 44_100));
    expect(Math.max(...samples)).toBe(32_767);
    expect(level(samples, 441)).toBeGreaterThan(32_767);
  });

  const samples = tone(1000, 8000, 800);
  const bytes = Buffer.from(new Uint8Array(samples.buffer));
  const format = fmt(1, 1, 8000, 16);
  test.each([
    ["an extensible format", riff(fmt(0xfffe, 1, 8000, 16, extension(1, 16)), chunk("data", bytes))],
    [
      "chunks before the samples, of odd sizes",
      riff(
        chunk("LIST", Buffer.alloc(7)),
        format,
        chunk("fact", Buffer.alloc(4)),
        chunk("odd ", Buffer.from("x")),
        chunk("data", bytes),
      ),
    ],
    ["chunks after the samples", riff(format, chunk("data", bytes), chunk("LIST", Buffer.alloc(500, 0x7f)))],
    ["a size of 0", riff(format, chunk("data", bytes, 0))],
    ["a size of all ones", riff(format, chunk("data", bytes, 0xffffffff))],
    ["a size beyond the end", riff(format, chunk("data", bytes, bytes.length + 1000))],
    [
      "half a sample at the end",
      riff(format, chunk("data", Buffer.concat([bytes, Buffer.from([1])]), 0)).subarray(0, -1),
    ],
  ])("with %s", async (_what, file) => {
    await expect(place.play(file)).resolves.toEqual(samples);
  });

  test.each([
    ["24 bits", riff(fmt(1, 1, 8000, 24), chunk("data", bytes))],
    ["8 bits without companding", riff(fmt(1, 1, 8000, 8), chunk("data", bytes))],
    ["floating point", riff(fmt(3, 1, 8000, 32), chunk("data", bytes))],
    ["MP3 in a WAV", riff(fmt(0x55, 1, 44_100, 16), chunk("data", mono16))],
    [
      "an extensible format of somebody else",
      riff(fmt(0xfffe, 1, 8000, 16, extension(1, 16, "00".repeat(14))), chunk("data", bytes)),
    ],
    ["an extensible format cut short", riff(fmt(0xfffe, 1, 8000, 16), chunk("data", bytes))],
    ["11 025 Hz", riff(fmt(1, 1, 11_025, 16), chunk("data", bytes))],
    ["0 Hz", riff(fmt(1, 1, 0, 16), chunk("data", bytes))],
    ["three channels", riff(fmt(1, 3, 8000, 16), chunk("data", bytes))],
    ["no channel", riff(fmt(1, 0, 8000, 16), chunk("data", bytes))],
    ["samples before their format", riff(chunk("data", bytes), format)],
    ["a format cut short", riff(chunk("fmt ", Buffer.alloc(10)), chunk("data", bytes))],
    ["no samples", riff(format)],
    ["an empty list of samples", riff(format, chunk("data", Buffer.alloc(0)))],
    [
      "nothing but chunks",
      riff(...Array.from({ length: 5000 }, () => chunk("LIST", Buffer.alloc(0))), format, chunk("data", bytes)),
    ],
    ["its beginning only", Buffer.from("RIFF\0\0\0\0WAVE")],
  ])("%s is not played", async (_what, file) => {
    await expect(place.refusal(file)).resolves.toBe("unsupported_format");
  });
});

describe("MP3", () => {
  const id3 = (size: number): Buffer =>
    Buffer.concat([
      Buffer.from("ID3\x04\0\0\0\0", "latin1"),
      Buffer.from([size >> 7, size & 127]),
      Buffer.alloc(size, 0xff),
    ]);
  test.each([
    ["44.1 kHz, two channels", stereo44, 0.4],
    ["16 kHz, one channel", mono16, 0.5],
    ["behind tags", Buffer.concat([id3(3000), id3(10), stereo44]), 0.4],
    ["with a tag at the end", Buffer.concat([stereo44, Buffer.from("TAG".padEnd(128))]), 0.4],
    ["with something before it", Buffer.concat([Buffer.from("\0\0 not yet "), stereo44]), 0.4],
  ])("%s", async (_what, file, seconds) => {
    const samples = await place.play(file);
    // An encoder adds silence before and after.
    expect(samples.length / 8000).toBeGreaterThanOrEqual(seconds);
    expect(samples.length / 8000).toBeLessThan(seconds + 0.2);
    const sounding = samples.subarray(1200, 2400);
    expect(decibel(level(sounding, 1000), 9500)).toBeCloseTo(0, 0);
    expect(decibel(rms(sounding), 9500 / Math.SQRT2)).toBeCloseTo(0, 0);
  });

  test("cut off in the middle, it is played as far as it goes", async () => {
    const samples = await place.play(stereo44.subarray(0, 4000));
    expect(samples.length / 8000).toBeGreaterThan(0.15);
    expect(samples.length / 8000).toBeLessThan(0.3);
  });

  test("damaged, it does not keep the next one from being played", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const damaged = Buffer.from(stereo44);
      for (let at = seed * 7; at < damaged.length; at += 13 + seed) damaged[at] = (at * seed * 31) & 255;
      // It is played or not: what counts is what follows.
      await Promise.allSettled([place.play(damaged)]);
    }
    await expect(place.play(stereo44)).resolves.toHaveLength((await place.play(stereo44)).length);
  });

  test.each([
    ["a text", Buffer.from("<!doctype html><title>Not here</title>".repeat(100))],
    ["nothing", Buffer.alloc(0)],
    ["zeros", Buffer.alloc(100_000)],
    ["a tag without music", id3(1000)],
    ["a tag that claims more than there is", Buffer.from("ID3\x04\0\0\x7f\x7f\x7f\x7f", "latin1")],
    [
      "one header by chance",
      Buffer.concat([Buffer.from("text "), stereo44.subarray(0, 4), Buffer.from(" text".repeat(200))]),
    ],
    [
      "the free format",
      Buffer.concat(
        Array.from({ length: 50 }, () => Buffer.concat([Buffer.from("fffb0044", "hex"), Buffer.alloc(300)])),
      ),
    ],
    [
      "layer II",
      Buffer.concat(
        Array.from({ length: 50 }, () => Buffer.concat([Buffer.from("fffd8044", "hex"), Buffer.alloc(414)])),
      ),
    ],
  ])("%s is none", async (_what, file) => {
    await expect(place.refusal(file)).resolves.toBe("unsupported_format");
  });

  test("of many hours is too large, which is known before it is decoded", async () => {
    // MPEG 2.5 at 8 kbit/s: a frame of 72 bytes sounds for 72 ms.
    const frame = Buffer.concat([Buffer.from("ffe318c4", "hex"), Buffer.alloc(68)]);
    const hours = Buffer.alloc(15 * 1024 * 1024, frame);
    await expect(place.refusal(hours)).resolves.toBe("too_large");
    expect(await place.left()).toEqual([]);
  });
});
