/** How much is kept, for whom it counts, and what of it can be removed. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { MediaFile, MediaFilesOptions, MediaShare } from "../../src/media/files";
import { Place } from "./place";
import { tone, wav } from "./sound";

/** 1644 bytes, as it comes and as it is kept. */
const file = wav(tone(1000, 8000, 800), 8000);
const bytes = 1644;
/** A third of three quarters is for one call: 40,000, of which 29,636 are needed while a file is decoded. */
const maxDiskBytes = 160_000;

let place: Place;
async function open(options: Partial<MediaFilesOptions>): Promise<void> {
  place = await Place.open(options);
}
afterEach(() => place.close());

/** A file that may be kept. @returns its URL */
const lasting = (name: string, what = file): string =>
  place.serve(name, (_, response) => response.setHeader("Cache-Control", "max-age=3600").end(what));
/** How often each was asked for. */
const asked = (...names: string[]): number[] =>
  names.map((name) => place.requests.filter(({ url }) => url === `/${name}`).length);
const play = async (...urls: string[]): Promise<void> => {
  for (const url of urls) await expect(place.samples(url)).resolves.toHaveLength(800);
};
const nameOf = (held: MediaFile): string => path.basename(held.path);
async function bytesOf(name: string, first = 0, last = bytes - 1): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of place.files.find(name)?.read(first, last) ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("what nobody uses", () => {
  test("goes when there is no room for it, and first what was not used for the longest time", async () => {
    await open({ maxCacheBytes: 2 * bytes });
    const [a, b, c] = [lasting("a"), lasting("b"), lasting("c")];
    await play(a, b, a, c);
    await place.stays(2);
    await play(a, c, b);
    expect(asked("a", "b", "c")).toEqual([1, 2, 1]);
  });

  test("goes when there are too many", async () => {
    await open({ maxCacheFiles: 1 });
    const [a, b] = [lasting("a"), lasting("b")];
    await play(a, b, b, a);
    await place.stays(1);
    expect(asked("a", "b")).toEqual([2, 1]);
  });

  test("goes at once when it is larger than all the room, and drives out nobody", async () => {
    await open({ maxCacheBytes: 2 * bytes });
    const [small, large] = [lasting("small"), lasting("large", wav(tone(1000, 8000, 8000), 8000))];
    await play(small);
    await expect(place.samples(large)).resolves.toHaveLength(8000);
    await place.stays(1);
    await play(small);
    expect(asked("small")).toEqual([1]);
  });

  test("takes nothing of the room of those who fetch", async () => {
    await open({ maxDiskBytes });
    // Together more than the room of all files in use, one after the other.
    const urls = Array.from({ length: 100 }, (_, i) => lasting(String(i)));
    await play(...urls);
    await place.stays(100);
    await play(...urls);
    expect(place.requests).toHaveLength(100);
  });
});

describe("what is in use", () => {
  test("is never removed, and is kept as what was used last", async () => {
    await open({ maxCacheBytes: 2 * bytes });
    const [a, b, c, d] = [lasting("a"), lasting("b"), lasting("c"), lasting("d")];
    await play(a);
    const held = await place.files.share().open(a);
    await play(b, c, d);
    await place.stays(3);
    await expect(place.read(held)).resolves.toHaveLength(800);
    held.release();
    held.release();
    await place.stays(2);
    await play(a, d, c);
    expect(asked("a", "b", "c", "d")).toEqual([1, 1, 2, 1]);
  });

  test("counts once for a call, however often it plays", async () => {
    await open({ maxDiskBytes });
    const [url, other] = [lasting("a"), place.serve("b", file)];
    const share = place.files.share();
    const held = await Promise.all([share.open(url), share.open(url)]);
    while (held.length < 30) held.push(await share.open(url));
    await expect(place.samples(other, share)).resolves.toHaveLength(800);
    expect(asked("a")).toEqual([1]);
    for (const each of held) each.release();
  });

  /** Takes up nearly all of a share with files from the cache. */
  async function fill(share: MediaShare): Promise<MediaFile[]> {
    const urls = Array.from({ length: 24 }, (_, i) => lasting(`kept-${i}`));
    await play(...urls);
    return Promise.all(urls.map((url) => share.open(url)));
  }

  test("counts for a call also when it comes from the cache: another one waits", async () => {
    await open({ maxDiskBytes });
    const share = place.files.share();
    const held = await fill(share);
    const url = lasting("one-more");
    await play(url);
    // One that it has already needs no more.
    held.push(await share.open(lasting("kept-1")));
    const waiting = place.samples(url, share);
    await place.message("media file waits for room");
    await play(url);
    held[0]?.release();
    await expect(waiting).resolves.toHaveLength(800);
    for (const each of held) each.release();
    await place.stays(25);
  });

  test.each([
    ["as they came", (name: string) => place.serve(name, file)],
    ["from the cache", lasting],
  ])("of all calls fills the room of all, once for each file: %s", async (_what, serve) => {
    await open({ maxDiskBytes });
    // What is left is less than one needs while it is decoded.
    const urls = Array.from({ length: 55 }, (_, i) => serve(String(i)));
    await play(...urls);
    const held: MediaFile[] = [];
    for (const url of urls) held.push(await place.files.share().open(url));
    const waiting = place.samples(place.serve("one-more", file));
    await place.message("media file waits for room");
    held[0]?.release();
    await expect(waiting).resolves.toHaveLength(800);
    for (const each of held) each.release();
  });

  test("whoever gives up waiting for room holds nothing", async () => {
    await open({ maxDiskBytes, maxCacheBytes: 30 * bytes });
    const share = place.files.share();
    const held = await fill(share);
    const url = lasting("one-more");
    await play(url);
    const caller = new AbortController();
    const waiting = expect(share.open(url, caller.signal)).rejects.toMatchObject({ name: "AbortError" });
    await place.message("media file waits for room");
    caller.abort();
    await waiting;
    for (const each of held) each.release();
    // Were it held, it would stay.
    await play(...Array.from({ length: 30 }, (_, i) => lasting(`new-${i}`)), url);
    expect(asked("one-more")).toEqual([2]);
  });

  test("a call without room to decode it has it when another one had", async () => {
    await open({ maxDiskBytes });
    const share = place.files.share();
    const held = await Promise.all(
      Array.from({ length: 7 }, (_, i) => place.serve(`held-${i}`, file)).map((url) => share.open(url)),
    );
    const url = place.serve("file", file);
    const both = [place.samples(url, share), place.samples(url)];
    await Promise.all(both.map((each) => expect(each).resolves.toHaveLength(800)));
    expect(asked("file")).toEqual([1]);
    for (const each of held) each.release();
  });
});

describe("by its name", () => {
  test("a file is found while it is held or kept", async () => {
    await open({ baseUrl: "http://gateway.example" });
    const once = await place.files.share().open(place.serve("once", file));
    expect(once.url).toBe(`http://gateway.example/media/${nameOf(once)}`);
    expect(place.files.find(nameOf(once))?.bytes).toBe(bytes);
    expect((await bytesOf(nameOf(once))).subarray(44)).toEqual(file.subarray(44));
    expect(await bytesOf(nameOf(once), 44, 45)).toEqual(file.subarray(44, 46));
    once.release();
    expect(place.files.find(nameOf(once))).toBeNull();
    const kept = await place.files.share().open(lasting("kept"));
    kept.release();
    expect(place.files.find(nameOf(kept))?.bytes).toBe(bytes);
    for (const name of ["", ".", "..", "../x.wav", "x.wav"]) expect(place.files.find(name)).toBeNull();
  });

  test("no file is found where nobody is told a URL", async () => {
    await open({});
    const held = await place.files.share().open(place.serve("file", file));
    expect(held.url).toBeUndefined();
    expect(place.files.find(nameOf(held))).toBeNull();
    held.release();
  });

  test("it is held as long as it is read", async () => {
    await open({ baseUrl: "http://gateway.example" });
    const held = await place.files.share().open(place.serve("file", file));
    const reading = place.files
      .find(nameOf(held))
      ?.read(0, bytes - 1)
      [Symbol.asyncIterator]();
    await reading?.next();
    held.release();
    expect(place.files.find(nameOf(held))).not.toBeNull();
    await reading?.return?.();
    await place.stays(0);
    expect(place.files.find(nameOf(held))).toBeNull();
  });
});

test("files are read by everybody, and nobody can guess their names", async () => {
  await open({});
  const held = await place.files.share().open(place.serve("file", file));
  expect(path.basename(held.path)).toMatch(/^[0-9a-f]{32}\.wav$/);
  expect((await stat(held.path)).mode & 0o777).toBe(0o644);
  expect((await stat(path.dirname(held.path))).mode & 0o777).toBe(0o711);
  held.release();
});
