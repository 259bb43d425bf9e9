/** The changelog in a clone: one entry for what is not committed, however often it is written; without git what is kept. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { changelogJson, type Entry, entriesOf, historyUntil, upToDate } from "../../scripts/spec/history";

/** Compiled tests lie in dist/test/portal. */
const root = path.join(__dirname, "../../..");
const today = readFileSync(path.join(root, "generated/openapi.json"), "utf8");
/** As it was when `/live` was not in it, and as it may be later: one change in an operation, and one in three. */
const { "/live": _, ...paths } = JSON.parse(today).paths;
const earlier = JSON.stringify({ ...JSON.parse(today), paths });
const later = today.replace('"conference_play": 2000', '"conference_play": 3000');
const latest = later.replace('"conference_playback": 200', '"conference_playback": 300');

let clone: string;

beforeEach(() => {
  clone = mkdtempSync(path.join(tmpdir(), "voicegate-history-"));
  mkdirSync(path.join(clone, "generated"));
});
afterEach(() => rmSync(clone, { recursive: true }));

function git(...args: readonly string[]): void {
  const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  execFileSync("git", [...who, ...args], { cwd: clone, stdio: "ignore" });
}

function commit(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(clone, "generated", name), text);
  git("add", ".");
  git("commit", "-q", "-m", "The contract");
}

const counts = (entries: readonly Entry[]) => entries.map(({ changes }) => changes.length);

test("a clone that keeps no changelog yet makes it of its commits", async () => {
  git("init", "-q");
  commit({ "openapi.json": earlier });
  commit({ "openapi.json": today });
  const entries = await historyUntil(clone, today, null);
  expect(entries).toHaveLength(2);
  expect(entries[1]?.changes).toMatchObject([{ change: "added", of: "getLive" }]);
  expect(upToDate(entries, today)).toBe(true);
});

test("written again while one works, it has one entry for it", async () => {
  git("init", "-q");
  commit({ "openapi.json": earlier });
  const first = await historyUntil(clone, earlier, null);
  commit({ "openapi.json": earlier, "changelog.json": changelogJson("", first) });
  const second = await historyUntil(clone, today, first);
  const again = await historyUntil(clone, today, second);
  const third = await historyUntil(clone, later, again);
  expect([second, again, third].map((entries) => counts(entries).slice(1))).toEqual([[1], [1], [2]]);
  expect(again).toEqual(second);
  expect(upToDate(third, later)).toBe(true);
  // Back to what is committed: nothing is left of it.
  expect(await historyUntil(clone, earlier, third)).toEqual(first);
  commit({ "openapi.json": later, "changelog.json": changelogJson("", third) });
  expect(counts(await historyUntil(clone, latest, third)).slice(1)).toEqual([2, 3]);
});

test("an entry keeps the day on which it was written first", async () => {
  git("init", "-q");
  commit({ "openapi.json": earlier });
  const first = await historyUntil(clone, earlier, null);
  commit({ "changelog.json": changelogJson("", first) });
  const yesterday = (await historyUntil(clone, today, first)).map((entry) => ({ ...entry, date: "2025-03-01" }));
  expect((await historyUntil(clone, today, yesterday)).at(-1)?.date).toBe("2025-03-01");
});

test("other words are no change: the last entry is about the document as it is now", async () => {
  git("init", "-q");
  commit({ "openapi.json": earlier });
  const first = await historyUntil(clone, earlier, null);
  commit({ "changelog.json": changelogJson("", first) });
  const reworded = earlier.replaceAll("A call", "The call");
  const entries = await historyUntil(clone, reworded, first);
  expect(counts(entries)).toEqual(counts(first));
  expect([upToDate(entries, reworded), upToDate(entries, earlier)]).toEqual([true, false]);
});

test("without git what is kept stays, and is not about another document", async () => {
  const kept = entriesOf(readFileSync(path.join(root, "generated/changelog.json"), "utf8"));
  expect(upToDate(kept, today)).toBe(true);
  expect(await historyUntil(clone, later, kept)).toEqual(kept);
  expect(upToDate(kept, later)).toBe(false);
  await expect(historyUntil(clone, later, null)).rejects.toThrow("without git");
});
