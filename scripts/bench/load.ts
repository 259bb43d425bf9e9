/** A plain HTTP/1.1 load generator: kept-alive connections, one request at a time on each. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";

export interface Load {
  readonly port: number;
  /** Whole requests, head and body; connection `i` sends `requests[i % length]` over and over. */
  readonly requests: readonly Buffer[];
  readonly connections: number;
  readonly total: number;
  /** Status that every answer must have. */
  readonly status: number;
}

/** Bytes of a POST of JSON, as an ordinary client sends it. */
export function post(path: string, headers: Readonly<Record<string, string>>, body: object): Buffer {
  const text = JSON.stringify(body);
  const lines = Object.entries({ Host: "127.0.0.1", "Content-Type": "application/json", ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

/**
 * Never sleeps while it waits: what a server pays to wake a client differs with how slow that server is.
 * @returns seconds it took; rejects with the first answer of another status
 */
export async function run({ port, requests, connections, total, status }: Load): Promise<number> {
  let running = true;
  const spin = () => {
    if (running) setImmediate(spin);
  };
  spin();
  const expected = `HTTP/1.1 ${status} `;
  let left = total;
  const begin = performance.now();
  const work = async (i: number): Promise<void> => {
    const socket = createConnection(port, "127.0.0.1");
    await once(socket, "connect");
    socket.setNoDelay(true);
    const request = requests[i % requests.length];
    if (!request) throw new Error("no request to send");
    try {
      await repeat(socket, request, expected, () => left-- > 0);
    } finally {
      socket.destroy();
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, (_, i) => work(i)));
  } finally {
    running = false;
  }
  return (performance.now() - begin) / 1000;
}

function repeat(socket: Socket, request: Buffer, expected: string, next: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    const send = () => (next() ? socket.write(request) : resolve());
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      if (head === -1) return;
      const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? "0";
      if (text.length < head + 4 + Number(length)) return;
      if (!text.startsWith(expected)) reject(new Error(`not ${expected}but ${text}`));
      text = "";
      send();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
    send();
  });
}
