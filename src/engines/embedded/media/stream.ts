/** One call's RTP stream, both ways. Where packets come from and go to is the transport's: a socket, or a simulated caller. */
import { randomBytes } from "node:crypto";
import { beatMs } from "./clock";
import { DigitReceiver } from "./digits";
import { encode, encoders } from "./g711";
import type { Counters, Remote, Report } from "./messages";
import { Mixer } from "./mixer";
import { headerBytes, parse, samplesPerMs, writeHeader } from "./rtp";
import { Source } from "./source";

export interface Transport {
  /** False: the packet was not taken, and is lost. The buffer is the stream's own again as soon as this returns. */
  send(packet: Buffer, address: string, port: number): boolean;
}

const comfortNoise = 13;
const ptimes = { min: 10, max: 60 };

/**
 * Audio goes out without a gap as long as the caller may be sent to: where no file plays, silence is sent, because callers
 * and the NATs between take a stream that stops for one that broke. So the marker (RFC 3551, section 4.1) stands on the
 * first packet, and on the first after a hold or after time that was skipped. The timestamp runs on through all of that.
 */
export class RtpStream {
  /** What is sent, and where what is received goes. */
  readonly mixer: Mixer;
  private remote: Remote | null = null;
  private source: Source | null = null;
  private readonly digits: DigitReceiver;
  private packet = Buffer.alloc(headerBytes);
  private beats = 0;
  private due: number;
  private begun = false;
  /** Time without a packet of the caller, while audio was expected; counted in the call's own time, so that a stalled process is no silence. */
  private quietMs = 0;
  private timedOut = false;
  private marker = true;
  private readonly ssrc: number;
  private sequence: number;
  private timestamp: number;
  private received = 0;
  private rejected = 0;
  private sent = 0;
  private skipped = 0;

  /** `phase`: the first beat of the clock that is this call's. `rtpTimeoutMs` is Infinity where nothing can vanish. */
  constructor(
    private readonly call: string,
    private readonly transport: Transport,
    private readonly rtpTimeoutMs: number,
    phase: number,
    private readonly report: (report: Report) => void,
  ) {
    this.due = phase;
    this.mixer = new Mixer(call, ptimes.max * samplesPerMs, report);
    this.digits = new DigitReceiver((digit, duration_ms) => report({ tell: "digit", call, digit, duration_ms }));
    // Unpredictable, so that they say nothing of other calls (RFC 3550, section 5.1).
    const random = randomBytes(10);
    this.ssrc = random.readUInt32BE(0);
    this.timestamp = random.readUInt32BE(4);
    this.sequence = random.readUInt16BE(8);
  }

  get counters(): Counters {
    const { received, rejected, sent, skipped } = this;
    return { received, rejected, sent, skipped, excess_digits: this.digits.excess };
  }

  setRemote(remote: Remote): void {
    const last = this.remote;
    if (last?.address !== remote.address || last.port !== remote.port) this.source = new Source(remote);
    this.remote = remote;
    this.quietMs = 0;
    this.timedOut = false;
    const wanted = Math.round(remote.ptime / beatMs) * beatMs;
    const ptime = Math.min(ptimes.max, Math.max(ptimes.min, wanted));
    this.beats = ptime / beatMs;
    this.packet = Buffer.alloc(headerBytes + ptime * samplesPerMs);
  }

  close(): void {
    this.mixer.close();
  }

  receive(datagram: Buffer, address: string, port: number): void {
    const { remote, source } = this;
    const packet = parse(datagram);
    if (
      packet === null ||
      remote === null ||
      source === null ||
      !this.known(packet.payload, remote) ||
      !source.admit(packet, address, port, this.quietMs)
    ) {
      this.rejected++;
      return;
    }
    this.received++;
    this.quietMs = 0;
    this.timedOut = false;
    const { payload } = packet;
    if (payload === remote.dtmfPayload) this.digits.receive(datagram, packet);
    else if (payload === 0 || payload === 8) this.mixer.hear(datagram, packet, payload);
  }

  /** A beat of the clock. When it is this call's, one packet's time goes by. */
  beat(number: number): void {
    const { remote, source } = this;
    if (number < this.due || remote === null || source === null) return;
    const over = number - this.due;
    // Where time was skipped the call keeps its place among the beats: else all would go on in one burst, for ever.
    if (over % this.beats !== 0) return;
    if (over > 0) {
      const skipped = over * beatMs * samplesPerMs;
      this.skipTime(skipped);
      // Before its first beat nobody has heard or said anything yet.
      if (this.begun) this.mixer.skip(skipped);
    }
    this.begun = true;
    this.due = number + this.beats;
    const ptime = this.beats * beatMs;
    this.digits.elapsed(ptime);
    if (remote.receive) this.supervise(ptime);
    this.fill(encoders[remote.payload], remote.send);
    if (remote.send) this.send(source, remote.payload);
    else this.skipTime(ptime * samplesPerMs);
  }

  /** Audio that was negotiated or that every caller may send (the answer names one codec, callers send the other all the same), and digits. */
  private known(payload: number, remote: Remote): boolean {
    return payload === 0 || payload === 8 || payload === comfortNoise || payload === remote.dtmfPayload;
  }

  private supervise(ptime: number): void {
    this.quietMs += ptime;
    if (this.quietMs < this.rtpTimeoutMs || this.timedOut) return;
    this.timedOut = true;
    this.report({ tell: "timeout", call: this.call });
  }

  private fill(encoder: Uint8Array, audible: boolean): void {
    const { packet } = this;
    const heard = this.mixer.next(packet.length - headerBytes, audible);
    if (heard === null) packet.fill(encode(encoder, 0), headerBytes);
    else
      for (let at = headerBytes; at < packet.length; at++) packet[at] = encode(encoder, heard[at - headerBytes] ?? 0);
  }

  private send(source: Source, payload: number): void {
    const { destination } = source;
    if (destination === null) {
      this.skipTime(this.packet.length - headerBytes);
      return;
    }
    const { marker, sequence, timestamp, ssrc } = this;
    writeHeader(this.packet, { payload, marker, sequence, timestamp, ssrc });
    if (this.transport.send(this.packet, destination.address, destination.port)) this.sent++;
    else this.skipped++;
    this.marker = false;
    this.sequence = (sequence + 1) & 0xffff;
    this.timestamp = (timestamp + this.packet.length - headerBytes) >>> 0;
  }

  private skipTime(samples: number): void {
    this.marker = true;
    this.timestamp = (this.timestamp + samples) >>> 0;
  }
}
