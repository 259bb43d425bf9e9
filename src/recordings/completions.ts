/**
 * From a file that nobody writes any more to a session that was told: mended, uploaded where that is wanted, told of
 * until the store has taken it. Each step is in the sidecar before the next one begins, so that a crash can only repeat
 * one of them.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log";
import { retryInMs } from "../outbound/backoff";
import type { Completion, Folder, RecordingError, Sidecar } from "./sidecar";
import type { Uploads } from "./upload";
import { mendWav, type Sound } from "./wav";

/** As `recording.completed` has it. */
export interface Completed {
  readonly recording_id: string;
  readonly recording_url: string | null;
  readonly duration_ms: number;
  readonly error?: RecordingError;
}

/** Resolves once it is committed, or nobody knows the session any more; rejects when the store cannot be asked. */
export type TellSession = (session_uuid: string, completed: Completed) => Promise<void>;

export interface CompletionsOptions {
  readonly folder: Folder;
  /** Null: they stay here, under `baseUrl`. */
  readonly uploads: Uploads | null;
  readonly baseUrl: string | null;
  /** Also what was uploaded. */
  readonly keep: boolean;
  /** How long after its end a recording is tried to be uploaded. */
  readonly retryMs: number;
  readonly completed: TellSession;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Files that are read at once, to be mended or uploaded. */
const filesAtOnce = 4;
/** Between two tries to tell, doubled up to the longest. */
const firstTellMs = 500;
const longestTellMs = 30_000;

class Job {
  readonly ended: Promise<void>;
  /** Its sound was deleted meanwhile. */
  deleted = false;
  readonly #patience = new AbortController();
  readonly #life = new AbortController();

  constructor(
    public sidecar: Sidecar,
    run: (job: Job) => Promise<void>,
  ) {
    // Not within this constructor, so that whoever made it knows it first.
    this.ended = Promise.resolve().then(() => run(this));
  }

  get hurried(): boolean {
    return this.#patience.signal.aborted;
  }

  get signal(): AbortSignal {
    return this.#life.signal;
  }

  /** Rejects when there is no time for it. */
  pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#patience.signal });
  }

  /** What is under way may end; what would have to wait ends now. */
  hurry(): void {
    this.#patience.abort();
  }

  stop(): void {
    this.#patience.abort();
    this.#life.abort();
  }
}

export class Completions {
  readonly #options: CompletionsOptions;
  readonly #jobs = new Map<string, Job>();
  #closed = false;
  #free = filesAtOnce;
  readonly #queue: (() => void)[] = [];

  constructor(options: CompletionsOptions) {
    this.#options = options;
  }

  /** A recording that is `finishing` or `whole`. Begun once, and not at all after `close`: the next start does it then. */
  add(sidecar: Sidecar): void {
    const { recording_id } = sidecar;
    if (!this.#closed && !this.#jobs.has(recording_id))
      this.#jobs.set(recording_id, new Job(sidecar, (job) => this.#run(job)));
  }

  /** As it is now; null when it is not under way. */
  get(recording_id: string): Sidecar | null {
    return this.#jobs.get(recording_id)?.sidecar ?? null;
  }

  /**
   * Its sound was deleted. While it is under way its session is still told, and then the sidecar goes as well.
   * @returns whether it is under way; else the sidecar is the caller's to remove
   */
  deleted(recording_id: string): boolean {
    const job = this.#jobs.get(recording_id);
    if (job) job.deleted = true;
    return job !== undefined;
  }

  /** Nobody is told of this app's recordings any more. Resolves once none of them is under way. */
  async drop(app_id: string): Promise<void> {
    const dropped = [...this.#jobs.values()].filter(({ sidecar }) => sidecar.app_id === app_id);
    for (const job of dropped) job.stop();
    await Promise.all(dropped.map((job) => job.ended));
  }

  /** Ends what would have to wait, and after `ms` everything. What is not done then stays as its sidecar says. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    const jobs = [...this.#jobs.values()];
    for (const job of jobs) job.hurry();
    const timer = new AbortController();
    const late = delay(ms, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.all(jobs.map((job) => job.ended)), late]);
    timer.abort();
    for (const job of this.#jobs.values()) job.stop();
    this.#options.uploads?.close();
  }

  async #run(job: Job): Promise<void> {
    const { recording_id, app_id, session_uuid } = job.sidecar;
    try {
      if (job.sidecar.completion === null) await this.#keep(job);
      const completion = job.sidecar.completion ?? (await this.#complete(job));
      await this.#tell(job, completion);
      await this.#settle(job, completion);
      const { duration_ms, error } = completion;
      const { attempts } = job.sidecar;
      this.#options.log.info(
        { recording_id, app_id, session_uuid, duration_ms, attempts, error },
        "recording completed",
      );
    } catch (err) {
      // The next start finds it where it is now.
      if (!job.hurried) this.#options.log.error({ recording_id, app_id, session_uuid, err }, "recording not completed");
    } finally {
      this.#jobs.delete(recording_id);
    }
  }

  async #complete(job: Job): Promise<Completion> {
    const { recording_id, app_id, cut } = job.sidecar;
    const sound = await this.#withFile(job, () => this.#mend(job));
    let recording_url: string | null = null;
    let error: RecordingError | null = null;
    if (typeof sound === "string" || cut) error = "The file could not be written";
    else if (this.#options.uploads === null) {
      recording_url = `${(this.#options.baseUrl ?? "").replace(/\/+$/, "")}/api/v1/recordings/${recording_id}`;
    } else if (await this.#upload(job, this.#options.uploads, sound.bytes)) {
      recording_url = this.#options.uploads.shown(app_id, recording_id);
    } else error = "The upload failed";
    const duration_ms = typeof sound === "string" ? 0 : sound.duration_ms;
    const completion = { recording_url, duration_ms, error, completed_at: this.#options.now() };
    job.sidecar = { ...job.sidecar, state: "whole", completion };
    await this.#keep(job);
    return completion;
  }

  /** What cannot be mended is told of, and stays as it is. */
  async #mend(job: Job): Promise<Sound | "missing" | "foreign" | "unreadable"> {
    const { recording_id, session_uuid } = job.sidecar;
    try {
      const sound = await mendWav(this.#options.folder.sound(job.sidecar));
      if (typeof sound === "string")
        this.#options.log.error({ recording_id, session_uuid, file: sound }, "recording: no WAV file");
      return sound;
    } catch (err) {
      this.#options.log.error({ recording_id, session_uuid, err }, "recording: the file cannot be read");
      return "unreadable";
    }
  }

  /** False when it was given up. */
  async #upload(job: Job, uploads: Uploads, bytes: number): Promise<boolean> {
    const { folder, retryMs, now, log } = this.#options;
    const { recording_id, app_id, session_uuid } = job.sidecar;
    for (;;) {
      const attempts = job.sidecar.attempts + 1;
      job.sidecar = { ...job.sidecar, attempts };
      // Before, so that one that brings the process down is counted.
      await this.#keep(job);
      const path = folder.sound(job.sidecar);
      const { outcome, retry_after } = await this.#withFile(job, () =>
        uploads.put({ app_id, recording_id, path, bytes }, job.signal),
      );
      if (outcome === "uploaded") return true;
      const age_ms = now() - (job.sidecar.stopped_at ?? now());
      const failed = { attempts, age_ms, retry_ms: retryMs, retry_after, now: now(), random: Math.random() };
      const retry_in_ms = retryInMs(failed);
      log.warn({ recording_id, app_id, session_uuid, attempts, outcome, retry_in_ms }, "recording not uploaded");
      if (retry_in_ms === null) return false;
      await job.pause(retry_in_ms);
    }
  }

  async #tell(job: Job, { recording_url, duration_ms, error }: Completion): Promise<void> {
    const { recording_id, session_uuid } = job.sidecar;
    const told = { recording_id, recording_url, duration_ms, ...(error === null ? {} : { error }) };
    for (let wait = firstTellMs; ; wait = Math.min(wait * 2, longestTellMs)) {
      try {
        await this.#options.completed(session_uuid, told);
        return;
      } catch (err) {
        this.#options.log.warn(
          { recording_id, session_uuid, err },
          "recording completed, but the store cannot be asked",
        );
      }
      await job.pause(wait);
    }
  }

  async #settle(job: Job, { recording_url }: Completion): Promise<void> {
    const { folder, uploads, keep } = this.#options;
    if (job.signal.aborted) return;
    const elsewhere = uploads !== null && recording_url !== null && !keep;
    // Meanwhile it may have been deleted.
    if (elsewhere || (await folder.soundBytes(job.sidecar)) === null) return folder.remove(job.sidecar);
    job.sidecar = { ...job.sidecar, state: "told" };
    await this.#keep(job);
    // Whoever was told may be as quick as that. From here to the end of the job nobody else has a turn: who comes later
    // finds it no more.
    if (job.deleted) await folder.remove(job.sidecar);
  }

  /**
   * A disk that is full holds up nothing: after a crash it is done again from the last state that was written. But until
   * what is whole can be written it is kept in memory, since only what has a sidecar is found.
   */
  async #keep(job: Job): Promise<void> {
    const { recording_id, state } = job.sidecar;
    for (let wait = firstTellMs; ; wait = Math.min(wait * 2, longestTellMs)) {
      if (job.signal.aborted) return;
      try {
        return await this.#options.folder.write(job.sidecar);
      } catch (err) {
        this.#options.log.error({ recording_id, state, err }, "recording: the sidecar cannot be written");
      }
      if (state !== "told") return;
      await job.pause(wait);
    }
  }

  /** One of the few that read files at a time, first come, first served. */
  async #withFile<T>(job: Job, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      job.signal.throwIfAborted();
      return await work();
    } finally {
      // Handed on, so that nobody who comes meanwhile gets in between.
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
