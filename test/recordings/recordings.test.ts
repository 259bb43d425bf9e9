/** From the begin of a recording to the end of what is kept of it. */
import { readdir, readFile, readlink, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Recordings } from "../../src/recordings/recordings";
import { call, Place, wav } from "./place";

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.close());

/** One that was told of. */
async function completed(recordings: Recordings, sound = wav(8000)): Promise<string> {
  const before = place.told.length;
  const { recording_id, path: file } = await recordings.begin(call);
  await writeFile(file, sound, { flag: "wx" });
  recordings.finish(recording_id, null);
  await place.untilTold(before + 1);
  return recording_id;
}

async function bytesOf(recordings: Recordings, recording_id: string, first: number, last: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const found = await recordings.find(call.app_id, recording_id);
  for await (const chunk of found?.read(first, last) ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("is known before there is a file, whole once it is closed, told of once", async () => {
  const recordings = await place.open();
  const { recording_id, path: file } = await recordings.begin(call);
  expect(file).toBe(place.file(recording_id, "wav"));
  expect(await place.names()).toEqual([`${recording_id}.json`]);
  expect(await place.state(recording_id)).toBe("recording");
  expect((await stat(place.file(recording_id, "json"))).mode & 0o777).toBe(0o600);

  await writeFile(file, wav(16_004, 8000));
  expect(await recordings.find(call.app_id, recording_id)).toBeNull();
  expect(await recordings.remove(call.app_id, recording_id)).toBe(false);
  recordings.finish(recording_id, null);
  recordings.finish(recording_id, null);
  await place.untilTold(1);
  const recording_url = `https://voice.example.com/api/v1/recordings/${recording_id}`;
  expect(place.told).toEqual([{ session_uuid: call.session_uuid, recording_id, recording_url, duration_ms: 2001 }]);
  // Whoever is told may fetch it at once.
  expect((await bytesOf(recordings, recording_id, 0, 64_059)).equals(wav(16_004))).toBe(true);
  await recordings.close();
  expect(place.told).toHaveLength(1);
  expect(await place.state(recording_id)).toBe("told");
});

test("it can be fetched while the session is being told", async () => {
  const recordings = await place.open();
  let found: unknown = null;
  place.answer = async ({ recording_id }) => {
    found = await recordings.find(call.app_id, recording_id);
  };
  const recording_id = await completed(recordings);
  expect(found).toMatchObject({ recording_id, bytes: 44 + 32_000 });
});

test("the session is told until the store has taken it", async () => {
  const recordings = await place.open();
  const asked: string[] = [];
  place.answer = async ({ recording_id }) => {
    asked.push(recording_id);
    if (asked.length < 3) throw new Error("the store is away");
  };
  const recording_id = await completed(recordings);
  expect(asked).toEqual([recording_id, recording_id, recording_id]);
  await recordings.close();
  expect(await place.state(recording_id)).toBe("told");
});

test("a file that could not be written is told of as far as it goes, and kept", async () => {
  const recordings = await place.open();
  const { recording_id, path: file } = await recordings.begin(call);
  await writeFile(file, wav(4001, 0));
  recordings.finish(recording_id, "The file could not be written");
  await place.untilTold(1);
  const error = "The file could not be written";
  expect(place.told).toMatchObject([{ recording_id, recording_url: null, duration_ms: 500, error }]);
  expect((await bytesOf(recordings, recording_id, 0, 16_047)).equals(wav(4001))).toBe(true);
});

test.each([
  ["is not there", null],
  ["is no WAV file", Buffer.alloc(1000, "x")],
])("a file that %s", async (_what, sound) => {
  const recordings = await place.open();
  const { recording_id, path: file } = await recordings.begin(call);
  if (sound) await writeFile(file, sound);
  recordings.finish(recording_id, null);
  await place.untilTold(1);
  const error = "The file could not be written";
  expect(place.told).toMatchObject([{ recording_id, recording_url: null, duration_ms: 0, error }]);
  await recordings.close();
  // Who looks for it finds what there is; of nothing, nothing is kept.
  expect(await place.names()).toEqual(sound ? [`${recording_id}.json`, `${recording_id}.wav`] : []);
});

test("one that the media server refused leaves nothing behind", async () => {
  const recordings = await place.open();
  const { recording_id } = await recordings.begin(call);
  await recordings.discard({ ...call, recording_id });
  recordings.finish(recording_id, null);
  expect(await place.names()).toEqual([]);
  await recordings.close();
  expect(place.told).toEqual([]);
});

test("where nothing can be written, no media server can open the file", async () => {
  const recordings = await place.open();
  await rm(place.dir, { recursive: true });
  const { recording_id, path: file } = await recordings.begin(call);
  await expect(writeFile(file, "", { flag: "wx" })).rejects.toMatchObject({ code: "ENOENT" });
  expect(path.relative(place.dir, file)).not.toMatch(/^\.\./);
  await recordings.discard({ ...call, recording_id });
  expect(await place.line("recording: no sidecar can be written")).toMatchObject({ recording_id });
});

test("without a folder and an upload nothing is available", async () => {
  const recordings = await place.open({ dir: null });
  expect(recordings.available).toBe(false);
  await expect(recordings.begin(call)).rejects.toThrow("recording is off");
  expect(await recordings.find(call.app_id, "0b8d5c6e-7f1a-4b2c-9d3e-4f5a6b7c8d9e")).toBeNull();
  await recordings.removeApp(call.app_id);
});

describe("reading", () => {
  test("any part, in pieces", async () => {
    const recordings = await place.open();
    const sound = wav(60_000);
    const recording_id = await completed(recordings, sound);
    expect(await recordings.find(call.app_id, recording_id)).toMatchObject({ recording_id, bytes: sound.length });
    for (const [first, last] of [
      [0, sound.length - 1],
      [0, 0],
      [65_535, 65_536],
      [sound.length - 1, sound.length - 1],
    ] as const)
      expect((await bytesOf(recordings, recording_id, first, last)).equals(sound.subarray(first, last + 1))).toBe(true);
  });

  test("a reader that goes away closes the file", async () => {
    const recordings = await place.open();
    const recording_id = await completed(recordings, wav(60_000));
    const found = await recordings.find(call.app_id, recording_id);
    const fds = async (): Promise<number> =>
      (await openFiles()).filter((file) => file.endsWith(`${recording_id}.wav`)).length;
    for await (const _chunk of found?.read(0, 240_043) ?? []) {
      expect(await fds()).toBe(1);
      break;
    }
    expect(await fds()).toBe(0);
  });

  test("one that became shorter meanwhile does not end as if it were whole", async () => {
    const recordings = await place.open();
    const recording_id = await completed(recordings);
    const found = await recordings.find(call.app_id, recording_id);
    await truncate(place.file(recording_id, "wav"), 100);
    const read = async (): Promise<void> => {
      for await (const chunk of found?.read(0, 32_043) ?? []) expect(chunk).toHaveLength(100);
    };
    await expect(read()).rejects.toThrow("a recording became shorter");
  });

  test.each(["0b8d5c6e-7f1a-4b2c-9d3e-4f5a6b7c8d9e", "x", "", "../secret", "..%2fsecret", `${"a".repeat(5000)}`])(
    "there is no %j",
    async (id) => {
      const recordings = await place.open();
      expect(await recordings.find(call.app_id, id)).toBeNull();
      expect(await recordings.remove(call.app_id, id)).toBe(false);
    },
  );

  test("nor is there another app's", async () => {
    const recordings = await place.open();
    const recording_id = await completed(recordings);
    expect(await recordings.find("other", recording_id)).toBeNull();
    expect(await recordings.remove("other", recording_id)).toBe(false);
    expect(await recordings.find(call.app_id, recording_id.toUpperCase())).toBeNull();
    expect(await recordings.find(call.app_id, recording_id)).not.toBeNull();
  });
});

describe("deleting", () => {
  test("once", async () => {
    const recordings = await place.open();
    const recording_id = await completed(recordings);
    const both = [recordings.remove(call.app_id, recording_id), recordings.remove(call.app_id, recording_id)];
    expect((await Promise.all(both)).filter(Boolean)).toHaveLength(1);
    expect(await recordings.find(call.app_id, recording_id)).toBeNull();
    await recordings.close();
    expect((await place.names()).filter((name) => name.endsWith(".wav"))).toEqual([]);
  });

  test("one whose session is being told: it is, and nothing stays", async () => {
    const recordings = await place.open();
    place.answer = async ({ recording_id }) => {
      expect(await recordings.remove(call.app_id, recording_id)).toBe(true);
      expect(await recordings.find(call.app_id, recording_id)).toBeNull();
      // So that a crash cannot make it untold.
      expect(await place.state(recording_id)).toBe("whole");
    };
    await completed(recordings);
    await recordings.close();
    expect(await place.names()).toEqual([]);
  });

  test("one whose session has just been told, however soon after: nothing stays", async () => {
    const recordings = await place.open();
    const removed: Promise<boolean>[] = [];
    place.answer = async ({ recording_id }) => {
      const turns = removed.length;
      const later = async (): Promise<boolean> => {
        while ((await place.state(recording_id)) !== "told") await new Promise(setImmediate);
        for (let turn = 0; turn < turns % 10; turn++) await null;
        return recordings.remove(call.app_id, recording_id);
      };
      removed.push(later());
    };
    for (let nth = 0; nth < 100; nth++) await completed(recordings, wav(8));
    expect(await Promise.all(removed)).not.toContain(false);
    await recordings.close();
    expect(await place.names()).toEqual([]);
  });

  test("all of an app, also what is under way, and of no other", async () => {
    const recordings = await place.open();
    await completed(recordings);
    const running = await recordings.begin(call);
    await writeFile(running.path, wav(10));
    const others = await recordings.begin({ ...call, app_id: "other" });
    let told = 0;
    place.answer = async () => {
      told += 1;
      throw new Error("the store is away");
    };
    const stuck = await recordings.begin(call);
    await writeFile(stuck.path, wav(10));
    recordings.finish(stuck.recording_id, null);
    await place.line("recording completed, but the store cannot be asked");

    await recordings.removeApp(call.app_id);
    expect(await place.folders()).toEqual(["other"]);
    recordings.finish(running.recording_id, null);
    await recordings.close();
    expect(told).toBe(1);
    expect(await place.folders()).toEqual(["other"]);
    expect(await place.names("other")).toEqual([`${others.recording_id}.json`]);
  });
});

describe("closing", () => {
  test("waits for what media servers have just closed, and for nobody who never began", async () => {
    const recordings = await place.open();
    await recordings.begin(call);
    const { recording_id, path: file } = await recordings.begin(call);
    await writeFile(file, wav(80));
    const closed = recordings.close();
    setImmediate(() => recordings.finish(recording_id, null));
    await closed;
    expect(place.told).toMatchObject([{ recording_id, duration_ms: 10 }]);
    expect(await place.state(recording_id)).toBe("told");
    expect(await recordings.close()).toBeUndefined();
  });

  test("leaves to the next start what the store did not take", async () => {
    const recordings = await place.open();
    place.answer = () => Promise.reject(new Error("the store is away"));
    const { recording_id, path: file } = await recordings.begin(call);
    await writeFile(file, wav(80));
    recordings.finish(recording_id, null);
    await place.line("recording completed, but the store cannot be asked");
    await recordings.close();
    expect(JSON.parse(await readFile(place.file(recording_id, "json"), "utf8"))).toMatchObject({ state: "whole" });
    place.answer = async () => undefined;
    await place.open();
    await place.untilTold(1);
    expect(place.told).toMatchObject([{ recording_id, duration_ms: 10 }]);
  });
});

/** Of this process. */
async function openFiles(): Promise<string[]> {
  const links = await readdir("/proc/self/fd");
  return Promise.all(links.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
}
