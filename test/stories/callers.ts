/** Those who call in stories: a phone by SIP and RTP, and who is played by a replayed FreeSWITCH. */
import { setTimeout as delay } from "node:timers/promises";
import { mulaw } from "alawmulaw";
import type { ReplayChannel } from "../freeswitch/channel";
import { RtpPeer, samplesPerFrame } from "../media-child/peer";
import { type Message, udpClient } from "../sip/client";
import { Phone, sdp } from "../sip/phone";

/** The number that is dialled. */
export const did = "1000";
const frameMs = 20;
const glanceMs = 5;

/** Somebody who calls. */
export interface StoryCaller {
  /** The answer is there, and he follows it. */
  talk(): Promise<void>;
  press(digits: string): Promise<void>;
  /** Sings from now on, until he puts down; null: he has no voice there. */
  readonly sing: ((hz: number) => void) | null;
  /** CANCEL or BYE: resolves when that is over. */
  hangUp(): Promise<void>;
  /** The media server has ended the call: resolves when he has put down. */
  hungUp(): Promise<void>;
  /** In place of all of this: from now on he answers whatever comes by himself. */
  attend(): void;
  /** Resolves when the call is over, by his will or before. Only for who attends. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** A phone with a voice, by SIP and RTP. */
export class SipStoryCaller implements StoryCaller {
  readonly #phone: Phone;
  readonly #peer: RtpPeer;
  #talking = false;
  #over = false;
  /** Messages that were attended to. */
  #seen = 0;
  #attending: NodeJS.Timeout | undefined;
  #voice: NodeJS.Timeout | undefined;

  private constructor(phone: Phone, peer: RtpPeer) {
    this.#phone = phone;
    this.#peer = peer;
  }

  static async dial(sipPort: number, caller_id: string): Promise<SipStoryCaller> {
    const phone = new Phone(await udpClient(sipPort), did, caller_id);
    const peer = await RtpPeer.bind();
    phone.invite({ body: sdp().replace("m=audio 40000", `m=audio ${peer.port}`) });
    return new SipStoryCaller(phone, peer);
  }

  async talk(): Promise<void> {
    const answer = await this.#phone.response(200);
    this.#phone.ack();
    this.#follow(answer);
    await this.#peer.silence(1);
  }

  async press(digits: string): Promise<void> {
    if (!this.#talking) return;
    for (const digit of digits) await this.#peer.hold(digit);
  }

  readonly sing = (hz: number): void => {
    if (!this.#talking) return;
    clearInterval(this.#voice);
    const began = performance.now();
    let at = 0;
    // A timer that is late has more to say.
    this.#voice = setInterval(() => {
      while (at < (performance.now() - began) * 8) {
        const pcm = Int16Array.from({ length: samplesPerFrame }, () =>
          Math.round(8000 * Math.sin((2 * Math.PI * hz * at++) / 8000)),
        );
        void this.#peer.packet(mulaw.encode(pcm));
      }
    }, frameMs);
  };

  async hangUp(): Promise<void> {
    clearInterval(this.#voice);
    if (this.#talking) {
      this.#phone.send("BYE");
      await this.#phone.response(200, "BYE");
      return;
    }
    this.#phone.cancel();
    await this.#phone.response(200, "CANCEL");
    this.#phone.ackRefusal(await this.#phone.response(487));
  }

  async hungUp(): Promise<void> {
    clearInterval(this.#voice);
    this.#phone.reply(await this.#phone.request("BYE"), "200 OK");
  }

  attend(): void {
    this.#attending = setInterval(() => {
      const { all } = this.#phone.client.inbox;
      for (; this.#seen < all.length; this.#seen++) {
        const message = all[this.#seen];
        if (message) this.#attend(message);
      }
    }, glanceMs);
  }

  async leave(): Promise<void> {
    let said = "";
    while (!this.#over) {
      // An answer may cross the CANCEL: then it takes a BYE.
      const wanted = this.#talking ? "BYE" : "CANCEL";
      if (said !== wanted && wanted === "BYE") this.#phone.send("BYE");
      else if (said !== wanted) this.#phone.cancel();
      said = wanted;
      await delay(glanceMs);
    }
    clearInterval(this.#voice);
  }

  async close(): Promise<void> {
    clearInterval(this.#voice);
    clearInterval(this.#attending);
    this.#peer.close();
    await this.#phone.client.close();
  }

  #attend(message: Message): void {
    const { status, method } = message;
    if (method === "INVITE" && status >= 300) this.#phone.ackRefusal(message);
    else if (method === "INVITE" && status >= 200) {
      this.#phone.toTag = message.toTag;
      this.#phone.ack();
      this.#follow(message);
    } else if (method === "BYE" && status === 0) this.#phone.reply(message, "200 OK");
    this.#over ||= (method === "BYE" && status !== 100) || (method === "INVITE" && status >= 300);
  }

  #follow({ body }: Message): void {
    this.#talking = true;
    this.#peer.callTo(Number(/m=audio (\d+) /.exec(body)?.[1]));
  }
}

/** Somebody at the replayed FreeSWITCH. */
export class ReplayedCaller implements StoryCaller {
  readonly sing = null;
  readonly #channel: ReplayChannel;

  constructor(channel: ReplayChannel) {
    this.#channel = channel;
  }

  async talk(): Promise<void> {
    while (!this.#channel.answered) await delay(1);
  }

  async press(digits: string): Promise<void> {
    for (const digit of digits) {
      this.#channel.press(digit, 100);
      await delay(frameMs);
    }
  }

  async hangUp(): Promise<void> {
    if (this.#channel.answered) this.#channel.hangup("NORMAL_CLEARING", "bye");
    else this.#channel.hangup("ORIGINATOR_CANCEL", "cancelled");
  }

  async hungUp(): Promise<void> {
    while (!this.#channel.over) await delay(1);
  }

  attend(): void {
    // FreeSWITCH speaks for him.
  }

  async leave(): Promise<void> {
    await this.hangUp();
  }

  async close(): Promise<void> {
    // There is nothing of his own.
  }
}
