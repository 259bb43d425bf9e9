/** A recorded file, read strictly: 44 bytes of header, and sizes that are true. */
import { readFileSync } from "node:fs";

export interface Wav {
  readonly left: Int16Array;
  readonly right: Int16Array;
  /** Bytes behind what the header counts. */
  readonly beyond: number;
}

export function readWav(path: string): Wav {
  const bytes = readFileSync(path);
  const text = (from: number, to: number) => bytes.toString("latin1", from, to);
  const size = bytes.readUInt32LE(40);
  const header = {
    riff: text(0, 4),
    riffSize: bytes.readUInt32LE(4) - 36,
    format: text(8, 16),
    formatSize: bytes.readUInt32LE(16),
    code: bytes.readUInt16LE(20),
    channels: bytes.readUInt16LE(22),
    rate: bytes.readUInt32LE(24),
    bytesPerSecond: bytes.readUInt32LE(28),
    bytesPerFrame: bytes.readUInt16LE(32),
    bits: bytes.readUInt16LE(34),
    data: text(36, 40),
  };
  const wanted = {
    riff: "RIFF",
    riffSize: size,
    format: "WAVEfmt ",
    formatSize: 16,
    code: 1,
    channels: 2,
    rate: 8000,
    bytesPerSecond: 32_000,
    bytesPerFrame: 4,
    bits: 16,
    data: "data",
  };
  if (JSON.stringify(header) !== JSON.stringify(wanted)) throw new Error(`No such WAV: ${JSON.stringify(header)}`);
  const beyond = bytes.length - 44 - size;
  if (beyond < 0 || size % 4 !== 0) throw new Error(`The header counts ${size} of ${bytes.length - 44} bytes`);
  const channel = (from: number) =>
    Int16Array.from({ length: size / 4 }, (_, at) => bytes.readInt16LE(44 + 4 * at + from));
  return { left: channel(0), right: channel(2), beyond };
}

/** Where these samples begin in the others; -1 where they do not stand. */
export function find(samples: Int16Array, wanted: Int16Array, from = 0): number {
  for (let at = from; at + wanted.length <= samples.length; at++) {
    if (wanted.every((sample, index) => samples[at + index] === sample)) return at;
  }
  return -1;
}
