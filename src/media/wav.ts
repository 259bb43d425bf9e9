/** WAV files: where the samples are and what they mean. RIFF/WAVE as Microsoft and IBM wrote it down (1991, 1994). */
import { alaw, mulaw } from "alawmulaw";
import { type Source, Undecodable } from "./source";

export interface WavFormat {
  /** Hertz. */
  readonly rate: number;
  readonly channels: 1 | 2;
  readonly encoding: "pcm16" | "mulaw" | "alaw";
  /** Offset of the first sample in the file, and of what follows the last one. */
  readonly start: number;
  readonly end: number;
}

const rates = [8000, 16_000, 44_100, 48_000];
const encodings = [
  { tag: 1, bits: 16, encoding: "pcm16" },
  { tag: 6, bits: 8, encoding: "alaw" },
  { tag: 7, bits: 8, encoding: "mulaw" },
] as const;
/** WAVE_FORMAT_EXTENSIBLE: the real tag is the beginning of a GUID, and this the rest of it. */
const extensible = 0xfffe;
const guidRest = Buffer.from("000000001000800000aa00389b71", "hex");
/** Of the chunks before the samples: a file made of empty chunks would be walked through for long. */
const maxChunks = 256;

export const isWav = (head: Buffer): boolean =>
  head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 12) === "WAVE";

/**
 * Walks the chunks up to the samples. A size of the data that cannot be true (0 or all ones, as those write it who
 * could not go back, or more than there is) means: up to the end of the file.
 * @throws Undecodable when it is none of the formats that are played
 */
export function parseWav(source: Source): WavFormat {
  let format: Omit<WavFormat, "start" | "end"> | null = null;
  let at = 12;
  for (let chunk = 0; chunk < maxChunks; chunk++) {
    const header = source.read(at, 8);
    if (header.length < 8) break;
    const id = header.toString("latin1", 0, 4);
    const size = header.readUInt32LE(4);
    at += 8;
    if (id === "fmt ") format = parseFormat(source.read(at, Math.min(size, 40)));
    if (id === "data") {
      if (!format) break;
      const end = size === 0 || at + size > source.size ? source.size : at + size;
      return { ...format, start: at, end };
    }
    at += size + (size % 2);
  }
  throw new Undecodable("unsupported_format");
}

function parseFormat(chunk: Buffer): Omit<WavFormat, "start" | "end"> {
  if (chunk.length < 16) throw new Undecodable("unsupported_format");
  let tag = chunk.readUInt16LE(0);
  const channels = chunk.readUInt16LE(2);
  const rate = chunk.readUInt32LE(4);
  const bits = chunk.readUInt16LE(14);
  if (tag === extensible)
    tag = chunk.length >= 40 && guidRest.equals(chunk.subarray(26, 40)) ? chunk.readUInt16LE(24) : 0;
  const found = encodings.find((known) => known.tag === tag && known.bits === bits);
  if (!found || (channels !== 1 && channels !== 2) || !rates.includes(rate))
    throw new Undecodable("unsupported_format");
  if (chunk.readUInt16LE(12) !== channels * (bits / 8)) throw new Undecodable("unsupported_format");
  return { rate, channels, encoding: found.encoding };
}

const tables = {
  mulaw: mulaw.decode(Uint8Array.from({ length: 256 }, (_, code) => code)),
  alaw: alaw.decode(Uint8Array.from({ length: 256 }, (_, code) => code)),
};

/** Bytes of one sample of all channels. */
export const frameBytes = (format: WavFormat): number => format.channels * (format.encoding === "pcm16" ? 2 : 1);

/** Whole frames to samples of one channel, at the scale of 16 bits. Two channels become their mean. */
export function wavSamples(format: WavFormat, bytes: Buffer): Float32Array {
  const { channels, encoding } = format;
  const samples = new Float32Array(bytes.length / frameBytes(format));
  const table = encoding === "pcm16" ? null : tables[encoding];
  const at = table
    ? (index: number): number => table[bytes[index] ?? 0] ?? 0
    : (index: number): number => bytes.readInt16LE(index * 2);
  if (channels === 1) for (let i = 0; i < samples.length; i++) samples[i] = at(i);
  else for (let i = 0; i < samples.length; i++) samples[i] = (at(2 * i) + at(2 * i + 1)) / 2;
  return samples;
}
