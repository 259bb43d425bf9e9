/** A call of the embedded engine as call control sees it: who calls, and his place in the media process. */
import type { EventName } from "../../contract";
import type { Log } from "../../log";
import { type Cause, causeOf } from "../causes";
import type { Leg, LegEnd, LegHandler, Refusal } from "../control/leg";
import type { EndedBy } from "../engine";
import type { Caller, CallerHandler } from "./caller";
import { Keypad, type KeyWay } from "./keypad";
import type { MediaLink } from "./media/link";
import type { RemoteMedia } from "./sip/sdp";

export class EmbeddedLeg implements Leg, CallerHandler {
  handler: LegHandler | null = null;
  /** The embedded engine has no word in which app a call belongs. */
  readonly app_id = null;
  readonly #call: string;
  readonly #caller: Caller;
  readonly #link: MediaLink;
  readonly #log: Log;
  readonly #released: () => void;
  readonly #keypad = new Keypad();
  /** Where the media process receives this call's RTP. */
  #port = 0;
  #remote: RemoteMedia | null = null;
  #answered = false;
  #over = false;

  /**
   * @param call as the media process knows it
   * @param released told when nothing is left of it
   */
  constructor(call: string, caller: Caller, link: MediaLink, log: Log, released: () => void) {
    this.#call = call;
    this.#caller = caller;
    this.#link = link;
    this.#log = log;
    this.#released = released;
    caller.handler = this;
  }

  get caller_id(): string {
    return this.#caller.caller_id;
  }

  get did(): string {
    return this.#caller.did;
  }

  async open(): Promise<void> {
    const { port } = await this.#link.open(this.#call, this.#caller.transport);
    this.#port = port;
  }

  ring(): void {
    this.#caller.ring();
  }

  early(): void {
    this.#caller.early(this.#port);
  }

  async answer(): Promise<void> {
    // A media process that hangs would leave the caller in silence.
    await this.#link.ping();
    if (this.#over || this.#answered) return;
    this.#answered = true;
    this.#caller.answer(this.#port);
    this.#tellMedia();
    this.handler?.onAnswered();
  }

  refuse(refusal: Refusal): void {
    this.#over = true;
    this.#caller.refuse(refusal);
  }

  async hangup(cause: Cause, by: EndedBy): Promise<void> {
    if (this.#over) return;
    this.#caller.hangup(cause);
    this.onEnd({ by, cause: cause.name, q850: cause.q850, sipStatus: this.#answered ? null : cause.sip });
  }

  /** There is no dialplan here to hand the call back to: this media server ends it. */
  async handBack(): Promise<boolean> {
    await this.hangup(causeOf("NORMAL_CLEARING"), "media_server");
    return false;
  }

  release(): void {
    this.#over = true;
    this.#link.close(this.#call);
    this.#released();
  }

  happened(event: EventName): void {
    this.#caller.happened(event);
  }

  onEnd(end: LegEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.handler?.onEnd(end);
  }

  onDigit(digit: string, duration_ms: number): void {
    this.key("info", digit, duration_ms);
  }

  onRemote(remote: RemoteMedia): void {
    this.#remote = remote;
    this.#tellMedia();
  }

  /** A key, by whatever way. */
  key(way: KeyWay, digit: string, duration_ms: number): void {
    if (!this.#over && this.#keypad.press(way, digit, duration_ms)) this.handler?.onDigit(digit, duration_ms);
  }

  /** No RTP of the caller comes any more. */
  mediaTimeout(): void {
    void this.hangup(causeOf("MEDIA_TIMEOUT"), "media_server");
  }

  /** Before the answer a caller sends nothing, and on hold he need not, whatever he may: his silence is no time-out then. */
  #tellMedia(): void {
    if (!this.#remote) return;
    const { send, receive } = this.#remote;
    const remote = { ...this.#remote, receive: receive && send && this.#answered };
    this.#link.remote(this.#call, remote).catch((err) => {
      if (!this.#over) this.#log.warn({ session_uuid: this.#call, err }, "media of a caller not set");
    });
  }
}
