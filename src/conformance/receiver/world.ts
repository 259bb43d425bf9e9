/** What the checks of a receiver stand on: its address and secret, calls to tell of, and a ledger of what was told. */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect } from "node:net";
import { Broken, type Exchange, Skipped, Unreachable } from "../check";
import { signedLine } from "../report/repeat";
import { signatureOf } from "../signature";
import { type Answer, attemptMs, deliver, type Sending } from "./delivery";
import { Probe } from "./probe";
import type { Kind } from "./samples";
import { Story, type Told } from "./story";

export interface Settings {
  /** The webhook endpoint. */
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  /** One that is over: nothing signed by it alone may be taken. Null: none is known. */
  readonly oldSecret: string | null;
  /** Null: what only a probe can tell is skipped. */
  readonly probe: string | null;
  /** Whose events it takes; empty: anybody's. */
  readonly apps: readonly string[];
}

/** How often an event may take effect. */
export type Effect = "once" | "never" | "at most once";

/** How an attempt differs from the gateway's usual one. */
export interface Manner {
  /** Seconds that the clock of the sender is off. */
  readonly clock?: number;
  readonly secrets?: readonly string[];
  readonly method?: string;
  readonly way?: Sending["way"];
  readonly breaks?: Sending["breaks"];
  /** Added, or in place of others. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: HttpAgent;
}

export const contentType = "application/json";
const keptMs = 4000;
/** How many come again at the end. */
const early = 5;

export class ReceiverWorld {
  /** Every answer to a POST, in the order in which they came. */
  readonly answers: Answer[] = [];
  /** Some that were taken first: to come again at the end. */
  readonly early: Told[] = [];
  /** Seconds by which the endpoint's clock was ahead, of some answers. */
  readonly #dates: number[] = [];
  readonly #effects = new Map<string, Effect>();
  readonly #agent: HttpAgent;
  readonly #probe: Probe | null;
  /** Of this run: nothing that it tells of has the name of something that was there. */
  readonly #node = `kit${randomBytes(3).toString("hex")}`;

  private constructor(readonly settings: Settings) {
    // As the gateway keeps its connections.
    const kept = { keepAlive: true, maxFreeSockets: 64, timeout: keptMs };
    this.#agent = settings.url.startsWith("https:") ? new HttpsAgent(kept) : new HttpAgent(kept);
    this.#probe = settings.probe === null ? null : new Probe(settings.probe);
  }

  /** @throws Unreachable when nothing listens, or the probe is none */
  static async open(settings: Settings): Promise<ReceiverWorld> {
    await reach(settings.url);
    const world = new ReceiverWorld(settings);
    await world.#probe?.open();
    return world;
  }

  /** The app that most events are of. */
  get app_id(): string {
    return this.settings.apps[0] ?? "demo";
  }

  call(app_id = this.app_id): Story {
    return new Story("call", app_id, this.#node);
  }

  room(): Story {
    return new Story("room", this.app_id, this.#node);
  }

  /** A call and a room whose names have the same uuid. */
  namesakes(): { readonly call: Story; readonly room: Story } {
    const uuid = randomUUID();
    const named = (kind: Story["kind"]) => new Story(kind, this.app_id, this.#node, uuid);
    return { call: named("call"), room: named("room") };
  }

  /** A call that has been told of: an application may care for no other. */
  async ringing(app_id = this.app_id): Promise<Story> {
    const call = this.call(app_id);
    await this.taken(call.next("call.new"));
    return call;
  }

  /** A call or a room in which such an event may come next. */
  async scene(kind: Pick<Kind, "name" | "ofCall">): Promise<Story> {
    const story = kind.ofCall ? this.call() : this.room();
    const first = kind.ofCall ? "call.new" : "conference.created";
    if (kind.name !== first) await this.taken(story.next(first));
    return story;
  }

  /**
   * How many seconds may be between both clocks for an event to be taken, and how many must be for it to be refused: close
   * to the five minutes when the endpoint's `Date` shows that its clock is right.
   */
  get tolerance(): { readonly within: number; readonly beyond: number } {
    const off = this.#dates.sort((a, b) => a - b)[this.#dates.length >> 1];
    const margin = off !== undefined && Math.abs(off) < 3 ? 12 : 60;
    return { within: 300 - margin, beyond: 300 + margin };
  }

  /** For checks of effects, before they send anything. @throws Skipped without a probe */
  watched(): Probe {
    if (this.#probe) return this.#probe;
    throw new Skipped("Effects cannot be seen without a probe (--probe).");
  }

  /** An attempt as the gateway makes it now, but for its manner. */
  signed(told: Told, manner: Manner = {}): Sending {
    const { clock = 0, secrets = [this.settings.secret], method = "POST", way, breaks, headers } = manner;
    const timestamp = String(Math.floor(Date.now() / 1000) + clock);
    const signatures = secrets.map((secret) => signatureOf(secret, told.id, timestamp, told.body));
    const usual = secrets.length === 1 && secrets[0] === this.settings.secret && headers === undefined;
    return {
      method,
      headers: {
        "Content-Type": contentType,
        "User-Agent": "Voicegate",
        "webhook-id": told.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signatures.join(" "),
        ...headers,
      },
      body: told.body,
      ...(way && { way }),
      ...(breaks && { breaks }),
      ...(usual && method === "POST" && { repeat: signedLine(this.settings.url, told.id, told.body, clock) }),
    };
  }

  async send(sending: Sending, agent: HttpAgent = this.#agent): Promise<Answer> {
    const answer = await deliver(this.settings.url, sending, agent);
    // Of what the gateway never sends nothing is asked but that it takes no effect.
    if (sending.breaks === undefined && sending.way !== "chunked" && sending.method === "POST")
      this.answers.push(answer);
    const date = Date.parse(String(answer.exchange.response?.headers.date));
    if (Number.isFinite(date) && this.#dates.length < early) this.#dates.push((date - Date.now()) / 1000);
    return answer;
  }

  /**
   * Delivers a genuine event.
   *
   * @throws Broken unless it is answered 2xx in time
   */
  async taken(told: Told, manner: Manner = {}, effect: Effect = "once"): Promise<Answer> {
    return this.takenAs(told, this.signed(told, manner), effect, manner.agent);
  }

  /** Delivers a genuine event with these headers. @throws Broken unless it is answered 2xx in time */
  async takenAs(told: Told, sending: Sending, effect: Effect = "once", agent = this.#agent): Promise<Answer> {
    this.expect(told.id, effect);
    const answer = await this.send(sending, agent);
    if (answer.status === null || answer.status < 200 || answer.status > 299) {
      // That it was not taken is said here, and not once more of its effect.
      this.#effects.set(told.id, "at most once");
      throw new Broken({
        expected: `2xx within ${attemptMs / 1000} s for ${told.event}`,
        got: said(answer),
        exchanges: [answer.exchange],
      });
    }
    if (effect === "once" && this.early.length < early) this.early.push(told);
    return answer;
  }

  /**
   * Sends what must not be taken.
   *
   * @param told what it pretends to be; it must take no effect
   * @param before exchanges that belong to the story
   * @throws Broken unless it is refused with a status 4xx that is not 410
   */
  async refused(
    told: Told,
    sending: Sending,
    what: string,
    before: readonly Exchange[] = [],
    agent = this.#agent,
  ): Promise<Answer> {
    this.expect(told.id, "never");
    const answer = await this.send(sending, agent);
    const { status, exchange } = answer;
    if (status === null || status < 400 || status > 499 || status === 410)
      throw new Broken({
        expected: `a 4xx${status === 410 ? " other than 410, which turns all webhooks off," : ""} for ${what}`,
        got: said(answer),
        exchanges: [...before, exchange],
      });
    return answer;
  }

  /** What is to become of an event: the first word holds, but for "never" of one that is genuine after all. */
  expect(id: string, effect: Effect): void {
    const known = this.#effects.get(id);
    if (known === undefined || known === "never") this.#effects.set(id, effect);
  }

  /** How often each event ought to have taken effect. */
  get ledger(): ReadonlyMap<string, Effect> {
    return this.#effects;
  }

  /**
   * Holds the effects against the ledger.
   *
   * @param ids of these events
   * @throws Broken when one took effect too often, or not at all
   * @throws Skipped without a probe
   */
  async settled(ids: readonly string[]): Promise<void> {
    const wanted = ids.filter((id) => this.#effects.get(id) === "once");
    const effects = await this.watched().settled(wanted);
    const wrong = ids.flatMap((id) => {
      const effect = this.#effects.get(id) ?? "never";
      const count = effects.get(id) ?? 0;
      const right = effect === "once" ? count === 1 : effect === "never" ? count === 0 : count <= 1;
      return right ? [] : [`${id}: ${count} effects, not ${effect}`];
    });
    const [first] = wrong;
    if (first !== undefined)
      throw new Broken({
        expected: "each genuine event takes effect once, and nothing else does",
        got: wrong.length === 1 ? first : `${first}, and ${wrong.length - 1} more`,
        seen: wrong.slice(0, 12),
      });
  }

  /** What is worth knowing and no failure. */
  remarks(): string[] {
    const times = this.answers.filter(({ status }) => status !== null && status < 300).map(({ ms }) => ms);
    const slow = times.filter((ms) => ms > 1000);
    if (slow.length === 0) return [];
    const longest = (Math.max(...slow) / 1000).toFixed(1);
    return [
      `${slow.length} of ${times.length} answers took longer than 1 s, the longest ${longest} s: a call's next event waits for each.`,
    ];
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }
}

/** An answer in words. */
export function said({ status, problem, ms }: Answer): string {
  return status === null ? problem : `${status} after ${ms} ms`;
}

/** @throws Unreachable when nobody takes a connection there */
async function reach(address: string): Promise<void> {
  const { hostname, port, protocol } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connect(Number(port || (protocol === "https:" ? 443 : 80)), host);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(attemptMs) });
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "no answer";
    throw new Unreachable(`Nothing listens at ${address} (${why}).`);
  } finally {
    socket.destroy();
  }
}
