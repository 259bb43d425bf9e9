/** One file, decoded in steps of a few milliseconds, so that a long one does not keep short ones waiting. */
import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from "node:fs";
import { wavHeader, wavHeaderBytes } from "../wav";
import { findMp3, mp3Frames } from "./mp3";
import { outputRate, Resampler } from "./resample";
import { Source, Undecodable } from "./source";
import { frameBytes, isWav, parseWav, wavSamples } from "./wav";

export interface DecodeJob {
  readonly id: number;
  /** File to read, as it came. */
  readonly source: string;
  /** File to write: WAV as `wav.ts` heads it, one channel. */
  readonly target: string;
  /** Of the target; a file that would have more is `too_large`. */
  readonly maxSamples: number;
}

/** As mpg123-decoder has it. */
export interface Mp3Decoder {
  decode(frames: Uint8Array): { readonly channelData: readonly Float32Array[]; readonly samplesDecoded: number };
  free(): void;
}

const wavBlockFrames = 16 * 1024;
const bytesPerSample = 2;
/** A media server of another user reads it. */
const readable = 0o644;

/**
 * Yields after each step and returns the number of samples written. Closes its files whichever way it ends: a caller
 * that stops early must call `return()`.
 * @throws Undecodable
 */
export async function* decodeFile(
  job: DecodeJob,
  openMp3: () => Promise<Mp3Decoder>,
): AsyncGenerator<undefined, number, undefined> {
  const input = openSync(job.source, "r");
  let output: number | null = null;
  try {
    const source = new Source(input, fstatSync(input).size);
    output = openSync(job.target, "w", 0o600);
    // Room for the head: it is written last, when the length is known.
    writeAll(output, Buffer.alloc(wavHeaderBytes), 0);
    const pieces = isWav(source.read(0, 12)) ? wavPieces(source) : mp3Pieces(source, job.maxSamples, openMp3);
    let written = 0;
    for await (const piece of pieces) {
      if (written + piece.length > job.maxSamples) throw new Undecodable("too_large");
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      writeAll(output, bytes, wavHeaderBytes + written * bytesPerSample);
      written += piece.length;
      yield;
    }
    if (written === 0) throw new Undecodable("unsupported_format");
    writeAll(output, wavHeader(1, written * bytesPerSample), 0);
    // Whatever the umask says, but not before there is something to read.
    fchmodSync(output, readable);
    return written;
  } finally {
    closeSync(input);
    if (output !== null) closeSync(output);
  }
}

function writeAll(fd: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

function* wavPieces(source: Source): Generator<Int16Array> {
  const format = parseWav(source);
  const resampler = new Resampler(format.rate);
  const size = frameBytes(format);
  // A frame that was cut off in the middle is no sample.
  const end = format.end - ((format.end - format.start) % size);
  for (let at = format.start; at < end; at += wavBlockFrames * size) {
    yield resampler.push(wavSamples(format, source.read(at, Math.min(wavBlockFrames * size, end - at))));
  }
  yield resampler.end();
}

async function* mp3Pieces(
  source: Source,
  maxSamples: number,
  openMp3: () => Promise<Mp3Decoder>,
): AsyncGenerator<Int16Array> {
  const found = findMp3(source);
  if (!found) throw new Undecodable("unsupported_format");
  const { rate } = found.frame;
  const frames = (): Generator<Buffer> => mp3Frames(source, found.start, found.frame, maxSamples * (rate / outputRate));
  // Counted first, so that a file of many hours costs no more than reading it.
  for (const counted of frames()) if (counted.length > 0) yield new Int16Array(0);
  const resampler = new Resampler(rate);
  const decoder = await openMp3();
  try {
    for (const some of frames()) {
      const [left, right] = decoder.decode(some).channelData;
      if (left && right) yield resampler.push(mix(left, right));
    }
  } finally {
    decoder.free();
  }
  yield resampler.end();
}

/** The mean of both channels (a mono file has the same in both) at the scale of 16 bits. */
function mix(left: Float32Array, right: Float32Array): Float32Array {
  const samples = new Float32Array(left.length);
  for (let i = 0; i < samples.length; i++) samples[i] = ((left[i] ?? 0) + (right[i] ?? 0)) * 16_384;
  return samples;
}
