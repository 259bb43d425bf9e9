/** What a person at a phone says and hears: RTP (RFC 3550) with G.711, keys by RFC 4733. */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { blockBytes, keys } from "../engines/embedded/media/digits";
import { decoders, encode, encoders } from "../engines/embedded/media/g711";
import { headerBytes, parse, samplesPerMs, writeHeader } from "../engines/embedded/media/rtp";
import type { RemoteMedia } from "../engines/embedded/sip/sdp";

const frameMs = 20;
const frameSamples = frameMs * samplesPerMs;
/** How long a thumb holds a key. */
const pressMs = 100;
/** The end of an event is sent three times (RFC 4733, section 2.5.1.4). */
const ends = 3;
/** Volume of the key tones, -dBm0. */
const volume = 10;
/** -10 dBFS. */
const amplitude = 0x7fff * 10 ** (-10 / 20);
/** A process that was held up says at most this many frames at once; the rest was never said. */
const lateMost = 10;
/** What `level` is of, and how many packets of that time are looked at: of a flood only the last ones. */
const levelMs = 1000;
const levelPackets = 200;

/** One frame of 20 ms: samples from this one on, an event of a key, or nothing but silence. */
type Frame =
  | { readonly sound: (sample: number) => number }
  | { readonly key: number; readonly first: boolean; readonly duration: number; readonly end: boolean }
  | null;

interface Saying {
  readonly frames: Iterator<Frame>;
  /** Never faster than time goes by, not even to make up for a delay: Asterisk takes keys that come in a burst for others. */
  readonly paced: boolean;
  readonly said: () => void;
}

interface Packet {
  readonly at: number;
  readonly energy: number;
  readonly samples: number;
}

export class Voice {
  /** RTP packets with sound that have come. */
  packets = 0;
  readonly #lately: Packet[] = [];
  readonly #ssrc = randomBytes(4).readUInt32BE();
  #sequence = randomBytes(2).readUInt16BE() & 0x7fff;
  // Small, and never back at 0: Asterisk takes a key whose timestamp has begun anew for one that it had before.
  #timestamp = frameSamples;
  #remote: RemoteMedia | null = null;
  #saying: Saying[] = [];
  /** When the next frame is due; null until it begins to speak. */
  #due: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Of the key under way: all packets of an event have the timestamp of its beginning. */
  #keyBegan = 0;
  #closed = false;

  private constructor(private readonly socket: Socket) {
    socket.on("message", (datagram) => this.#hear(datagram));
    // What is not sent is lost, as on any network.
    socket.on("error", () => undefined);
  }

  /** Rejects when the address is none of this machine's. */
  static async open(host: string): Promise<Voice> {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    socket.bind(0, host);
    await once(socket, "listening");
    return new Voice(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** dBFS of what came in the last second; 0 is a sine at full scale, -Infinity is silence. */
  get level(): number {
    this.#forget();
    const energy = this.#lately.reduce((sum, packet) => sum + packet.energy, 0);
    const samples = this.#lately.reduce((sum, packet) => sum + packet.samples, 0);
    return samples === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10((2 * energy) / samples / 32_768 ** 2);
  }

  /** Speaks there from now on, first silence: a callee behind an address translator learns the way by it. */
  follow(remote: RemoteMedia): void {
    this.#remote = remote;
    if (this.#due !== null || this.#closed) return;
    this.#due = performance.now();
    this.#speak();
  }

  /** Keys by RFC 4733, each held for 100 ms, with `gapMs` between them. Resolves when they were sent, or never will be. */
  press(digits: string, gapMs: number): Promise<void> {
    return this.#say(press(digits, gapMs), true);
  }

  /** A sine at -10 dBFS. Resolves when it was sent, or never will be. */
  tone(hz: number, ms: number): Promise<void> {
    return this.#say(tone(hz, ms), false);
  }

  /** Falls silent for good. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { said } of this.#saying.splice(0)) said();
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  #say(frames: Iterator<Frame>, paced: boolean): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((said) => this.#saying.push({ frames, paced, said }));
  }

  /** Every frame that is due. Timers are late by a bit: the next one is reckoned from when this one should have been. */
  #speak(): void {
    this.#skip(lateMost);
    while ((this.#due ?? 0) <= performance.now()) {
      if (this.#saying[0]?.paced) this.#skip(0);
      this.#frame();
      this.#due = (this.#due ?? 0) + frameMs;
    }
    this.#timer = setTimeout(() => this.#speak(), Math.max(0, (this.#due ?? 0) - performance.now()));
  }

  /** Of the frames that should have been said before this one only so many are left. */
  #skip(most: number): void {
    const due = this.#due ?? 0;
    const missed = Math.floor((performance.now() - due) / frameMs) - most;
    if (missed <= 0) return;
    this.#due = due + missed * frameMs;
    this.#timestamp = (this.#timestamp + missed * frameSamples) >>> 0;
  }

  #frame(): void {
    const frame = this.#next();
    const timestamp = this.#timestamp;
    this.#timestamp = (timestamp + frameSamples) >>> 0;
    // On hold time goes on, unheard.
    if (!this.#remote?.send) return;
    const { payload, dtmfPayload } = this.#remote;
    if (frame && "key" in frame) {
      // A callee that knows no events hears nothing: as with a phone that has no other way for keys.
      if (dtmfPayload !== null) this.#event(frame, dtmfPayload, timestamp);
      return;
    }
    const packet = Buffer.alloc(headerBytes + frameSamples);
    this.#header(packet, payload, timestamp, false);
    for (let i = 0; i < frameSamples; i++)
      packet[headerBytes + i] = encode(encoders[payload], frame ? frame.sound(i) : 0);
    this.#send(packet);
  }

  #event(frame: Extract<Frame, { key: number }>, payload: number, timestamp: number): void {
    if (frame.first) this.#keyBegan = timestamp;
    const packet = Buffer.alloc(headerBytes + blockBytes);
    this.#header(packet, payload, this.#keyBegan, frame.first);
    packet[headerBytes] = frame.key;
    packet[headerBytes + 1] = frame.end ? 0x80 | volume : volume;
    packet.writeUInt16BE(frame.duration, headerBytes + 2);
    this.#send(packet);
  }

  /** The next frame of what is to be said; null where there is nothing. */
  #next(): Frame {
    for (let saying = this.#saying[0]; saying; saying = this.#saying[0]) {
      const frame = saying.frames.next();
      if (!frame.done) return frame.value;
      this.#saying.shift();
      saying.said();
    }
    return null;
  }

  #header(packet: Buffer, payload: number, timestamp: number, marker: boolean): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    writeHeader(packet, { payload, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc });
  }

  #send(packet: Buffer): void {
    if (!this.#remote || this.#closed) return;
    this.socket.send(packet, this.#remote.port, this.#remote.address, () => {
      // What is not sent is lost, as on any network.
    });
  }

  #hear(datagram: Buffer): void {
    const packet = parse(datagram);
    if (!packet || (packet.payload !== 0 && packet.payload !== 8)) return;
    const decoder = decoders[packet.payload];
    let energy = 0;
    for (let i = packet.start; i < packet.end; i++) energy += (decoder[datagram[i] ?? 0] ?? 0) ** 2;
    this.packets++;
    this.#lately.push({ at: performance.now(), energy, samples: packet.end - packet.start });
    this.#forget();
  }

  #forget(): void {
    const oldest = performance.now() - levelMs;
    while ((this.#lately[0]?.at ?? oldest) < oldest || this.#lately.length > levelPackets) this.#lately.shift();
  }
}

function* press(digits: string, gapMs: number): Generator<Frame> {
  const updates = pressMs / frameMs;
  for (const digit of digits) {
    for (let frame = 1; frame < updates + ends; frame++) {
      const duration = Math.min(frame, updates) * frameSamples;
      yield { key: keys.indexOf(digit), first: frame === 1, duration, end: frame >= updates };
    }
    // The repeated ends take up the beginning of the gap.
    for (let waited = (ends - 1) * frameMs; waited < gapMs; waited += frameMs) yield null;
  }
}

function* tone(hz: number, ms: number): Generator<Frame> {
  for (let from = 0; from < ms * samplesPerMs; from += frameSamples) {
    const angle = (2 * Math.PI * hz) / (1000 * samplesPerMs);
    yield { sound: (sample) => Math.round(amplitude * Math.sin(angle * (from + sample))) };
  }
}
