/**
 * What is heard of a simulated caller, its keys and tones: RTP packets as a telephone would send them, given to the
 * stream as if they had come from the network. Between its steps it sends nothing.
 */
import { randomBytes } from "node:crypto";
import { beatMs } from "./clock";
import { blockBytes, keys } from "./digits";
import { encode, encoders } from "./g711";
import type { Remote } from "./messages";
import { headerBytes, samplesPerMs, writeHeader } from "./rtp";

const frameMs = 20;
const frameBeats = frameMs / beatMs;
const frameSamples = frameMs * samplesPerMs;
/** How long a key is held. */
const pressMs = 100;
/** The end of an event is sent three times (RFC 4733, section 2.5.1.4). */
const ends = 3;
/** Volume of the key tones, -dBm0. */
const volume = 10;
/** -10 dBFS. */
const amplitude = 0x7fff * 10 ** (-10 / 20);

/** What is negotiated for a simulated caller; there is no address, and nothing that could vanish. */
export const simulatedRemote: Remote = {
  address: "0.0.0.0",
  port: 0,
  payload: 0,
  dtmfPayload: 101,
  ptime: frameMs,
  send: true,
  receive: false,
};

interface Step {
  readonly step: number;
  /** One packet per frame, null where a frame has none. */
  readonly frames: Iterator<Buffer | null>;
}

export class CallerVoice {
  private readonly steps: Step[] = [];
  private readonly ssrc = randomBytes(4).readUInt32BE();
  private sequence = 0;
  private timestamp = 0;

  constructor(
    private phase: number,
    private readonly deliver: (packet: Buffer) => void,
    private readonly done: (step: number) => void,
  ) {}

  press(step: number, digits: string, gap_ms: number): void {
    this.steps.push({ step, frames: this.digits(digits, gap_ms) });
  }

  tone(step: number, hz: number, ms: number): void {
    this.steps.push({ step, frames: this.sine(hz, ms) });
  }

  beat(number: number): void {
    if (number < this.phase || (number - this.phase) % frameBeats !== 0) return;
    const over = number - this.phase;
    this.phase = number + frameBeats;
    this.timestamp = (this.timestamp + frameSamples + over * beatMs * samplesPerMs) >>> 0;
    const current = this.steps[0];
    if (current === undefined) return;
    const frame = current.frames.next();
    if (frame.done) {
      this.steps.shift();
      this.done(current.step);
    } else if (frame.value !== null) this.deliver(frame.value);
  }

  private *digits(digits: string, gap_ms: number): Generator<Buffer | null> {
    const updates = pressMs / frameMs;
    for (const [index, digit] of [...digits].entries()) {
      // The repeated ends take up the beginning of the gap: a shorter gap than theirs is as long as they are.
      if (index > 0) for (let waited = (ends - 1) * frameMs; waited < gap_ms; waited += frameMs) yield null;
      const event = keys.indexOf(digit);
      const start = this.timestamp;
      for (let frame = 1; frame < updates + ends; frame++) {
        const sounded = Math.min(frame, updates);
        yield this.event(event, start, sounded * frameSamples, frame >= updates, frame === 1);
      }
    }
  }

  private *sine(hz: number, ms: number): Generator<Buffer> {
    const samples = ms * samplesPerMs;
    for (let from = 0; from < samples; from += frameSamples) {
      const packet = Buffer.alloc(headerBytes + Math.min(frameSamples, samples - from));
      this.header(packet, 0, this.timestamp, from === 0);
      for (let index = headerBytes; index < packet.length; index++) {
        const time = (from + index - headerBytes) / (1000 * samplesPerMs);
        packet[index] = encode(encoders[0], Math.round(amplitude * Math.sin(2 * Math.PI * hz * time)));
      }
      yield packet;
    }
  }

  private event(event: number, start: number, duration: number, end: boolean, first: boolean): Buffer {
    const packet = Buffer.alloc(headerBytes + blockBytes);
    this.header(packet, simulatedRemote.dtmfPayload ?? 0, start, first);
    packet[headerBytes] = event;
    packet[headerBytes + 1] = end ? 0x80 | volume : volume;
    packet.writeUInt16BE(duration, headerBytes + 2);
    return packet;
  }

  private header(packet: Buffer, payload: number, timestamp: number, marker: boolean): void {
    this.sequence = (this.sequence + 1) & 0xffff;
    writeHeader(packet, { payload, marker, sequence: this.sequence, timestamp, ssrc: this.ssrc });
  }
}
