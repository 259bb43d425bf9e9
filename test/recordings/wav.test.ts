import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { mendWav } from "../../src/recordings/wav";
import { wav } from "./place";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function mended(bytes: Buffer): Promise<{ result: Awaited<ReturnType<typeof mendWav>>; after: Buffer }> {
  const file = path.join(folder, "sound.wav");
  await writeFile(file, bytes);
  return { result: await mendWav(file), after: await readFile(file) };
}

test("a file that is whole stays as it is", async () => {
  const whole = wav(12_345);
  const { result, after } = await mended(whole);
  expect(result).toEqual({ bytes: whole.length, duration_ms: 1543, mended: false });
  expect(after.equals(whole)).toBe(true);
});

test("one without a sample is whole, too", async () => {
  expect((await mended(wav(0))).result).toEqual({ bytes: 44, duration_ms: 0, mended: false });
});

test.each([
  ["says less than there is", 4000],
  ["says more than there is", 20_000],
  ["says nothing", 0],
])("a header that %s", async (_what, said) => {
  const { result, after } = await mended(wav(8000, said));
  expect(result).toEqual({ bytes: 44 + 32_000, duration_ms: 1000, mended: true });
  expect(after.equals(wav(8000))).toBe(true);
});

test("wherever the writer was when it died, all whole samples are kept", async () => {
  const complete = wav(500, 300);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: complete.length }), async (length) => {
      const { result, after } = await mended(complete.subarray(0, length));
      const frames = Math.max(Math.floor((length - 44) / 4), 0);
      const expected = wav(500).subarray(0, 44 + frames * 4);
      wav(frames).copy(expected, 0, 0, 44);
      expect(after.equals(expected)).toBe(true);
      expect(result).toMatchObject({ bytes: 44 + frames * 4, duration_ms: Math.round(frames / 8) });
    }),
    { numRuns: 100 },
  );
});

test("a header that never reached the disk", async () => {
  const lost = wav(800);
  lost.fill(0, 0, 44);
  const { result, after } = await mended(Buffer.concat([lost, Buffer.from([1, 2, 3])]));
  expect(result).toEqual({ bytes: 44 + 3200, duration_ms: 100, mended: true });
  expect(after.equals(wav(800))).toBe(true);
});

test("the header of another media server, with chunks of its own", async () => {
  const own = wav(800);
  const list = Buffer.from("LIST\x05\0\0\0abcde\0", "latin1");
  const other = Buffer.concat([own.subarray(0, 36), list, own.subarray(36)]);
  const { result, after } = await mended(other);
  expect(result).toEqual({ bytes: other.length, duration_ms: 100, mended: true });
  expect(after.readUInt32LE(4)).toBe(other.length - 8);
  expect((await mended(after)).result).toMatchObject({ mended: false });
  // A chunk behind the samples that the header knows of is not taken for samples.
  const behind = Buffer.concat([after, list]);
  behind.writeUInt32LE(behind.length - 8, 4);
  expect((await mended(behind)).result).toEqual({ bytes: behind.length, duration_ms: 100, mended: false });
});

test("what is no WAV file stays as it is", async () => {
  const header = wav(100);
  const without = (at: number, text: string): Buffer => {
    const changed = Buffer.from(header);
    changed.write(text, at, "latin1");
    return changed;
  };
  for (const bytes of [
    Buffer.alloc(100, "x"),
    without(0, "RIFX"),
    without(8, "AVI "),
    without(12, "junk"),
    without(36, "junk"),
  ]) {
    const { result, after } = await mended(bytes);
    expect(result).toBe("foreign");
    expect(after.equals(bytes)).toBe(true);
  }
});

test("a format without samples is none", async () => {
  const header = wav(100);
  header.writeUInt16LE(0, 32);
  expect((await mended(header)).result).toBe("foreign");
});

test("a file that is not there", async () => {
  expect(await mendWav(path.join(folder, "nothing.wav"))).toBe("missing");
});

test("whatever the bytes are, it comes to an end", async () => {
  const start = fc.constantFrom(wav(0), wav(10, 3), wav(10).subarray(0, 36));
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), fc.nat(50), async (head, bytes, at) => {
      const file = Buffer.concat([head.subarray(0, at), bytes]);
      const { result, after } = await mended(file);
      if (typeof result !== "string") expect(result.bytes).toBe(after.length);
    }),
    { numRuns: 200 },
  );
});
