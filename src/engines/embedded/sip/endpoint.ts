/** The sockets: UDP and TCP on one port. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import type { Log } from "../../../log";
import { type Flow, TcpFlow, UdpFlow } from "./flow";
import type { Timers } from "./timers";

/** TCP connections at a time; further ones are closed at once. */
const maxConnections = 1024;
/** How often a port that is free for TCP is tried for UDP. */
const attempts = 20;

/** Told of each message; `last`: the stream cannot be read on behind it. */
export type Received = (message: Buffer, flow: Flow, last: boolean) => void;

export class Endpoint {
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  readonly #connections = new Set<TcpFlow>();
  #port = 0;

  constructor(
    private readonly host: string,
    private readonly timers: Timers,
    private readonly log: Log,
    private readonly received: Received,
  ) {}

  /** Known before the first message comes in. */
  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Opens both sockets. Rejects with the system's error when the address cannot be had. */
  async listen(port: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const tcp = await this.#listenTcp(port);
      try {
        this.#udp = await this.#bindUdp(this.#port);
        this.#tcp = tcp;
        return;
      } catch (error) {
        await new Promise((resolve) => tcp.close(resolve));
        const taken = typeof error === "object" && error !== null && "code" in error && error.code === "EADDRINUSE";
        if (port !== 0 || !taken || attempt === attempts) throw error;
      }
    }
  }

  #listenTcp(port: number): Promise<Server> {
    const server = createServer((socket) => this.#accept(socket));
    server.maxConnections = maxConnections;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, this.host, () => {
        server.off("error", reject);
        server.on("error", (error) => this.log.error({ err: error }, "SIP listener failed"));
        const address = server.address();
        this.#port = typeof address === "object" && address ? address.port : port;
        resolve(server);
      });
    });
  }

  #accept(socket: Socket): void {
    const flow = new TcpFlow(socket, this.timers, this.received, (closed) => this.#connections.delete(closed));
    this.#connections.add(flow);
  }

  #bindUdp(port: number): Promise<UdpSocket> {
    // A burst of calls has to wait somewhere while the process is busy: the system's default is 200 KB.
    const socket = createSocket({ type: isIPv6(this.host) ? "udp6" : "udp4", recvBufferSize: 2 ** 21 });
    const unsent = (error: Error) => this.log.debug({ err: error }, "SIP datagram not sent");
    return new Promise((resolve, reject) => {
      socket.once("error", (error) => {
        socket.close();
        reject(error);
      });
      socket.bind(port, this.host, () => {
        socket.removeAllListeners("error");
        socket.on("error", (error) => this.log.error({ err: error }, "SIP socket failed"));
        socket.on("message", (message, from) => {
          // Nobody can be answered at port 0, and a try to do so would throw.
          if (from.port > 0) this.received(message, new UdpFlow(socket, from.address, from.port, unsent), false);
        });
        resolve(socket);
      });
    });
  }

  /** Closes the sockets and breaks every connection. */
  async close(): Promise<void> {
    const [udp, tcp] = [this.#udp, this.#tcp];
    this.#udp = undefined;
    this.#tcp = undefined;
    const closed = tcp && new Promise((resolve) => tcp.close(resolve));
    await Promise.all([...this.#connections].map((connection) => connection.destroy()));
    await closed;
    if (udp) await new Promise<void>((resolve) => udp.close(resolve));
  }
}
