/** Mono recordings of Asterisk, joined into one stereo WAV file: streamed, so that what they take does not grow with their length. */
import type { FileHandle } from "node:fs/promises";
import { wavHeader, wavHeaderBytes } from "../../wav";

/** One of them, as it comes. */
export interface Track {
  readonly side: "left" | "right";
  /** Of silence before it. */
  readonly delaySamples: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

const blockFrames = 8192;
const frameBytes = 4;
const sampleBytes = 2;
/** RIFF is as long as it likes before its samples; Asterisk's is 44 bytes. */
const maxHeadBytes = 4096;

/** What comes, in pieces as large as wanted. */
class Source {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  /** Less only at the end. */
  async read(bytes: number): Promise<Buffer> {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < bytes && !this.#ended) {
      const { done, value } = await this.#iterator.next();
      if (done === true) this.#ended = true;
      else {
        parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
        length += value.byteLength;
      }
    }
    const all = Buffer.concat(parts, length);
    this.#rest = all.subarray(bytes);
    return all.subarray(0, bytes);
  }

  /** No more of it is wanted. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** The samples of a WAV file, after so much of silence. */
class Samples {
  readonly side: Track["side"];
  readonly #source: Source;
  #silence: number;

  constructor({ side, delaySamples, bytes }: Track) {
    this.side = side;
    this.#source = new Source(bytes);
    this.#silence = delaySamples;
  }

  /** Past the head. @throws when it is not 16 bit, mono, 8 kHz */
  async open(): Promise<void> {
    const head = await this.#source.read(12);
    if (head.toString("latin1", 0, 4) !== "RIFF" || head.toString("latin1", 8, 12) !== "WAVE") throw unfit();
    for (let read = 12, fits = false; read < maxHeadBytes; ) {
      const chunk = await this.#source.read(8);
      if (chunk.length < 8) throw unfit();
      const name = chunk.toString("latin1", 0, 4);
      if (name === "data" && fits) return;
      const size = chunk.readUInt32LE(4);
      if (name === "data" || read + size > maxHeadBytes) throw unfit();
      const body = await this.#source.read(size);
      read += 8 + size;
      if (name !== "fmt " || body.length < 16) continue;
      const [format, channels, rate, bits] = [0, 2, 4, 14].map((at) => body.readUInt16LE(at));
      fits = format === 1 && channels === 1 && rate === 8000 && bits === 16;
    }
    throw unfit();
  }

  /** Adds the next ones to a block. @returns how many of its frames it fills; 0 at the end */
  async mixInto(block: Int16Array): Promise<number> {
    const frames = block.length / 2;
    const silent = Math.min(this.#silence, frames);
    this.#silence -= silent;
    const bytes = await this.#source.read((frames - silent) * sampleBytes);
    const count = Math.floor(bytes.length / sampleBytes);
    const offset = this.side === "left" ? 0 : 1;
    for (let nth = 0; nth < count; nth++) {
      const at = 2 * (silent + nth) + offset;
      const sum = (block[at] ?? 0) + bytes.readInt16LE(nth * sampleBytes);
      block[at] = Math.max(-0x8000, Math.min(0x7fff, sum));
    }
    return count === 0 ? 0 : silent + count;
  }

  /** Does silence come before it still? */
  get waits(): boolean {
    return this.#silence > 0;
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

const unfit = () => new TypeError("a recording is no WAV file of 16 bit, mono, 8 kHz");

/**
 * Writes head and samples into an empty file, each side as long as the longest track.
 * @throws when a track cannot be read or the file cannot be written; what was written is whole
 */
export async function joinTracks(file: FileHandle, tracks: readonly Track[], maxFrames: number): Promise<void> {
  const all = tracks.map((track) => new Samples(track));
  let written = 0;
  try {
    await Promise.all(all.map((samples) => samples.open()));
    while (written < maxFrames) {
      const block = new Int16Array(2 * Math.min(blockFrames, maxFrames - written));
      const filled = await Promise.all(all.map((samples) => samples.mixInto(block)));
      const frames = all.some((samples) => samples.waits) ? block.length / 2 : Math.max(0, ...filled);
      if (frames === 0) break;
      const at = wavHeaderBytes + written * frameBytes;
      await file.write(Buffer.from(block.buffer, 0, frames * frameBytes), 0, frames * frameBytes, at);
      written += frames;
    }
  } finally {
    await file.write(wavHeader(2, written * frameBytes), 0, wavHeaderBytes, 0);
    await Promise.all(all.map((samples) => samples.close()));
  }
}
