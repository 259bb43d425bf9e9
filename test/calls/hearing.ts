/** What an ear makes of samples: where a tone sounds, how high and how loud it is, and whether anything else is there. */
import { level, rms } from "../media/sound";

export interface Tone {
  /** Samples at 8 kHz before it, and of it. */
  readonly from: number;
  readonly samples: number;
  readonly hz: number;
  /** Of the sine, at the scale of 16 bits. */
  readonly amplitude: number;
  /** The part of the power that is in this sine, 0 to 1. */
  readonly purity: number;
}

/** Silence of G.711 is silent; this is far below any tone. */
const audible = 100;
/** 20 ms: shorter pauses do not end a tone, a sine passes zero. */
const pause = 160;

/** Each stretch of sound, measured in its middle, away from its ends. */
export function tones(samples: Int16Array): Tone[] {
  const found: Tone[] = [];
  let from = -1;
  let last = -1;
  for (let i = 0; i <= samples.length; i++) {
    const sounds = i < samples.length && Math.abs(samples[i] ?? 0) >= audible;
    if (sounds && from < 0) from = i;
    if (sounds) last = i;
    else if (from >= 0 && (i - last > pause || i === samples.length)) {
      found.push(measure(samples, from, last + 1));
      from = -1;
    }
  }
  return found;
}

function measure(all: Int16Array, from: number, to: number): Tone {
  const quarter = (to - from) >> 2;
  const samples = all.subarray(from + quarter, to - quarter);
  const hz = pitch(samples);
  const amplitude = level(samples, hz);
  return { from, samples: to - from, hz, amplitude, purity: amplitude ** 2 / 2 / rms(samples) ** 2 };
}

/** From the first to the last time it rises through zero, each time between two samples. */
function pitch(samples: Int16Array): number {
  const rises: number[] = [];
  for (let i = 1; i < samples.length; i++) {
    const [before = 0, after = 0] = [samples[i - 1], samples[i]];
    if (before < 0 && after >= 0) rises.push(i - after / (after - before));
  }
  const [first = 0, last = 0] = [rises[0], rises.at(-1)];
  return (8000 * (rises.length - 1)) / (last - first);
}
