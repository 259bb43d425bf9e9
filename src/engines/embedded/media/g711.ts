/** G.711 as tables of `alawmulaw`, built once: a look-up per sample on the media loop. */
import { alaw, mulaw } from "alawmulaw";

/** Indexed by the low 16 bits of a sample. */
export type Encoder = Uint8Array;
/** Indexed by the byte on the wire. */
export type Decoder = Int16Array;

const samples = Int16Array.from({ length: 0x10000 }, (_, index) => (index << 16) >> 16);
const bytes = Uint8Array.from({ length: 0x100 }, (_, index) => index);

/** By RTP payload type (RFC 3551): 0 PCMU, 8 PCMA. */
export const encoders: Readonly<Record<0 | 8, Encoder>> = { 0: mulaw.encode(samples), 8: alaw.encode(samples) };
export const decoders: Readonly<Record<0 | 8, Decoder>> = { 0: mulaw.decode(bytes), 8: alaw.decode(bytes) };

export function encode(encoder: Encoder, sample: number): number {
  return encoder[sample & 0xffff] ?? 0;
}
