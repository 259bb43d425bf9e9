/** A caller with a SIP phone and RTP, who measures what he hears by the time stamps of the packets, and sings. */
import { mulaw } from "alawmulaw";
import { type Heard, RtpPeer, samples, samplesPerFrame } from "../media-child/peer";
import { udpClient } from "../sip/client";
import { Phone, sdp } from "../sip/phone";
import type { Stage } from "./stage";

/** A packet every 20 ms is what there should be. */
const lateMs = 60;

let callers = 0;

export class ListeningCaller {
  readonly #phone: Phone;
  readonly #peer: RtpPeer;
  #singing = 0;

  private constructor(
    phone: Phone,
    peer: RtpPeer,
    readonly session_uuid: string,
  ) {
    this.#phone = phone;
    this.#peer = peer;
  }

  /** One whose call was answered, and who hears something: be it silence. */
  static async call(stage: Stage): Promise<ListeningCaller> {
    const name = `listener-${++callers}`;
    const phone = new Phone(await udpClient(stage.sipPort), "100", name);
    const peer = await RtpPeer.bind();
    phone.invite({ body: sdp().replace("m=audio 40000", `m=audio ${peer.port}`) });
    await phone.response(180);
    const { source } = await stage.receiver.until(() =>
      stage.receiver.events.find(({ event, data }) => event === "call.new" && Object(data).caller_id === name),
    );
    await stage.taken(source, "answer", { command_uid: "take" });
    const { body } = await phone.response(200);
    phone.ack();
    peer.callTo(Number(/m=audio (\d+) /.exec(body)?.[1]));
    await peer.packetNumber(0);
    return new ListeningCaller(phone, peer, source);
  }

  /** All packets so far, in the order of their arrival. */
  get packets(): readonly Heard[] {
    return this.#peer.heard;
  }

  /** Samples that have gone by since he hears. */
  get now(): number {
    const last = this.packets.at(-1);
    return last ? this.#at(last) + last.body.length : 0;
  }

  /** What he has heard so far, each sample at its time; silence where nothing came. */
  get heard(): Int16Array {
    const line = new Int16Array(this.now);
    for (const packet of this.packets) line.set(samples([packet]), this.#at(packet));
    return line;
  }

  /** The next so many milliseconds. */
  async listen(ms: number): Promise<Int16Array> {
    const from = this.now;
    const to = from + ms * 8;
    while (this.now < to) await this.#peer.next();
    return this.heard.slice(from, to);
  }

  /** What comes in so many ms, none of them late: who sings by what he hears has been in time all along. */
  async steady(ms: number): Promise<Int16Array> {
    for (;;) {
      const from = this.now;
      let late = false;
      for (let last = performance.now(); this.now < from + ms * 8; last = performance.now()) {
        await this.#peer.next();
        late ||= performance.now() - last > lateMs;
      }
      if (!late) return this.heard.slice(from, from + ms * 8);
    }
  }

  /** Waits for a sound. */
  async sound(): Promise<void> {
    await this.#peer.next(({ body }) => body.some((byte) => byte !== 0xff));
  }

  /** The nth packet, heard already or still to come. */
  packet(number: number): Promise<Heard> {
    return this.#peer.packetNumber(number);
  }

  /** Says these samples at once, after a pause. */
  async say(pcm: Int16Array): Promise<void> {
    for (let at = 0; at < pcm.length; at += samplesPerFrame) {
      const body = mulaw.encode(pcm.slice(at, at + samplesPerFrame));
      await this.#peer.packet(body, { marker: at === 0 });
    }
  }

  /** Sings a tone until he hangs up, one packet for each that he hears. */
  sing(hz: number, amplitude = 8000): void {
    const song = ++this.#singing;
    let at = 0;
    const next = async (): Promise<void> => {
      for (let heard = this.packets.length; ; heard++) {
        await this.#peer.packetNumber(heard);
        if (this.#singing !== song) return;
        const pcm = Int16Array.from({ length: samplesPerFrame }, () =>
          Math.round(amplitude * Math.sin((2 * Math.PI * hz * at++) / 8000)),
        );
        await this.#peer.packet(mulaw.encode(pcm));
      }
    };
    next().catch((error: NodeJS.ErrnoException) => {
      // He has hung up.
      if (error.code !== "ERR_SOCKET_DGRAM_NOT_RUNNING") throw error;
    });
  }

  async hangUp(): Promise<void> {
    this.#singing++;
    this.#phone.send("BYE");
    await this.#phone.response(200, "BYE");
  }

  /** Gone, whether the call has ended or not. */
  async close(): Promise<void> {
    this.#singing++;
    this.#peer.close();
    await this.#phone.client.close();
  }

  #at({ timestamp }: Heard): number {
    return (timestamp - (this.packets[0]?.timestamp ?? 0)) >>> 0;
  }
}
