/** Sound files made for tests, and what can be measured of decoded ones. */
import { alaw, mulaw } from "alawmulaw";

export type Encoding = "pcm16" | "mulaw" | "alaw";

/** A tone; `amplitude` at the scale of 16 bits. */
export function tone(hz: number, rate: number, samples: number, amplitude = 10_000): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / rate)),
  );
}

/** Samples of both channels in turn. */
export function interleave(left: Int16Array, right: Int16Array): Int16Array {
  return Int16Array.from({ length: left.length * 2 }, (_, i) => (i % 2 ? right : left)[i >> 1] ?? 0);
}

const tags = { pcm16: 1, alaw: 6, mulaw: 7 };
const encode = {
  pcm16: (samples: Int16Array): Buffer => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength),
  alaw: (samples: Int16Array): Buffer => Buffer.from(alaw.encode(samples)),
  mulaw: (samples: Int16Array): Buffer => Buffer.from(mulaw.encode(samples)),
};

export function chunk(id: string, body: Uint8Array, size = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, "latin1");
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

export function fmt(
  tag: number,
  channels: number,
  rate: number,
  bits: number,
  more: Uint8Array = Buffer.alloc(0),
): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(tag, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(rate, 4);
  body.writeUInt32LE((rate * channels * bits) / 8, 8);
  body.writeUInt16LE((channels * bits) / 8, 12);
  body.writeUInt16LE(bits, 14);
  return chunk("fmt ", Buffer.concat([body, more]));
}

/** What WAVE_FORMAT_EXTENSIBLE adds: its size, valid bits, speakers, and the tag with the rest of a GUID. */
export function extension(tag: number, bits: number, guid = "000000001000800000aa00389b71"): Buffer {
  const body = Buffer.alloc(10);
  body.writeUInt16LE(22, 0);
  body.writeUInt16LE(bits, 2);
  body.writeUInt16LE(tag, 8);
  return Buffer.concat([body, Buffer.from(guid, "hex")]);
}

export function riff(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from("WAVE"), ...chunks]);
  return chunk("RIFF", body).subarray(0, 8 + body.length);
}

export function wav(samples: Int16Array, rate: number, channels: 1 | 2 = 1, encoding: Encoding = "pcm16"): Buffer {
  const bits = encoding === "pcm16" ? 16 : 8;
  return riff(fmt(tags[encoding], channels, rate, bits), chunk("data", encode[encoding](samples)));
}

/** Amplitude of one frequency in 8 kHz samples, by correlation. */
export function level(samples: Int16Array, hz: number): number {
  let cosine = 0;
  let sine = 0;
  samples.forEach((sample, i) => {
    cosine += sample * Math.cos((2 * Math.PI * hz * i) / 8000);
    sine += sample * Math.sin((2 * Math.PI * hz * i) / 8000);
  });
  return (2 * Math.hypot(cosine, sine)) / samples.length;
}

/** Root mean square. */
export function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
