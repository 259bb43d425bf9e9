/** Where answers and our BYE go: Via, rport, Contact, routes, connections (RFC 3261 sections 12.2 and 18.2, RFC 3581). */
import { createSocket } from "node:dgram";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { causeOf } from "../../src/engines/causes";
import { answering, type Callee, callee, media } from "./callee";
import { type Client, type Message, tcpClient, udpClient } from "./client";
import { Phone, sdp } from "./phone";

let gateway: Callee;
let client: Client;
let other: Client;
beforeEach(async () => {
  gateway = await callee({}, answering);
  client = await udpClient(gateway.port);
  other = await udpClient(gateway.port);
});
afterEach(async () => {
  await gateway.server.close();
  await client.close();
  await other.close();
});

/** Has the call ended from our side and waits for the BYE at one of the clients. */
async function bye(at: Client, phone: Phone): Promise<Message> {
  await phone.fence();
  (await gateway.calls.next()).call.hangup(causeOf("NORMAL_CLEARING"));
  const request = await at.inbox.next((m) => m.status === 0 && m.method === "BYE", "BYE");
  new Phone(at).reply(request, "200 OK");
  return request;
}

test("rport: the answer goes to where the request came from, and says so", async () => {
  const phone = new Phone(client);
  phone.invite({ via: "SIP/2.0/UDP 10.1.2.3:5062;rport;received=6.6.6.6", contact: "sip:alice@127.0.0.1:9" });
  const ok = await phone.response(200);
  expect(ok.get("via")).toMatch(
    new RegExp(`^SIP/2\\.0/UDP 10\\.1\\.2\\.3:5062;rport=${client.port};.*;received=127\\.0\\.0\\.1$`),
  );
  expect(ok.get("via")).not.toContain("6.6.6.6");
  phone.ack();
  // Behind an address translator: our BYE goes the same way, whatever Contact says.
  const request = await bye(client, phone);
  expect(request.start).toBe("BYE sip:alice@127.0.0.1:9 SIP/2.0");
});

test("without rport the answer goes to the port of Via", async () => {
  const phone = new Phone(client);
  client.send(phone.write("OPTIONS", { via: `SIP/2.0/UDP 127.0.0.1:${other.port}` }));
  const answer = await other.inbox.next((m) => m.status === 200, "200");
  expect(answer.get("via")).not.toContain("received");
  expect(client.inbox.all).toEqual([]);
});

test("Contact is where our BYE goes to, and a re-INVITE moves it", async () => {
  const phone = new Phone(client);
  await phone.establish({ contact: "sip:alice@127.0.0.1:9" });
  phone.invite({ contact: `sip:desk@127.0.0.1:${other.port};x=y` });
  await phone.response(200);
  phone.ack();
  const request = await bye(other, phone);
  expect(request.start).toBe(`BYE sip:desk@127.0.0.1:${other.port};x=y SIP/2.0`);
});

test("a Contact with a name is not looked up: the BYE goes back where the call came from", async () => {
  const phone = new Phone(client);
  await phone.establish({ contact: "sip:alice@phone.example.org:5062" });
  const request = await bye(client, phone);
  expect(request.start).toBe("BYE sip:alice@phone.example.org:5062 SIP/2.0");
});

test("Record-Route is copied into each answer that makes a dialog, and is the way of our BYE", async () => {
  const routes = [`<sip:127.0.0.1:${other.port};lr>, <sip:second.example.org;lr>`, "<sip:third.example.org;lr>"];
  const phone = new Phone(client);
  const ok = await phone.establish({ headers: routes.map((route) => `Record-Route: ${route}`) });
  expect(ok.all("record-route")).toEqual(routes);
  const request = await bye(other, phone);
  expect(request.start).toContain(`sip:alice@127.0.0.1:${client.port}`);
  expect(request.all("route")).toEqual([
    ...[`<sip:127.0.0.1:${other.port};lr>`, "<sip:second.example.org;lr>", "<sip:third.example.org;lr>"],
  ]);
});

test("a strict router finds itself in the start line and the target in the last Route", async () => {
  const phone = new Phone(client);
  await phone.establish({
    headers: [`Record-Route: <sip:old@127.0.0.1:${other.port}>`, "Record-Route: <sip:b.example.org;lr>"],
  });
  const request = await bye(other, phone);
  expect(request.start).toBe(`BYE sip:old@127.0.0.1:${other.port} SIP/2.0`);
  expect(request.all("route")).toEqual(["<sip:b.example.org;lr>", `<sip:alice@127.0.0.1:${client.port}>`]);
});

test("a refusal carries no route, a 100 no tag, and Timestamp comes back in it", async () => {
  const phone = new Phone(client);
  phone.invite({ headers: ["Timestamp: 54", "Record-Route: <sip:127.0.0.1;lr>"], body: "v=0\r\n" });
  expect((await phone.response(488)).all("record-route")).toEqual([]);
  phone.invite({ headers: ["Timestamp: 54"] });
  const trying = await phone.response(100);
  expect([trying.get("timestamp"), trying.toTag]).toEqual(["54", ""]);
  await phone.response(200);
  phone.ack();
  phone.send("BYE");
  await phone.response(200, "BYE");
});

test("over TCP everything stays on the caller's connection", async () => {
  const tcp = await tcpClient(gateway.port);
  const phone = new Phone(tcp);
  await phone.establish({
    contact: "sip:alice@127.0.0.1:9;transport=tcp",
    headers: ["Record-Route: <sip:10.0.0.1;lr>"],
  });
  const request = await bye(tcp, phone);
  expect(request.get("via")).toMatch(/^SIP\/2\.0\/TCP /);
  await tcp.close();
});

test("two callers with one Call-ID are two calls", async () => {
  const phones = [new Phone(client), new Phone(other)];
  for (const [index, phone] of phones.entries()) {
    const id = "Call-ID: one\r";
    const invite = phone.write("INVITE", { body: sdp() }).replace(/^Call-ID: .*/m, id.trim());
    phone.client.send(invite);
    const ok = await phone.client.inbox.next((m) => m.status === 200, `200 of ${index}`);
    phone.toTag = ok.toTag;
    phone.client.send(phone.write("ACK").replace(/^Call-ID: .*/m, id.trim()));
  }
  expect(new Set(phones.map((phone) => phone.toTag)).size).toBe(2);
  for (const phone of phones) {
    phone.client.send(phone.write("BYE").replace(/^Call-ID: .*/m, "Call-ID: one"));
    await phone.client.inbox.next((m) => m.status === 200 && m.method === "BYE", "200 to BYE");
  }
  expect(gateway.server.stats().calls).toBe(0);
});

test("a port that is taken is said; port 0 is one that is free for both", async () => {
  await expect(callee({ port: gateway.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  // Free for TCP, taken for UDP.
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  await expect(callee({ port: socket.address().port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  socket.close();
  const six = await callee({ host: "::1" }, (call) => call.early({ ...media, address: "::1" }));
  expect(six.port).toBeGreaterThan(0);
  await six.server.close();
});
