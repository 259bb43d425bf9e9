/** Everything that a Redis is given to do, as it comes: by `MONITOR`. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A command that came over a connection: those that scripts call in turn are left out. */
export interface Given {
  /** In lower case. */
  readonly command: string;
  /** The first argument: of `evalsha` the digest of the script. */
  readonly first: string;
}

/** `+1795393322.352634 [0 127.0.0.1:57404] "evalsha" "5ade…" …` */
const line = /^\+[\d.]+ \[\d+ ([^\]]+)\] "([^"]*)"(?: "([^"]*)")?/;

export class RedisMonitor {
  readonly given: Given[] = [];
  readonly #socket: Socket;
  #text = "";
  #grown: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.#take(chunk));
    // It ends with its server.
    socket.on("error", () => undefined);
  }

  /** Resolves once nothing is missed any more. */
  static async start(port: number): Promise<RedisMonitor> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const monitor = new RedisMonitor(socket);
    socket.write("MONITOR\r\n");
    await once(socket, "data");
    return monitor;
  }

  /** What came until now, which is known as soon as this has come: an `echo` of this text, given by the caller. */
  async until(text: string): Promise<readonly Given[]> {
    const isEnd = ({ command, first }: Given) => command === "echo" && first === text;
    while (!this.given.some(isEnd)) {
      await new Promise<void>((resolve) => {
        this.#grown = resolve;
      });
    }
    return this.given.slice(0, this.given.findIndex(isEnd));
  }

  stop(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    const lines = (this.#text + chunk).split("\r\n");
    this.#text = lines.pop() ?? "";
    for (const each of lines) {
      const [, source, command, first = ""] = line.exec(each) ?? [];
      if (command !== undefined && source !== "lua") this.given.push({ command: command.toLowerCase(), first });
    }
    this.#grown();
  }
}
