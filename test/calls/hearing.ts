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

export interface Stretch {
  /** Samples before it. */
  readonly from: number;
  /** Where in the file it begins, in samples. */
  readonly place: number;
  readonly samples: number;
}

/** A few samples tell the place in a file of which no few are like any others. */
const telling = 16;

/**
 * The stretches of this file that are heard, each without a jump: there may be silence within one.
 * @param file as it sounds, without a sample of silence
 */
export function stretches(heard: Int16Array, file: Int16Array): Stretch[] {
  const found: { from: number; place: number; samples: number }[] = [];
  const places = placesOf(file);
  let current: { readonly place: number; samples: number } | null = null;
  for (let at = 0; at < heard.length; at++) {
    if (heard[at] === 0) continue;
    if (!current || heard[at] !== file[current.place + current.samples]) {
      const fits = (place: number) => same(heard, at, file, place);
      const place = places.get(pair(heard, at))?.find(fits);
      current = null;
      if (place === undefined) continue;
      const stretch = { from: at, place, samples: 0 };
      found.push(stretch);
      current = stretch;
    }
    current.samples++;
  }
  return found;
}

const pair = (samples: Int16Array, at: number): number => (samples[at] ?? 0) * 65_536 + (samples[at + 1] ?? 0);

/** Where each pair of samples stands. */
function placesOf(file: Int16Array): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (let at = 0; at + 1 < file.length; at++) {
    const key = pair(file, at);
    const known = places.get(key);
    if (known) known.push(at);
    else places.set(key, [at]);
  }
  return places;
}

function same(heard: Int16Array, at: number, file: Int16Array, place: number): boolean {
  for (let i = 0; i < telling; i++) if (heard[at + i] === undefined || heard[at + i] !== file[place + i]) return false;
  return true;
}

export interface Pause {
  readonly from: number;
  readonly samples: number;
}

/** Where nothing is heard between two sounds, longest first. Files without a sample of silence only. */
export function pauses(heard: Int16Array): Pause[] {
  const found: Pause[] = [];
  let last = -1;
  for (let at = 0; at < heard.length; at++) {
    if (heard[at] === 0) continue;
    if (last >= 0 && at - last > 1) found.push({ from: last + 1, samples: at - last - 1 });
    last = at;
  }
  return found.sort((one, other) => other.samples - one.samples);
}

/** What sounds, without the silence before, within and after. */
export const sounding = (heard: Int16Array): Int16Array => heard.filter((sample) => sample !== 0);
