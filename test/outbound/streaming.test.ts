/** Requests whose body is a stream. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { afterEach, expect, test } from "@jest/globals";
import { discard, Outbound, type OutboundRequest, RequestError } from "../../src/outbound/request";
import { closeOf, ok, onRequests, Peer } from "./peer";

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

async function server(serve: RequestListener): Promise<{ url: URL; server: Server }> {
  // Who waits long enough finds every connection closed.
  const made = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, serve);
  made.listen(0, "127.0.0.1");
  await once(made, "listening");
  toClose.push(() => {
    made.closeAllConnections();
    made.close();
  });
  return { url: new URL(`http://127.0.0.1:${(made.address() as AddressInfo).port}/`), server: made };
}

function outbound(): Outbound {
  const made = new Outbound({ allowLocal: true });
  toClose.push(() => made.close());
  return made;
}

const put = (url: URL, body: () => Readable, length: number, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  method: "PUT",
  url,
  headers: { "Content-Length": length },
  body,
  deadlineMs: 20_000,
  ...more,
});
const status = async (answer: IncomingMessage): Promise<number | undefined> => {
  await discard(answer, 1000);
  return answer.statusCode;
};
/** Goes on for ever, and says when it was given up. */
function endless(): { body: Readable; ended: Promise<unknown> } {
  const body = new Readable({ read: () => body.push(Buffer.alloc(64 * 1024)) });
  return { body, ended: once(body, "close") };
}
const failure = (exchange: Promise<unknown>): Promise<unknown> =>
  exchange.then(
    () => new Error("there was an answer"),
    (error: unknown) => error,
  );

test("arrives whole, over one connection again and again", async () => {
  const bodies: string[] = [];
  const { url, server: made } = await server((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      bodies.push(`${request.method} ${request.headers["content-length"]} ${Buffer.concat(chunks)}`);
      response.writeHead(201).end();
    });
  });
  const connections = { count: 0 };
  made.on("connection", () => {
    connections.count += 1;
  });
  const client = outbound();
  for (const text of ["one", "two"])
    await expect(
      client.exchange(
        put(url, () => Readable.from([text]), 3),
        status,
      ),
    ).resolves.toBe(201);
  expect(bodies).toEqual(["PUT 3 one", "PUT 3 two"]);
  expect(connections.count).toBe(1);
});

test("is opened anew for a connection that the other side closed meanwhile", async () => {
  const peer = new Peer((socket, number) => {
    let requests = 0;
    onRequests(socket, () => {
      requests += 1;
      if (number === 1 && requests === 2) socket.resetAndDestroy();
      else socket.write(ok(`connection ${number}`));
    });
  });
  toClose.push(() => peer.close());
  const url = await peer.listen();
  const client = outbound();
  let opened = 0;
  const body = (): Readable => {
    opened += 1;
    return Readable.from([Buffer.from("x")]);
  };
  await expect(client.exchange(put(url, body, 1), status)).resolves.toBe(200);
  await expect(client.exchange(put(url, body, 1), status)).resolves.toBe(200);
  expect(opened).toBe(3);
});

test("an answer that comes before it was read ends it, and its connection", async () => {
  const closed: Promise<void>[] = [];
  const { url } = await server((request, response) => {
    closed.push(closeOf(request.socket));
    response.writeHead(403).end();
  });
  const { body, ended } = endless();
  await expect(
    outbound().exchange(
      put(url, () => body, 1e12),
      status,
    ),
  ).resolves.toBe(403);
  await ended;
  await Promise.all(closed);
  expect(closed).toHaveLength(1);
});

test("a source that fails is the reason of the failure", async () => {
  const closed: Promise<void>[] = [];
  const { url } = await server((request) => {
    closed.push(closeOf(request.resume().socket));
  });
  const broken = new Error("the disk is gone");
  const body = (): Readable =>
    Readable.from(
      (async function* () {
        yield Buffer.alloc(10);
        throw broken;
      })(),
    );
  expect(await failure(outbound().exchange(put(url, body, 100), status))).toBe(broken);
  await Promise.all(closed);
});

test("is given up when nobody listens, when time is up and when the caller loses patience", async () => {
  const gone = await server(() => undefined);
  await toClose.pop()?.();
  const refused = endless();
  expect(
    await failure(
      outbound().exchange(
        put(gone.url, () => refused.body, 1e12),
        status,
      ),
    ),
  ).toMatchObject({
    reason: "unreachable",
    code: "ECONNREFUSED",
  });
  await refused.ended;

  const { url } = await server((request) => void request.resume());
  const late = endless();
  expect(
    await failure(
      outbound().exchange(
        put(url, () => late.body, 1e12, { deadlineMs: 200 }),
        status,
      ),
    ),
  ).toEqual(new RequestError("timeout"));
  await late.ended;

  const caller = new AbortController();
  const hasty = endless();
  const asked = failure(
    outbound().exchange(
      put(url, () => hasty.body, 1e12, { signal: caller.signal }),
      status,
    ),
  );
  caller.abort();
  expect(await asked).toEqual(new RequestError("aborted"));
  await hasty.ended;
});

test("a connection on which nothing moves is a time-out long before the deadline", async () => {
  // Takes what fits into the buffers, and then no more.
  const { url } = await server((request) => void request.pause());
  const { body, ended } = endless();
  const asked = outbound().exchange(
    put(url, () => body, 1e12, { deadlineMs: 600_000, idleMs: 300 }),
    status,
  );
  expect(await failure(asked)).toEqual(new RequestError("timeout"));
  await ended;
});

test("a connection on which little moves, but something, is no time-out", async () => {
  const { url } = await server((request, response) => {
    request.resume().on("end", () => response.end());
  });
  let left = 6;
  const slow = new Readable({ read: () => void setTimeout(() => slow.push(left-- > 0 ? "x" : null), 400) });
  await expect(
    outbound().exchange(
      put(url, () => slow, 6, { idleMs: 1500 }),
      status,
    ),
  ).resolves.toBe(200);
});
