/**
 * The changes of the contract, kept in generated/changelog.json: one entry for each commit that changed the document, the
 * newest last. It is written by comparing with the document of the last commit, so that generating it again while one
 * works replaces the newest entry and adds none. Without git what is kept is all that is known of the past.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { type Change, changesBetween } from "./changes";
import { SpecError } from "./document";
import type { Published } from "./surface";

export interface Entry {
  /** Day, `2025-03-01`. */
  readonly date: string;
  /** Of the document. */
  readonly version: string;
  /** SHA-256 of the document after these changes. */
  readonly digest: string;
  readonly changes: readonly Change[];
}

const file = "generated/changelog.json";
const documentFile = "generated/openapi.json";
const run = promisify(execFile);

/** A document with its text: bytes are what digests are of. */
interface Text {
  readonly text: string;
  readonly date: string;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function documentOf(text: string): Published {
  return JSON.parse(text);
}

export function entriesOf(text: string): Entry[] {
  const { entries }: { readonly entries: Entry[] } = JSON.parse(text);
  return entries;
}

export function changelogJson(notice: string, entries: readonly Entry[]): string {
  return `${JSON.stringify({ "x-generated": notice, entries }, null, 1)}\n`;
}

/** Is the newest entry about this document? */
export function upToDate(entries: readonly Entry[], document: string): boolean {
  return entries.at(-1)?.digest === digestOf(document);
}

/** Entries with the step to a further document; one that changes nothing that a client notices is part of the last. */
export function extended(entries: readonly Entry[], before: string | null, { text, date }: Text): Entry[] {
  const document = documentOf(text);
  const changes = changesBetween(before === null ? null : documentOf(before), document);
  const digest = digestOf(text);
  const last = entries.at(-1);
  if (changes.length === 0 && last) return [...entries.slice(0, -1), { ...last, digest }];
  return [...entries, { date, version: document.info.version, digest, changes }];
}

/**
 * Entries up to this document.
 *
 * @param kept what generated/changelog.json has now; null: it is not there
 * @throws SpecError when the past is neither kept nor to be had from git
 */
export async function historyUntil(root: string, document: string, kept: readonly Entry[] | null): Promise<Entry[]> {
  const git = await Git.at(root);
  if (git === null) {
    if (kept === null) throw new SpecError(`${file} is not there, and without git it cannot be made`);
    // With nothing to compare with it stays as it is: whoever checks it says where it is to be written.
    return [...kept];
  }
  const committed = await git.shown(`HEAD:${documentFile}`);
  const log = await git.shown(`HEAD:${file}`);
  const past = log === null ? await git.past() : entriesOf(log);
  if (committed === document) return past;
  const now = extended(past, committed, { text: document, date: new Date().toISOString().slice(0, 10) });
  const [was, is] = [kept?.at(-1), now.at(-1)];
  // What was written yesterday and is the same today keeps its day.
  if (was && is && JSON.stringify(was.changes) === JSON.stringify(is.changes))
    return [...now.slice(0, -1), { ...is, date: was.date }];
  return now;
}

class Git {
  private constructor(private readonly root: string) {}

  /** Null where there is no git, or the project is not the root of a clone of its own. */
  static async at(root: string): Promise<Git | null> {
    try {
      const { stdout } = await run("git", ["rev-parse", "--show-prefix", "HEAD"], { cwd: root });
      return stdout.startsWith("\n") ? new Git(root) : null;
    } catch {
      // No git, no clone, or nothing committed yet: all of them are ways to have no past.
      return null;
    }
  }

  /** The text of a file in a commit; null when it has none. */
  async shown(name: string): Promise<string | null> {
    try {
      const { stdout } = await run("git", ["show", name], { cwd: this.root, maxBuffer: 1 << 26 });
      return stdout;
    } catch {
      // The commit is there, as `at` has seen: the file is not.
      return null;
    }
  }

  /** One entry for each commit that changed the document, for a clone that keeps none yet. */
  async past(): Promise<Entry[]> {
    const args = ["log", "--reverse", "--format=%H %cs", "--", documentFile];
    const { stdout } = await run("git", args, { cwd: this.root });
    let entries: Entry[] = [];
    let before: string | null = null;
    for (const line of stdout.trim().split("\n").filter(Boolean)) {
      const [commit = "", date = ""] = line.split(" ");
      const text = await this.shown(`${commit}:${documentFile}`);
      if (text === null) continue;
      entries = extended(entries, before, { text, date });
      before = text;
    }
    return entries;
  }
}
