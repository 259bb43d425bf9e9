/** Server transactions (RFC 3261 section 17.2, RFC 6026) and those of our own BYEs (section 17.1.2). */
import type { Flow } from "./flow";
import type { SipRequest, SipResponse } from "./message";
import { Repetition, type Timers } from "./timers";

/** Finished transactions whose repeats are recognised, and the bytes of their answers: the oldest go first. */
const maxFinished = 50_000;
const maxFinishedBytes = 33_554_432;

/** What tells one transaction from all others (section 17.2.3); ACK and CANCEL ask for the key of their INVITE. */
export function transactionKey(request: SipRequest, method = request.method): string {
  const { via, branch } = request;
  if (branch.startsWith("z9hG4bK")) return `${branch} ${via.host.toLowerCase()}:${via.port ?? ""} ${method}`;
  // RFC 2543 has no such branch: the request itself has to do.
  return `2543 ${[request.uri, request.fromTag, request.callId, request.cseq, via.head, branch, method].join(" ")}`;
}

/** One request that came over two ways has this in common (section 8.2.2.2). */
function mergeKey(request: SipRequest): string {
  return `${request.callId} ${request.fromTag} ${request.cseq}`;
}

/** An INVITE from its 100 to the ACK of its refusal, or to its 2xx, which is the call's business from then on. */
export class InviteTransaction {
  #last: Buffer | null = null;
  #final = false;
  #repetition: Repetition | null = null;

  constructor(
    readonly key: string,
    readonly merge: string,
    readonly flow: Flow,
    private readonly timers: Timers,
    /** Called once, when only repeats can still come. */
    private readonly finished: () => void,
  ) {}

  get final(): boolean {
    return this.#final;
  }

  provisional(bytes: Buffer): void {
    this.#last = bytes;
    this.flow.send(bytes);
  }

  /** Says the last provisional response again, so that no proxy on the way gives up (section 13.3.1.1). */
  again(): void {
    if (this.#last) this.flow.send(this.#last);
  }

  /**
   * Accepted (RFC 6026 section 7.1): repeats of the INVITE are swallowed, the call repeats its 2xx. Also the end of an
   * INVITE whose connection broke: there is nobody to answer.
   */
  leave(): void {
    this.#final = true;
    this.finished();
  }

  /** Completed: repeated until the ACK, which the caller owes on every transport. */
  refuse(bytes: Buffer): void {
    this.#final = true;
    this.#last = bytes;
    this.flow.send(bytes);
    this.#repetition = new Repetition(this.timers, this.flow.reliable ? null : () => this.again(), this.finished);
  }

  acknowledged(): void {
    if (!this.#repetition) return;
    this.stop();
    this.finished();
  }

  stop(): void {
    this.#repetition?.stop();
    this.#repetition = null;
  }
}

interface Finished {
  /** Null: repeats are swallowed. */
  readonly answer: { readonly flow: Flow; readonly bytes: Buffer } | null;
  readonly merge: string | null;
  readonly expires: number;
}

interface OwnRequest {
  readonly repetition: Repetition;
  readonly done: () => void;
}

export class Transactions {
  readonly #invites = new Map<string, InviteTransaction>();
  readonly #merges = new Map<string, string>();
  readonly #finished = new Map<string, Finished>();
  readonly #own = new Map<string, OwnRequest>();
  #finishedBytes = 0;
  #sweep: NodeJS.Timeout | undefined;
  #idle: (() => void) | null = null;

  constructor(private readonly timers: Timers) {}

  get size(): number {
    return this.#invites.size + this.#finished.size + this.#own.size;
  }

  /** INVITEs that wait for us or for their ACK. */
  get open(): number {
    return this.#invites.size;
  }

  /** A repeat is answered as before. False: the request is new. */
  repeated(key: string): boolean {
    const invite = this.#invites.get(key);
    if (invite) {
      invite.again();
      return true;
    }
    const finished = this.#finished.get(key);
    finished?.answer?.flow.send(finished.answer.bytes);
    return finished !== undefined;
  }

  /** Did this request come before, over another way? */
  merged(request: SipRequest): boolean {
    return this.#merges.has(mergeKey(request));
  }

  invite(request: SipRequest, flow: Flow): InviteTransaction {
    const key = transactionKey(request);
    const merge = mergeKey(request);
    const transaction = new InviteTransaction(key, merge, flow, this.timers, () => {
      this.#invites.delete(key);
      this.#keep(key, { answer: null, merge, expires: Date.now() + this.timers.limit });
      this.#settled();
    });
    this.#invites.set(key, transaction);
    this.#merges.set(merge, key);
    return transaction;
  }

  /** The INVITE that a CANCEL or an ACK belongs to, as long as it is not finished. */
  inviteOf(request: SipRequest): InviteTransaction | undefined {
    return this.#invites.get(transactionKey(request, "INVITE"));
  }

  /** Was there such an INVITE? It is: finished. */
  knows(request: SipRequest): boolean {
    return this.#finished.has(transactionKey(request, "INVITE"));
  }

  /** The answer to a request other than INVITE: sent, and kept for repeats where the transport may make them. */
  answer(request: SipRequest, flow: Flow, bytes: Buffer): void {
    flow.send(bytes);
    if (flow.reliable) return;
    this.#keep(transactionKey(request), {
      answer: { flow, bytes },
      merge: null,
      expires: Date.now() + this.timers.limit,
    });
  }

  /** Sends a request of ours until any final response or until the limit; `done` comes once. */
  request(branch: string, flow: Flow, bytes: Buffer, done: () => void): void {
    const settle = () => {
      this.#own.delete(branch);
      done();
      this.#settled();
    };
    flow.send(bytes);
    const repetition = new Repetition(this.timers, flow.reliable ? null : () => flow.send(bytes), settle);
    this.#own.set(branch, { repetition, done: settle });
  }

  /** Any final response ends our request, a 401, 407 or 481 as well: the other side has no call any more. */
  response(response: SipResponse): void {
    const own = this.#own.get(response.branch);
    if (!own || response.method !== "BYE" || response.status < 200) return;
    own.repetition.stop();
    own.done();
  }

  /** Resolves when no INVITE waits for its ACK and none of our requests for its answer, or after `ms`. */
  async settle(ms: number): Promise<void> {
    if (this.#invites.size + this.#own.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #settled(): void {
    if (this.#invites.size + this.#own.size === 0) this.#idle?.();
  }

  /** All of them live equally long, so the map's order is the order in which they expire. */
  #keep(key: string, finished: Finished): void {
    this.#finished.set(key, finished);
    this.#finishedBytes += finished.answer?.bytes.length ?? 0;
    while (this.#finished.size > maxFinished || this.#finishedBytes > maxFinishedBytes) this.#forgetOldest();
    this.#sweep ??= setInterval(() => this.#expire(), this.timers.t2);
  }

  #expire(): void {
    const now = Date.now();
    for (const { expires } of this.#finished.values()) {
      if (expires > now) break;
      this.#forgetOldest();
    }
    if (this.#finished.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #forgetOldest(): void {
    for (const [key, { answer, merge }] of this.#finished) {
      this.#finished.delete(key);
      this.#finishedBytes -= answer?.bytes.length ?? 0;
      if (merge !== null) this.#merges.delete(merge);
      return;
    }
  }

  /** Stops every clock and forgets everything. */
  close(): void {
    for (const invite of this.#invites.values()) invite.stop();
    for (const own of this.#own.values()) own.repetition.stop();
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    for (const map of [this.#invites, this.#merges, this.#finished, this.#own]) map.clear();
    this.#finishedBytes = 0;
  }
}
