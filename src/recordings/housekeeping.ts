/**
 * Goes through the folder at the start and every hour: what a gateway that is gone left unfinished is finished, what is
 * over its time is deleted. Whatever else lies there is left alone.
 */
import { stat, unlink } from "node:fs/promises";
import type { Log } from "../log";
import type { Completions } from "./completions";
import type { Leases } from "./lease";
import { orNull } from "./missing";
import type { Entry, Folder, Name, Sidecar } from "./sidecar";

export interface HousekeepingOptions {
  readonly folder: Folder;
  readonly leases: Leases;
  readonly completions: Completions;
  /** Takes back a recording of this gateway that never began. */
  readonly discard: (of: Name) => Promise<void>;
  /** 0 is for ever. */
  readonly retentionMs: number;
  /** Between two rounds. */
  readonly roundMs: number;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** No media server opens a file so long after it was told to. */
const neverBeganMs = 60_000;
/** How often is looked whether another gateway of the same folder still lives. */
const watchMs = 2000;
/** Files named in the one log line about what is left alone. */
const namedAtMost = 5;

interface Round {
  readonly first: boolean;
  /** Sound that nothing is known of. */
  readonly strays: string[];
  strayCount: number;
  adopted: number;
  expired: number;
  readonly over: Set<string>;
  readonly drafts: Map<string, number>;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  /** Leases of others that live and have something in hand. */
  readonly #others = new Set<string>();
  /** Sidecars that were being written in the last round, and when they were touched. */
  #drafts: ReadonlyMap<string, number> = new Map();
  #timer: NodeJS.Timeout | null = null;
  #watch: NodeJS.Timeout | null = null;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#begin(false), this.#options.roundMs);
    this.#timer.unref();
    this.#begin(true);
  }

  /** Resolves once the round under way has ended, which it then does early. */
  close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    if (this.#watch) clearTimeout(this.#watch);
    return this.#work;
  }

  /** One after the other. */
  #begin(first: boolean): void {
    this.#work = this.#work.then(() => this.#round(first));
  }

  async #round(first: boolean): Promise<void> {
    const { folder, leases, log } = this.#options;
    const round: Round = {
      first,
      strays: [],
      strayCount: 0,
      adopted: 0,
      expired: 0,
      over: new Set(),
      drafts: new Map(),
    };
    this.#others.clear();
    try {
      for await (const entry of folder.entries()) {
        if (this.#closed) return;
        await this.#look(entry, round);
      }
      for (const lease of round.over) await leases.forget(lease);
    } catch (err) {
      log.error({ err }, "recordings: the folder cannot be read");
    }
    const { adopted, expired, strays, strayCount } = round;
    this.#drafts = round.drafts;
    log[adopted + expired > 0 ? "info" : "debug"]({ adopted, expired }, "recordings looked through");
    if (strayCount > 0)
      log.warn({ count: strayCount, files: strays }, "recordings of which nothing is known, left alone");
    this.#watchOthers();
  }

  async #look(entry: Entry, round: Round): Promise<void> {
    const { folder, log } = this.#options;
    try {
      if (entry.kind === "sidecar") {
        const sidecar = await folder.read(entry.of);
        if (sidecar) await this.#consider(sidecar, round);
      } else if (entry.kind === "draft") {
        await this.#considerDraft(entry.path, round);
      } else if (entry.kind === "removed") {
        await folder.removeRest(entry.path);
      } else if (entry.kind === "sound" && round.first && !(await folder.hasSidecar(entry.of))) {
        round.strayCount += 1;
        if (round.strays.length < namedAtMost) round.strays.push(entry.path);
      }
    } catch (err) {
      log.error({ file: entry.path, err }, "recordings: a file cannot be read, left alone");
    }
  }

  /** Nobody takes a whole round to write a sidecar. By what was seen, not by a clock: that of the disk may be another. */
  async #considerDraft(file: string, round: Round): Promise<void> {
    const touched = (await orNull(stat(file)))?.mtimeMs;
    if (touched === undefined) return;
    if (this.#drafts.get(file) === touched) await orNull(unlink(file));
    else round.drafts.set(file, touched);
  }

  async #consider(sidecar: Sidecar, round: Round): Promise<void> {
    const { folder, completions, leases, discard, retentionMs, now } = this.#options;
    const { completion, owner } = sidecar;
    if (sidecar.state === "told") {
      const over = retentionMs > 0 && completion !== null && now() - completion.completed_at >= retentionMs;
      // One whose sound is gone has been deleted, but for the last step.
      const gone = (await folder.soundBytes(sidecar)) === null;
      if (over || gone) await folder.remove(sidecar);
      if (over) round.expired += 1;
      return;
    }
    if (owner === leases.own) {
      const late = sidecar.state === "recording" && now() - sidecar.started_at > neverBeganMs;
      // The command was answered that it is not known whether it was taken. It was not.
      if (late && (await folder.soundBytes(sidecar)) === null) await discard(sidecar);
      return;
    }
    if (!round.over.has(owner)) {
      if (!(await leases.isOver(owner))) {
        this.#others.add(owner);
        return;
      }
      round.over.add(owner);
    }
    round.adopted += 1;
    completions.add(
      sidecar.state === "recording"
        ? { ...sidecar, owner: leases.own, state: "finishing", stopped_at: now() }
        : { ...sidecar, owner: leases.own },
    );
  }

  /** One that crashes while this one lives leaves things behind, too. */
  #watchOthers(): void {
    if (this.#watch) clearTimeout(this.#watch);
    if (this.#closed || this.#others.size === 0) return;
    this.#watch = setTimeout(() => {
      this.#work = this.#work.then(() => this.#lookAtOthers());
    }, watchMs);
    this.#watch.unref();
  }

  async #lookAtOthers(): Promise<void> {
    const { leases, log } = this.#options;
    try {
      for (const lease of this.#others) {
        if (!(await leases.isOver(lease))) continue;
        this.#begin(false);
        return;
      }
    } catch (err) {
      log.error({ err }, "recordings: the folder cannot be read");
    }
    this.#watchOthers();
  }
}
