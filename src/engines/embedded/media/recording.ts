/** A recording: samples in without a wait, a WAV file out, second by second. */
import { type FileHandle, open, rm, unlink } from "node:fs/promises";
import { maxWavSize, wavHeader, wavHeaderBytes } from "../../../wav";
import { samplesPerMs } from "./rtp";

/** A sample of both channels. */
const wavFrameBytes = 4;
/** The RIFF size counts what stands before the data, too. */
const longestWav = Math.floor((maxWavSize - (wavHeaderBytes - 8)) / wavFrameBytes);

/** One second: what a crash may cost. */
const chunkFrames = 1000 * samplesPerMs;
/** A disk that is further behind than this (256 KB) will not catch up. */
const chunksHeld = 8;

interface Chunk {
  /** Both channels in turn. */
  readonly samples: Int16Array;
  /** Where in the file, and how many, in frames of both channels. */
  at: number;
  frames: number;
}

/**
 * The file is whole at any time: data first, and then the header that counts it. So a crash leaves a valid file that lacks
 * its last second.
 */
export class Recording {
  /** Resolves once the file is closed: null, or why it could not be written to its end. */
  readonly closed: Promise<string | null>;
  readonly #path: string;
  readonly #longest: number;
  readonly #queue: Chunk[] = [];
  readonly #spare: Chunk[] = [];
  #chunk: Chunk;
  #over = false;
  #discarded = false;
  #failure: string | null = null;
  #wake: (() => void) | null = null;

  /** @throws when the file exists, or cannot be made */
  static async begin(path: string, max_ms: number): Promise<Recording> {
    const handle = await open(path, "wx", 0o600);
    try {
      await write(handle, wavHeader(2, 0), 0);
    } catch (error) {
      await handle.close();
      await unlink(path);
      throw error;
    }
    return new Recording(handle, path, max_ms);
  }

  private constructor(handle: FileHandle, path: string, max_ms: number) {
    this.#path = path;
    this.#longest = Math.min(Math.floor(max_ms * samplesPerMs), longestWav);
    this.#chunk = { samples: new Int16Array(2 * chunkFrames), at: 0, frames: 0 };
    this.closed = this.#run(handle);
  }

  /** Nothing more is taken: ended, at its longest, or failed. */
  get over(): boolean {
    return this.#over;
  }

  get discarded(): boolean {
    return this.#discarded;
  }

  write(left: Int16Array, right: Int16Array, count: number): void {
    let done = 0;
    while (!this.#over && done < count) {
      const chunk = this.#chunk;
      const end = chunk.at + chunk.frames;
      const part = Math.min(count - done, chunkFrames - chunk.frames, this.#longest - end);
      for (let at = 0, to = 2 * chunk.frames; at < part; at++, to += 2) {
        chunk.samples[to] = left[done + at] ?? 0;
        chunk.samples[to + 1] = right[done + at] ?? 0;
      }
      chunk.frames += part;
      done += part;
      if (end + part === this.#longest) this.end();
      else if (chunk.frames === chunkFrames) this.#turn(chunk.at + chunkFrames);
    }
  }

  /** Both channels are silent for a while: a hole in the file, which costs nothing however long it is. */
  skip(count: number): void {
    if (this.#over) return;
    const { at, frames } = this.#chunk;
    const next = Math.min(at + frames + count, this.#longest);
    this.#turn(next);
    if (next === this.#longest) this.end();
  }

  /** What is there is still written. */
  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** Ends, and removes the file. */
  discard(): void {
    this.#discarded = true;
    this.end();
  }

  /** The chunk is handed over; the next one begins `at`. */
  #turn(at: number): void {
    if (this.#queue.length >= chunksHeld) {
      this.#fail("The disk is too slow");
      return;
    }
    this.#queue.push(this.#chunk);
    const spare = this.#spare.pop() ?? { samples: new Int16Array(2 * chunkFrames), at: 0, frames: 0 };
    this.#chunk = Object.assign(spare, { at, frames: 0 });
    this.#wake?.();
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.end();
  }

  async #run(handle: FileHandle): Promise<string | null> {
    try {
      await this.#drain(handle);
    } catch (error) {
      this.#fail(message(error));
    }
    await handle.close().catch((error: unknown) => this.#fail(message(error)));
    if (this.#discarded) await rm(this.#path, { force: true }).catch((error: unknown) => this.#fail(message(error)));
    return this.#failure;
  }

  async #drain(handle: FileHandle): Promise<void> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        await this.#save(handle, chunk);
        this.#spare.push(chunk);
      } else if (this.#over) break;
      else await this.#more();
    }
    if (this.#failure !== null || this.#discarded) return;
    await this.#save(handle, this.#chunk);
  }

  async #save(handle: FileHandle, { samples, at, frames }: Chunk): Promise<void> {
    const end = at + frames;
    const bytes = Buffer.from(samples.buffer, samples.byteOffset, frames * wavFrameBytes);
    if (frames > 0) await write(handle, bytes, wavHeaderBytes + at * wavFrameBytes);
    // Also a hole at the end is a part of the file.
    else await handle.truncate(wavHeaderBytes + end * wavFrameBytes);
    await write(handle, wavHeader(2, end * wavFrameBytes), 0);
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}

/** The whole of it: a full disk takes a part first. */
async function write(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error("Nothing could be written");
    done += bytesWritten;
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
