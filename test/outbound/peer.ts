/** The other side of a request: a TCP server of which each test says what it does with a connection. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export class Peer {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  constructor(serve: (socket: Socket, number: number) => void) {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      // A test that cuts a connection off is told so by the other end.
      socket.on("error", () => undefined);
      serve(socket, this.sockets.length);
    });
  }

  /** @returns `http://127.0.0.1:<port>/` */
  async listen(): Promise<URL> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`);
  }

  /** Connections that are open now. */
  get open(): number {
    return this.sockets.filter((socket) => !socket.destroyed).length;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Also when it is reset. */
export const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once("close", () => resolve()));

/** Calls `each` with every request that arrives whole, judged by its headers alone. */
export function onRequests(socket: Socket, each: (head: string) => void): void {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const head = text.slice(0, end);
      text = text.slice(end + 4);
      each(head);
    }
  });
}

export const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
