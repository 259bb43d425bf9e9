/** What a call heard and said, by its recording: an ear that works for every kind of caller. */

import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { RecordingFile } from "../../src/engines/engine";
import { type Place, run } from "./suite";

export interface Heard {
  /** The caller. */
  readonly left: Int16Array;
  /** What he hears. */
  readonly right: Int16Array;
}

/** A folder for recordings. */
export class Shelf {
  #folder = "";

  async open(): Promise<void> {
    this.#folder = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
  }

  file(folder = this.#folder): RecordingFile {
    const recording_id = randomUUID();
    return { recording_id, path: path.join(folder, `${recording_id}.wav`) };
  }

  /** A file that nobody can make: its folder is not there. */
  impossible(): RecordingFile {
    return this.file(path.join(this.#folder, "nowhere"));
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** Records the call from now until `during` has resolved, and answers what there was to hear. */
export async function hear(
  place: Pick<Place, "engine" | "recorder">,
  shelf: Shelf,
  session_uuid: string,
  during: () => Promise<unknown>,
): Promise<Heard> {
  const file = shelf.file();
  await run(place, "startRecording", session_uuid, { file });
  await during();
  await run(place, "stopRecording", session_uuid, {});
  await place.recorder.recorded(file.recording_id);
  return readHeard(file.path);
}

/** @throws when it is no WAV file with two channels of 16 bit at 8 kHz, whole to its last byte */
export async function readHeard(file: string): Promise<Heard> {
  const wav = await readFile(file);
  const head = [wav.toString("latin1", 0, 4), wav.toString("latin1", 8, 16), wav.toString("latin1", 36, 40)];
  const format = [20, 22, 32, 34].map((at) => wav.readUInt16LE(at));
  const sizes = [wav.readUInt32LE(4) + 8, wav.readUInt32LE(40) + 44];
  const told = JSON.stringify([head, format, wav.readUInt32LE(24), sizes]);
  if (told !== JSON.stringify([["RIFF", "WAVEfmt ", "data"], [1, 2, 4, 16], 8000, [wav.length, wav.length]]))
    throw new Error(`no recording: ${told}, ${wav.length} bytes`);
  const frames = (wav.length - 44) / 4;
  const channel = (at: number) =>
    Int16Array.from({ length: frames }, (_, frame) => wav.readInt16LE(44 + 4 * frame + at));
  return { left: channel(0), right: channel(2) };
}
