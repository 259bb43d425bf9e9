/** Which request is refused with which status, and what it says for whoever wants to do better (RFC 3261 section 8.2). */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { answering, type Callee, callee } from "./callee";
import { type Client, type Message, tcpClient, udpClient } from "./client";
import { type Extra, Phone, sdp } from "./phone";

let gateway: Callee;
let client: Client;
beforeAll(async () => {
  gateway = await callee({}, answering);
  client = await udpClient(gateway.port);
});
afterAll(async () => {
  await gateway.server.close();
  await client.close();
});

const allow = "INVITE, ACK, CANCEL, BYE, INFO, OPTIONS";
type Check = (answer: Message) => unknown;
const cases: [name: string, method: string, extra: Extra, status: number, check: [Check, unknown] | null][] = [
  ...["REGISTER", "PRACK", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH"].map(
    (method): (typeof cases)[number] => [
      `${method} is known, not served`,
      method,
      {},
      405,
      [(m) => m.get("allow"), allow],
    ],
  ),
  ["a method nobody knows", "NEWMETHOD", {}, 501, [(m) => m.get("allow"), allow]],
  ["methods have their case", "invite", { body: sdp() }, 501, null],
  ["sips", "INVITE", { uri: "sips:1@127.0.0.1", body: sdp() }, 416, null],
  ["http", "INVITE", { uri: "http://127.0.0.1/", body: sdp() }, 416, null],
  ["a URI that is none", "INVITE", { uri: "127.0.0.1", body: sdp() }, 400, null],
  ["a host that is none", "INVITE", { uri: "sip:1@[::1", body: sdp() }, 400, null],
  ["a URI in brackets", "INVITE", { uri: "<sip:1@127.0.0.1>", body: sdp() }, 400, null],
  ["100rel", "INVITE", { headers: ["Require: 100rel"], body: sdp() }, 420, [(m) => m.get("unsupported"), "100rel"]],
  [
    "extensions over two lines",
    "OPTIONS",
    { headers: ["Require: a, b", "Require: c"] },
    420,
    [(m) => m.get("unsupported"), "a, b, c"],
  ],
  [
    "a body of another type",
    "INVITE",
    { body: "x", type: "text/plain" },
    415,
    [(m) => m.get("accept"), /^application\/sdp/],
  ],
  [
    "a packed body",
    "INVITE",
    { body: sdp(), headers: ["Content-Encoding: gzip"] },
    415,
    [(m) => m.get("accept-encoding"), "identity"],
  ],
  ["a body without a type", "INVITE", { type: "", body: sdp() }, 400, null],
  ["BYE out of nowhere", "BYE", {}, 481, null],
  ["INFO out of nowhere", "INFO", {}, 481, null],
  ["CANCEL of nothing", "CANCEL", {}, 481, null],
];

test.each(cases)("%s", async (_, method, extra, status, check) => {
  const phone = new Phone(client);
  phone.send(method, extra);
  const answer = await phone.response(status, method);
  expect(answer.toTag).not.toBe("");
  if (check) {
    const [read, expected] = check;
    if (expected instanceof RegExp) expect(read(answer)).toMatch(expected);
    else expect(read(answer)).toBe(expected);
  }
});

test("an optional body of another type is passed over", async () => {
  const phone = new Phone(client);
  phone.invite({ body: "x", type: "text/plain", headers: ["Content-Disposition: session;handling=optional"] });
  const ok = await phone.response(200);
  expect(ok.body).toContain("RTP/AVP 0 8 101");
  phone.ack({ body: sdp() });
  phone.send("BYE");
  await phone.response(200, "BYE");
});

test.each(["INVITE", "BYE", "INFO", "OPTIONS"])("%s of a dialog that is not there: 481", async (method) => {
  const phone = new Phone(client);
  phone.toTag = "nobody";
  phone.send(method);
  await phone.response(481, method);
});

test("another's From tag does not get into a dialog", async () => {
  const phone = new Phone(client);
  await phone.establish();
  const bye = phone.write("BYE");
  client.send(bye.replace(`tag=${phone.tag}`, "tag=thief"));
  await phone.response(481, "BYE");
  phone.cseq--;
  phone.send("BYE");
  await phone.response(200, "BYE");
});

test("requests of a dialog come in order: 500 for an old one", async () => {
  const phone = new Phone(client);
  await phone.establish();
  phone.cseq = 10;
  phone.send("OPTIONS");
  await phone.response(200, "OPTIONS");
  phone.cseq = 5;
  phone.send("INFO");
  expect((await phone.response(500, "INFO")).start).toContain("CSeq out of order");
  phone.cseq = 11;
  phone.send("UPDATE", { body: sdp() });
  await phone.response(405, "UPDATE");
  phone.send("BYE", { headers: ["Require: foo"] });
  await phone.response(420, "BYE");
  phone.send("BYE");
  await phone.response(200, "BYE");
});

test("OPTIONS says what is served", async () => {
  const phone = new Phone(client);
  phone.send("OPTIONS");
  const answer = await phone.response(200, "OPTIONS");
  expect(answer.get("allow")).toBe(allow);
  expect(answer.get("accept")).toBe("application/sdp, application/dtmf-relay, application/dtmf");
});

test.each([
  ["dtmf-relay", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5 160"],
  ["dtmf-relay with blanks", "application/dtmf-relay", "Signal= * \r\nDuration= 80 ", "* 80"],
  ["dtmf-relay by event number", "Application/DTMF-Relay;x=y", "Signal=11\r\nDuration=100\r\n", "# 100"],
  ["dtmf-relay without duration", "application/dtmf-relay", "Signal=d\r\n", "D 250"],
  ["dtmf-relay, endless", "application/dtmf-relay", "Signal=1\r\nDuration=99999999\r\n", "1 10000"],
  ["dtmf", "application/dtmf", "9", "9 250"],
  ["dtmf with a line end", "application/dtmf", "#\r\n", "# 250"],
])("INFO %s", async (_, type, body, digit) => {
  const phone = new Phone(client, "info");
  await phone.establish();
  const taken = await gateway.calls.next((each) => each.call.did === "info");
  phone.send("INFO", { body, type });
  await phone.response(200, "INFO");
  expect(await taken.digit()).toBe(digit);
  phone.send("BYE");
  await phone.response(200, "BYE");
});

test.each([
  ["nothing in it", "", "", 200],
  ["a hook flash", "Signal=16\r\n", "application/dtmf-relay", 200],
  ["no digit", "Signal=x\r\n", "application/dtmf-relay", 400],
  ["too many digits", "12", "application/dtmf", 400],
  ["another type", "<x/>", "application/media_control+xml", 415],
])("INFO with %s tells of no digit", async (_, body, type, status) => {
  const phone = new Phone(client, "quiet");
  await phone.establish();
  const taken = await gateway.calls.next((each) => each.call.did === "quiet");
  phone.send("INFO", { body, type });
  await phone.response(status, "INFO");
  expect(taken.told.all.map((each) => each.what)).toEqual(["remote"]);
  phone.send("BYE");
  await phone.response(200, "BYE");
});

test("413: a body that is too large, over either transport", async () => {
  const tcp = await tcpClient(gateway.port);
  for (const each of [client, tcp]) {
    const phone = new Phone(each);
    phone.invite({ body: sdp() + "a=x\r\n".repeat(7000) });
    await phone.response(413);
  }
  await tcp.closed;
});
