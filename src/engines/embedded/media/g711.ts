/** G.711 as tables of `alawmulaw`, built once: a look-up per sample on the media loop. */
import { alaw, mulaw } from "alawmulaw";

/** Indexed by the low 16 bits of a sample. */
export type Encoder = Uint8Array;

const samples = Int16Array.from({ length: 0x10000 }, (_, index) => (index << 16) >> 16);

/** By RTP payload type (RFC 3551): 0 PCMU, 8 PCMA. */
export const encoders: Readonly<Record<0 | 8, Encoder>> = { 0: mulaw.encode(samples), 8: alaw.encode(samples) };

export function encode(encoder: Encoder, sample: number): number {
  return encoder[sample & 0xffff] ?? 0;
}
