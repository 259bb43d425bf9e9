import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { Decoder } from "../../src/media/decoder";
import { wav } from "./sound";

let directory: string;
let lines: string[];
let decoder: Decoder;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
  lines = [];
  const log = createLog("info", { write: (line) => lines.push(line) });
  decoder = new Decoder(log, path.join(__dirname, "mortal-worker.js"));
});
afterEach(async () => {
  await decoder.close();
  await rm(directory, { recursive: true });
});

let files = 0;
/** A file of silence. @returns its path */
async function file(name: string, seconds = 0.1): Promise<string> {
  files += 1;
  const source = path.join(directory, `${files}-${name}`);
  await writeFile(source, wav(new Int16Array(seconds * 44_100), 44_100));
  return source;
}
function decode(source: string, target = `${source}.wav`): Promise<number> {
  return decoder.decode({ source, target, maxSamples: 10_000_000 }, new AbortController().signal);
}

test("a file on which the thread dies is not played; those beside it are, and those after it", async () => {
  const sources = [await file("long", 20), await file("crash"), await file("long", 20), await file("short")];
  const all = await Promise.allSettled(sources.map((source) => decode(source)));
  expect(all).toEqual([
    { status: "fulfilled", value: 160_000 },
    { status: "rejected", reason: expect.objectContaining({ reason: "unsupported_format" }) },
    { status: "fulfilled", value: 160_000 },
    { status: "fulfilled", value: 800 },
  ]);
  expect(lines.join("")).toContain("the media decoder crashed");
  await expect(decode(await file("short"))).resolves.toBe(800);
});

test("a file on which the thread hangs is not played; those beside it are", async () => {
  const sources = [await file("hang"), await file("short")];
  const all = await Promise.allSettled(sources.map((source) => decode(source)));
  expect(all).toEqual([
    { status: "rejected", reason: expect.objectContaining({ reason: "unsupported_format" }) },
    { status: "fulfilled", value: 800 },
  ]);
  expect(lines.join("")).toContain("the media decoder hangs");
});

test("a short file does not wait for a long one", async () => {
  const done: string[] = [];
  const [long, short] = [await file("long", 100), await file("short")];
  await Promise.all([decode(long).then(() => done.push("long")), decode(short).then(() => done.push("short"))]);
  expect(done).toEqual(["short", "long"]);
});

test("more than can be in hand at once are all done", async () => {
  const short = await file("short");
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => decode(short, `${short}.${i}`)));
  expect(all).toEqual(Array.from({ length: 40 }, () => 800));
});

test("a full disk is no fault of the file, and is logged", async () => {
  await expect(decode(await file("short"), "/dev/full")).rejects.toMatchObject({ reason: "unreachable" });
  expect(lines.join("")).toContain("ENOSPC");
});

test("what is ended in the middle has been let go of when that is told, and does not come back", async () => {
  const [long, short] = [await file("long", 100), await file("short")];
  const target = `${long}.wav`;
  const caller = new AbortController();
  const ended = decoder.decode({ source: long, target, maxSamples: 10_000_000 }, caller.signal);
  const reason = new Error("hung up");
  caller.abort(reason);
  await expect(ended).rejects.toBe(reason);
  await rm(target, { force: true });
  await decode(short);
  expect(await readdir(directory)).not.toContain(path.basename(target));
});

test("closing ends what is in hand", async () => {
  const [long, short] = [await file("long", 100), await file("short")];
  const ended = expect(decode(long)).rejects.toMatchObject({ reason: "timeout" });
  await decode(short);
  await decoder.close();
  await ended;
  await expect(decode(short)).rejects.toMatchObject({ reason: "timeout" });
});
