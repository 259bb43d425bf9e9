/** What a machine forgets that loses its power: of what Redis has written, the part that was not yet synchronised. */
import { readdir, stat, truncate } from "node:fs/promises";
import path from "node:path";
import type { RedisServer } from "../../test/redis/server";

/** With `everysec` so much may be lost for certain. */
const unsafeMs = 1000;
const lookMs = 50;

interface Look {
  readonly at: number;
  /** Of each append only file. */
  readonly bytes: ReadonlyMap<string, number>;
}

export class Disk {
  /** Bytes so far. */
  forgotten = 0;
  readonly #folder: string;
  /** The oldest of them is as old as what is safe. */
  #looks: Look[] = [];
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  private constructor(folder: string) {
    this.#folder = folder;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, lookMs);
  }

  /** That of a Redis with an append only file. */
  static async of(redis: RedisServer): Promise<Disk> {
    const parts = ["dir", "appenddirname"].map(async (name) => {
      const answer = await redis.command("CONFIG", "GET", name);
      return Array.isArray(answer) ? String(answer[1]) : "";
    });
    return new Disk(path.join(...(await Promise.all(parts))));
  }

  /** Of a Redis that does not run: as if the power had gone at this moment. */
  async forget(): Promise<void> {
    await this.#looking;
    const [safe] = this.#looks;
    if (!safe) return;
    for (const [file, bytes] of await this.#sizes()) {
      const kept = safe.bytes.get(file) ?? 0;
      await truncate(file, kept);
      this.forgotten += bytes - kept;
    }
    this.#looks = [];
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const at = performance.now();
    this.#looks.push({ at, bytes: await this.#sizes() });
    while (this.#looks[1] && this.#looks[1].at <= at - unsafeMs) this.#looks.shift();
  }

  async #sizes(): Promise<Map<string, number>> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(".incr.aof"));
    const files = names.map((name) => path.join(this.#folder, name));
    return new Map(await Promise.all(files.map(async (file) => [file, (await stat(file)).size] as const)));
  }
}
