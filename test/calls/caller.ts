/** A caller with a SIP phone and RTP, who does at once what a test tells him: rings, talks, falls silent, hangs up. */
import { RtpPeer } from "../media-child/peer";
import { udpClient } from "../sip/client";
import { Phone, sdp } from "../sip/phone";
import type { Stage } from "./stage";

/** Often enough for a time-out of a second. */
const packetMs = 100;

let callers = 0;

export class Caller {
  readonly #phone: Phone;
  readonly #peer: RtpPeer;
  #talking: NodeJS.Timeout | undefined;

  private constructor(
    phone: Phone,
    peer: RtpPeer,
    readonly session_uuid: string,
  ) {
    this.#phone = phone;
    this.#peer = peer;
  }

  /** One who hears it ring. */
  static async ring(stage: Stage): Promise<Caller> {
    const name = `caller-${++callers}`;
    const phone = new Phone(await udpClient(stage.sipPort), "100", name);
    const peer = await RtpPeer.bind();
    phone.invite({ body: sdp().replace("m=audio 40000", `m=audio ${peer.port}`) });
    await phone.response(180);
    const rung = await stage.receiver.until(() =>
      stage.receiver.events.find(({ event, data }) => event === "call.new" && Object(data).caller_id === name),
    );
    return new Caller(phone, peer, rung.source);
  }

  /** Waits for the answer, and sends RTP from then on. */
  async talk(): Promise<void> {
    const { body } = await this.#phone.response(200);
    this.#phone.ack();
    this.#peer.callTo(Number(/m=audio (\d+) /.exec(body)?.[1]));
    this.#talking = setInterval(() => void this.#peer.silence(1), packetMs);
  }

  fallSilent(): void {
    clearInterval(this.#talking);
  }

  /** BYE where it was answered, CANCEL where not. */
  async hangUp(): Promise<void> {
    if (this.#talking) {
      this.#phone.send("BYE");
      await this.#phone.response(200, "BYE");
      return;
    }
    this.#phone.cancel();
    await this.#phone.response(200, "CANCEL");
    this.#phone.ackRefusal(await this.#phone.response(487));
  }

  /** The gateway has ended the call. */
  async hungUp(): Promise<void> {
    this.#phone.reply(await this.#phone.request("BYE"), "200 OK");
  }

  async close(): Promise<void> {
    this.fallSilent();
    this.#peer.close();
    await this.#phone.client.close();
  }
}
