import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { Leases } from "../../src/recordings/lease";

let folder = "";
let now = 0;
let leases: Leases;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
  leases = new Leases(folder, createLog("silent"), () => now);
  await leases.start();
});
afterEach(async () => {
  await leases.close();
  await rm(folder, { recursive: true });
});

/** Somebody's, by what is in it. */
async function held(text: string): Promise<{ lease: string; touch(): Promise<void> }> {
  const lease = randomUUID();
  const file = path.join(folder, `${lease}.lease`);
  await writeFile(file, text);
  let at = Date.now();
  const touch = async (): Promise<void> => {
    at += 1000;
    await utimes(file, at / 1000, at / 1000);
  };
  return { lease, touch };
}

test("nobody's own is over, nor that of another gateway in this process until it closes", async () => {
  expect(await leases.isOver(leases.own)).toBe(false);
  const other = new Leases(folder, createLog("silent"));
  await other.start();
  now += 1e9;
  expect(await leases.isOver(other.own)).toBe(false);
  await other.close();
  expect(await leases.isOver(other.own)).toBe(true);
  expect(await readdir(folder)).toEqual([`${leases.own}.lease`]);
});

test("one that is not there is over, whatever its name is", async () => {
  for (const lease of [randomUUID(), "", "../../etc/passwd", "x/y"]) expect(await leases.isOver(lease)).toBe(true);
});

test("one of this host is over when its process is gone", async () => {
  const [host] = (await readFile(path.join(folder, `${leases.own}.lease`), "utf8")).split(" ");
  const { pid: gone } = spawnSync(process.execPath, ["-e", ""]);
  const dead = await held(`${host} ${gone}\n`);
  expect(await leases.isOver(dead.lease)).toBe(true);
  const parent = await held(`${host} ${process.ppid}\n`);
  expect(await leases.isOver(parent.lease)).toBe(false);
  // In containers, a gateway that crashed often had the same process id.
  const earlier = await held(`${host} ${process.pid}\n`);
  expect(await leases.isOver(earlier.lease)).toBe(true);
  await leases.forget(dead.lease);
  expect(await readdir(folder)).not.toContain(`${dead.lease}.lease`);
});

test.each(["elsewhere 1\n", "", "nonsense"])(
  "one that says %j is over when nobody touches it for 30 s",
  async (text) => {
    const other = await held(text);
    expect(await leases.isOver(other.lease)).toBe(false);
    now += 29_999;
    expect(await leases.isOver(other.lease)).toBe(false);
    await other.touch();
    now += 1;
    expect(await leases.isOver(other.lease)).toBe(false);
    now += 29_999;
    expect(await leases.isOver(other.lease)).toBe(false);
    now += 1;
    expect(await leases.isOver(other.lease)).toBe(true);
  },
);

test("a folder that cannot be written to", async () => {
  const nowhere = new Leases(path.join(folder, "nothing"), createLog("silent"));
  await expect(nowhere.start()).rejects.toMatchObject({ code: "ENOENT" });
  await nowhere.close();
});
