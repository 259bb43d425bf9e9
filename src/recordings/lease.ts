/**
 * Who has a recording in hand. Several gateways may share a folder, and what one of them left behind when it crashed is
 * another one's to finish, but never what one that lives is working on. So each keeps a file of its own there, and
 * touches it; recordings name it.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFile, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import type { Log } from "../log";
import { hasCode, orNull } from "./missing";

const beatMs = 5000;
/** A lease of another host that nobody touched for so long is over. By this host's monotonic clock, whatever theirs say. */
const lapseMs = 30_000;

/** Containers that share a folder have the same process ids, but not the same name. */
const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 16);
/** Made by this process, which may have the id of one that crashed. */
const own = new Set<string>();

interface Seen {
  readonly touched: number;
  /** Monotonic milliseconds. */
  readonly since: number;
}

export class Leases {
  /** Under which this gateway has recordings in hand. */
  readonly own = randomUUID();
  readonly #folder: string;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #seen = new Map<string, Seen>();
  #timer: NodeJS.Timeout | null = null;
  #failing = false;

  /** @param now monotonic milliseconds */
  constructor(folder: string, log: Log, now: () => number = () => performance.now()) {
    this.#folder = folder;
    this.#log = log;
    this.#now = now;
  }

  /** Rejects when the folder cannot be written to. */
  async start(): Promise<void> {
    await this.#write();
    own.add(this.own);
    this.#timer = setInterval(() => void this.#beat(), beatMs);
    this.#timer.unref();
  }

  /** Has its holder ended without finishing what it had in hand? Asked again and again while it seems to live. */
  async isOver(lease: string): Promise<boolean> {
    if (lease === this.own) return false;
    const found = await orNull(stat(this.#path(lease)));
    const holder = found && (await orNull(readFile(this.#path(lease), "utf8")));
    if (!found || holder === null) return true;
    const [theirHost, theirPid] = holder.trim().split(" ");
    const pid = Number(theirPid);
    if (theirHost === host && Number.isSafeInteger(pid) && pid > 0) {
      if (pid === process.pid) return !own.has(lease);
      if (!isAlive(pid)) return true;
    }
    const seen = this.#seen.get(lease);
    if (seen?.touched !== found.mtimeMs) {
      this.#seen.set(lease, { touched: found.mtimeMs, since: this.#now() });
      return false;
    }
    return this.#now() - seen.since >= lapseMs;
  }

  /** Nothing names it any more. */
  async forget(lease: string): Promise<void> {
    this.#seen.delete(lease);
    await orNull(unlink(this.#path(lease)));
  }

  /** What is in hand now is anybody's. */
  async close(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
    await this.forget(this.own);
    own.delete(this.own);
  }

  async #beat(): Promise<void> {
    try {
      const now = new Date();
      // Who cleaned up the folder took the lease as well.
      if ((await orNull(utimes(this.#path(this.own), now, now).then(() => true))) === null && this.#timer)
        await this.#write();
      this.#failing = false;
    } catch (err) {
      if (!this.#failing) this.#log.error({ err }, "recordings: the folder cannot be written to");
      this.#failing = true;
    }
  }

  #write(): Promise<void> {
    return writeFile(this.#path(this.own), `${host} ${process.pid}\n`, { mode: 0o600 });
  }

  #path(lease: string): string {
    // A name out of a file: no more than the last part of a path.
    return path.join(this.#folder, `${path.basename(lease)}.lease`);
  }
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
