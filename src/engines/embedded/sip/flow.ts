/** The way to a peer: a UDP address through our socket, or a TCP connection that the peer opened. */
import type { Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket as TcpSocket } from "node:net";
import { Framing } from "./framing";
import type { Source } from "./response";
import type { Timers } from "./timers";

export interface Flow extends Source {
  readonly transport: "UDP" | "TCP";
  /** What is sent arrives, or the flow breaks. */
  readonly reliable: boolean;
  /** Never throws; what cannot be sent is lost, as it is on any network. */
  send(bytes: Buffer): void;
  /** The same way to another address; a connection has only one. */
  toward(address: string, port: number): Flow;
  /** Keeps a connection open while a call lives on it; `broken` is called when it breaks. Gives the way to let go. */
  hold(broken: () => void): () => void;
  /** Ends a connection whose bytes make no sense. */
  end(): void;
}

export class UdpFlow implements Flow {
  readonly transport = "UDP";
  readonly reliable = false;

  constructor(
    private readonly socket: UdpSocket,
    readonly address: string,
    readonly port: number,
    private readonly unsent: (error: Error) => void,
  ) {}

  send(bytes: Buffer): void {
    this.socket.send(bytes, this.port, this.address, (error) => {
      if (error) this.unsent(error);
    });
  }

  toward(address: string, port: number): Flow {
    return new UdpFlow(this.socket, address, port, this.unsent);
  }

  /** Datagrams have nothing that could break. */
  hold(): () => void {
    return () => undefined;
  }

  end(): void {
    // The socket is everybody's.
  }
}

/** Bytes that may wait for a peer that does not read. */
const unread = 262_144;

export class TcpFlow implements Flow {
  readonly transport = "TCP";
  readonly reliable = true;
  readonly address: string;
  readonly port: number;
  readonly #framing = new Framing();
  readonly #holders = new Set<() => void>();
  #unfinished: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: TcpSocket,
    private readonly timers: Timers,
    received: (message: Buffer, flow: TcpFlow, last: boolean) => void,
    closed: (flow: TcpFlow) => void,
  ) {
    this.address = socket.remoteAddress ?? "";
    this.port = socket.remotePort ?? 0;
    socket.setNoDelay(true);
    socket.setTimeout(timers.idle);
    socket.on("timeout", () => {
      // Once it has fired, activity does not wind it up again: that has to be asked for.
      if (this.#holders.size > 0) socket.setTimeout(timers.idle);
      else socket.destroy();
    });
    socket.on("data", (chunk) => {
      for (const { message, last } of this.#framing.push(chunk)) {
        received(message, this, last);
        if (last) this.end();
        if (socket.destroyed || socket.writableEnded) break;
      }
      if (this.#framing.pinged()) this.send(pong);
      this.#watch();
    });
    // A broken connection is no error of ours: "close" follows and says all there is to say.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(this.#unfinished);
      for (const broken of [...this.#holders]) broken();
      closed(this);
    });
  }

  /** A message that was begun has to be finished: a slow sender holds a place that others want. */
  #watch(): void {
    if (this.#framing.pending === 0 || this.socket.destroyed) {
      clearTimeout(this.#unfinished);
      this.#unfinished = undefined;
    } else this.#unfinished ??= setTimeout(() => this.socket.destroy(), this.timers.unfinished);
  }

  send(bytes: Buffer): void {
    if (!this.socket.writable) return;
    if (this.socket.writableLength > unread) this.socket.destroy();
    else this.socket.write(bytes);
  }

  toward(): Flow {
    return this;
  }

  hold(broken: () => void): () => void {
    this.#holders.add(broken);
    return () => this.#holders.delete(broken);
  }

  end(): void {
    this.socket.end();
    this.#unfinished ??= setTimeout(() => this.socket.destroy(), this.timers.unfinished);
  }

  /** Breaks the connection; resolves when nothing of it is left. */
  async destroy(): Promise<void> {
    const closed = once(this.socket, "close");
    this.socket.destroy();
    await closed;
  }
}
const pong = Buffer.from("\r\n");
