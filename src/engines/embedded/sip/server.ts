/** The SIP side of the embedded engine: takes inbound calls over UDP and TCP (RFC 3261). */
import { createHmac, randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Log } from "../../../log";
import type { SipCall } from "./call";
import { accept, bad, readOffer, refusalOf } from "./checks";
import { dialogKey, Identity } from "./dialog";
import { Digest, type DigestAlgorithm } from "./digest";
import { Endpoint } from "./endpoint";
import type { Flow } from "./flow";
import { InboundCall } from "./inbound";
import { readMessage, type SipRequest } from "./message";
import { allow, type LocalParty } from "./negotiation";
import { type Answer, type Field, writeResponse } from "./response";
import { timersOf } from "./timers";
import { type InviteTransaction, Transactions, transactionKey } from "./transaction";

export interface SipOptions {
  /** Address to listen on, UDP and TCP. */
  readonly host: string;
  /** 0: one that is free for both. */
  readonly port: number;
  /** Stands in Contact, Via and SDP in place of `host` and the media address. */
  readonly publicHost: string | null;
  /** Name to password: INVITEs need digest credentials. null or empty: no authentication. */
  readonly users: ReadonlyMap<string, string> | null;
  /** What the challenge asks for, in this order; default MD5 alone, which every softphone knows. */
  readonly algorithms?: readonly DigestAlgorithm[];
  readonly log: Log;
  /** RFC 3261 T1 in ms, all other times are multiples of it; default 500. Shorter ones are for tests. */
  readonly t1?: number;
}

export interface SipStats {
  /** Calls that have not ended. */
  readonly calls: number;
  /** Dialogs, those that wait for the answer to our BYE included. */
  readonly dialogs: number;
  /** Transactions under way, and finished ones whose repeats are still recognised. */
  readonly transactions: number;
  /** TCP connections. */
  readonly connections: number;
  /** Exceptions that were caught while a message was handled: each is a bug. */
  readonly errors: number;
}

/** What calls leave behind at a time: refused INVITEs that wait for their ACK, dialogs that wait for the answer to our BYE. */
const maxRemains = 2000;
const later: Field = ["Retry-After", "10"];
const abilities: Answer = { status: 200, fields: [allow, accept] };

/** Without rport an answer goes to the port that Via names (RFC 3261 section 18.2.2, RFC 3581). */
function wayBack({ via }: SipRequest, source: Flow): Flow {
  if (source.reliable || via.params.has("rport")) return source;
  return source.toward(source.address, via.port ?? 5060);
}

export class SipServer {
  readonly #endpoint: Endpoint;
  readonly #party: LocalParty;
  readonly #transactions: Transactions;
  readonly #digest: Digest | null;
  readonly #secret = randomBytes(32);
  /** Calls that have not ended, by the transaction of their INVITE. */
  readonly #calls = new Map<InviteTransaction, InboundCall>();
  readonly #dialogs = new Map<string, InboundCall>();
  #draining = false;
  #closing: Promise<void> | null = null;
  #errors = 0;

  /**
   * `onCall` is told of each INVITE that could be taken, once it has its 100, and sets the call's handler before it
   * returns. How many calls there may be is for it to say: it refuses those that are too many.
   */
  constructor(
    private readonly options: SipOptions,
    private readonly onCall: (call: SipCall) => void,
  ) {
    const { host, publicHost, users } = options;
    const timers = timersOf(options.t1 ?? 500);
    const { log } = options;
    this.#endpoint = new Endpoint(host, timers, log, (message, flow, last) => this.#received(message, flow, last));
    const identity = new Identity(publicHost ?? host, this.#endpoint);
    this.#party = { identity, publicHost, timers, family: isIPv6(host) ? 6 : 4 };
    this.#transactions = new Transactions(timers);
    this.#digest = users && users.size > 0 ? new Digest(users, options.algorithms ?? ["MD5"], timers.nonce) : null;
  }

  /** UDP and TCP on the same port. Rejects with the system's error (EADDRINUSE, EADDRNOTAVAIL, …). */
  async listen(): Promise<{ port: number }> {
    await this.#endpoint.listen(this.options.port);
    return { port: this.#endpoint.port };
  }

  /** New INVITEs get 503 with Retry-After from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** BYE or a final response for what is left, then the sockets. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.drain();
    for (const call of new Set([...this.#calls.values(), ...this.#dialogs.values()])) call.shutDown();
    // Long enough for some repeats, not for a caller who has vanished.
    await this.#transactions.settle(4 * this.#party.timers.t1);
    this.#transactions.close();
    this.#dialogs.clear();
    await this.#endpoint.close();
  }

  stats(): SipStats {
    return {
      calls: this.#calls.size,
      dialogs: this.#dialogs.size,
      transactions: this.#transactions.size,
      connections: this.#endpoint.connections,
      errors: this.#errors,
    };
  }

  #received(bytes: Buffer, source: Flow, last: boolean): void {
    let request: SipRequest | null = null;
    try {
      const message = readMessage(bytes);
      if (message?.kind === "response") this.#transactions.response(message);
      else if (!message) source.end();
      else if (message.method === "ACK") this.#acknowledged(message);
      else {
        request = message;
        const flow = wayBack(message, source);
        const answer = this.#answerTo(message, flow, source, last);
        if (answer) this.#reply(message, flow, answer);
      }
    } catch (error) {
      this.#failed(error);
      if (request) this.#reply(request, source, { status: 500 });
    }
  }

  #failed(error: unknown): void {
    this.#errors++;
    this.options.log.error({ err: error }, "SIP message could not be handled");
  }

  /**
   * An answer that keeps nothing (section 8.2.7): a repeated request is looked at anew, with the same outcome. Its tag
   * is made from the request, so that it is the same, too.
   */
  #reply(request: SipRequest, flow: Flow, answer: Answer): void {
    const { callId, fromTag, branch, method } = request;
    const tag = createHmac("sha256", this.#secret).update(`${callId} ${fromTag} ${branch}`).digest("hex").slice(0, 18);
    if (answer.status >= 300 && this.options.log.isLevelEnabled("debug")) {
      this.options.log.debug({ method, status: answer.status, source: flow.address }, "SIP request refused");
    }
    flow.send(writeResponse(request, flow, { tag, ...answer }));
  }

  /** What to answer with nothing kept of it; null: the request was dealt with. */
  #answerTo(request: SipRequest, flow: Flow, source: Flow, last: boolean): Answer | null {
    const fault = request.fault ?? (last ? bad("Missing Content-Length") : null);
    if (fault) return fault;
    if (this.#transactions.repeated(transactionKey(request))) return null;
    const unfit = refusalOf(request);
    if (unfit) return unfit;
    if (request.method === "CANCEL") return this.#cancel(request, flow);
    if (request.toTag !== "") return this.#within(request, flow, source);
    if (request.method === "INVITE") return this.#invite(request, flow, source);
    if (request.method !== "OPTIONS") return { status: 481 };
    // As an INVITE would be answered (section 11.2).
    return this.#draining ? { status: 503, fields: [later] } : abilities;
  }

  /** An ACK is never answered: what it does not fit is dropped. */
  #acknowledged(request: SipRequest): void {
    if (request.fault) return;
    const refused = this.#transactions.inviteOf(request);
    const call = this.#dialogs.get(dialogKey(request.callId, request.toTag));
    if (refused) refused.acknowledged();
    else if (call?.dialog.isFrom(request)) call.acknowledged(request);
  }

  #cancel(request: SipRequest, flow: Flow): Answer | null {
    const invite = this.#transactions.inviteOf(request);
    const call = invite && this.#calls.get(invite);
    if (!call) return { status: invite || this.#transactions.knows(request) ? 200 : 481 };
    // Before the 487, with the tag of the INVITE's own answers (section 9.2).
    this.#reply(request, flow, { status: 200, tag: call.dialog.localTag });
    call.cancel();
    return null;
  }

  /** A request within a dialog. */
  #within(request: SipRequest, flow: Flow, source: Flow): Answer | null {
    const call = this.#dialogs.get(dialogKey(request.callId, request.toTag));
    if (!call?.dialog.isFrom(request)) return { status: 481 };
    if (!call.dialog.takes(request, source)) return { status: 500, reason: "CSeq out of order" };
    if (request.method === "INVITE") return this.#renew(request, flow, call);
    if (request.method === "OPTIONS") return abilities;
    const answer = request.method === "INFO" ? call.info(request) : { status: 200 };
    this.#transactions.answer(request, flow, writeResponse(request, flow, answer));
    if (request.method === "BYE") call.ended(request);
    return null;
  }

  #renew(request: SipRequest, flow: Flow, call: InboundCall): Answer | null {
    if (this.#full()) return { status: 503, fields: [later] };
    const read = readOffer(request, this.#party.family);
    const transaction = this.#transactions.invite(request, flow);
    const invitation = { request, flow, transaction, offer: "offer" in read ? read.offer : null };
    const refusal = call.busy() ?? ("refusal" in read ? read.refusal : null);
    if (refusal) call.deny(invitation, refusal);
    else call.renew(invitation);
    return null;
  }

  /** Callers who never acknowledge a refusal or answer a BYE keep something of each call for 64 T1. */
  #full(): boolean {
    return Math.max(this.#transactions.open, this.#dialogs.size) >= this.#calls.size + maxRemains;
  }

  #invite(request: SipRequest, flow: Flow, source: Flow): Answer | null {
    // Before the credentials: they were used up by the copy that came first.
    if (this.#transactions.merged(request)) return { status: 482 };
    const unknown = this.#unknown(request, source);
    if (unknown) return unknown;
    if (request.headers.get("contact") === undefined) return bad("Missing Contact");
    const read = readOffer(request, this.#party.family);
    if ("refusal" in read) return read.refusal;
    if (this.#draining || this.#full()) return { status: 503, fields: [later] };
    const transaction = this.#transactions.invite(request, flow);
    const stamp = request.headers.get("timestamp");
    const fields: Field[] = stamp === undefined ? [] : [["Timestamp", stamp]];
    transaction.provisional(writeResponse(request, flow, { status: 100, fields }));
    const owner = {
      party: this.#party,
      transactions: this.#transactions,
      ended: () => this.#calls.delete(transaction),
      gone: (call: InboundCall) => this.#dialogs.delete(call.dialog.key),
    };
    const call = new InboundCall(owner, { request, flow, transaction, offer: read.offer }, source);
    this.#calls.set(transaction, call);
    this.#dialogs.set(call.dialog.key, call);
    try {
      this.onCall(call);
    } catch (error) {
      this.#failed(error);
      call.refuse(500);
    }
    return null;
  }

  /** Digest authentication of a new call; null: let in. */
  #unknown(request: SipRequest, source: Flow): Answer | null {
    const credentials = this.#digest?.check(request, source.address) ?? "valid";
    if (!this.#digest || credentials === "valid") return null;
    if (credentials === "wrong") this.options.log.info({ source: source.address }, "SIP caller with wrong credentials");
    return { status: 401, fields: this.#digest.challenge(source.address, credentials === "stale") };
  }
}
