/** An RTP caller for tests: it sends what a telephone sends, keeps what it hears, and measures it. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { alaw, mulaw } from "alawmulaw";
import { Arrivals } from "./arrivals";

export interface Heard {
  readonly datagram: Buffer;
  readonly from: number;
  readonly version: number;
  readonly marker: boolean;
  readonly payload: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly body: Buffer;
}

export interface Sent {
  readonly payload?: number;
  readonly marker?: boolean;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly ssrc?: number;
}

export const samplesPerFrame = 160;
const frameMs = 20;

/** An RTP datagram: header (RFC 3550, 5.1) and body. */
export function rtp(fields: Sent, body: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = (fields.payload ?? 0) | (fields.marker ? 0x80 : 0);
  header.writeUInt16BE((fields.sequence ?? 0) & 0xffff, 2);
  header.writeUInt32BE((fields.timestamp ?? 0) >>> 0, 4);
  header.writeUInt32BE(fields.ssrc ?? 1, 8);
  return Buffer.concat([header, body]);
}

/** The body of a telephone-event packet (RFC 4733, 2.3). `duration` in units of 1/8 ms. */
export function event(code: number, duration: number, end = false): Buffer {
  return Buffer.from([code, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff]);
}

export class RtpPeer {
  private readonly arrivals = new Arrivals<Heard>();
  private target = { address: "127.0.0.1", port: 0 };
  private sequence = 65_500;
  private timestamp = 4_294_960_000;

  private constructor(private readonly socket: Socket) {
    socket.on("message", (datagram, from) => this.hear(datagram, from));
  }

  static async bind(port = 0): Promise<RtpPeer> {
    const socket = createSocket("udp4");
    socket.bind(port, "127.0.0.1");
    await once(socket, "listening");
    return new RtpPeer(socket);
  }

  /** All RTP heard so far. */
  get heard(): readonly Heard[] {
    return this.arrivals.all;
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Where all further packets go. */
  callTo(port: number, address = "127.0.0.1"): void {
    this.target = { address, port };
  }

  raw(datagram: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const { port, address } = this.target;
      this.socket.send(datagram, port, address, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** One packet; sequence number and timestamp go on by themselves where they are not given. */
  async packet(body: Uint8Array, fields: Sent = {}): Promise<void> {
    const { sequence, timestamp } = this;
    this.sequence = (sequence + 1) & 0xffff;
    this.timestamp = (timestamp + samplesPerFrame) >>> 0;
    await this.raw(rtp({ sequence, timestamp, ...fields }, body));
  }

  /** Frames of PCMU silence, one right behind the other. */
  async silence(frames: number, fields: Sent = {}): Promise<void> {
    for (let frame = 0; frame < frames; frame++) await this.packet(Buffer.alloc(samplesPerFrame, 0xff), fields);
  }

  /** A key as a telephone sends it: five updates of 20 ms and the end three times, in one burst. */
  async press(digit: string, payload = 101, fields: Sent = {}): Promise<void> {
    const code = "0123456789*#ABCD".indexOf(digit);
    const timestamp = this.timestamp;
    for (let update = 1; update <= 7; update++) {
      const duration = Math.min(update, 5) * samplesPerFrame;
      await this.packet(event(code, duration, update >= 5), { payload, timestamp, marker: update === 1, ...fields });
    }
  }

  /** The same at the pace of a thumb: 100 ms, and 100 ms of nothing. */
  async hold(digit: string, payload = 101): Promise<void> {
    const code = "0123456789*#ABCD".indexOf(digit);
    // Asterisk takes a key whose timestamp has begun again at 0 for one that it had before.
    if (this.timestamp > 0xffff_0000) this.timestamp = 0;
    const timestamp = this.timestamp;
    for (let update = 1; update <= 7; update++) {
      const duration = Math.min(update, 5) * samplesPerFrame;
      await this.packet(event(code, duration, update >= 5), { payload, timestamp, marker: update === 1 });
      if (update < 5) await delay(frameMs);
    }
    await delay(5 * frameMs);
    this.timestamp += 5 * samplesPerFrame;
  }

  /** The next packet that fits. */
  next(fits: (packet: Heard) => boolean = () => true): Promise<Heard> {
    return this.arrivals.find(fits, this.heard.length);
  }

  /** The packet with this number, heard already or still to come. */
  packetNumber(number: number): Promise<Heard> {
    return this.arrivals.find(() => true, number);
  }

  /** The next `count` packets. */
  async listen(count: number): Promise<Heard[]> {
    const from = this.heard.length;
    await this.arrivals.find(() => true, from + count - 1);
    return this.heard.slice(from, from + count);
  }

  close(): void {
    this.socket.close();
  }

  private hear(datagram: Buffer, from: RemoteInfo): void {
    const second = datagram.readUInt8(1);
    this.arrivals.push({
      datagram,
      from: from.port,
      version: datagram.readUInt8(0) >> 6,
      marker: second >= 0x80,
      payload: second & 0x7f,
      sequence: datagram.readUInt16BE(2),
      timestamp: datagram.readUInt32BE(4),
      ssrc: datagram.readUInt32BE(8),
      body: datagram.subarray(12),
    });
  }
}

/** The samples of PCMU (0) and PCMA (8) packets, in the order of their arrival. */
export function samples(packets: readonly Heard[]): Int16Array {
  return Int16Array.from(packets.flatMap(({ payload, body }) => [...(payload === 8 ? alaw : mulaw).decode(body)]));
}

/** Level in dBFS; 0 is a sine at full scale (IEC 61606). -Infinity for digital silence. */
export function level(pcm: Int16Array): number {
  const square = pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length;
  return 10 * Math.log10((2 * square) / 32_768 ** 2);
}

/** Level in dBFS of one frequency (Goertzel); on whole periods of the tone it equals `level` of the pure tone. */
export function levelAt(pcm: Int16Array, hz: number, rate = 8000): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let last = 0;
  let before = 0;
  for (const sample of pcm) [last, before] = [sample + coefficient * last - before, last];
  const power = last * last + before * before - coefficient * last * before;
  return 10 * Math.log10(power / ((pcm.length / 2) * 32_768) ** 2);
}
