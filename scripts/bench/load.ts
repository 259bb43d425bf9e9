/** A plain HTTP/1.1 load generator: kept-alive connections, one request at a time on each. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";

export interface Load {
  readonly port: number;
  /** Whole requests, head and body; connection `i` sends the ith, then the one `connections` further on, round and round. */
  readonly requests: readonly Buffer[];
  readonly connections: number;
  readonly total: number;
  /** Status that every answer must have. */
  readonly status: number;
  /** Milliseconds between two requests of a connection, at least; without it one follows the answer to the other at once. */
  readonly every_ms?: number;
}

export interface Ran {
  readonly seconds: number;
  /** Milliseconds from the write of a request to its whole answer, ascending. */
  readonly took: Float64Array;
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
 * Rejects with the first answer of another status.
 */
export async function run({ port, requests, connections, total, status, every_ms = 0 }: Load): Promise<Ran> {
  let running = true;
  const spin = () => {
    if (running) setImmediate(spin);
  };
  spin();
  const expected = `HTTP/1.1 ${status} `;
  const took = new Float64Array(total);
  let begun = 0;
  let answered = 0;
  const begin = performance.now();
  const work = async (first: number): Promise<void> => {
    const socket = createConnection(port, "127.0.0.1");
    await once(socket, "connect");
    socket.setNoDelay(true);
    let place = first;
    const next = (): Buffer | undefined => {
      if (begun === total) return undefined;
      begun += 1;
      const request = requests[place % requests.length];
      place += connections;
      if (!request) throw new Error("no request to send");
      return request;
    };
    try {
      const noted = (ms: number) => {
        took[answered] = ms;
        answered += 1;
      };
      await repeat(socket, expected, next, noted, every_ms);
    } finally {
      socket.destroy();
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, (_, i) => work(i)));
  } finally {
    running = false;
  }
  return { seconds: (performance.now() - begin) / 1000, took: took.sort() };
}

function repeat(
  socket: Socket,
  expected: string,
  next: () => Buffer | undefined,
  answered: (ms: number) => void,
  every_ms: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    let sent = 0;
    const send = () => {
      const request = next();
      if (!request) return resolve();
      sent = performance.now();
      socket.write(request);
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      if (head === -1) return;
      const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? "0";
      if (text.length < head + 4 + Number(length)) return;
      if (!text.startsWith(expected)) reject(new Error(`not ${expected}but ${text}`));
      text = "";
      const took = performance.now() - sent;
      answered(took);
      if (took < every_ms) setTimeout(send, every_ms - took);
      else send();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
    send();
  });
}
