/** A folder for recordings of its own, a gateway's part that keeps them, and what the session core is told. */
import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLog } from "../../src/log";
import type { Completed } from "../../src/recordings/completions";
import { Recordings, type RecordingsOptions } from "../../src/recordings/recordings";

export interface Told extends Completed {
  readonly session_uuid: string;
}

export interface Line {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export const call = { app_id: "acme", session_uuid: "n1-4f3c1c6e-0f55-4a53-8b0e-3a1f6d1d2b11", command_uid: "rec-1" };
export const baseUrl = "https://voice.example.com/";

/** A WAV file as a media server leaves it: stereo, 8 kHz, 16 bit. */
export function wav(frames: number, headerFrames = frames): Buffer {
  const bytes = Buffer.alloc(44 + frames * 4);
  bytes.write("RIFF", 0, "latin1");
  bytes.writeUInt32LE(36 + headerFrames * 4, 4);
  bytes.write("WAVEfmt ", 8, "latin1");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(32_000, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(headerFrames * 4, 40);
  for (let i = 0; i < frames * 2; i++) bytes.writeInt16LE((i * 37) % 20_000, 44 + i * 2);
  return bytes;
}

export class Place {
  readonly told: Told[] = [];
  readonly lines: Line[] = [];
  readonly #news = new EventEmitter();
  readonly #opened: Recordings[] = [];
  /** What the store says when a session is to be told. */
  answer: (told: Told) => Promise<void> = async () => undefined;

  private constructor(readonly dir: string) {}

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(path.join(tmpdir(), "voicegate-test-")));
  }

  /** A gateway's, started; another one of the same folder when it is asked for again. */
  async open(options: Partial<RecordingsOptions> = {}): Promise<Recordings> {
    const log = createLog("debug", {
      write: (line) => {
        this.lines.push(JSON.parse(line));
        this.#news.emit("line");
      },
    });
    const recordings = new Recordings({
      dir: this.dir,
      baseUrl,
      uploadUrl: null,
      retentionDays: 0,
      retrySeconds: 300,
      log,
      completed: async (session_uuid, completed) => {
        await this.answer({ session_uuid, ...completed });
        this.told.push({ session_uuid, ...completed });
        this.#news.emit("told");
      },
      ...options,
    });
    this.#opened.push(recordings);
    await recordings.start();
    return recordings;
  }

  /** Resolves once so many tellings were taken. */
  async untilTold(count: number): Promise<void> {
    while (this.told.length < count) await once(this.#news, "told");
  }

  async untilToldOf(recording_id: string): Promise<Told> {
    for (;;) {
      const found = this.told.find((told) => told.recording_id === recording_id);
      if (found) return found;
      await once(this.#news, "told");
    }
  }

  /** The first line with this message for which `which` holds. */
  async line(msg: string, which: (line: Line) => boolean = () => true): Promise<Line> {
    for (;;) {
      const found = this.lines.find((line) => line.msg === msg && which(line));
      if (found) return found;
      await once(this.#news, "line");
    }
  }

  file(recording_id: string, ending: "wav" | "json" | "json.tmp", app_id = call.app_id): string {
    return path.join(this.dir, app_id, `${recording_id}.${ending}`);
  }

  async state(recording_id: string): Promise<unknown> {
    return JSON.parse(await readFile(this.file(recording_id, "json"), "utf8")).state;
  }

  /** What lies there of an app, sorted. */
  async names(app_id = call.app_id): Promise<string[]> {
    return (await readdir(path.join(this.dir, app_id))).sort();
  }

  /** What lies beside the leases, sorted. */
  async folders(): Promise<string[]> {
    return (await readdir(this.dir)).filter((name) => !name.endsWith(".lease")).sort();
  }

  /** As a gateway has left it that is gone. */
  async leave(recording_id: string, changes: object, sound: Buffer | null): Promise<void> {
    const sidecar = {
      recording_id,
      ...call,
      started_at: 1_800_000_000_000,
      owner: "00000000-0000-4000-8000-000000000000",
      state: "recording",
      cut: false,
      stopped_at: null,
      attempts: 0,
      completion: null,
      ...changes,
    };
    await mkdir(path.join(this.dir, call.app_id), { recursive: true });
    await writeFile(this.file(recording_id, "json"), JSON.stringify(sidecar));
    if (sound) await writeFile(this.file(recording_id, "wav"), sound);
  }

  async close(): Promise<void> {
    for (const recordings of this.#opened) await recordings.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}
