/** The callers' side of the media: hears all calls at one UDP port, and speaks to each as a telephone does, 50 packets a second. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Heard } from "./process";
import { quantile } from "./report";

const frameMs = 20;
const frameSamples = 160;
/** PCMU silence in an RTP packet (RFC 3550 section 5.1): version 2, payload 0. */
const header = 12;

/** One call's stream as it comes in. */
interface Stream {
  at: number;
  sequence: number;
}

/** One call's stream as it goes out. */
interface Voice {
  readonly port: number;
  readonly packet: Buffer;
  frame: number;
}

export class Ears {
  readonly #socket: Socket;
  /** By the port they come from. */
  readonly #streams = new Map<number, Stream>();
  readonly #voices: Voice[] = [];
  #deviations: number[] | null = null;
  #packets = 0;
  #lost = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (packet, { port }) => this.#hear(packet, port));
    this.#speak(performance.now(), 0);
  }

  static async open(): Promise<Ears> {
    const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new Ears(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** From now on these calls hear something as well. */
  speakTo(ports: readonly number[]): void {
    for (const port of ports) {
      const packet = Buffer.alloc(header + frameSamples, 0xff);
      packet.writeUInt16BE(0x8000, 0);
      packet.writeUInt32BE(port, 8);
      this.#voices.push({ port, packet, frame: 0 });
    }
  }

  async listen(seconds: number): Promise<Heard> {
    const deviations: number[] = [];
    this.#packets = 0;
    this.#lost = 0;
    const own = monitorEventLoopDelay({ resolution: 1 });
    own.enable();
    this.#deviations = deviations;
    await delay(seconds * 1000);
    this.#deviations = null;
    own.disable();
    deviations.sort((a, b) => a - b);
    const at = (q: number) => quantile(deviations, q);
    // The monitor counts the whole time between two of its timers, of which a millisecond is what was asked for.
    const late = Math.max(0, own.percentile(99) / 1e6 - 1);
    return { packets: this.#packets, lost: this.#lost, p50: at(0.5), p99: at(0.99), worst: at(1), own: late };
  }

  #hear(packet: Buffer, port: number): void {
    const at = performance.now();
    const sequence = packet.readUInt16BE(2);
    const stream = this.#streams.get(port);
    if (!stream) {
      this.#streams.set(port, { at, sequence });
      return;
    }
    if (this.#deviations) {
      const passed = (sequence - stream.sequence) & 0xffff;
      this.#packets += 1;
      this.#lost += passed - 1;
      this.#deviations.push(Math.abs(at - stream.at - passed * frameMs));
    }
    stream.at = at;
    stream.sequence = sequence;
  }

  /** Each millisecond a twentieth of the calls, so that what is heard never waits long for what is said. */
  #speak(origin: number, done: number): void {
    const due = Math.floor(performance.now() - origin);
    for (let ms = done; ms < due; ms++) {
      for (let i = ms % frameMs; i < this.#voices.length; i += frameMs) {
        const voice = this.#voices[i];
        if (!voice) continue;
        voice.packet.writeUInt16BE(voice.frame & 0xffff, 2);
        voice.packet.writeUInt32BE((voice.frame * frameSamples) >>> 0, 4);
        voice.frame += 1;
        this.#socket.send(voice.packet, voice.port, "127.0.0.1");
      }
    }
    setTimeout(() => this.#speak(origin, due), 1);
  }
}
