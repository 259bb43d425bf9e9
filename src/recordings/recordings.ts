/**
 * Recordings of calls. A media server writes the file; here it is known before there is anything in it, and finished,
 * told of, kept for its time and served once there is nothing more to come. All that is known stands beside the file,
 * so that nothing is forgotten by a crash.
 */
import { randomUUID } from "node:crypto";
import { lstat, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import type { RecordingFile } from "../engines/engine";
import type { Log } from "../log";
import { Completions, type TellSession } from "./completions";
import { Housekeeping } from "./housekeeping";
import { Leases } from "./lease";
import { Folder, isRecordingId, type Name, type Sidecar } from "./sidecar";
import { Uploads } from "./upload";

export interface RecordingsOptions {
  /** Null with an `uploadUrl`: files wait for their upload in a folder of this user below the system's temporary one. */
  readonly dir: string | null;
  /** Where this gateway's API is found by those who get a `recording_url`; unused with an `uploadUrl`. */
  readonly baseUrl: string | null;
  /** Files are put below it and then deleted here, unless there is a `dir`. */
  readonly uploadUrl: string | null;
  /** Since the recording was completed; 0 is for ever. */
  readonly retentionDays: number;
  /** How long after its end a recording is tried to be uploaded. */
  readonly retrySeconds: number;
  readonly completed: TellSession;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Between two looks for what is over its time. */
  readonly sweepMs?: number;
}

/** A recording that can be fetched. */
export interface StoredRecording {
  readonly recording_id: string;
  readonly bytes: number;
  /** Offsets of the first and the last byte. Opened with the first read; fails when the file was deleted meanwhile. */
  read(first: number, last: number): AsyncIterable<Uint8Array>;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** What media servers have just closed is still finished and told of for so long. */
const lastCallMs = 5000;
const chunkBytes = 64 * 1024;

export class Recordings {
  readonly available: boolean;
  readonly #options: RecordingsOptions;
  readonly #now: () => number;
  readonly #folder: Folder;
  readonly #leases: Leases;
  readonly #completions: Completions;
  /** Those that a media server has been given and that are not stopped. */
  readonly #running = new Map<string, Sidecar>();
  readonly #housekeeping: Housekeeping;
  #onStopped: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: RecordingsOptions) {
    const { dir, uploadUrl, log } = options;
    this.available = dir !== null || uploadUrl !== null;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#folder = new Folder(dir ?? path.join(tmpdir(), `voicegate-recordings-${process.getuid?.() ?? 0}`));
    this.#leases = new Leases(this.#folder.path, log);
    this.#completions = new Completions({
      folder: this.#folder,
      uploads: uploadUrl === null ? null : new Uploads(uploadUrl),
      baseUrl: options.baseUrl,
      keep: dir !== null,
      retryMs: options.retrySeconds * 1000,
      completed: options.completed,
      log,
      now: this.#now,
    });
    this.#housekeeping = new Housekeeping({
      folder: this.#folder,
      leases: this.#leases,
      completions: this.#completions,
      discard: (of) => this.discard(of),
      retentionMs: options.retentionDays * dayMs,
      roundMs: options.sweepMs ?? hourMs,
      log,
      now: this.#now,
    });
  }

  /**
   * Resolves once recordings can be made. What an earlier run left behind is then mended, uploaded and told of, and what
   * is over its time deleted, without anybody waiting for it: there may be many. Rejects when the folder cannot be used.
   */
  async start(): Promise<void> {
    if (!this.available) return;
    await this.#folder.make();
    if (this.#options.dir === null) await assertOurs(this.#folder.path);
    await this.#leases.start();
    this.#housekeeping.start();
  }

  /**
   * Makes a recording known before its file exists. When not even that can be written, the path is one that no media
   * server can open: so the command fails as for every other reason for which there can be no file.
   */
  async begin(of: {
    readonly app_id: string;
    readonly session_uuid: string;
    readonly command_uid: string;
  }): Promise<RecordingFile> {
    if (!this.available) throw new Error("recording is off");
    const recording_id = randomUUID();
    const sidecar: Sidecar = {
      recording_id,
      app_id: of.app_id,
      session_uuid: of.session_uuid,
      command_uid: of.command_uid,
      started_at: this.#now(),
      owner: this.#leases.own,
      state: "recording",
      cut: false,
      stopped_at: null,
      attempts: 0,
      completion: null,
    };
    this.#running.set(recording_id, sidecar);
    try {
      await this.#folder.add(sidecar);
      return { recording_id, path: this.#folder.sound(sidecar) };
    } catch (err) {
      this.#options.log.error(
        { recording_id, session_uuid: of.session_uuid, err },
        "recording: no sidecar can be written",
      );
      this.#stopped(recording_id);
      return { recording_id, path: path.join(this.#folder.path, recording_id, "no-such-folder.wav") };
    }
  }

  /** The media server did not take it: it never began, whatever there is of its file. */
  async discard({ app_id, recording_id }: Name): Promise<void> {
    this.#stopped(recording_id);
    try {
      await this.#folder.remove({ app_id, recording_id });
    } catch (err) {
      this.#options.log.error({ recording_id, err }, "recording: what never began cannot be deleted");
    }
  }

  /**
   * The file is closed, and the session has been told so. Repeats and unknown ones are ignored.
   * @param failure null when all of it could be written
   */
  finish(recording_id: string, failure: string | null): void {
    const sidecar = this.#running.get(recording_id);
    if (!sidecar) {
      this.#options.log.info({ recording_id, failure }, "recording stopped that is not under way");
      return;
    }
    const stopped = { state: "finishing", cut: failure !== null, stopped_at: this.#now() } as const;
    this.#completions.add({ ...sidecar, ...stopped });
    this.#stopped(recording_id);
  }

  /** A completed recording of this app whose file is here. */
  async find(app_id: string, recording_id: string): Promise<StoredRecording | null> {
    if (!(await this.#completed(app_id, recording_id))) return null;
    const bytes = await this.#folder.soundBytes({ app_id, recording_id });
    if (bytes === null) return null;
    const file = this.#folder.sound({ app_id, recording_id });
    return { recording_id, bytes, read: (first, last) => readBytes(file, first, last) };
  }

  /** False when there is no completed one of this app. */
  async remove(app_id: string, recording_id: string): Promise<boolean> {
    if (!(await this.#completed(app_id, recording_id))) return false;
    const removed = await this.#folder.removeSound({ app_id, recording_id });
    if (!this.#completions.deleted(recording_id)) await this.#folder.remove({ app_id, recording_id });
    return removed;
  }

  /** All of an app that is gone, also what is not completed: nobody is told of it any more. */
  async removeApp(app_id: string): Promise<void> {
    if (!this.available) return;
    await this.#completions.drop(app_id);
    for (const sidecar of this.#running.values()) if (sidecar.app_id === app_id) this.#stopped(sidecar.recording_id);
    await this.#folder.removeApp(app_id);
  }

  /**
   * After the media servers were closed: what they have written is finished and told of, in bounded time. What waits for
   * another upload is left to the next start. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.available) return;
    await this.#housekeeping.close();
    const until = performance.now() + lastCallMs;
    await this.#allStopped(lastCallMs);
    await this.#completions.close(Math.max(until - performance.now(), 0));
    await this.#leases.close();
  }

  /** Those without a file never began. */
  async #allStopped(ms: number): Promise<void> {
    for (const sidecar of [...this.#running.values()])
      if ((await this.#folder.soundBytes(sidecar)) === null) this.#stopped(sidecar.recording_id);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onStopped = () => {
        if (this.#running.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onStopped();
    });
  }

  #stopped(recording_id: string): void {
    this.#running.delete(recording_id);
    this.#onStopped?.();
  }

  async #completed(app_id: string, recording_id: string): Promise<boolean> {
    if (!this.available || !isRecordingId(recording_id)) return false;
    const sidecar = this.#completions.get(recording_id) ?? (await this.#folder.read({ app_id, recording_id }));
    return sidecar?.app_id === app_id && sidecar.completion !== null;
  }
}

/** In a folder that everybody may write to, somebody else may have made one of that name. */
async function assertOurs(folder: string): Promise<void> {
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw new Error(`${folder} is not a folder of this user alone`);
}

async function* readBytes(file: string, first: number, last: number): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(file, "r");
  try {
    for (let at = first; at <= last; ) {
      const length = Math.min(chunkBytes, last + 1 - at);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
      // The length was told: whoever reads must not take it for the end.
      if (bytesRead === 0) throw new Error("a recording became shorter");
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
