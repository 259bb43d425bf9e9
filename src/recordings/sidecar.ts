/**
 * The folder of the recordings, with one of each app in it: `<app_id>/<id>.wav` with the sound, and beside it
 * `<app_id>/<id>.json` with what is known of it. So all of an app is found, and goes, without a look at any other's.
 */
import { randomUUID } from "node:crypto";
import { mkdir, opendir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { EventData } from "../contract";
import { hasCode, orNull } from "./missing";

export type RecordingError = NonNullable<EventData<"recording.completed">["error"]>;

/** What is told of a recording that is whole. */
export interface Completion {
  /** Null with an error. */
  readonly recording_url: string | null;
  readonly duration_ms: number;
  readonly error: RecordingError | null;
}

export interface Sidecar {
  readonly recording_id: string;
  readonly app_id: string;
  readonly session_uuid: string;
  readonly command_uid: string;
  /** Epoch milliseconds. */
  readonly started_at: number;
  /** The gateway that has it in hand, by the name of its lease. */
  readonly owner: string;
  /**
   * `recording`: a media server writes the file. `finishing`: it is closed, and mended and uploaded now. `whole`: it can
   * be fetched, and the session is to be told. `told`: nothing is left to do.
   */
  readonly state: "recording" | "finishing" | "whole" | "told";
  /** The media server could not write all of it. */
  readonly cut: boolean;
  /** Epoch milliseconds; null while it is being recorded. */
  readonly stopped_at: number | null;
  /** To upload it, the one under way included. */
  readonly attempts: number;
  /** Null until it is whole. */
  readonly completion: (Completion & { readonly completed_at: number }) | null;
}

/** Which recording. */
export type Name = Pick<Sidecar, "app_id" | "recording_id">;

/** What lies there: of a recording, what is left of an app that was removed, or something else. */
export type Entry =
  | { readonly kind: "sidecar" | "sound" | "draft"; readonly of: Name; readonly path: string }
  | { readonly kind: "removed" | "other"; readonly path: string };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const name = /^([0-9a-f-]{36})\.(json|wav|json\.tmp)$/;
const kinds = { json: "sidecar", wav: "sound", "json.tmp": "draft" } as const;
const states: readonly string[] = ["recording", "finishing", "whole", "told"] satisfies Sidecar["state"][];
const errors: readonly string[] = ["The upload failed", "The file could not be written"] satisfies RecordingError[];

/** Of a folder whose app is gone: no app has a dot in its name. */
const removedEnding = ".removed";

/** Only such a text becomes part of a path. */
export const isRecordingId = (text: string): boolean => uuid.test(text);

export class Folder {
  readonly path: string;

  constructor(folder: string) {
    // The media server may work in another directory.
    this.path = path.resolve(folder);
  }

  /** Makes it if need be, for this user alone. */
  async make(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
  }

  sound({ app_id, recording_id }: Name): string {
    return path.join(this.path, app_id, `${recording_id}.wav`);
  }

  /** Null when there is none. Rejects when it cannot be read, or was not written by a gateway. */
  async read(of: Name): Promise<Sidecar | null> {
    const text = await orNull(readFile(this.#sidecar(of), "utf8"));
    if (text === null) return null;
    const value: unknown = JSON.parse(text);
    if (!isSidecar(value) || value.recording_id !== of.recording_id || value.app_id !== of.app_id)
      throw new Error("no sidecar of a recording");
    return value;
  }

  /** The first of a recording. */
  async add(sidecar: Sidecar): Promise<void> {
    try {
      await mkdir(path.join(this.path, sidecar.app_id), { mode: 0o700 });
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    await this.write(sidecar);
  }

  /** Either as it was or as it is now, whenever the process ends. */
  async write(sidecar: Sidecar): Promise<void> {
    const file = this.#sidecar(sidecar);
    // What the world is told must be true after a loss of power, too; the way there can be gone again.
    const flush = sidecar.completion !== null;
    await writeFile(`${file}.tmp`, `${JSON.stringify(sidecar)}\n`, { mode: 0o600, flush });
    await rename(`${file}.tmp`, file);
  }

  /** In bytes; null when there is none. */
  async soundBytes(of: Name): Promise<number | null> {
    const found = await orNull(stat(this.sound(of)));
    return found?.isFile() ? found.size : null;
  }

  hasSidecar(of: Name): Promise<boolean> {
    return orNull(stat(this.#sidecar(of))).then((found) => found !== null);
  }

  /** The sound first: a sidecar without it is cleaned up at the next start, it without a sidecar never. */
  async remove(of: Name): Promise<void> {
    await this.removeSound(of);
    await orNull(unlink(this.#sidecar(of)));
  }

  /** @returns whether there was one */
  async removeSound(of: Name): Promise<boolean> {
    return (await orNull(unlink(this.sound(of)).then(() => true))) ?? false;
  }

  /** All of an app. Under another name first, so that one of the same id begins with nothing, whatever becomes of this. */
  async removeApp(app_id: string): Promise<void> {
    const removed = path.join(this.path, `${randomUUID()}${removedEnding}`);
    const there = await orNull(rename(path.join(this.path, app_id), removed).then(() => true));
    if (there) await this.removeRest(removed);
  }

  /** @param removed path of an entry of that kind */
  async removeRest(removed: string): Promise<void> {
    await rm(removed, { recursive: true, force: true });
  }

  /** One after the other, however many there are. What is made or removed meanwhile may be among them or not. */
  async *entries(): AsyncGenerator<Entry, void, undefined> {
    for await (const entry of await opendir(this.path)) {
      const at = path.join(this.path, entry.name);
      if (!entry.isDirectory()) yield { kind: "other", path: at };
      else if (entry.name.endsWith(removedEnding)) yield { kind: "removed", path: at };
      else if (!entry.name.includes(".")) yield* this.#entriesOf(entry.name, at);
      else yield { kind: "other", path: at };
    }
  }

  async *#entriesOf(app_id: string, folder: string): AsyncGenerator<Entry, void, undefined> {
    // Its app may be removed meanwhile.
    const opened = await orNull(opendir(folder));
    for await (const entry of opened ?? []) {
      const at = path.join(folder, entry.name);
      const [, recording_id = "", ending] = name.exec(entry.name) ?? [];
      const kind = ending === "json" || ending === "wav" || ending === "json.tmp" ? kinds[ending] : null;
      yield kind !== null && isRecordingId(recording_id)
        ? { kind, of: { app_id, recording_id }, path: at }
        : { kind: "other", path: at };
    }
  }

  #sidecar({ app_id, recording_id }: Name): string {
    return path.join(this.path, app_id, `${recording_id}.json`);
  }
}

function isSidecar(value: unknown): value is Sidecar {
  if (!isObject(value)) return false;
  const texts = [value.recording_id, value.app_id, value.session_uuid, value.command_uid, value.owner];
  const { state, completion } = value;
  const complete = state === "whole" || state === "told";
  return (
    texts.every((text) => typeof text === "string") &&
    typeof value.started_at === "number" &&
    typeof value.cut === "boolean" &&
    typeof value.attempts === "number" &&
    (value.stopped_at === null || typeof value.stopped_at === "number") &&
    typeof state === "string" &&
    states.includes(state) &&
    (complete ? isCompletion(completion) : completion === null)
  );
}

function isCompletion(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { recording_url, duration_ms, error, completed_at } = value;
  return (
    (recording_url === null || typeof recording_url === "string") &&
    typeof duration_ms === "number" &&
    typeof completed_at === "number" &&
    (error === null || (typeof error === "string" && errors.includes(error)))
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
