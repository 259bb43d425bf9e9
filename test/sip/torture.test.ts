/** Odd messages that are right, wrong ones that have an answer, and those that have none, in the manner of RFC 4475. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Callee, callee } from "./callee";
import { type Client, Message, udpClient } from "./client";
import { Phone, sdp } from "./phone";

let gateway: Callee;
let client: Client;
beforeAll(async () => {
  gateway = await callee({}, (call) => call.refuse(404));
  client = await udpClient(gateway.port);
});
afterAll(async () => {
  await gateway.server.close();
  expect(gateway.server.stats().errors).toBe(0);
  await client.close();
});

/** An INVITE, changed, as the server takes it: the call it makes of it. */
async function taken(change: (invite: string) => string) {
  const phone = new Phone(client);
  const text = change(phone.write("INVITE", { body: sdp() }));
  client.send(Buffer.from(text, "latin1"));
  const call = (await gateway.calls.next()).call;
  const answer = await client.inbox.next((m) => m.status === 404, "404");
  client.send(ackOf(text, answer));
  return { call, answer, text };
}

function ackOf(invite: string, answer: Message): string {
  const via = new Message(invite).get("via") || answer.get("via");
  const lines = [
    "ACK sip:1@127.0.0.1 SIP/2.0",
    `Via: ${via}`,
    `From: ${answer.get("from")}`,
    `To: ${answer.get("to")}`,
  ];
  lines.push(
    `Call-ID: ${answer.get("call-id")}`,
    `CSeq: ${answer.get("cseq").replace("INVITE", "ACK")}`,
    "Content-Length: 0",
  );
  return `${lines.join("\r\n")}\r\n\r\n`;
}

test("folded lines, compact names, blanks and odd case", async () => {
  const { call, answer } = await taken((invite) =>
    invite
      .replace("Via: SIP/2.0/UDP ", "v  : SIP / 2.0\r\n /UDP\r\n\t ")
      .replace("From: ", "f:\r\n    ")
      .replace("To:", "t\t:")
      .replace("Call-ID: ", "i:")
      .replace("CSeq: 1 INVITE", "cSEQ: 0001   \r\n  INVITE")
      .replace("Contact:", "m:")
      .replace("Content-Type:", "c:")
      .replace("Content-Length:", "L:"),
  );
  expect(call.offer?.remote.port).toBe(40000);
  expect(answer.get("cseq")).toBe("0001    INVITE");
});

test.each([
  ["escapes", "sip:%61lice%20%C3%BC@127.0.0.1", "alice ü"],
  ["a password and parameters of the user", "sip:+4930;phone-context=x:pw@127.0.0.1:99;user=phone?a=b", "+4930"],
  ["tel", "tel:+49-30-1234;isub=12", "+49-30-1234"],
  ["no user", "sip:127.0.0.1", ""],
  ["a broken escape", "sip:50%25%zz@127.0.0.1", "50%%zz"],
  ["control characters and bidi marks", "sip:1%00%0d%0a2%E2%80%AE3@127.0.0.1", "1 2 3"],
  ["endless", `sip:${"9".repeat(3000)}@127.0.0.1`, "9".repeat(128)],
  ["IPv6", "SIP:1@[2001:db8::1]:5060;transport=udp", "1"],
])("Request-URI with %s", async (_, uri, did) => {
  const { call } = await taken((invite) => invite.replace(/^INVITE \S+/, `INVITE ${uri}`));
  expect(call.did).toBe(did);
});

test.each([
  ["a display name with everything in it", 'From: "A \\" <sip:no@no>, ;tag=no" <sip:yes@h;x=y>;tag=1', "yes"],
  ["no brackets", "From: sip:plain@h;tag=1", "plain"],
  ["no tag, as in RFC 2543", "From: <sip:old@h>", "old"],
  ["an unquoted name", "From: Alice B. <sip:a.b@h> ; TAG = 1", "a.b"],
  ["tel", "From: <tel:+4930>;tag=1", "+4930"],
  ["no user", "From: <sip:gate.example.org>;tag=1", "gate.example.org"],
])("From with %s", async (_, from, callerId) => {
  const { call, answer } = await taken((invite) => invite.replace(/^From:.*$/m, from));
  expect(call.callerId).toBe(callerId);
  expect(`From: ${answer.get("from")}`).toBe(from);
});

test("all of Via comes back, over lines and lists, and only the first is stamped", async () => {
  const { answer } = await taken((invite) =>
    invite.replace(
      /^(Via: .*)\r$/m,
      '$1;ext="a,b;c" , SIP/2.0/TCP a.example.org ;branch=2\r\nVia: SIP/2.0/SCTP [::1]:9;branch=3\r',
    ),
  );
  expect(answer.all("via")).toEqual([
    expect.stringMatching(
      new RegExp(`^SIP/2.0/UDP 127.0.0.1:${client.port};rport=${client.port};.*ext="a,b;c";received=127.0.0.1$`),
    ),
    ...["SIP/2.0/TCP a.example.org ;branch=2", "SIP/2.0/SCTP [::1]:9;branch=3"],
  ]);
});

test("a branch of RFC 2543 is no name for a transaction: the rest of the request is", async () => {
  const first = await taken((invite) => invite.replace(/branch=\S+/, "branch=1"));
  const second = await taken((invite) => invite.replace(/branch=\S+/, "branch=1"));
  expect(second.call).not.toBe(first.call);
  client.send(Buffer.from(second.text, "latin1"));
  await new Phone(client).fence();
  expect(gateway.calls.all.filter((each) => each.call === second.call).length).toBe(1);
});

test("what stands behind Content-Length is none of the message; CRLF before it neither", async () => {
  const { call } = await taken((invite) => `\r\n\r\n${invite}m=audio 1 RTP/AVP 0\r\n`);
  expect(call.offer?.lines.length).toBe(1);
});

test.each<[name: string, status: number, change: (invite: string) => string]>([
  ["SIP/7.0", 505, (m) => m.replace("SIP/2.0", "SIP/7.0")],
  ["no From", 400, (m) => m.replace(/^From:.*\r\n/m, "")],
  ["no To", 400, (m) => m.replace(/^To:.*\r\n/m, "")],
  ["no Call-ID", 400, (m) => m.replace(/^Call-ID:.*\r\n/m, "")],
  ["no CSeq", 400, (m) => m.replace(/^CSeq:.*\r\n/m, "")],
  ["no Contact", 400, (m) => m.replace(/^Contact:.*\r\n/m, "")],
  ["CSeq of another method", 400, (m) => m.replace("1 INVITE", "1 OPTIONS")],
  ["CSeq too large", 400, (m) => m.replace("1 INVITE", "36893488147419103232 INVITE")],
  ["two From", 400, (m) => m.replace(/^(From:.*\r\n)/m, "$1$1")],
  ["Content-Length twice", 400, (m) => m.replace(/^(Content-Length:.*\r\n)/m, "$1$1")],
  ["negative Content-Length", 400, (m) => m.replace(/^Content-Length:.*/m, "Content-Length: -999")],
  ["Content-Length beyond the datagram", 400, (m) => m.replace(/^Content-Length:.*/m, "Content-Length: 9999")],
  ["Max-Forwards that is no number", 400, (m) => m.replace("Max-Forwards: 70", "Max-Forwards: 4e2")],
  ["Max-Forwards too large", 400, (m) => m.replace("Max-Forwards: 70", "Max-Forwards: 300")],
  ["an open quote", 400, (m) => m.replace('From: "A"', 'From: "A')],
  ["an open bracket", 400, (m) => m.replace("To: <", "To: x <<")],
  ["a line that is no header", 400, (m) => m.replace("To:", "what is this\r\nTo:")],
  ["blanks in the Request-URI", 400, (m) => m.replace("sip:4930@", "sip:49 30@")],
  ["no end of the headers", 400, (m) => m.slice(0, m.indexOf("\r\n\r\n"))],
  ["too many headers", 400, (m) => m.replace("To:", `${"X: y\r\n".repeat(200)}To:`)],
  ["headers too long", 400, (m) => m.replace("Max-Forwards", `X: ${"y".repeat(20_000)}\r\nMax-Forwards`)],
  ["an endless Call-ID", 400, (m) => m.replace("@test", "@test".repeat(100))],
  ["an endless branch", 400, (m) => m.replace("branch=", `branch=z9hG4bK${"0".repeat(300)}`)],
])("refused: %s", async (_, status, change) => {
  const phone = new Phone(client);
  client.send(Buffer.from(change(phone.write("INVITE", { body: sdp() })), "latin1"));
  await client.inbox.next((m) => m.status === status, String(status));
  await phone.fence();
  expect(gateway.server.stats().calls).toBe(0);
});

test.each<[name: string, change: (invite: string) => string]>([
  ["no Via", (m) => m.replace(/^Via:.*\r\n/m, "")],
  ["a Via that cannot be read", (m) => m.replace("SIP/2.0/UDP", "SIP/3.0/UDP")],
  ["a Via with a port that is none", (m) => m.replace(/127\.0\.0\.1:\d+;rport/, "127.0.0.1:0;rport")],
  ["a Via with a host that is none", (m) => m.replace(/UDP 127\.0\.0\.1/, "UDP a\u00e9b")],
  ["a bare LF", (m) => m.replace("To:", "X: a\nVia: b\r\nTo:")],
  ["a bare CR", (m) => m.replace("To:", "X: a\rb\r\nTo:")],
  ["a NUL", (m) => m.replace("To:", "X: a\0b\r\nTo:")],
  ["no version", (m) => m.replace(" SIP/2.0", "")],
  ["HTTP", () => "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a response to nothing", (m) => m.replace(/^INVITE .*\r\n/, "SIP/2.0 200 OK\r\n")],
  ["a response without a status", (m) => m.replace(/^INVITE .*\r\n/, "SIP/2.0 OK\r\n")],
  ["an ACK of nothing", (m) => m.replaceAll("INVITE", "ACK")],
  ["a malformed ACK", (m) => m.replaceAll("INVITE", "ACK").replace(/^To:.*\r\n/m, "")],
  ["nothing", () => "\r\n\r\n"],
])("dropped: %s", async (_, change) => {
  const before = client.inbox.all.length;
  const phone = new Phone(client);
  const told = gateway.calls.all.length;
  client.send(Buffer.from(change(phone.write("INVITE", { body: sdp() })), "latin1"));
  await phone.fence();
  // The answer to the fence is all that came.
  expect(client.inbox.all.length).toBe(before + 1);
  expect(gateway.calls.all.length).toBe(told);
});
