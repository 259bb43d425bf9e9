/** A caller's channel at Asterisk as call control sees it. */
import type { Log } from "../../log";
import { type Cause, causeOf, causeOfQ850 } from "../causes";
import type { Leg, LegEnd, LegHandler, Refusal } from "../control/leg";
import { type EndedBy, Refused } from "../engine";
import { type Ari, AriRefused, at, unlessGone } from "./ari";
import { type Channel, readValue } from "./dialect";
import type { AsteriskServer } from "./server";
import { codeBefore, statusOf } from "./statuses";

export interface LegMeans {
  readonly ari: Ari;
  readonly app: string;
  readonly server: AsteriskServer;
  readonly log: Log;
  /** Nothing is left of it. */
  released(leg: AsteriskLeg): void;
}

/** Keeps the session on the channel: whoever takes the call up later finds it there. */
export const sessionVariable = "VOICEGATE_SESSION";
/** What the dialplan may set: the app that gets the call. */
const appVariable = "gateway_app_id";
const longestText = 128;
const refusals = {
  // ITU-T Q.850: 1 unallocated number, 42 switching equipment congestion.
  no_app: 1,
  overloaded: 42,
  unavailable: 42,
} as const satisfies Record<Refusal, number>;

export class AsteriskLeg implements Leg {
  handler: LegHandler | null = null;
  readonly caller_id: string;
  readonly did: string;
  app_id: string | null = null;
  /** It was taken: the store has it. */
  accepted = false;
  readonly #means: LegMeans;
  #up: boolean;
  #over = false;
  /** Who wants it ended, as what. */
  #ending: { readonly cause: Cause; readonly by: EndedBy } | null = null;
  /** Asterisk was told by the caller that he hung up (true), or wants to end it by itself. */
  #hungUp: boolean | null = null;

  /** @param channel as it entered the application */
  constructor(
    readonly session_uuid: string,
    readonly channel: Channel,
    args: readonly string[],
    means: LegMeans,
  ) {
    this.#means = means;
    this.#up = channel.state === "Up";
    this.caller_id = plain(channel.number) || "anonymous";
    // A dialplan that has left the dialled number behind says it.
    this.did = plain(args[0] ?? "") || plain(channel.exten);
  }

  async open(): Promise<void> {
    const { ari, server } = this.#means;
    const { id } = this.channel;
    server.addLine(this.session_uuid, id);
    const value = { variable: sessionVariable, value: this.session_uuid };
    const [app_id] = await Promise.all([
      readVariable(ari, id, appVariable),
      // One that is gone already is told of all the same.
      unlessGone(ari.request("POST", at`/channels/${id}/variable`, value)),
      this.#subscribe(),
    ]);
    this.app_id = app_id === null ? null : plain(app_id) || null;
    // By its dialplan.
    if (this.#up) this.handler?.onAnswered();
  }

  ring(): void {
    this.accepted = true;
    if (!this.#up) this.#tell("ring");
  }

  early(): void {
    this.#tell("progress");
  }

  async answer(): Promise<void> {
    if (this.#over) return;
    const { ari, server } = this.#means;
    const { id } = this.channel;
    await server.around(this.session_uuid, () => ari.request("POST", at`/channels/${id}/answer`));
  }

  refuse(refusal: Refusal): void {
    const { ari, log } = this.#means;
    this.#over = true;
    ari.request("DELETE", at`/channels/${this.channel.id}?reason_code=${refusals[refusal]}`).catch((err: unknown) => {
      if (!(err instanceof AriRefused) || err.refusal !== "gone") log.warn({ err }, "call could not be refused");
    });
  }

  async hangup(cause: Cause, by: EndedBy): Promise<void> {
    if (this.#over) return;
    // What is not read now could not be told as ended by whoever wants it.
    this.#means.server.check();
    const code = this.#up ? cause.q850 : codeBefore(cause);
    const ending = { cause, by };
    // Before the request: the end may be told before it is answered.
    this.#ending ??= ending;
    try {
      await this.#means.ari.request("DELETE", at`/channels/${this.channel.id}?reason_code=${code}`);
    } catch (err) {
      const taken = err instanceof Refused && err.refusal === "late";
      if (this.#ending === ending && !taken) this.#ending = null;
      throw err;
    }
  }

  /** Where the dialplan stands, behind its call of the application: if nothing is there, the call ends by that. */
  async handBack(): Promise<boolean> {
    if (this.#over) return true;
    const { ari, server } = this.#means;
    await server.release(this.session_uuid);
    await ari.request("POST", at`/channels/${this.channel.id}/continue`);
    return true;
  }

  release(): void {
    this.#over = true;
    this.#means.server.removeLine(this.session_uuid);
    this.#means.released(this);
  }

  happened(): void {
    // A channel hears what happens.
  }

  onState(state: string): void {
    if (state !== "Up" || this.#up || this.#over) return;
    this.#up = true;
    this.handler?.onAnswered();
  }

  onDigit(digit: string, duration_ms: number): void {
    if (!this.#over) this.handler?.onDigit(digit, duration_ms);
  }

  /** Somebody wants it ended. The first one does it, others only follow. */
  onHangupRequest(soft: boolean): void {
    this.#hungUp ??= !soft;
    this.#means.server.endLine(this.session_uuid);
  }

  /** @param q850 0: it is not told */
  onDestroyed(q850: number): void {
    if (this.#over) return;
    this.#over = true;
    this.handler?.onEnd(this.#end(q850));
  }

  /** It is there, in this state, whatever was told of it. Rejects with `Refused`. */
  async verify(state: string): Promise<void> {
    this.onState(state);
    await this.#subscribe();
  }

  #end(q850: number): LegEnd {
    const answered = this.#up;
    if (this.#ending) {
      const { cause, by } = this.#ending;
      const sipStatus = answered ? null : statusOf(codeBefore(cause));
      return { by, cause: cause.name, q850: cause.q850, sipStatus };
    }
    const by = this.#hungUp === true ? "caller" : "media_server";
    if (by === "caller" && !answered) {
      const cancel = causeOf("ORIGINATOR_CANCEL");
      return { by, cause: cancel.name, q850: cancel.q850, sipStatus: cancel.sip };
    }
    // A BYE without a reason leaves none.
    const cause = q850 === 0 ? causeOf("NORMAL_CLEARING") : causeOfQ850(q850);
    return { by, cause: cause.name, q850: cause.q850, sipStatus: answered ? null : statusOf(cause.q850) };
  }

  /** Its end is told also when it is not in the application any more. */
  async #subscribe(): Promise<void> {
    const { ari, app } = this.#means;
    const { id } = this.channel;
    const there = await unlessGone(
      ari.request("POST", at`/applications/${app}/subscription?eventSource=${`channel:${id}`}`),
    );
    if (there) return;
    this.#hungUp ??= true;
    this.onDestroyed(0);
  }

  #tell(what: "ring" | "progress"): void {
    if (this.#over) return;
    const { ari, log } = this.#means;
    const { id } = this.channel;
    ari.request("POST", at`/channels/${id}/${what}`).catch((err: unknown) => {
      // An older Asterisk knows no `progress`, and says it by the first sound.
      if (!this.#over) log.debug({ session_uuid: this.session_uuid, what, err }, "the caller was not told");
    });
  }
}

/** @returns null when it is not set, or the channel is gone. @throws Refused */
export async function readVariable(ari: Ari, channel: string, variable: string): Promise<string | null> {
  try {
    return readValue(await ari.request("GET", at`/channels/${channel}/variable?variable=${variable}`));
  } catch (err) {
    if (err instanceof AriRefused && err.refusal === "gone") return null;
    throw err;
  }
}

/** What a caller or a dialplan has written, as far as it can be printed. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "").slice(0, longestText);
}
