/** A SIP client of the tests' own: raw sockets, no transactions, no retransmissions; what it sends is what a test writes. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { Inbox } from "./inbox";

/** A message as it came: header names in lower case, values in order. */
export class Message {
  readonly start: string;
  readonly body: string;
  readonly #fields: [string, string][];

  constructor(readonly raw: string) {
    const [head = "", ...rest] = raw.split("\r\n\r\n");
    const [start = "", ...lines] = head.split("\r\n");
    this.start = start;
    this.body = rest.join("\r\n\r\n");
    this.#fields = lines.map((line) => {
      const cut = line.indexOf(":");
      return [line.slice(0, cut).trim().toLowerCase(), line.slice(cut + 1).trim()];
    });
  }

  /** 0 for a request. */
  get status(): number {
    return Number(/^SIP\/2\.0 (\d{3}) /.exec(this.start)?.[1] ?? 0);
  }

  /** Of a request; of a response the method of its CSeq. */
  get method(): string {
    return this.status > 0 ? (this.get("cseq").split(" ")[1] ?? "") : (this.start.split(" ")[0] ?? "");
  }

  get(name: string): string {
    return this.all(name)[0] ?? "";
  }

  all(name: string): string[] {
    return this.#fields.filter((field) => field[0] === name).map((field) => field[1]);
  }

  get toTag(): string {
    return /;tag=([^;\s]+)/.exec(this.get("to"))?.[1] ?? "";
  }
}

export interface Client {
  readonly transport: "UDP" | "TCP";
  readonly port: number;
  readonly inbox: Inbox<Message>;
  /** Bytes that were no message, such as keep-alives. */
  readonly stray: Inbox<string>;
  send(bytes: string | Buffer): void;
  /** Resolves when the connection has been closed by the other side. */
  readonly closed: Promise<unknown>;
  close(): Promise<void>;
}

const show = (message: Message) => message.start;

export async function udpClient(serverPort: number, port = 0): Promise<Client> {
  const socket = createSocket("udp4");
  const inbox = new Inbox(show);
  socket.on("message", (bytes) => inbox.put(new Message(bytes.toString("latin1"))));
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  const closed = once(socket, "close");
  return {
    transport: "UDP",
    port: socket.address().port,
    inbox,
    stray: new Inbox<string>(JSON.stringify),
    send: (bytes) => socket.send(bytes, serverPort, "127.0.0.1"),
    closed,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

export async function tcpClient(serverPort: number): Promise<Client> {
  const socket = connect(serverPort, "127.0.0.1");
  const closed = new Promise((resolve) => socket.on("close", resolve));
  await once(socket, "connect");
  socket.setNoDelay(true);
  // A server that closes a connection in the midst of what we write resets it.
  socket.on("error", () => socket.destroy());
  const inbox = new Inbox(show);
  const stray = new Inbox<string>(JSON.stringify);
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    while (text !== "") {
      const blank = /^[\r\n]+/.exec(text)?.[0] ?? "";
      if (blank !== "") stray.put(blank);
      text = text.slice(blank.length);
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      inbox.put(new Message(text.slice(0, end + 4 + length)));
      text = text.slice(end + 4 + length);
    }
  });
  return {
    transport: "TCP",
    port: socket.localPort ?? 0,
    inbox,
    stray,
    send: (bytes) => socket.write(bytes),
    closed,
    close: async () => {
      socket.destroy();
      await closed;
    },
  };
}
