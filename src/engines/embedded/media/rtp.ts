/**
 * RTP packets (RFC 3550, section 5.1):
 *
 *     0                   1                   2                   3
 *     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *     |                           timestamp                           |
 *     |                             SSRC                              |
 *     |            CC × CSRC, then with X: profile, length, words     |
 */

export const headerBytes = 12;
/** Samples, and so timestamp units, in a millisecond: all our payloads run at 8 kHz. */
export const samplesPerMs = 8;

export interface Header {
  readonly payload: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits, unsigned. */
  readonly timestamp: number;
  readonly ssrc: number;
}

/** `start` and `end` bound the payload in the datagram: without header extension and padding. */
export interface Packet extends Header {
  readonly start: number;
  readonly end: number;
}

/** Null for whatever is no RTP packet: too short for what it announces, or of another version (STUN, garbage). */
export function parse(datagram: Buffer): Packet | null {
  if (datagram.length < headerBytes) return null;
  const first = datagram.readUInt8(0);
  if (first >> 6 !== 2) return null;
  let start = headerBytes + 4 * (first & 0x0f);
  if (first & 0x10) {
    if (datagram.length < start + 4) return null;
    start += 4 + 4 * datagram.readUInt16BE(start + 2);
  }
  let end = datagram.length;
  if (first & 0x20) {
    const padding = datagram.readUInt8(end - 1);
    if (padding === 0) return null;
    end -= padding;
  }
  if (end < start) return null;
  const second = datagram.readUInt8(1);
  return {
    payload: second & 0x7f,
    marker: second >= 0x80,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    start,
    end,
  };
}

/** Writes the header into the first 12 bytes: no CSRC, no extension, no padding. */
export function writeHeader(packet: Buffer, header: Header): void {
  packet[0] = 0x80;
  packet[1] = header.marker ? header.payload | 0x80 : header.payload;
  packet.writeUInt16BE(header.sequence, 2);
  packet.writeUInt32BE(header.timestamp, 4);
  packet.writeUInt32BE(header.ssrc, 8);
}
