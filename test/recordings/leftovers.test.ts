/** What lies in the folder at the start, and what becomes of it by and by. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { call, Place, wav } from "./place";

let place: Place;
const children: ChildProcess[] = [];
beforeEach(async () => {
  place = await Place.make();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await place.close();
});

const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const day = 86_400_000;
const completion = { recording_url: "https://voice.example.com/x", duration_ms: 1000, error: null };

/** A gateway in a process of its own that is recording, and the id of that. */
async function mortal(): Promise<{ child: ChildProcess; recording_id: string }> {
  const args = [path.join(__dirname, "mortal.js"), place.dir];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const [said] = await once(child.stdout, "data");
  return { child, recording_id: String(said).trim() };
}

describe("a gateway that is gone", () => {
  test("was killed while it recorded: up to the last sample nothing is lost", async () => {
    const { child, recording_id } = await mortal();
    // Another gateway of this folder leaves it alone as long as it lives.
    const early = await place.open();
    await place.line("recordings looked through");
    await early.close();
    expect(await place.state(recording_id)).toBe("recording");
    child.kill("SIGKILL");
    await once(child, "exit");

    const recordings = await place.open();
    await place.untilTold(1);
    expect(place.told).toEqual([
      {
        session_uuid: call.session_uuid,
        recording_id,
        recording_url: `https://voice.example.com/api/v1/recordings/${recording_id}`,
        duration_ms: 1500,
      },
    ]);
    expect((await readFile(place.file(recording_id, "wav"))).equals(wav(12_000))).toBe(true);
    expect(await recordings.find(call.app_id, recording_id)).toMatchObject({ bytes: 44 + 48_000 });
  });

  test("was killed while another one of its folder lives, which takes over", async () => {
    const { child, recording_id } = await mortal();
    await place.open();
    await place.line("recordings looked through");
    child.kill("SIGKILL");
    await place.untilTold(1);
    expect(place.told).toMatchObject([{ recording_id, duration_ms: 1500 }]);
  });

  test("in each of its states, once", async () => {
    await place.leave(id(1), { state: "recording" }, wav(800, 0));
    await place.leave(id(2), { state: "finishing", stopped_at: 1_800_000_001_000, cut: true }, wav(800));
    await place.leave(
      id(3),
      { state: "whole", stopped_at: 1, completion: { ...completion, completed_at: 2 } },
      wav(800),
    );
    await place.leave(
      id(4),
      { state: "told", stopped_at: 1, completion: { ...completion, completed_at: 2 } },
      wav(800),
    );
    await place.leave(id(5), { state: "recording" }, null);
    await place.leave(id(6), { state: "told", stopped_at: 1, completion: { ...completion, completed_at: 2 } }, null);
    const recordings = await place.open();
    await place.untilTold(4);
    await place.line("recordings looked through");
    await recordings.close();
    const error = "The file could not be written";
    const { session_uuid } = call;
    expect(place.told.sort((a, b) => a.recording_id.localeCompare(b.recording_id))).toEqual([
      {
        session_uuid,
        recording_id: id(1),
        recording_url: `https://voice.example.com/api/v1/recordings/${id(1)}`,
        duration_ms: 100,
      },
      { session_uuid, recording_id: id(2), recording_url: null, duration_ms: 100, error },
      { session_uuid, recording_id: id(3), recording_url: completion.recording_url, duration_ms: 1000 },
      { session_uuid, recording_id: id(5), recording_url: null, duration_ms: 0, error },
    ]);
    const kept = [1, 2, 3, 4].flatMap((number) => [`${id(number)}.json`, `${id(number)}.wav`]);
    expect(await place.names()).toEqual(kept);
    const again = await place.open();
    await place.line("recordings looked through", ({ adopted }) => adopted === 0);
    await again.close();
    expect(place.told).toHaveLength(4);
  });

  test("however many there are", async () => {
    const all = Array.from({ length: 300 }, (_, number) => id(number));
    for (const recording_id of all) await place.leave(recording_id, {}, wav(8, 0));
    const recordings = await place.open();
    await place.untilTold(300);
    expect(new Set(place.told.map(({ recording_id }) => recording_id))).toEqual(new Set(all));
    await recordings.close();
  });
});

test("what is not understood is left alone and said", async () => {
  await place.leave(id(4), { recording_id: id(5) }, wav(10));
  await writeFile(place.file(id(1), "wav"), wav(10));
  await writeFile(place.file(id(2), "json"), "{");
  await writeFile(place.file(id(3), "json"), JSON.stringify({ recording_id: id(3), state: "recording" }));
  await place.leave(id(6), { state: "whole" }, wav(10));
  await place.leave(id(8), { app_id: "other" }, wav(10));
  await writeFile(path.join(place.dir, "notes.txt"), "mine");
  await mkdir(path.join(place.dir, "folder.json"));
  await mkdir(path.join(place.dir, call.app_id, "folder"));
  await mkdir(place.file(id(7), "json"));
  const before = await place.names();
  const recordings = await place.open();
  expect(await place.line("recordings of which nothing is known, left alone")).toMatchObject({ count: 1 });
  await recordings.close();
  expect(await place.names()).toEqual(before);
  expect(place.told).toEqual([]);
  const said = place.lines.filter(({ msg }) => msg === "recordings: a file cannot be read, left alone");
  expect(said.map(({ file }) => path.basename(String(file))).sort()).toEqual(
    [id(2), id(3), id(4), id(6), id(7), id(8)].map((name) => `${name}.json`),
  );
});

test("a sidecar that nobody went on to write goes by and by", async () => {
  await mkdir(path.join(place.dir, call.app_id));
  await writeFile(place.file(id(1), "json.tmp"), "{");
  await place.open({ sweepMs: 100 });
  await place.line("recordings looked through");
  while ((await place.names()).length > 0) await stat(place.dir);
});

test("what is left of an app that was removed goes at the start", async () => {
  await place.leave(id(1), {}, wav(8));
  await rename(path.join(place.dir, call.app_id), path.join(place.dir, `${id(2)}.removed`));
  await place.open();
  await place.line("recordings looked through");
  expect(await place.folders()).toEqual([]);
  expect(place.told).toEqual([]);
});

test("one whose sound was deleted, but for the last step, goes with the next round", async () => {
  await place.leave(id(1), { state: "told", stopped_at: 1, completion: { ...completion, completed_at: 2 } }, wav(8));
  await place.open({ sweepMs: 100 });
  await place.line("recordings looked through");
  expect(await place.names()).toHaveLength(2);
  await unlink(place.file(id(1), "wav"));
  while ((await place.names()).length > 0) await stat(place.dir);
});

describe("the time that recordings are kept", () => {
  const told = (completed_at: number): object => ({
    state: "told",
    stopped_at: 1,
    completion: { ...completion, completed_at },
  });
  const now = 1_900_000_000_000;

  test("is over to the millisecond, and only of those that were told of", async () => {
    await place.leave(id(1), told(now - 7 * day), wav(8));
    await place.leave(id(2), told(now - 7 * day + 1), wav(8));
    await place.leave(id(3), { ...told(now - 8 * day), state: "whole" }, wav(8));
    const recordings = await place.open({ retentionDays: 7, now: () => now });
    await place.line("recordings looked through", ({ expired }) => expired === 1);
    expect(await recordings.find(call.app_id, id(1))).toBeNull();
    expect(await recordings.find(call.app_id, id(2))).not.toBeNull();
    await recordings.close();
    expect(await place.names()).toEqual([2, 3].flatMap((number) => [`${id(number)}.json`, `${id(number)}.wav`]));
  });

  test("is looked at again and again", async () => {
    let clock = now;
    await place.leave(id(1), told(now), wav(8));
    const recordings = await place.open({ retentionDays: 1, now: () => clock, sweepMs: 100 });
    expect(await recordings.find(call.app_id, id(1))).not.toBeNull();
    clock += day;
    await place.line("recordings looked through", ({ expired }) => expired === 1);
    expect(await recordings.find(call.app_id, id(1))).toBeNull();
    expect(await place.names()).toEqual([]);
  });

  test("has no end with 0", async () => {
    await place.leave(id(1), told(0), wav(8));
    await place.open({ now: () => now });
    await place.line("recordings looked through");
    expect(await place.names()).toHaveLength(2);
  });
});

test("one that a late media server never began goes after a while", async () => {
  let clock = 1_900_000_000_000;
  const recordings = await place.open({ now: () => clock, sweepMs: 100 });
  const { recording_id } = await recordings.begin(call);
  const began = await recordings.begin(call);
  await writeFile(began.path, wav(8));
  clock += 60_001;
  const gone = async (): Promise<boolean> => !(await place.names()).includes(`${recording_id}.json`);
  while (!(await gone())) await stat(began.path);
  expect(await place.names()).toEqual([`${began.recording_id}.json`, `${began.recording_id}.wav`]);
  recordings.finish(began.recording_id, null);
  await place.untilTold(1);
});

test("a folder that cannot be made is no start", async () => {
  await writeFile(path.join(place.dir, "file"), "");
  await expect(place.open({ dir: path.join(place.dir, "file", "below") })).rejects.toMatchObject({ code: "ENOTDIR" });
});
