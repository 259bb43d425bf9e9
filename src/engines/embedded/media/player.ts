/** A file that plays: read ahead asynchronously in chunks, so that neither the disk nor a long file is ever waited for on the media loop. */
import { type FileHandle, open } from "node:fs/promises";
import { type Encoder, encode } from "./g711";
import type { PcmFile } from "./messages";
import { samplesPerMs } from "./rtp";

/** One second. */
const chunkSamples = 1000 * samplesPerMs;
/** One that sounds and two ahead of it: 48 KB per call. */
const chunksHeld = 3;
const bytesPerSample = 2;

interface Chunk {
  readonly samples: Int16Array;
  length: number;
}

export class FilePlayer {
  /** The next sample to sound. */
  private position: number;
  private readonly end: number;
  private readonly ready: Chunk[] = [];
  /** Where in the first of them `position` is. */
  private inChunk = 0;
  private spare: Chunk | null = null;
  private opened = false;
  private closed = false;
  private wanted: (() => void) | null = null;

  /** `failed` is told when the file cannot be read as far as its `samples`; not after `close`. */
  constructor(
    readonly play: number,
    private readonly file: PcmFile,
    from_ms: number,
    failed: (reason: string) => void,
  ) {
    this.end = file.samples;
    this.position = Math.min(Math.floor(from_ms * samplesPerMs), file.samples);
    this.read().catch((error: unknown) => {
      if (this.closed) return;
      this.close();
      failed(error instanceof Error ? error.message : String(error));
    });
  }

  /** Position in the file: what has sounded, and what was passed over by `from_ms`. */
  get offset_ms(): number {
    return Math.floor(this.position / samplesPerMs);
  }

  get done(): boolean {
    return this.opened && this.position === this.end;
  }

  /**
   * Encodes the next samples into `target` from `at` on. Returns how many: fewer than `count` at the end of the file, and
   * where the disk is behind: then the rest is a gap, and no sample is lost.
   */
  take(target: Uint8Array, at: number, count: number, encoder: Encoder): number {
    let done = 0;
    for (let chunk = this.ready[0]; chunk && done < count; chunk = this.ready[0]) {
      const part = Math.min(count - done, chunk.length - this.inChunk);
      for (let index = 0; index < part; index++) {
        target[at + done + index] = encode(encoder, chunk.samples[this.inChunk + index] ?? 0);
      }
      done += part;
      this.inChunk += part;
      if (this.inChunk === chunk.length) this.finish(chunk);
    }
    this.position += done;
    return done;
  }

  /** Reading ends, the file is closed. */
  close(): void {
    this.closed = true;
    this.wanted?.();
  }

  private finish(chunk: Chunk): void {
    this.ready.shift();
    this.inChunk = 0;
    this.spare = chunk;
    this.wanted?.();
  }

  private async read(): Promise<void> {
    const handle = await open(this.file.path);
    try {
      this.opened = true;
      let next = this.position;
      while (!this.closed && next < this.end) {
        const chunk = await this.fill(handle, next);
        this.ready.push(chunk);
        next += chunk.length;
        // Closed while it read: nobody would say that there is room.
        if (!this.closed && this.ready.length >= chunksHeld) await this.room();
      }
    } finally {
      await handle.close();
    }
  }

  /** The samples of the file are taken as they lie in memory: little-endian, as every machine that Node is commonly built for. */
  private async fill(handle: FileHandle, next: number): Promise<Chunk> {
    const chunk = this.spare ?? { samples: new Int16Array(Math.min(chunkSamples, this.end - next)), length: 0 };
    this.spare = null;
    const bytes = new Uint8Array(chunk.samples.buffer);
    const length = Math.min(bytes.length, (this.end - next) * bytesPerSample);
    const { bytesRead } = await handle.read(bytes, 0, length, next * bytesPerSample);
    chunk.length = Math.floor(bytesRead / bytesPerSample);
    if (chunk.length === 0) throw new Error(`The file ends after ${next} of ${this.end} samples`);
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
