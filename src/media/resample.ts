/** Sampling rates down to the 8 kHz of telephony. */

export const outputRate = 8000;
/** Up to here everything passes; telephony carries nothing above. */
const passHz = 3400;
/** From here on everything is gone: what is folded down from between 4000 and this stays above `passHz`. */
const stopHz = 4400;
/** By how much what is folded down is quieter than it was. */
const stopDb = 60;
/** Kaiser's formulas for the shape and the length of the window that such a filter needs. */
const beta = 0.1102 * (stopDb - 8.7);
const seconds = (stopDb - 8) / (2.285 * 2 * Math.PI * (stopHz - passHz));

/** Modified Bessel function of the first kind, order 0, by its series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

interface Bank {
  /** Input samples on each side of the one that an output sample is nearest to. */
  readonly half: number;
  /** Output samples per `down` input samples. */
  readonly up: number;
  readonly down: number;
  /** One filter per position that an output sample can have between two input samples. */
  readonly phases: readonly Float32Array[];
}

const banks = new Map<number, Bank>();

/** A windowed-sinc low pass, sampled at each of the `up` phases; each has gain 1 at 0 Hz. */
function bankFor(rate: number): Bank {
  const known = banks.get(rate);
  if (known) return known;
  const divisor = gcd(rate, outputRate);
  const up = outputRate / divisor;
  const down = rate / divisor;
  const half = Math.ceil((seconds * rate) / 2);
  const cutoff = (passHz + stopHz) / rate;
  const phases = Array.from({ length: up }, (_, phase) => {
    const taps = Float32Array.from({ length: 2 * half + 2 }, (_, index) => {
      const distance = index - half - phase / up;
      const angle = Math.PI * cutoff * distance;
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
      const edge = distance / (half + 1);
      return sinc * bessel(beta * Math.sqrt(1 - edge * edge));
    });
    const gain = taps.reduce((sum, tap) => sum + tap, 0);
    return taps.map((tap) => tap / gain);
  });
  const bank = { half, up, down, phases };
  banks.set(rate, bank);
  return bank;
}

/** One stream of samples at the scale of 16 bits, in pieces. 8 kHz passes unchanged. */
export class Resampler {
  readonly #bank: Bank | null;
  /** Input that is still needed, beginning `half` samples before the next output sample. */
  #pending: Float32Array;
  /** Between which input samples the next output sample lies, in parts of `up`. */
  #phase = 0;
  #taken = 0;
  #made = 0;

  /** @param rate of the input in Hz, at least 8000 */
  constructor(rate: number) {
    this.#bank = rate === outputRate ? null : bankFor(rate);
    this.#pending = new Float32Array(this.#bank?.half ?? 0);
  }

  push(samples: Float32Array): Int16Array {
    this.#taken += samples.length;
    return this.#bank ? this.#filter(this.#bank, samples, Number.POSITIVE_INFINITY) : round(samples);
  }

  /** What silence after the last sample brings out. Together there is one output sample for each `rate` / 8000 samples of input. */
  end(): Int16Array {
    const bank = this.#bank;
    if (!bank) return new Int16Array(0);
    const missing = Math.round((this.#taken * bank.up) / bank.down) - this.#made;
    return this.#filter(bank, new Float32Array(bank.half + bank.down), missing);
  }

  #filter(bank: Bank, samples: Float32Array, atMost: number): Int16Array {
    const { up, down, phases } = bank;
    const length = 2 * bank.half + 2;
    const input = new Float32Array(this.#pending.length + samples.length);
    input.set(this.#pending);
    input.set(samples, this.#pending.length);
    const output = new Float32Array(Math.ceil(((input.length + 1) * up) / down));
    let at = 0;
    let count = 0;
    while (at + length <= input.length && count < atMost) {
      const taps = phases[this.#phase];
      if (!taps) throw new RangeError("no such phase");
      // Two sums, because each addition waits for the one before: a fifth less time.
      let even = 0;
      let odd = 0;
      for (let k = 0; k < length; k += 2) {
        even += (taps[k] ?? 0) * (input[at + k] ?? 0);
        odd += (taps[k + 1] ?? 0) * (input[at + k + 1] ?? 0);
      }
      output[count++] = even + odd;
      this.#phase += down;
      at += Math.floor(this.#phase / up);
      this.#phase %= up;
    }
    this.#pending = input.slice(at);
    this.#made += count;
    return round(output.subarray(0, count));
  }
}

function round(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample))));
}
