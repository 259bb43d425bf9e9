/** What a replayed call hears, and the recording that is made of it: sounds are laid over each other where they sounded. */
import { readFileSync } from "node:fs";
import { wavHeader, wavHeaderBytes } from "../../src/wav";

/** A file as FreeSWITCH opens it; null when it cannot. */
export function openSound(name: string): Int16Array | null {
  const silence = /^silence_stream:\/\/(\d+)$/.exec(name)?.[1];
  if (silence !== undefined) return silence === "0" ? null : new Int16Array(Number(silence) * 8);
  let bytes: Buffer;
  try {
    bytes = readFileSync(name);
  } catch {
    // FILE NOT FOUND, whatever the reason.
    return null;
  }
  if (bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.readUInt32LE(24) !== 8000) return null;
  const samples = (bytes.length - wavHeaderBytes) >> 1;
  return Int16Array.from({ length: samples }, (_, at) => bytes.readInt16LE(wavHeaderBytes + 2 * at));
}

/** Something that somebody heard: from when to when, in monotonic milliseconds. */
interface Stretch {
  readonly pcm: Int16Array;
  readonly offset: number;
  readonly from: number;
  until: number;
}

/** All that one call heard. */
export class Hearing {
  readonly #stretches: Stretch[] = [];

  /** @returns told when it sounds no more */
  begin(pcm: Int16Array, offset: number): () => void {
    const stretch = { pcm, offset, from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.#stretches.push(stretch);
    return () => {
      stretch.until = Math.min(stretch.until, performance.now());
    };
  }

  /** Stereo: nothing of the caller, who is silent, left; what he heard right. */
  recorded(from: number, until: number): Buffer {
    const frames = Math.max(0, Math.round((until - from) * 8));
    const right = new Int16Array(frames);
    for (const { pcm, offset, from: begun, until: ended } of this.#stretches) {
      const start = Math.round((begun - from) * 8);
      const most = Math.min(pcm.length - offset, Math.round((Math.min(ended, until) - begun) * 8));
      for (let at = Math.max(0, -start); at < most && start + at < frames; at++) {
        right[start + at] = (right[start + at] ?? 0) + (pcm[offset + at] ?? 0);
      }
    }
    const data = Buffer.alloc(frames * 4);
    for (const [at, sample] of right.entries()) data.writeInt16LE(sample, at * 4 + 2);
    return Buffer.concat([wavHeader(2, data.length), data]);
  }
}
