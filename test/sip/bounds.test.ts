/** What strangers can make grow, and how it ends: garbage, floods, slow and broken connections, overload, shutdown. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { answering, type Callee, callee } from "./callee";
import { type Client, tcpClient, udpClient } from "./client";
import { Phone, sdp } from "./phone";

let gateway: Callee;
let client: Client;
const start = async (...args: Parameters<typeof callee>) => {
  gateway = await callee(...args);
  client = await udpClient(gateway.port);
};
afterEach(async () => {
  await gateway.server.close();
  expect(gateway.server.stats()).toEqual({ calls: 0, dialogs: 0, transactions: 0, connections: 0, errors: 0 });
  await client.close();
});

/** The same numbers in every run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Sends in bursts that the socket's buffer holds: an answer to an OPTIONS says that a burst has been read. */
async function flood(count: number, make: (index: number) => Buffer): Promise<void> {
  for (let sent = 0; sent < count; ) {
    for (const end = Math.min(count, sent + 100); sent < end; sent++) client.send(make(sent));
    await new Phone(client).fence();
  }
}

test("10,000 random datagrams", async () => {
  await start();
  const roll = dice(1);
  await flood(10_000, () => Buffer.from(Array.from({ length: roll(200) }, () => roll(256))));
  expect(gateway.server.stats()).toMatchObject({ calls: 0, dialogs: 0, transactions: 0, errors: 0 });
});

test("10,000 mutated datagrams", async () => {
  await start({ t1: 5 }, (call) => {
    if (call.did !== "1") call.refuse(404);
    else if (gateway.server.stats().calls > 50) call.refuse(503);
    else call.answer({ address: "127.0.0.1", port: 1 });
  });
  const roll = dice(2);
  const methods = ["INVITE", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "REGISTER"];
  const phones = Array.from({ length: 20 }, (_, index) => new Phone(client, String(index % 2)));
  const pieces = [
    "\r\n",
    "\r\n ",
    ";",
    ",",
    '"',
    "<",
    ">",
    "%",
    ":",
    "=",
    "\0",
    "\\",
    "sip:",
    "SIP/2.0",
    "Via: ",
    "99999999999",
    ";tag=",
    "m=audio ",
  ];
  await flood(10_000, () => {
    const phone = phones[roll(phones.length)] ?? new Phone(client);
    const method = methods[roll(methods.length)] ?? "INVITE";
    let text = phone.write(method, { body: method === "INVITE" ? sdp() : "", branch: `z9hG4bK${roll(50)}` });
    for (let i = roll(4); i >= 0; i--) {
      const at = roll(text.length);
      const end = at + roll(12);
      const middle = [
        pieces[roll(pieces.length)] ?? "",
        String.fromCharCode(roll(256)),
        "",
        text.slice(at, at + roll(400)),
      ][roll(4)];
      text = `${text.slice(0, at)}${middle}${text.slice(end)}`;
    }
    return Buffer.from(text, "latin1");
  });
  expect(gateway.server.stats().errors).toBe(0);
  expect(gateway.calls.all.length).toBeGreaterThan(10);
  expect(gateway.server.stats().calls).toBeLessThanOrEqual(50);
});

test("everything that was begun comes to its end: nothing is left of 300 calls", async () => {
  await start({ t1: 30 }, answering);
  const phones = Array.from({ length: 300 }, () => new Phone(client));
  for (const phone of phones) await phone.establish();
  for (const phone of phones) phone.send("BYE");
  await Promise.all(phones.map((phone) => phone.response(200, "BYE")));
  expect(gateway.server.stats()).toMatchObject({ calls: 0, dialogs: 0 });
  expect(gateway.server.stats().transactions).toBeGreaterThan(0);
  // Repeats are recognised for 64 T1.
  const clock = new Phone(client);
  for (let left = 1; left > 0; ) {
    clock.send("OPTIONS");
    await clock.response(200, "OPTIONS");
    await new Promise((resolve) => setImmediate(resolve));
    left = gateway.server.stats().transactions;
  }
});

test("57 KB of garbage over TCP: the connection ends, the server does not", async () => {
  await start();
  const roll = dice(3);
  const tcp = await tcpClient(gateway.port);
  tcp.send(Buffer.from(Array.from({ length: 57_000 }, () => roll(256))));
  await tcp.closed;
  const lines = await tcpClient(gateway.port);
  lines.send("garbage\r\n\r\n".repeat(5000));
  await lines.closed;
  await new Phone(client).fence();
});

test("byte by byte over TCP, and keep-alives between messages", async () => {
  await start({}, answering);
  const tcp = await tcpClient(gateway.port);
  const phone = new Phone(tcp);
  for (const ping of [["\r\n\r\n"], ["\r", "\n", "\r", "\n"]]) {
    for (const piece of ping) tcp.send(piece);
    expect(await tcp.stray.next()).toBe("\r\n");
  }
  for (const byte of Buffer.from(phone.write("INVITE", { body: sdp() }))) tcp.send(Buffer.from([byte]));
  await phone.response(200);
  for (const byte of Buffer.from(`\r\n\r\n${phone.write("ACK")}${phone.write("BYE")}`)) tcp.send(Buffer.from([byte]));
  await phone.response(200, "BYE");
  await tcp.close();
});

test("many messages in one piece over TCP, then half a one", async () => {
  await start();
  const tcp = await tcpClient(gateway.port);
  const phones = Array.from({ length: 200 }, () => new Phone(tcp));
  const text = phones.map((phone) => phone.write("OPTIONS", { body: "x".repeat(400), type: "text/plain" })).join("");
  const half = new Phone(tcp).write("OPTIONS");
  tcp.send(text + half.slice(0, 100));
  await Promise.all(phones.map((phone) => phone.response(200, "OPTIONS")));
  await tcp.close();
});

test.each([
  ["no Content-Length", 400, (m: string) => m.replace(/^Content-Length:.*\r\n/m, "")],
  ["a Content-Length that is none", 400, (m: string) => m.replace(/^Content-Length:.*/m, "Content-Length: x")],
  ["headers without end", 400, (m: string) => m.replace("To:", `X: ${"y".repeat(20_000)}\r\nTo:`)],
])("over TCP %s is refused, and the connection ends", async (_, status, change) => {
  await start();
  const tcp = await tcpClient(gateway.port);
  tcp.send(change(new Phone(tcp).write("OPTIONS")));
  await tcp.inbox.next((m) => m.status === status, String(status));
  await tcp.closed;
});

test("a connection that is silent ends, unless a call lives on it", async () => {
  await start({ t1: 4 }, answering);
  const busy = await tcpClient(gateway.port);
  const phone = new Phone(busy);
  await phone.establish();
  await phone.fence();
  const silent = await tcpClient(gateway.port);
  await silent.closed;
  await phone.fence();
  expect(gateway.server.stats()).toMatchObject({ connections: 1, calls: 1 });
  phone.send("BYE");
  await phone.response(200, "BYE");
  await busy.closed;
});

test("a message that is begun and not finished does not keep its connection", async () => {
  await start({ t1: 4 }, answering);
  const slow = await tcpClient(gateway.port);
  let open = true;
  const closed = slow.closed.then(() => {
    open = false;
  });
  slow.send(`${new Phone(slow).write("OPTIONS").trimEnd()}\r\nX: `);
  // Never silent, and far from any limit of size.
  while (open) {
    slow.send("x");
    await new Phone(client).fence();
  }
  await closed;
  expect(slow.inbox.all).toEqual([]);
});

test("no more than 1024 connections, and a caller still gets in by UDP", async () => {
  await start({}, answering);
  const sockets: Socket[] = [];
  for (let i = 0; i < 1030; i++) {
    const socket = connect(gateway.port, "127.0.0.1");
    socket.on("error", () => socket.destroy());
    await once(socket, "connect");
    sockets.push(socket);
  }
  await Promise.race(sockets.map((socket) => once(socket, "close")));
  expect(gateway.server.stats().connections).toBe(1024);
  const phone = new Phone(client);
  await phone.establish();
  phone.send("BYE");
  await phone.response(200, "BYE");
  for (const socket of sockets) socket.destroy();
});

test("refused INVITEs that are never acknowledged: at some time no more is taken", async () => {
  await start({ t1: 4000 }, (call) => call.refuse(404));
  const statuses = new Map<number, number>();
  const acks: (() => void)[] = [];
  for (let i = 0; i < 2010; i++) {
    const phone = new Phone(client);
    phone.invite();
    const answer = await client.inbox.next(
      (m) => m.status >= 200 && m.get("call-id") === phone.callId,
      "a final answer",
    );
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status === 503) expect(answer.get("retry-after")).toBe("10");
    acks.push(() => phone.ackRefusal(answer));
  }
  expect([...statuses]).toEqual([
    [404, 2000],
    [503, 10],
  ]);
  for (const ack of acks) ack();
});

test("a server that drains takes no new calls and keeps those it has", async () => {
  await start({}, answering);
  const phone = new Phone(client);
  await phone.establish();
  gateway.server.drain();
  const late = new Phone(client);
  late.invite();
  const refusal = await late.response(503);
  expect(refusal.get("retry-after")).toBe("10");
  late.send("OPTIONS");
  await late.response(503, "OPTIONS");
  phone.send("OPTIONS");
  await phone.response(200, "OPTIONS");
  phone.invite();
  await phone.response(200);
  phone.ack();
  phone.send("BYE");
  await phone.response(200, "BYE");
});

test("close: BYE for who is answered, 503 for who is not; once", async () => {
  await start({}, (call) => (call.did === "1" ? call.answer({ address: "127.0.0.1", port: 1 }) : call.ring()));
  const answered = new Phone(client, "1");
  await answered.establish();
  await answered.fence();
  const ringing = new Phone(client, "2");
  ringing.invite();
  await ringing.response(180);
  const closed = gateway.server.close();
  expect(gateway.server.close()).toBe(closed);
  answered.reply(await answered.request("BYE"), "200 OK");
  ringing.ackRefusal(await ringing.response(503));
  await closed;
  const [first, second] = gateway.calls.all;
  expect(await first?.end()).toEqual({ by: "media_server", cause: "SYSTEM_SHUTDOWN", q850: 16, sipStatus: null });
  expect(await second?.end()).toEqual({ by: "media_server", cause: "SYSTEM_SHUTDOWN", q850: 16, sipStatus: 503 });
  // What the engine still says is said to nobody, and hurts nobody.
  for (const { call } of gateway.calls.all) call.hangup({ name: "NORMAL_CLEARING", q850: 16, sip: 480 });
});
