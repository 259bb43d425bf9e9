/** Recordings of a test: a child, its callers, and a folder for the files. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@jest/globals";
import type { Told } from "./listener";
import { Media } from "./listener";
import { Party } from "./party";
import { readWav, type Wav } from "./wav";

export const hour = 3_600_000;

export class Studio {
  readonly #parties: Party[] = [];

  private constructor(
    readonly media: Media,
    readonly folder: string,
  ) {}

  static async open(options: Parameters<typeof Media.start>[0] = {}): Promise<Studio> {
    return new Studio(await Media.start(options), await mkdtemp(join(tmpdir(), "recordings-")));
  }

  async call(name: string, changes: Parameters<typeof Party.call>[2] = {}): Promise<Party> {
    const party = await Party.call(this.media, name, changes);
    this.#parties.push(party);
    return party;
  }

  path(id: string): string {
    return join(this.folder, `${id}.wav`);
  }

  async record(call: string, max_ms = hour): Promise<string> {
    const id = randomUUID();
    expect(await this.media.link.record(call, id, this.path(id), max_ms)).toEqual({ failure: null });
    return id;
  }

  /** What is told of the recording's end. */
  recorded(id: string): Promise<Told> {
    return this.media.listener.find((word) => word.told === "recorded" && word.recording_id === id);
  }

  /** Stops, and waits for the file. */
  async stop(call: string, id: string): Promise<Wav> {
    await this.media.link.stopRecording(call);
    expect(await this.recorded(id)).toEqual({ told: "recorded", call, recording_id: id, failure: null });
    const wav = this.read(id);
    expect(wav.beyond).toBe(0);
    return wav;
  }

  read(id: string): Wav {
    return readWav(this.path(id));
  }

  signal(signal: NodeJS.Signals): void {
    const pid = this.media.link.pid();
    if (pid === null) throw new Error("No child");
    process.kill(pid, signal);
  }

  /** Everybody hangs up. */
  leave(): void {
    for (const party of this.#parties.splice(0)) party.close();
  }

  async close(): Promise<void> {
    this.leave();
    await this.media.end();
    await rm(this.folder, { recursive: true });
  }
}
