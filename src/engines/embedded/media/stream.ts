/** One call's RTP stream, both ways. Where packets come from and go to is the transport's: a socket, or a simulated caller. */
import { randomBytes } from "node:crypto";
import { beatMs } from "./clock";
import { DigitReceiver } from "./digits";
import { encode, encoders } from "./g711";
import type { Counters, PcmFile, Remote, Report, Stopped } from "./messages";
import { FilePlayer } from "./player";
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
  private remote: Remote | null = null;
  private source: Source | null = null;
  private player: FilePlayer | null = null;
  private readonly digits: DigitReceiver;
  private packet = Buffer.alloc(headerBytes);
  private beats = 0;
  private due: number;
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

  play(play: number, file: PcmFile, from_ms: number): void {
    this.player?.close();
    const player = new FilePlayer(play, file, from_ms, (reason) => {
      if (this.player === player) this.player = null;
      this.report({ tell: "play_failed", call: this.call, play, reason });
    });
    this.player = player;
  }

  /** `only`: nothing but this play. */
  stop(only: number | null): Stopped | null {
    const player = this.player;
    if (player === null || (only !== null && player.play !== only)) return null;
    player.close();
    this.player = null;
    return { play: player.play, offset_ms: player.offset_ms };
  }

  close(): void {
    this.player?.close();
    this.player = null;
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
    if (packet.payload === remote.dtmfPayload) this.digits.receive(datagram, packet);
  }

  /** A beat of the clock. When it is this call's, one packet's time goes by. */
  beat(number: number): void {
    const { remote, source } = this;
    if (number < this.due || remote === null || source === null) return;
    const over = number - this.due;
    // Where time was skipped the call keeps its place among the beats: else all would go on in one burst, for ever.
    if (over % this.beats !== 0) return;
    if (over > 0) this.skipTime(over * beatMs * samplesPerMs);
    this.due = number + this.beats;
    const ptime = this.beats * beatMs;
    this.digits.elapsed(ptime);
    if (remote.receive) this.supervise(ptime);
    this.fill(encoders[remote.payload]);
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

  private fill(encoder: Uint8Array): void {
    const samples = this.packet.length - headerBytes;
    const filled = this.player?.take(this.packet, headerBytes, samples, encoder) ?? 0;
    if (filled < samples) this.packet.fill(encode(encoder, 0), headerBytes + filled);
    const player = this.player;
    if (!player?.done) return;
    player.close();
    this.player = null;
    this.report({ tell: "played", call: this.call, play: player.play, offset_ms: player.offset_ms });
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
