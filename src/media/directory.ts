/** A directory that only this process writes to, for files that must not outlive it. */
import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import type { Log } from "../log";

/** Containers that share a directory have the same process ids, but not the same name. */
const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const prefix = `voicegate-media-${host}-`;
const pattern = new RegExp(`^${prefix}(\\d+)-[A-Za-z0-9]{6}$`);
/** Made by this process, which may have the id of one that crashed. */
const own = new Set<string>();

/** Makes the directory in `parent`, after it removed those of processes of this host that are gone. */
export async function makeDirectory(parent: string, log: Log): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const directory = path.join(parent, name);
    const pid = Number(pattern.exec(name)?.[1] ?? 0);
    if (pid === 0 || own.has(directory) || (pid !== process.pid && isAlive(pid)) || !(await isOurs(directory)))
      continue;
    await rm(directory, { recursive: true, force: true });
    log.info({ directory }, "removed media files of an earlier run");
  }
  const made = await mkdtemp(path.join(parent, `${prefix}${process.pid}-`));
  // `mkdtemp` shuts it to everybody else: a media server of another user reads what it is told the name of, and cannot list them.
  await chmod(made, 0o711);
  own.add(made);
  return made;
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  own.delete(directory);
}

/** Only what is surely gone counts as gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
}

/** In a directory that everybody writes to, somebody else may have made something of that name. */
async function isOurs(directory: string): Promise<boolean> {
  try {
    const found = await lstat(directory);
    return found.isDirectory() && found.uid === process.getuid?.();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === code;
