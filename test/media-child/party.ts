/** A caller of the media child for tests: he hears, and speaks in the rhythm of what he hears, one packet for each. */
import { alaw, mulaw } from "alawmulaw";
import type { Remote } from "../../src/engines/embedded/media/link";
import { type Media, remote } from "./listener";
import { type Heard, levelAt, RtpPeer, rtp, type Sent, samples } from "./peer";

export class Party {
  #sequence = 65_530;
  #timestamp = 4_294_966_000;
  #speaking = 0;

  private constructor(
    readonly name: string,
    readonly peer: RtpPeer,
    private readonly media: Media,
    private readonly remote: Remote,
  ) {}

  static async call(media: Media, name: string, changes: Partial<Remote> = {}): Promise<Party> {
    const peer = await RtpPeer.bind();
    const negotiated = remote(peer.port, changes);
    const party = new Party(name, peer, media, negotiated);
    const { port } = await media.link.open(name, "socket");
    peer.callTo(port);
    await media.link.remote(name, negotiated);
    return party;
  }

  get samplesPerPacket(): number {
    return this.remote.ptime * 8;
  }

  /** Sends the samples at once, in packets of his ptime; `fields` change what would be sent. The last packet may be shorter. */
  async burst(pcm: Int16Array, fields: Sent = {}): Promise<void> {
    await Promise.all(this.packets(pcm, fields).map((packet) => this.peer.raw(packet)));
  }

  /** The packets that carry the samples, one behind the other. */
  packets(pcm: Int16Array, fields: Sent = {}): Buffer[] {
    const packets: Buffer[] = [];
    const payload = fields.payload ?? this.remote.payload;
    for (let at = 0; at < pcm.length; at += this.samplesPerPacket) {
      const part = pcm.slice(at, at + this.samplesPerPacket);
      const body = (payload === 8 ? alaw : mulaw).encode(part);
      packets.push(rtp({ payload, sequence: this.#sequence, timestamp: this.#timestamp, ...fields }, body));
      this.pass(1, part.length);
    }
    return packets;
  }

  /** Packets that are never sent, or a pause of so many samples. */
  pass(packets: number, count: number): void {
    this.#sequence = (this.#sequence + packets) & 0xffff;
    this.#timestamp = (this.#timestamp + count) >>> 0;
  }

  /** Speaks a tone until `quiet` is called, or until he speaks another. */
  sing(hz: number, amplitude = 8_000, fields: Sent = {}): void {
    const speaking = ++this.#speaking;
    let at = 0;
    const next = async (): Promise<void> => {
      for (let heard = this.peer.heard.length; ; heard++) {
        await this.peer.packetNumber(heard);
        if (this.#speaking !== speaking) return;
        const pcm = Int16Array.from({ length: this.samplesPerPacket }, () =>
          Math.round(amplitude * Math.sin((2 * Math.PI * hz * at++) / 8000)),
        );
        await this.burst(pcm, fields);
      }
    };
    next().catch((error: NodeJS.ErrnoException) => {
      // The test is over.
      if (error.code !== "ERR_SOCKET_DGRAM_NOT_RUNNING") throw error;
    });
  }

  quiet(): void {
    this.#speaking++;
  }

  /** What he hears in the next so many milliseconds. */
  async listen(ms: number): Promise<Int16Array> {
    return samples(await this.peer.listen(Math.ceil(ms / this.remote.ptime)));
  }

  close(): void {
    this.quiet();
    this.media.link.close(this.name);
    this.peer.close();
  }
}

/**
 * Level in dBFS of a tone of a multiple of 20 Hz: the median of the levels in 50 ms each. A gap, because a busy machine sent a
 * packet late, is in a few of them only.
 */
export function tone(pcm: Int16Array, hz: number): number {
  const levels: number[] = [];
  for (let at = 0; at + 400 <= pcm.length; at += 400) levels.push(levelAt(pcm.subarray(at, at + 400), hz));
  return levels.sort((one, other) => one - other)[levels.length >> 1] ?? Number.NaN;
}

/** A packet that holds more than silence. */
export const sounds = ({ body }: Heard): boolean => body.some((byte) => byte !== 0xff && byte !== 0xd5);

/** What was on the wire, byte by byte. */
export function wire(packets: readonly Heard[]): Buffer {
  return Buffer.concat(packets.map(({ body }) => body));
}

/** Samples of which no 20 ms are like any others, and none is silence. */
export function unlike(count: number): Int16Array {
  return Int16Array.from({ length: count }, (_, at) => (((at * 7919) % 30_011) - 15_000) | 1);
}
