/** Which files a playback fetches, in which order, and how long it keeps them. With the real fetching and a real disk. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Track, type Tracks, tracksOf } from "../../src/engines/control/playlist";
import { MediaFiles } from "../../src/media/files";
import { FileServer } from "./files";
import { silent } from "./place";

const longMs = 6 * 60 * 1000;

describe("the files of a playback", () => {
  let directory: string;
  let media: MediaFiles;
  let files: FileServer;
  let missing: string[];
  let tracks: Tracks;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
    media = new MediaFiles({ allowLocalhost: true, log: silent, directory });
    await media.start();
    files = new FileServer();
    await files.listen();
    missing = [];
  });
  afterEach(async () => {
    tracks.close();
    await held(0);
    await media.close();
    await files.close();
    await rm(directory, { recursive: true });
  });

  const open = (urls: readonly string[], loop: boolean): void => {
    const tell = (url: string, reason: string) => missing.push(`${reason} ${urls.indexOf(url)}`);
    tracks = tracksOf({ what: { urls }, loop }, { media: media.share(), log: silent, missing: tell });
  };
  /** The places of the next so many, each released when the one after it is there, as a playback does it. */
  const sound = async (count: number): Promise<(number | null)[]> => {
    const places: (number | null)[] = [];
    let last: Track | null = null;
    for (let nth = 0; nth < count; nth++) {
      const track = await tracks.next();
      if (last) tracks.release(last);
      places.push(track?.index ?? null);
      last = track;
    }
    if (last) tracks.release(last);
    return places;
  };
  /** Until so many files lie on the disk, or the test runs out of time: removing is awaited by nobody. */
  const held = async (count: number): Promise<void> => {
    const there = async () => (await readdir(directory, { recursive: true })).filter((name) => name.endsWith(".wav"));
    while ((await there()).length !== count) await delay(5);
  };

  test("a list has each once, without those that cannot be played", async () => {
    open([files.missing("a"), files.tone(20), files.text(), files.tone(20), files.missing("b")], false);
    expect(await sound(3)).toEqual([1, 3, null]);
    expect(missing).toEqual(["not_found 0", "unsupported_format 2", "not_found 4"]);
    await held(0);
  });

  test("a loop fetches short files once, and tells once of what cannot be played", async () => {
    const urls = [
      files.tone(20, "a"),
      files.missing(),
      files.tone(40, "b"),
      ...[1, 2, 3].map((n) => files.tone(20, `c${n}`)),
    ];
    open(urls, true);
    expect(await sound(12)).toEqual([0, 2, 3, 4, 5, 0, 2, 3, 4, 5, 0, 2]);
    expect(urls.map((url) => files.requested(url))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(missing).toEqual(["not_found 1"]);
    await held(5);
  });

  test("a loop fetches what is too long to be kept in each round, and gives it back", async () => {
    const urls = [files.tone(longMs, "kept"), files.tone(longMs, "long")];
    open(urls, true);
    expect(await sound(5)).toEqual([0, 1, 0, 1, 0]);
    expect(files.requested(urls[0] ?? "")).toBe(1);
    expect(files.requested(urls[1] ?? "")).toBeGreaterThanOrEqual(2);
    // The one that is kept, and the next one of the other.
    await held(2);
  });

  test("a loop finds in the cache what is too long to be kept", async () => {
    const urls = [files.tone(longMs, "kept"), files.tone(longMs, "lasting")];
    open(urls, true);
    expect(await sound(5)).toEqual([0, 1, 0, 1, 0]);
    expect(urls.map((url) => files.requested(url))).toEqual([1, 1]);
    tracks.close();
    await held(1);
    await media.close();
  });

  test("a loop leaves out what turned out to be unreadable, and ends when nothing is left", async () => {
    open([files.tone(20, "a"), files.tone(20, "b")], true);
    expect(await sound(3)).toEqual([0, 1, 0]);
    tracks.fail(1, "unreachable");
    tracks.fail(1, "unreachable");
    expect(await sound(2)).toEqual([0, 0]);
    tracks.fail(0, "unreachable");
    expect(await sound(1)).toEqual([null]);
    expect(missing).toEqual(["unreachable 1", "unreachable 0"]);
  });

  test("closed, there is no next one", async () => {
    const late = files.tone(20, "late");
    const { requested, release } = files.hold(late);
    open([late], true);
    const next = tracks.next();
    await requested;
    tracks.close();
    release();
    expect(await next).toBeNull();
    expect(await tracks.next()).toBeNull();
  });
});
