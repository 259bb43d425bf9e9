/** What sounds, sample by sample: a file, read ahead asynchronously in chunks, so that neither the disk nor a long file is ever waited for on the media loop; or silence. */
import { type FileHandle, open } from "node:fs/promises";
import { wavHeaderBytes } from "../../../wav";
import type { SoundFile } from "../../control/media_server";
import { samplesPerMs } from "./rtp";

export interface Player {
  /** Position: what has sounded, and what was passed over. */
  readonly offset_ms: number;
  /** Has it sounded to its end? */
  readonly done: boolean;
  /** Copies the next samples to the beginning of `target`. Returns how many: fewer than `count` at the end, and where the disk is behind: then the rest is a gap, and no sample is lost. */
  take(target: Int16Array, count: number): number;
  /** Goes on there, or is done when that is beyond the end. */
  seek(offset_ms: number): void;
  close(): void;
}

/** One second. */
const chunkSamples = 1000 * samplesPerMs;
/** One that sounds and two ahead of it: 48 KB per call. */
const chunksHeld = 3;
const bytesPerSample = 2;

interface Chunk {
  readonly samples: Int16Array;
  length: number;
}

export class FilePlayer implements Player {
  /** The next sample to sound. */
  private position: number;
  /** The next sample to be read. */
  private next: number;
  /** Counts the seeks: a chunk that was asked for before the last one is of no use. */
  private turn = 0;
  private readonly ready: Chunk[] = [];
  /** Where in the first of them `position` is. */
  private inChunk = 0;
  private spare: Chunk | null = null;
  private opened = false;
  private closed = false;
  private wanted: (() => void) | null = null;

  /** `failed` is told when the file cannot be read as far as its `samples`; not after `close`. */
  constructor(
    private readonly file: SoundFile,
    from_ms: number,
    failed: (reason: string) => void,
  ) {
    this.position = this.at(from_ms);
    this.next = this.position;
    this.read().catch((error: unknown) => {
      if (this.closed) return;
      this.close();
      failed(error instanceof Error ? error.message : String(error));
    });
  }

  get offset_ms(): number {
    return Math.floor(this.position / samplesPerMs);
  }

  get done(): boolean {
    return this.opened && this.position === this.file.samples;
  }

  take(target: Int16Array, count: number): number {
    let done = 0;
    for (let chunk = this.ready[0]; chunk && done < count; chunk = this.ready[0]) {
      const part = Math.min(count - done, chunk.length - this.inChunk);
      target.set(chunk.samples.subarray(this.inChunk, this.inChunk + part), done);
      done += part;
      this.inChunk += part;
      if (this.inChunk === chunk.length) this.finish(chunk);
    }
    this.position += done;
    return done;
  }

  seek(offset_ms: number): void {
    this.position = this.at(offset_ms);
    this.next = this.position;
    this.turn++;
    this.ready.length = 0;
    this.inChunk = 0;
    this.wanted?.();
  }

  /** Reading ends, the file is closed. */
  close(): void {
    this.closed = true;
    this.wanted?.();
  }

  private at(offset_ms: number): number {
    return Math.min(Math.floor(offset_ms * samplesPerMs), this.file.samples);
  }

  private finish(chunk: Chunk): void {
    this.ready.shift();
    this.inChunk = 0;
    this.spare = chunk;
    this.wanted?.();
  }

  /** The file stays open to its end and beyond: somebody may go back in it. */
  private async read(): Promise<void> {
    const handle = await open(this.file.path);
    try {
      this.opened = true;
      while (!this.closed) {
        if (this.next === this.file.samples || this.ready.length >= chunksHeld) {
          await this.room();
          continue;
        }
        const { turn, next } = this;
        const chunk = await this.fill(handle, next);
        if (turn !== this.turn) continue;
        this.ready.push(chunk);
        this.next = next + chunk.length;
      }
    } finally {
      await handle.close();
    }
  }

  /** The samples of the file are taken as they lie in memory: little-endian, as every machine that Node is commonly built for. */
  private async fill(handle: FileHandle, next: number): Promise<Chunk> {
    const size = Math.min(chunkSamples, this.file.samples);
    const chunk = this.spare ?? { samples: new Int16Array(size), length: 0 };
    this.spare = null;
    const bytes = new Uint8Array(chunk.samples.buffer);
    const length = Math.min(bytes.length, (this.file.samples - next) * bytesPerSample);
    const { bytesRead } = await handle.read(bytes, 0, length, wavHeaderBytes + next * bytesPerSample);
    chunk.length = Math.floor(bytesRead / bytesPerSample);
    if (chunk.length === 0) throw new Error(`The file ends after ${next} of ${this.file.samples} samples`);
    return chunk;
  }

  private room(): Promise<void> {
    return new Promise((resolve) => {
      this.wanted = () => {
        this.wanted = null;
        resolve();
      };
    });
  }
}

export class SilencePlayer implements Player {
  private position: number;
  private readonly end: number;

  constructor(silence_ms: number, from_ms: number) {
    this.end = Math.floor(silence_ms * samplesPerMs);
    this.position = Math.min(Math.floor(from_ms * samplesPerMs), this.end);
  }

  get offset_ms(): number {
    return Math.floor(this.position / samplesPerMs);
  }

  get done(): boolean {
    return this.position === this.end;
  }

  take(target: Int16Array, count: number): number {
    const part = Math.min(count, this.end - this.position);
    target.fill(0, 0, part);
    this.position += part;
    return part;
  }

  seek(offset_ms: number): void {
    this.position = Math.min(Math.floor(offset_ms * samplesPerMs), this.end);
  }

  close(): void {}
}
