/** The caller's audio as an even flow: RTP packets in, in whatever order and rhythm they come, samples out, as many as are asked for. */
import { decoders } from "./g711";
import { type Packet, samplesPerMs } from "./rtp";

/** A power of two, so that a timestamp's low bits say where its sample lies, also when timestamps wrap. */
const ringSamples = 4096;
const ringMask = ringSamples - 1;
/** A packet longer than this is no telephone's. */
const longestPacket = 200 * samplesPerMs;
/** How far a stream is behind its first packet: what the next packets may be late. */
const leadSamples = 30 * samplesPerMs;
/** Who comes late is given this much more than he was late, so that a slow clock is not made up for at each packet. */
const marginSamples = 10 * samplesPerMs;
/** A packet later than this has missed its time. When all packets do, time has moved at the sender's. */
const latestSamples = 100 * samplesPerMs;
const latestTakes = 3;
/** What was never needed in a whole window, beyond the first figure, is given up, down to the second: the delay follows the network both ways. */
const windowSamples = 2000 * samplesPerMs;
const reserve = { high: 60 * samplesPerMs, low: 20 * samplesPerMs };
/** Where samples are given up the two ends are faded into each other. */
const seamSamples = 5 * samplesPerMs;
/** A gap sounds like what was before it, fading, and then it is silence. */
const patternSamples = 20 * samplesPerMs;
const fadeSamples = 40 * samplesPerMs;
/** Sequence numbers remembered, to know a repeat from a straggler. */
const remembered = 64;

type Phase = "idle" | "filling" | "playing";

/**
 * Each sample lies in a ring under its timestamp, until `begin` comes by, which is the next one to sound. The delay between
 * the two grows with lateness and shrinks when it was not needed for two seconds; that also makes up for a caller's clock
 * that is faster or slower than ours.
 */
export class JitterBuffer {
  readonly #ring = new Int16Array(ringSamples);
  /** 1 where a sample lies that has not sounded yet. */
  readonly #have = new Uint8Array(ringSamples);
  readonly #pattern = new Int16Array(patternSamples);
  #patternAt = 0;
  /** Samples made up since the last one that came. */
  #madeUp = fadeSamples;
  #phase: Phase = "idle";
  #ssrc = 0;
  #sequence = 0;
  readonly #seen = new Int32Array(remembered).fill(-1);
  /** Timestamps: the next sample to sound, and the one after the newest. */
  #begin = 0;
  #end = 0;
  /** Samples to be made up before going on, so that what comes out of order comes in time. */
  #hold = 0;
  #least = ringSamples;
  #window = 0;
  #late = false;
  #stored = false;
  #lateTakes = 0;

  /** A packet of payload type 0 or 8, of a caller who was admitted. */
  put(datagram: Buffer, packet: Packet, payload: 0 | 8): void {
    const length = packet.end - packet.start;
    if (length === 0 || length > longestPacket) return;
    const { ssrc, sequence, timestamp } = packet;
    if (this.#phase === "idle" || ssrc !== this.#ssrc) this.#begins(packet);
    else if (this.#seen[sequence % remembered] === sequence) return;
    const newest = ((sequence - this.#sequence) << 16) >> 16 >= 0;
    if (newest) this.#sequence = sequence;
    this.#seen[sequence % remembered] = sequence;
    if (!this.#place(packet, length, newest)) return;
    this.#stored = true;
    const decoder = decoders[payload];
    const skipped = Math.max(0, (this.#begin - timestamp) | 0);
    for (let at = skipped; at < length; at++) {
      const index = (timestamp + at) & ringMask;
      this.#ring[index] = decoder[datagram[packet.start + at] ?? 0] ?? 0;
      this.#have[index] = 1;
    }
    const end = (timestamp + length) >>> 0;
    if (((end - this.#end) | 0) > 0) this.#end = end;
  }

  /** Writes the next `count` samples into `target` from `at` on. False: all of them are silence, because there is no stream. */
  take(target: Int16Array, at: number, count: number): boolean {
    if (this.#phase === "filling") this.#plays(count);
    let sounding = false;
    for (let index = at; index < at + count; index++) {
      const sample = this.#next();
      target[index] = sample;
      if (sample !== 0) sounding = true;
    }
    if (this.#phase === "playing") this.#measure(count);
    return sounding;
  }

  /** Time was skipped: what is here is old. */
  reset(): void {
    this.#phase = "idle";
  }

  #begins({ ssrc, sequence, timestamp }: Packet): void {
    this.#phase = "filling";
    this.#ssrc = ssrc;
    this.#sequence = sequence;
    this.#seen.fill(-1);
    this.#have.fill(0);
    this.#begin = timestamp;
    this.#end = timestamp;
    this.#hold = 0;
    this.#least = ringSamples;
    this.#window = 0;
    this.#lateTakes = 0;
  }

  /** Only now it is known how much is taken at a time. */
  #plays(count: number): void {
    const short = count - ((this.#end - this.#begin) | 0);
    this.#begin = (this.#begin - Math.max(0, short) - leadSamples) >>> 0;
    this.#phase = "playing";
  }

  /** Makes room for a packet. False: it is of no use. */
  #place(packet: Packet, length: number, newest: boolean): boolean {
    const ahead = (packet.timestamp - this.#begin) | 0;
    const drained = ((this.#end - this.#begin) | 0) <= 0;
    // Too far ahead for the ring; or a new talkspurt, whose beginning may be shifted without anybody hearing it (RFC 3551, section 4.1).
    if (ahead + length > ringSamples || (packet.marker && newest && drained)) {
      this.#begins(packet);
      return true;
    }
    if (ahead >= 0) return true;
    if (this.#phase === "filling") {
      if (ahead < -latestSamples) return false;
      this.#begin = packet.timestamp;
      return true;
    }
    if (ahead >= -latestSamples) {
      if (newest) {
        // Nothing behind it has sounded: it is not lost, what it was awaited for was made up.
        this.#begin = (packet.timestamp - marginSamples) >>> 0;
        return true;
      }
      this.#hold = Math.max(this.#hold, -ahead);
      return ahead + length > 0;
    }
    if (!newest && this.#lateTakes < latestTakes) return false;
    if (this.#lateTakes >= latestTakes) {
      this.#begins(packet);
      return true;
    }
    this.#late = true;
    return false;
  }

  #next(): number {
    const index = this.#begin & ringMask;
    if (this.#hold > 0) this.#hold--;
    else if (this.#phase === "playing") {
      this.#begin = (this.#begin + 1) >>> 0;
      if (this.#have[index] === 1) {
        this.#have[index] = 0;
        const sample = this.#ring[index] ?? 0;
        this.#madeUp = 0;
        this.#pattern[this.#patternAt] = sample;
        this.#patternAt = this.#patternAt + 1 === patternSamples ? 0 : this.#patternAt + 1;
        return sample;
      }
    }
    if (this.#madeUp === fadeSamples) return 0;
    const last = this.#pattern[(this.#patternAt + this.#madeUp) % patternSamples] ?? 0;
    return Math.round(last * (1 - this.#madeUp++ / fadeSamples));
  }

  #measure(count: number): void {
    const left = (this.#end - this.#begin) | 0;
    if (left < -ringSamples) {
      this.#phase = "idle";
      return;
    }
    if (this.#stored) this.#lateTakes = 0;
    else if (this.#late) this.#lateTakes++;
    this.#stored = false;
    this.#late = false;
    this.#least = Math.min(this.#least, left);
    this.#window += count;
    if (this.#window < windowSamples) return;
    if (this.#least > reserve.high) this.#giveUp(this.#least - reserve.low);
    this.#least = ringSamples;
    this.#window = 0;
  }

  /** The first `count` samples will not sound. */
  #giveUp(count: number): void {
    for (let at = 0; at < seamSamples; at++) {
      const from = (this.#begin + at) & ringMask;
      const to = (this.#begin + count + at) & ringMask;
      if (this.#have[from] !== 1 || this.#have[to] !== 1) continue;
      const share = (at + 1) / (seamSamples + 1);
      this.#ring[to] = Math.round((this.#ring[to] ?? 0) * share + (this.#ring[from] ?? 0) * (1 - share));
    }
    for (let at = 0; at < count; at++) this.#have[(this.#begin + at) & ringMask] = 0;
    this.#begin = (this.#begin + count) >>> 0;
  }
}
