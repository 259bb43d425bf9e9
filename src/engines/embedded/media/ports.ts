/** The local RTP ports: the even ones of a range (RFC 3550, section 11), in turn, so that one just freed rests longest. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/** An address is sent to as it is: names were never let in, so there is nothing to look up and no detour per packet. */
function literal(
  address: string,
  _options: unknown,
  found: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  found(null, address, isIPv6(address) ? 6 : 4);
}

export class Ports {
  private readonly first: number;
  private readonly count: number;
  private turn = 0;
  private readonly used = new Set<number>();

  constructor(
    private readonly host: string,
    min: number,
    max: number,
  ) {
    this.first = min + (min % 2);
    this.count = Math.max(0, Math.floor((max - this.first) / 2) + 1);
  }

  /** A bound socket; its port is free again once it is closed. Null when no port is left: each was tried once. Rejects when the host itself is wrong. */
  async take(): Promise<{ socket: Socket; port: number } | null> {
    for (let tried = 0; tried < this.count; tried++) {
      const port = this.first + 2 * (this.turn++ % this.count);
      if (this.used.has(port)) continue;
      // Before the wait, so that nobody else tries the same port meanwhile.
      this.used.add(port);
      const socket = createSocket({ type: isIPv6(this.host) ? "udp6" : "udp4", lookup: literal });
      socket.once("close", () => this.used.delete(port));
      const error = await this.bind(socket, port);
      if (error === null) return { socket, port };
      socket.close();
      if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
    }
    return null;
  }

  private bind(socket: Socket, port: number): Promise<NodeJS.ErrnoException | null> {
    return new Promise((resolve) => {
      socket.once("error", resolve);
      socket.bind({ address: this.host, port, exclusive: true }, () => {
        socket.removeListener("error", resolve);
        resolve(null);
      });
    });
  }
}
