/** The SIP side of a phone: one socket or connection, and the client transactions on it (RFC 3261 section 17.1). */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, isIPv6 } from "node:net";
import { type Flow, TcpFlow, UdpFlow } from "../engines/embedded/sip/flow";
import { readMessage, type SipRequest, type SipResponse } from "../engines/embedded/sip/message";
import { Repetition, type Timers } from "../engines/embedded/sip/timers";
import type { Destination } from "./destination";

/** A request of ours, ready to go out. */
export interface Outgoing {
  readonly method: string;
  readonly branch: string;
  readonly bytes: Buffer;
}

interface Transaction {
  readonly repetition: Repetition;
  /** Null: nobody answered in time, or the connection broke. */
  readonly answered: (response: SipResponse | null) => void;
}

/** Told of what comes in. */
export interface Incoming {
  request(request: SipRequest, flow: Flow): void;
  /** The connection broke. */
  broken(): void;
}

/** Transactions that are kept for the repeats of their answers: more than one call has. */
const keptMost = 64;

export class Agent {
  readonly #transactions = new Map<string, Transaction>();
  #closed = false;

  private constructor(
    /** The way to the destination. */
    readonly flow: Flow,
    /** Our own address on that way. */
    readonly host: string,
    readonly port: number,
    private readonly timers: Timers,
    private readonly release: () => Promise<void>,
  ) {}

  /** Rejects when the connection is refused, or the system has no way there. */
  static async toward(place: Destination, timers: Timers, incoming: Incoming): Promise<Agent> {
    let agent: Agent | null = null;
    const received = (bytes: Buffer, flow: Flow) => agent?.receive(bytes, flow, incoming);
    agent =
      place.transport === "TCP" ? await Agent.tcp(place, timers, received) : await Agent.udp(place, timers, received);
    const opened = agent;
    opened.flow.hold(() => {
      if (!opened.#closed) incoming.broken();
    });
    return opened;
  }

  private static async tcp(place: Destination, timers: Timers, received: (bytes: Buffer, flow: Flow) => void) {
    const socket = connect(place.port, place.address);
    await once(socket, "connect");
    let gone: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const flow = new TcpFlow(socket, timers, received, gone);
    const release = async () => {
      socket.destroy();
      await closed;
    };
    return new Agent(flow, socket.localAddress ?? "", socket.localPort ?? 0, timers, release);
  }

  private static async udp(place: Destination, timers: Timers, received: (bytes: Buffer, flow: Flow) => void) {
    const host = await ownAddress(place);
    const socket = createSocket(isIPv6(place.address) ? "udp6" : "udp4");
    socket.bind(0, host);
    await once(socket, "listening");
    // What is not sent is lost, as on any network: it is repeated.
    const unsent = () => undefined;
    socket.on("error", unsent);
    const toward = (address: string, port: number) => new UdpFlow(socket, address, port, unsent);
    socket.on("message", (bytes, from) => {
      if (from.port > 0) received(bytes, toward(from.address, from.port));
    });
    const release = () => new Promise<void>((resolve) => socket.close(() => resolve()));
    return new Agent(toward(place.address, place.port), host, socket.address().port, timers, release);
  }

  /** Sends what needs no answer: responses and ACKs. */
  send(bytes: Buffer, flow: Flow = this.flow): void {
    if (!this.#closed) flow.send(bytes);
  }

  /**
   * Sends a request and repeats it until it is answered: INVITE by timers A and B, until anything comes; others by E and
   * F, until their final response. `answered` gets each response, repeats included.
   */
  request({ method, branch, bytes }: Outgoing, flow: Flow, answered: Transaction["answered"]): void {
    const key = `${branch} ${method}`;
    // Of an INVITE the gap doubles without a bound (section 17.1.1.2).
    const timers = method === "INVITE" ? { ...this.timers, t2: this.timers.limit } : this.timers;
    const repeat = flow.reliable ? null : () => this.send(bytes, flow);
    const repetition = new Repetition(timers, repeat, () => answered(null));
    for (const [oldest, { repetition: old }] of this.#transactions) {
      if (this.#transactions.size < keptMost) break;
      old.stop();
      this.#transactions.delete(oldest);
    }
    this.#transactions.set(key, { repetition, answered });
    this.send(bytes, flow);
  }

  /** No request is repeated any longer, and nothing is heard. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { repetition } of this.#transactions.values()) repetition.stop();
    await this.release();
  }

  private receive(bytes: Buffer, flow: Flow, incoming: Incoming): void {
    if (this.#closed) return;
    const message = readMessage(bytes);
    if (message?.kind === "request") incoming.request(message, flow);
    else if (message) this.respond(message);
  }

  private respond(response: SipResponse): void {
    const transaction = this.#transactions.get(`${response.branch} ${response.method}`);
    if (!transaction) return;
    if (response.status >= 200 || response.method === "INVITE") transaction.repetition.stop();
    transaction.answered(response);
  }
}

/** The address that the system sends from to get there: what SDP and Contact name. */
async function ownAddress({ address, port }: Destination): Promise<string> {
  const probe: UdpSocket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  try {
    probe.connect(port, address);
    await once(probe, "connect");
    return probe.address().address;
  } finally {
    probe.close();
  }
}
