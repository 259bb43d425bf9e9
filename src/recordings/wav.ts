/**
 * The sizes in the header of a WAV file, made true: whoever wrote it may have died before it could do so. RIFF/WAVE as
 * Microsoft and IBM wrote it down (1991, 1994).
 */
import { type FileHandle, open } from "node:fs/promises";
import { maxWavSize, wavHeader, wavHeaderBytes, wavRate } from "../wav";
import { orNull } from "./missing";

/** Of both channels: what the embedded media server writes. */
const frameBytes = 4;
/** Where the samples must have begun. */
const searchedBytes = 4096;

export interface Sound {
  /** Of the whole file. */
  readonly bytes: number;
  readonly duration_ms: number;
  /** It was not as its writer would have left it. */
  readonly mended: boolean;
}

interface Layout {
  /** Offset of the first sample. */
  readonly start: number;
  /** Bytes of one sample of all channels. */
  readonly frame: number;
  readonly bytesPerSecond: number;
}

/**
 * Looks at a file that nobody writes any more. Sizes that are not true become those of what is there, an incomplete last
 * sample is cut off, a header that never reached the disk is written, and all of it is on the disk before this resolves.
 * @returns `missing`, or `foreign`: it is no WAV file, and stays as it is
 */
export async function mendWav(path: string): Promise<Sound | "missing" | "foreign"> {
  const file = await orNull(open(path, "r+"));
  if (!file) return "missing";
  try {
    const sound = await mend(file);
    if (sound !== "foreign") await file.datasync();
    return sound;
  } finally {
    await file.close();
  }
}

async function mend(file: FileHandle): Promise<Sound | "foreign"> {
  const { size } = await file.stat();
  const head = await read(file, Math.min(size, searchedBytes));
  const blank = head.length < wavHeaderBytes || head.subarray(0, wavHeaderBytes).every((byte) => byte === 0);
  if (blank) return writeHeader(file, size);
  const found = parse(head, size);
  if (found === null) return "foreign";
  const { layout, dataBytes } = found;
  if (dataBytes !== null) return { bytes: size, duration_ms: duration(layout, dataBytes), mended: false };
  const { start, frame } = layout;
  const whole = Math.floor((size - start) / frame) * frame;
  await file.truncate(start + whole);
  await file.write(uint32(start + whole - 8), 0, 4, 4);
  await file.write(uint32(whole), 0, 4, start - 4);
  return { bytes: start + whole, duration_ms: duration(layout, whole), mended: true };
}

/** The samples of a file whose header is not there are those of the one format that is recorded. */
async function writeHeader(file: FileHandle, size: number): Promise<Sound> {
  const whole = Math.floor(Math.max(size - wavHeaderBytes, 0) / frameBytes) * frameBytes;
  await file.write(wavHeader(2, whole), 0, wavHeaderBytes, 0);
  await file.truncate(wavHeaderBytes + whole);
  const layout = { start: wavHeaderBytes, frame: frameBytes, bytesPerSecond: wavRate * frameBytes };
  return { bytes: wavHeaderBytes + whole, duration_ms: duration(layout, whole), mended: true };
}

/** `dataBytes` is null when the sizes do not fit the file. */
function parse(head: Buffer, size: number): { layout: Layout; dataBytes: number | null } | null {
  if (head.toString("latin1", 0, 4) !== "RIFF" || head.toString("latin1", 8, 12) !== "WAVE") return null;
  let format: Omit<Layout, "start"> | null = null;
  for (let at = 12; at + 8 <= head.length; ) {
    const id = head.toString("latin1", at, at + 4);
    const length = head.readUInt32LE(at + 4);
    at += 8;
    if (id === "fmt " && at + 16 <= head.length)
      format = { bytesPerSecond: head.readUInt32LE(at + 8), frame: head.readUInt16LE(at + 12) };
    if (id === "data") {
      if (!format || format.frame === 0 || format.bytesPerSecond === 0) return null;
      const fits = head.readUInt32LE(4) === Math.min(size - 8, maxWavSize) && at + length <= size;
      const true_ = fits && length % format.frame === 0 && length !== maxWavSize;
      return { layout: { start: at, ...format }, dataBytes: true_ ? length : null };
    }
    at += length + (length % 2);
  }
  return null;
}

const duration = ({ bytesPerSecond }: Layout, bytes: number): number => Math.round((bytes / bytesPerSecond) * 1000);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Math.min(value, maxWavSize));
  return bytes;
}

/** All of it: a read may end early. */
async function read(file: FileHandle, bytes: number): Promise<Buffer> {
  const into = Buffer.alloc(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(into, at, bytes - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return into.subarray(0, at);
}
