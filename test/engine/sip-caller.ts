/** A caller with a SIP phone and an RTP socket: follows what the engine does, and can do what a script says. */
import { setTimeout as delay } from "node:timers/promises";
import type { EngineEvent, ScriptStep } from "../../src/engines/engine";
import { RtpPeer } from "../media-child/peer";
import { type Message, udpClient } from "../sip/client";
import { Phone, sdp } from "../sip/phone";
import type { Recorder } from "./recorder";

/** What a `wait_for` calls them. */
const names: { readonly [T in EngineEvent["type"]]?: readonly string[] } = {
  answered: ["call.answered", "command.result"],
  dtmf: ["dtmf"],
  "playback.started": ["playback.started", "command.result"],
  "playback.stopped": ["playback.stopped"],
  "playback.file_not_found": ["playback.file_not_found"],
  "digits.started": ["command.result"],
};

export class SipCaller {
  session_uuid = "";
  /** What the offer says. */
  direction: "sendrecv" | "sendonly" = "sendrecv";
  #seen = 0;
  readonly #names: string[] = ["call.new"];
  /** Resolves when this phone knows where its media goes. */
  readonly reached: Promise<void>;
  #reach: () => void = () => undefined;
  #over = false;
  #ending: Promise<void> = Promise.resolve();
  #problem: unknown = null;
  /** Keys take their time, as a thumb does: a media server may take a burst of packets for other keys. */
  #paced = false;

  private constructor(
    readonly phone: Phone,
    readonly peer: RtpPeer,
    readonly recorder: Recorder,
  ) {
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
  }

  /** A phone at this gateway that has not called yet. */
  static async at(
    sipPort: number | null,
    recorder: Recorder,
    number = "1000",
    { paced = false }: { readonly paced?: boolean } = {},
  ): Promise<SipCaller> {
    const client = await udpClient(sipPort ?? 0);
    const caller = new SipCaller(new Phone(client, number, "4930123"), await RtpPeer.bind(), recorder);
    caller.#paced = paced;
    return caller;
  }

  /** The offer of this phone: G.711 and telephone-event at its RTP port. */
  get offer(): string {
    return sdp([`a=${this.direction}`]).replace("m=audio 40000", `m=audio ${this.peer.port}`);
  }

  /** Calls and waits until it rings. From then on the phone answers what the engine sends. */
  async ring(): Promise<string> {
    const calls = this.recorder.offers.length;
    this.phone.invite({ body: this.offer });
    this.session_uuid = (await this.recorder.offered(calls + 1)).session_uuid;
    await this.phone.response(180);
    void this.#keep(this.#followAnswer());
    this.#ending = this.#keep(this.#followEnd());
    return this.session_uuid;
  }

  /** Media goes where this SDP says. */
  listenTo(message: Message): void {
    const port = Number(/m=audio (\d+) /.exec(message.body)?.[1]);
    this.peer.callTo(port);
    this.#reach();
  }

  run(script: readonly ScriptStep[]): void {
    void this.#keep(this.#run(script));
  }

  async waitFor(name: string): Promise<void> {
    for (;;) {
      for (let next = this.#names.shift(); next !== undefined; next = this.#names.shift()) if (next === name) return;
      const { type } = await this.recorder.at(this.session_uuid, this.#seen++);
      this.#names.push(...(names[type] ?? []));
    }
  }

  async hangUp(): Promise<void> {
    this.#over = true;
    if (this.recorder.types(this.session_uuid).includes("answered")) {
      await this.reached;
      this.phone.send("BYE");
      await this.phone.response(200, "BYE");
      return;
    }
    this.phone.cancel();
    await this.phone.response(200, "CANCEL");
    this.phone.ackRefusal(await this.phone.response(487));
  }

  /** Resolves when the end of the call has been answered, whoever ended it. */
  settled(): Promise<void> {
    return this.#ending;
  }

  /** @throws what went wrong in the background */
  async close(): Promise<void> {
    this.peer.close();
    await this.phone.client.close();
    if (this.#problem !== null) throw this.#problem;
  }

  #keep(work: Promise<void>): Promise<void> {
    return work.catch((problem: unknown) => {
      this.#problem ??= problem;
    });
  }

  async #followAnswer(): Promise<void> {
    await this.recorder.event(this.session_uuid, "answered");
    const ok = await this.phone.response(200);
    this.phone.ack();
    this.listenTo(ok);
  }

  async #followEnd(): Promise<void> {
    const { sip_status } = await this.recorder.event(this.session_uuid, "hangup");
    if (this.#over) return;
    this.#over = true;
    if (sip_status === null) this.phone.reply(await this.phone.request("BYE"), "200 OK");
    else this.phone.ackRefusal(await this.phone.response(sip_status));
  }

  async #run(script: readonly ScriptStep[]): Promise<void> {
    for (const step of script) {
      if (step.do === "wait") await delay(step.ms);
      else if (step.do === "wait_for") await this.waitFor(step.event);
      else if (step.do === "press") await this.#press(step.digits);
      else if (step.do === "hangup") await this.hangUp();
      else throw new Error("this caller has no tone");
      if (this.#over) return;
    }
  }

  async #press(digits: string): Promise<void> {
    await this.reached;
    for (const digit of digits) {
      if (this.#paced) await this.peer.hold(digit);
      else await this.peer.press(digit);
    }
  }
}
