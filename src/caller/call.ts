/** A person with a SIP phone: dials, listens, presses keys, hangs up. UDP and TCP, G.711, keys by RFC 4733. */
import { setTimeout as delay } from "node:timers/promises";
import { SimulatedCaller } from "../engines/embedded/sandbox";
import type { Flow } from "../engines/embedded/sip/flow";
import type { SipRequest, SipResponse } from "../engines/embedded/sip/message";
import { LocalSdp, type RemoteMedia, readSdp } from "../engines/embedded/sip/sdp";
import { type Timers, timersOf } from "../engines/embedded/sip/timers";
import { Agent, type Outgoing } from "./agent";
import { authorization, type Credentials } from "./credentials";
import { type Destination, destination } from "./destination";
import { OutboundDialog } from "./dialog";
import { Requests } from "./requests";
import type { CallEnd, SipCall, SipCallOptions } from "./sip_call";
import { Voice } from "./voice";

export type { CallEnd, Progress, ScriptStep, SipCall, SipCallOptions } from "./sip_call";

/**
 * Places a call; resolves when the INVITE is on its way.
 * @throws Error for a URI that is none; the system's error when the host is unknown or refuses the connection
 */
export async function placeSipCall(options: SipCallOptions): Promise<SipCall> {
  const place = await destination(options.uri);
  const timers = timersOf(options.t1 ?? 500);
  let call: PlacedCall | null = null;
  const agent = await Agent.toward(place, timers, {
    request: (request, flow) => call?.requested(request, flow),
    broken: () => call?.lost("The connection broke"),
  });
  try {
    call = new PlacedCall(options, place, timers, agent, await Voice.open(agent.host));
    call.invite();
    return call;
  } catch (error) {
    await agent.close();
    throw error;
  }
}

/** A password that was wrong is not tried again; a nonce that was too old may be, once. */
const challengesMost = 2;
const defaultGapMs = 100;
const codecs = { 0: "PCMU", 8: "PCMA" } as const;

class PlacedCall implements SipCall {
  readonly ended: Promise<CallEnd>;
  readonly answered: Promise<void>;
  #phase: "calling" | "ringing" | "answered" | "over" = "calling";
  /** The INVITE that counts: one that was challenged is followed by another. */
  #invite: Outgoing | null = null;
  #challenges = 0;
  #ack: Buffer | null = null;
  #leaving = false;
  #cancelled = false;
  #begun = false;
  #remote: RemoteMedia | null = null;
  /** What went wrong with an answer, told once its BYE is done. */
  #problem: string | null = null;
  #patience: NodeJS.Timeout | undefined;
  #over: (end: CallEnd) => void = () => undefined;
  #lifted: (failure?: Error) => void = () => undefined;
  readonly #dialog: OutboundDialog;
  readonly #sdp: LocalSdp;
  readonly #requests: Requests;
  readonly #script: SimulatedCaller;

  constructor(
    private readonly options: SipCallOptions,
    private readonly place: Destination,
    private readonly timers: Timers,
    private readonly agent: Agent,
    private readonly voice: Voice,
  ) {
    this.ended = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.answered = new Promise((resolve, reject) => {
      this.#lifted = (failure) => (failure ? reject(failure) : resolve());
    });
    // Who does not ask for the answer learns of its absence by the end.
    this.answered.catch(() => undefined);
    this.#dialog = new OutboundDialog(agent, place, options.callerId);
    this.#sdp = new LocalSdp({ address: agent.host, port: voice.port }, null);
    this.#requests = new Requests(agent, timers, this.#dialog, this.#sdp, {
      agreed: (remote) => this.#follow(remote),
      ended: (reason) => this.#end({ by: "callee", status: null, reason }),
      lost: () => void this.hangUp(),
    });
    this.#script = this.#scripted();
  }

  get heard(): { readonly packets: number; readonly level: number } {
    return { packets: this.voice.packets, level: this.voice.level };
  }

  invite(headers: readonly string[] = []): void {
    const invite = this.#dialog.request("INVITE", { headers, body: this.#sdp.offer() });
    this.#invite = invite;
    if (headers.length === 0) {
      const { transport, address, port } = this.place;
      this.options.told?.({ what: "calling", transport, address, port });
      this.#patience = setTimeout(() => this.options.told?.({ what: "silence" }), 4 * this.timers.t1);
    }
    this.agent.request(invite, this.agent.flow, (response) => this.#heard(invite, response));
  }

  requested(request: SipRequest, flow: Flow): void {
    this.#requests.take(request, flow);
  }

  lost(reason: string): void {
    this.#end({ by: "failure", status: null, reason });
  }

  tell(event: string): void {
    // Told by the phone itself: the second one would pass a step that waits for another.
    if (event !== "call.answered") this.#script.happened(event);
  }

  press(digits: string, gapMs = defaultGapMs): Promise<void> {
    this.options.told?.({ what: "press", digits });
    return this.voice.press(digits, gapMs);
  }

  async hangUp(): Promise<void> {
    if (this.#phase === "over") return;
    const first = !this.#leaving;
    this.#leaving = true;
    if (first && this.#phase === "answered") this.#bye();
    else if (first && this.#phase === "ringing") this.#cancel();
    // Nothing may be cancelled before a word came back (section 9.1).
    else if (first) this.#giveUp(this.timers.t2);
    await this.ended;
  }

  async close(): Promise<void> {
    const waiting = new AbortController();
    const long = delay(this.timers.t2, null, { signal: waiting.signal, ref: false }).catch(() => {
      // Aborted: the call has ended.
    });
    await Promise.race([this.hangUp(), long]);
    waiting.abort();
    this.#end({ by: "caller", status: null, reason: "Closed" });
    await Promise.all([this.agent.close(), this.voice.close()]);
  }

  /** A response to an INVITE of ours, or null: none came. */
  #heard(invite: Outgoing, response: SipResponse | null): void {
    clearTimeout(this.#patience);
    if (!response) {
      const { address, port } = this.place;
      if (invite === this.#invite) this.lost(`Nobody answers at ${address}:${port}`);
    } else if (response.status >= 300) this.#refused(invite, response);
    else if (invite !== this.#invite) return;
    else if (response.status >= 200) this.#accepted(response);
    else if (this.#phase === "over") this.#cancel();
    else if (this.#phase !== "answered") this.#progress(response);
  }

  #progress(response: SipResponse): void {
    const { status, reason } = response;
    if (this.#phase === "calling") {
      this.#phase = "ringing";
      if (this.#leaving) this.#cancel();
    }
    if (status === 100) {
      this.options.told?.({ what: "trying" });
      return;
    }
    this.options.told?.({ what: "ringing", status, reason });
    this.#begin();
    const early = response.body.length > 0 ? this.#read(response.body) : null;
    if (!early) return;
    if (!this.#remote) this.options.told?.({ what: "early_media" });
    this.#follow(early.remote);
  }

  #accepted(response: SipResponse): void {
    if (this.#ack) {
      this.agent.send(this.#ack, this.#dialog.way());
      return;
    }
    this.#dialog.establish(response);
    this.#ack = this.#dialog.acknowledgement();
    this.agent.send(this.#ack, this.#dialog.way());
    const late = this.#phase === "over";
    const media = this.#read(response.body)?.remote ?? (response.body.length === 0 ? this.#remote : null);
    // An answer may cross the CANCEL, or come when nobody waits for it any longer: it is over all the same.
    if (late || this.#leaving || !media) {
      if (!late && !media) this.#problem = "The answer has no sound that can be taken";
      this.#bye();
      return;
    }
    this.#phase = "answered";
    this.#follow(media);
    this.options.told?.({ what: "answered", codec: codecs[media.payload], keys: media.dtmfPayload !== null });
    this.#lifted();
    this.#begin();
    this.#script.answer();
    this.#script.happened("call.answered");
  }

  #refused(invite: Outgoing, response: SipResponse): void {
    const { status, reason } = response;
    this.agent.send(this.#dialog.same("ACK", invite, response.headers.get("to")).bytes);
    if (invite !== this.#invite || this.#phase === "over") return;
    const credentials = this.#credentials();
    const asked = (status === 401 || status === 407) && credentials && !this.#leaving;
    const stale = /\bstale="?true\b/i.test(response.headers.get("www-authenticate") ?? "");
    const again = asked && this.#challenges < (stale ? challengesMost : 1);
    const line = again ? authorization(response, credentials, "INVITE", this.place.uri) : null;
    if (line !== null) {
      this.#challenges++;
      this.options.told?.({ what: "authenticating", status });
      this.#phase = "calling";
      this.invite([line]);
    } else this.#end({ by: this.#leaving && status === 487 ? "caller" : "callee", status, reason });
  }

  #credentials(): Credentials | null {
    const { username, password } = this.options;
    return username === undefined || password === undefined ? null : { username, password };
  }

  /** Also of a call that was given up before a word came: it would ring on. */
  #cancel(): void {
    if (!this.#invite || this.#cancelled) return;
    this.#cancelled = true;
    const cancel = this.#dialog.same("CANCEL", this.#invite);
    this.agent.request(cancel, this.agent.flow, () => undefined);
    // Whoever took the CANCEL owes the INVITE its end.
    this.#giveUp(this.timers.limit);
  }

  #giveUp(ms: number): void {
    clearTimeout(this.#patience);
    if (this.#phase === "over") return;
    this.#patience = setTimeout(() => this.#end({ by: "caller", status: null, reason: "Nobody answered" }), ms);
  }

  #bye(): void {
    const bye = this.#dialog.request("BYE");
    this.agent.request(bye, this.#dialog.way(), (response) => {
      if (response !== null && response.status < 200) return;
      const by = this.#problem === null ? "caller" : "failure";
      this.#end({ by, status: null, reason: this.#problem ?? "Hung up" });
    });
  }

  #read(body: Buffer): ReturnType<typeof readSdp> {
    return readSdp(body, this.agent.host.includes(":") ? 6 : 4);
  }

  #follow(remote: RemoteMedia): void {
    if (this.#phase === "over") return;
    const was = this.#remote;
    if (was && was.send !== remote.send) this.options.told?.({ what: "hold", on: !remote.send });
    this.#remote = remote;
    this.voice.follow(remote);
  }

  /** Some callees ring more than once, and some not at all. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#script.ring();
  }

  #scripted(): SimulatedCaller {
    const { callerId, script, told } = this.options;
    const press = (_call: string, step: number, digits: string, gap: number) =>
      void this.press(digits, gap).then(() => this.#script.pressed(step));
    const tone = (_call: string, step: number, hz: number, ms: number) => {
      told?.({ what: "tone", hz, ms });
      void this.voice.tone(hz, ms).then(() => this.#script.pressed(step));
    };
    const caller = new SimulatedCaller({ call: "", caller_id: callerId, did: "", script, link: { press, tone } });
    // It tells of a hangup alone: what it hears and where its sound goes is the phone's.
    caller.handler = { onEnd: () => void this.hangUp(), onDigit: () => undefined, onRemote: () => undefined };
    return caller;
  }

  #end(end: CallEnd): void {
    if (this.#phase === "over") return;
    const answered = this.#phase === "answered";
    this.#phase = "over";
    clearTimeout(this.#patience);
    this.#requests.stop();
    this.#script.hangup();
    void this.voice.close();
    if (!answered) this.#lifted(new Error(`The call was not answered: ${end.reason}`));
    this.options.told?.({ what: "ended", ...end });
    this.#over(end);
  }
}
