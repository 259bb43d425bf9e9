import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { discard, Outbound, type OutboundRequest, RequestError } from "../../src/outbound/request";
import { closeOf, ok, onRequests, Peer } from "./peer";

const toClose: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of toClose.splice(0)) await each.close();
});

async function peer(serve: (socket: Socket, number: number) => void): Promise<Peer & { url: URL }> {
  const made = new Peer(serve);
  toClose.push(made);
  return Object.assign(made, { url: await made.listen() });
}

function outbound(allowLocal = true): Outbound {
  const made = new Outbound({ allowLocal });
  toClose.push(made);
  return made;
}

const to = (url: URL, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  method: "GET",
  url,
  headers: {},
  deadlineMs: 20_000,
  ...more,
});
const text = async (answer: IncomingMessage): Promise<string> => Buffer.concat(await answer.toArray()).toString();
const status = async (answer: IncomingMessage): Promise<number | undefined> => answer.statusCode;

async function failure(exchange: Promise<unknown>): Promise<{ reason: string; code: string | null }> {
  const error = await exchange.then(
    () => new Error("there was an answer"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof RequestError)) throw error;
  return { reason: error.reason, code: error.code };
}

describe("addresses", () => {
  test.each(["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "2130706433"])(
    "%s is not connected to",
    async (host) => {
      const server = await peer((socket) => socket.end(ok("secret")));
      const url = new URL(`http://${host}:${server.url.port}/`);
      expect((await failure(outbound(false).exchange(to(url), text))).reason).toBe("forbidden_address");
      expect(server.sockets).toHaveLength(0);
    },
  );

  test("the address of a name is connected to when local ones are allowed", async () => {
    const server = await peer((socket) => onRequests(socket, () => socket.write(ok("here"))));
    const url = new URL(`http://localhost:${server.url.port}/`);
    await expect(outbound().exchange(to(url), text)).resolves.toBe("here");
  });

  test("0.0.0.0 is never connected to", async () => {
    const server = await peer((socket) => socket.end(ok("secret")));
    const url = new URL(`http://0.0.0.0:${server.url.port}/`);
    expect((await failure(outbound().exchange(to(url), text))).reason).toBe("forbidden_address");
    expect(server.sockets).toHaveLength(0);
  });

  test("only http and https", async () => {
    expect(await failure(outbound().exchange(to(new URL("file:///etc/hosts")), text))).toEqual({
      reason: "forbidden_address",
      code: "ERR_INVALID_PROTOCOL",
    });
  });

  test("a redirect is an answer", async () => {
    const server = await peer((socket) =>
      onRequests(socket, () => socket.write("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")),
    );
    await expect(outbound().exchange(to(server.url), status)).resolves.toBe(302);
    expect(server.sockets).toHaveLength(1);
  });
});

describe("time", () => {
  const stages: Record<string, (socket: Socket) => void> = {
    "before the answer": () => undefined,
    "within the headers": (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Le"),
    "within the body": (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
  };
  test.each(Object.entries(stages))("is up %s", async (_stage, serve) => {
    const closed: Promise<void>[] = [];
    const server = await peer((socket) => {
      closed.push(closeOf(socket.resume()));
      serve(socket);
    });
    expect((await failure(outbound().exchange(to(server.url, { deadlineMs: 200 }), text))).reason).toBe("timeout");
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });

  test("is up before TLS has begun", async () => {
    const server = await peer(() => undefined);
    const url = new URL(`https://127.0.0.1:${server.url.port}/`);
    expect((await failure(outbound().exchange(to(url, { deadlineMs: 200 }), text))).reason).toBe("timeout");
  });

  test("a caller may lose patience first", async () => {
    const caller = new AbortController();
    const server = await peer((socket) => onRequests(socket, () => caller.abort()));
    const { signal } = caller;
    expect((await failure(outbound().exchange(to(server.url, { signal }), text))).reason).toBe("aborted");
    expect((await failure(outbound().exchange(to(server.url, { signal }), text))).reason).toBe("aborted");
    expect(server.sockets).toHaveLength(1);
  });
});

describe("other failures", () => {
  test("nobody listens", async () => {
    const server = await peer(() => undefined);
    await toClose.pop()?.close();
    expect(await failure(outbound().exchange(to(server.url), text))).toEqual({
      reason: "unreachable",
      code: "ECONNREFUSED",
    });
  });

  test("no such name", async () => {
    // Too long for a name, so that nobody is asked.
    const url = new URL(`http://${"a".repeat(64)}.invalid/`);
    expect((await failure(outbound().exchange(to(url), text))).reason).toBe("unreachable");
  });

  test("the other side speaks no HTTP", async () => {
    const server = await peer((socket) => socket.write("220 mail ready\r\n"));
    expect(await failure(outbound().exchange(to(server.url), text))).toMatchObject({ reason: "unreachable" });
  });

  test("the other side speaks no TLS", async () => {
    const server = await peer((socket) => socket.end(ok("plain")));
    const url = new URL(`https://127.0.0.1:${server.url.port}/`);
    expect((await failure(outbound().exchange(to(url), text))).reason).toBe("unreachable");
  });
});

describe("connections", () => {
  test("are kept alive", async () => {
    const server = await peer((socket) => onRequests(socket, () => socket.write(ok("again"))));
    const client = outbound();
    for (let i = 0; i < 3; i++) await expect(client.exchange(to(server.url), text)).resolves.toBe("again");
    expect(server.sockets).toHaveLength(1);
  });

  test("one that the other side closed meanwhile costs no failure", async () => {
    const server = await peer((socket, number) => {
      let requests = 0;
      onRequests(socket, () => {
        requests += 1;
        if (number === 1 && requests === 2) socket.resetAndDestroy();
        else socket.write(ok(`connection ${number}`));
      });
    });
    const client = outbound();
    await expect(client.exchange(to(server.url), text)).resolves.toBe("connection 1");
    await expect(client.exchange(to(server.url), text)).resolves.toBe("connection 2");
  });

  test("a new one that is closed without an answer is a failure, and not tried twice", async () => {
    const server = await peer((socket) => onRequests(socket, () => socket.destroy()));
    expect(await failure(outbound().exchange(to(server.url), text))).toEqual({
      reason: "unreachable",
      code: "ECONNRESET",
    });
    expect(server.sockets).toHaveLength(1);
  });

  test("an answer without end is cut off after what is read of it", async () => {
    const closed: Promise<void>[] = [];
    const server = await peer((socket) => {
      closed.push(closeOf(socket));
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(16 * 1024)));
      };
      onRequests(socket, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.on("drain", more);
        more();
      });
    });
    const client = outbound();
    const read = client.exchange(to(server.url), async (answer) => {
      await discard(answer, 64 * 1024);
      return answer.statusCode;
    });
    await expect(read).resolves.toBe(200);
    await Promise.all(closed);
    expect(server.open).toBe(0);
  });

  test("close ends what is under way, and nothing begins after it", async () => {
    const server = await peer((socket) => onRequests(socket, () => client.close()));
    const client = outbound();
    expect((await failure(client.exchange(to(server.url), text))).reason).toBe("aborted");
    expect((await failure(client.exchange(to(server.url), text))).reason).toBe("aborted");
    expect(server.sockets).toHaveLength(1);
  });
});
