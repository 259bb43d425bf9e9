/** MP3 files: which bytes are frames. Frame headers of ISO/IEC 11172-3 and 13818-3 (and the "2.5" of Fraunhofer), layer III. */
import { type Source, Undecodable } from "./source";

export interface Frame {
  /** Bytes, header included. */
  readonly length: number;
  /** Hertz. */
  readonly rate: number;
  /** Per channel. */
  readonly samples: number;
}

/** kbit/s by index; 0 is the free format, which nobody sends and which hides the length of its frames. */
const bitrates = {
  v1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const rates = [44_100, 48_000, 32_000];
/** How far the first frame may be from where it should be. */
const searchBytes = 4096;
const blockBytes = 32 * 1024;

/** The frame whose header begins at `at`; null when these bytes are none. */
export function parseFrame(bytes: Buffer, at: number): Frame | null {
  if (at + 4 > bytes.length) return null;
  const header = bytes.readUInt32BE(at);
  const layer = (header >>> 17) & 3;
  const version = (header >>> 19) & 3;
  if (header >>> 21 !== 0x7ff || layer !== 1 || version === 1) return null;
  const first = version === 3;
  const kbits = (first ? bitrates.v1 : bitrates.v2)[(header >>> 12) & 15];
  const base = rates[(header >>> 10) & 3];
  if (!kbits || !base) return null;
  const rate = first ? base : version === 2 ? base / 2 : base / 4;
  const padding = (header >>> 9) & 1;
  const length = Math.floor(((first ? 144 : 72) * kbits * 1000) / rate) + padding;
  return { length, rate, samples: first ? 1152 : 576 };
}

/**
 * Where the first frame of a file is that another one of the same kind follows, or the end of the file: a text in which
 * the bits of one header happen to stand is no MP3. Tags before it (ID3v2) are skipped.
 */
export function findMp3(source: Source): { readonly start: number; readonly frame: Frame } | null {
  let at = 0;
  for (let head = source.read(at, 10); head.toString("latin1", 0, 3) === "ID3" && head.length === 10; ) {
    const size = [6, 7, 8, 9].reduce((sum, index) => sum * 128 + ((head[index] ?? 0) & 0x7f), 0);
    at += 10 + size + ((head[5] ?? 0) & 0x10 ? 10 : 0);
    head = source.read(at, 10);
  }
  const window = source.read(at, searchBytes);
  for (let offset = window.indexOf(0xff); offset >= 0; offset = window.indexOf(0xff, offset + 1)) {
    const frame = parseFrame(window, offset);
    if (!frame) continue;
    const end = at + offset + frame.length;
    const next = parseFrame(source.read(end, 4), 0);
    if (end === source.size || (next && next.rate === frame.rate)) return { start: at + offset, frame };
  }
  return null;
}

/**
 * Whole frames in the order of the file, many at a time; what is between them and frames of another rate are left out.
 * @throws Undecodable `too_large` beyond `maxSamples` samples per channel
 */
export function* mp3Frames(source: Source, start: number, kind: Frame, maxSamples: number): Generator<Buffer> {
  let samples = 0;
  let at = start;
  while (at < source.size) {
    const block = source.read(at, blockBytes);
    let from = 0;
    let to = 0;
    while (to < block.length) {
      const frame = parseFrame(block, to);
      if (frame && frame.rate === kind.rate) {
        if (to + frame.length > block.length) break;
        to += frame.length;
        samples += frame.samples;
        if (samples > maxSamples) throw new Undecodable("too_large");
      } else {
        if (to > from) yield block.subarray(from, to);
        const sync = block.indexOf(0xff, to + 1);
        from = to = sync < 0 ? block.length : sync;
      }
    }
    if (to > from) yield block.subarray(from, to);
    // Nothing whole was left in a block that reaches to the end: the last frame is cut off.
    if (to === 0 || at + block.length >= source.size) return;
    at += to;
  }
}
