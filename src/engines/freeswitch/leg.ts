/** A channel of FreeSWITCH as the leg of a call. */
import type { Log } from "../../log";
import { type Cause, type CauseName, causeOf, causeOfQ850 } from "../causes";
import type { Leg, LegEnd, LegHandler, Refusal } from "../control/leg";
import { type EndedBy, Refused } from "../engine";
import {
  answer,
  type Command,
  cancelTimers,
  type Extension,
  extensionOf,
  kill,
  prepare,
  ringReady,
  transfer,
} from "./commands";
import type { FreeswitchEvent } from "./event";
import type { Link } from "./link";
import { checkChannel } from "./outlet";

/** Who calls whom, and what the dialplan says of it. */
export interface ChannelFacts {
  readonly uuid: string;
  readonly caller_id: string;
  readonly did: string;
  readonly app_id: string | null;
  /** Where its call is handed back to. */
  readonly disconnect: Extension;
}

export interface LegMeans {
  readonly link: Link;
  readonly log: Log;
  /** Before the dialplan gets the call back: what runs on it here ends. */
  handingBack(): Promise<void>;
  released(): void;
}

const refusals = {
  no_app: "UNALLOCATED_NUMBER",
  overloaded: "SWITCH_CONGESTION",
  unavailable: "NORMAL_TEMPORARY_FAILURE",
} as const satisfies Record<Refusal, CauseName>;
/** The gateway's own causes, which FreeSWITCH does not know, by what comes to the same for the caller. */
const foreign: Readonly<Record<string, CauseName | undefined>> = {
  APP_DELETED: "NORMAL_CLEARING",
  MEDIA_SERVER_LOST: "NORMAL_TEMPORARY_FAILURE",
  SERVER_SHUTDOWN: "NORMAL_TEMPORARY_FAILURE",
};
/** Of the configuration that comes with this engine. */
const defaultExtension = "voicegate_disconnect";

/** @param event about a channel that is parked: CHANNEL_PARK, or what `uuid_dump` answers */
export function factsOf(event: FreeswitchEvent, log: Log): ChannelFacts {
  const uuid = event.channel;
  const wanted = event.get("variable_gateway_disconnect");
  const named = wanted === "" ? null : extensionOf(wanted);
  if (wanted !== "" && !named) log.warn({ uuid }, "gateway_disconnect is no extension, and is not used");
  // Always named: a call that was in a conference has no dialplan any more in which FreeSWITCH would look by itself.
  const own = extensionOf(`${defaultExtension} XML ${event.get("Caller-Context")}`)?.context ?? null;
  return {
    uuid,
    caller_id: event.get("Caller-Caller-ID-Number"),
    did: event.get("Caller-Destination-Number"),
    app_id: event.get("variable_gateway_app_id") || null,
    disconnect: { name: named?.name ?? defaultExtension, context: named?.context ?? own },
  };
}

export class FreeswitchLeg implements Leg {
  handler: LegHandler | null = null;
  readonly #facts: ChannelFacts;
  readonly #means: LegMeans;
  #answered: boolean;
  #over = false;
  /** The dialplan's timers are cancelled. */
  #untimed = false;
  /** What it was ended with from here. */
  #asked: { readonly cause: Cause; readonly by: EndedBy; readonly word: string } | null = null;

  constructor(facts: ChannelFacts, answered: boolean, means: LegMeans) {
    this.#facts = facts;
    this.#answered = answered;
    this.#means = means;
  }

  get caller_id(): string {
    return this.#facts.caller_id;
  }

  get did(): string {
    return this.#facts.did;
  }

  get app_id(): string | null {
    return this.#facts.app_id;
  }

  async open(): Promise<void> {
    checkChannel(await this.#means.link.request(prepare(this.#facts.uuid)));
  }

  ring(): void {
    this.#tell(ringReady(this.#facts.uuid), "a caller could not be told that it rings");
    this.cancelTimers();
  }

  /** Once, however often it takes: what the dialplan would end calls with that no gateway has taken. */
  cancelTimers(): void {
    if (this.#over || this.#untimed) return;
    const { link, log } = this.#means;
    const { uuid } = this.#facts;
    link.request(cancelTimers(uuid)).then(
      () => {
        this.#untimed = true;
      },
      (err) => log.warn({ uuid, err }, "the timer of the dialplan could not be cancelled"),
    );
  }

  early(): void {
    // FreeSWITCH opens early media with the first sound.
  }

  async answer(): Promise<void> {
    if (this.#over) return;
    checkChannel(await this.#means.link.request(answer(this.#facts.uuid)));
  }

  refuse(refusal: Refusal): void {
    this.#over = true;
    this.#tell(kill(this.#facts.uuid, refusals[refusal]), "a call could not be refused");
  }

  async hangup(cause: Cause, by: EndedBy): Promise<void> {
    if (this.#over) return;
    const word = foreign[cause.name] ?? cause.name;
    const before = this.#asked;
    this.#asked ??= { cause, by, word };
    try {
      checkChannel(await this.#means.link.request(kill(this.#facts.uuid, word)));
    } catch (err) {
      // Late it may come to pass all the same.
      if (!(err instanceof Refused && err.refusal === "late")) this.#asked = before;
      throw err;
    }
  }

  async handBack(): Promise<boolean> {
    if (this.#over) return true;
    await this.#means.handingBack();
    checkChannel(await this.#means.link.request(transfer(this.#facts.uuid, this.#facts.disconnect)));
    return true;
  }

  release(): void {
    this.#over = true;
    this.#means.released();
  }

  happened(): void {
    // Nobody at FreeSWITCH asks for it.
  }

  /** By a command, by an application of the dialplan, or while nobody listened. */
  onAnswered(): void {
    if (this.#over || this.#answered) return;
    this.#answered = true;
    this.handler?.onAnswered();
  }

  onDigit(digit: string, duration_ms: number): void {
    if (!this.#over) this.handler?.onDigit(digit, duration_ms);
  }

  /** @param event CHANNEL_HANGUP_COMPLETE */
  onHangup(event: FreeswitchEvent): void {
    if (this.#over) return;
    this.#over = true;
    this.handler?.onEnd(this.#endOf(event));
  }

  /** By whom is known from who sent the last SIP message: ours by its cause, else the caller, else FreeSWITCH itself. */
  #endOf(event: FreeswitchEvent): LegEnd {
    const name = event.get("Hangup-Cause");
    const disposition = event.get("variable_sip_hangup_disposition");
    const q850 = event.number("variable_hangup_cause_q850") ?? causeOf("NORMAL_UNSPECIFIED").q850;
    const byCaller = disposition === "recv_bye" || disposition === "recv_cancel";
    const answered = this.#answered || (event.number("Caller-Channel-Answered-Time") ?? 0) > 0;
    const asked = this.#asked;
    if (asked && !byCaller && asked.word === name) {
      const { cause, by } = asked;
      return { by, cause: cause.name, q850: cause.q850, sipStatus: answered ? null : cause.sip };
    }
    const sent = event.number("variable_sip_invite_failure_status") ?? causeOfQ850(q850).sip;
    return { by: byCaller ? "caller" : "media_server", cause: name, q850, sipStatus: answered ? null : sent };
  }

  #tell(command: Command, problem: string): void {
    const { link, log } = this.#means;
    const { uuid } = this.#facts;
    link.request(command).catch((err) => log.warn({ uuid, err }, problem));
  }
}
