/**
 * Digits by RFC 4733 (telephone-event), each once, with its duration. An event has the RTP timestamp of its beginning in
 * all its packets; payload, section 2.3:
 *
 *     |     event     |E|R| volume    |          duration             |
 */
import { type Packet, samplesPerMs } from "./rtp";

/** Event codes 0–15 (section 3.2) by their index. */
export const keys = "0123456789*#ABCD";

export const blockBytes = 4;
/** An event of which no packet comes for this long has ended, and its end was lost. Senders repeat every 20 to 50 ms. */
const lostAfterMs = 200;
/** The most that one segment can hold (section 2.5.1.3): a longer press goes on in a segment that begins where it ends. */
const fullSegment = 0xffff;
/** An event this much older than the newest one is late; one still older is of a sender that began to count anew. */
const lateUnits = 1000 * samplesPerMs;
/** Digits per call: this many at once, and then one per `perDigitMs`. More than any dialler sends, and a bound for a flood. */
const burst = 20;
const perDigitMs = 50;

interface Press {
  readonly ssrc: number;
  readonly event: number;
  /** Timestamp of the present segment. */
  start: number;
  /** Units of the segments before it. */
  before: number;
  duration: number;
  ended: boolean;
}

export class DigitReceiver {
  /** Digits that were not reported, because there were too many. */
  excess = 0;
  private press: Press | null = null;
  /** Beginning of the event before `press`: its end may still be repeated when the next one has begun. */
  private before: { ssrc: number; start: number } | null = null;
  private quietMs = 0;
  private budget = burst;

  /** `digit` is told when the event ended: by its end packet, by the next event, or by silence. */
  constructor(private readonly digit: (digit: string, duration_ms: number) => void) {}

  receive(datagram: Buffer, packet: Packet): void {
    let start = packet.timestamp;
    for (let at = packet.start; at + blockBytes <= packet.end; at += blockBytes) {
      const event = datagram.readUInt8(at);
      const ended = (datagram.readUInt8(at + 1) & 0x80) !== 0;
      const duration = datagram.readUInt16BE(at + 2);
      if (event < keys.length) this.update(packet.ssrc, event, start, duration, ended);
      // Several events in one packet follow each other without a gap, and all but the last have ended (section 2.5.1.5).
      if (!ended) return;
      start = (start + duration) >>> 0;
    }
  }

  /** Time of the call went by. */
  elapsed(ms: number): void {
    if (this.budget < burst) this.budget = Math.min(burst, this.budget + ms / perDigitMs);
    if (this.press === null || this.press.ended) return;
    this.quietMs += ms;
    if (this.quietMs >= lostAfterMs) this.end(this.press);
  }

  private update(ssrc: number, event: number, start: number, duration: number, ended: boolean): void {
    const press = this.press;
    if (press?.ssrc === ssrc) {
      const ahead = (start - press.start) | 0;
      if (ahead === 0) {
        if (!press.ended && press.event === event) this.goOn(press, duration, ended);
        return;
      }
      if (ahead === fullSegment && !press.ended && press.event === event) {
        press.start = start;
        press.before += fullSegment;
        press.duration = 0;
        this.goOn(press, duration, ended);
        return;
      }
      if (ahead < 0 && (ahead > -lateUnits || this.isBefore(ssrc, start))) return;
    } else if (this.isBefore(ssrc, start)) return;
    if (press !== null) {
      if (!press.ended) this.end(press);
      this.before = { ssrc: press.ssrc, start: press.start };
    }
    this.press = { ssrc, event, start, before: 0, duration: 0, ended: false };
    this.goOn(this.press, duration, ended);
  }

  private isBefore(ssrc: number, start: number): boolean {
    return this.before?.ssrc === ssrc && this.before.start === start;
  }

  private goOn(press: Press, duration: number, ended: boolean): void {
    this.quietMs = 0;
    // Packets may overtake each other: the longest duration is the latest.
    press.duration = Math.max(press.duration, duration);
    if (ended) this.end(press);
  }

  private end(press: Press): void {
    press.ended = true;
    if (this.budget < 1) {
      this.excess++;
      return;
    }
    this.budget--;
    this.digit(keys.charAt(press.event), Math.round((press.before + press.duration) / samplesPerMs));
  }
}
