/** What is said again, and what is taken once: timers and repeats of RFC 3261, with a T1 of a few milliseconds. */
import { afterEach, expect, test } from "@jest/globals";
import { causeOf } from "../../src/engines/causes";
import { answering, type Callee, callee, media } from "./callee";
import { type Client, tcpClient, udpClient } from "./client";
import { Phone } from "./phone";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function udp(...args: Parameters<typeof callee>): Promise<[Callee, Client]> {
  const gateway = await callee(...args);
  const client = await udpClient(gateway.port);
  // The server first: it waits for the ACK that is still on its way.
  closing.push(() => gateway.server.close(), client.close);
  return [gateway, client];
}

test("a 200 is repeated, unchanged, until its ACK", async () => {
  const [gateway, client] = await udp({ t1: 20 }, answering);
  const phone = new Phone(client);
  phone.invite();
  const answers = [await phone.response(200), await phone.response(200), await phone.response(200)];
  expect(new Set(answers.map((each) => each.raw)).size).toBe(1);
  phone.ack();
  await phone.fence();
  const heard = phone.heard().length;
  const taken = await gateway.calls.next();
  // The next call's 200 comes five times meanwhile.
  const late = new Phone(client, "late");
  late.invite();
  for (let i = 0; i < 5; i++) await late.response(200);
  expect(phone.heard().length).toBe(heard);
  expect(taken.told.all.map((each) => each.what)).toEqual(["remote"]);
});

test("a re-INVITE says that the 200 was heard, though its ACK was lost", async () => {
  const [gateway, client] = await udp({ t1: 20 }, answering);
  const phone = new Phone(client);
  phone.invite();
  await phone.response(200);
  phone.invite();
  await client.inbox.next((m) => m.get("cseq") === "2 INVITE" && m.status === 200, "200 to the re-INVITE");
  phone.ack();
  await phone.fence();
  const heard = phone.heard().length;
  const late = new Phone(client, "late");
  late.invite();
  for (let i = 0; i < 5; i++) await late.response(200);
  expect(phone.heard().length).toBe(heard);
  (await gateway.calls.next()).call.hangup(causeOf("NORMAL_CLEARING"));
  phone.reply(await phone.request("BYE"), "200 OK");
});

test("over TCP the 200 is repeated, too: the ACK has further to go", async () => {
  const gateway = await callee({ t1: 5 }, answering);
  const client = await tcpClient(gateway.port);
  // The server first: it waits for the ACK that is still on its way.
  closing.push(() => gateway.server.close(), client.close);
  const phone = new Phone(client);
  phone.invite();
  await phone.response(200);
  await phone.response(200);
  phone.ack();
});

test("no ACK within 64 T1: BYE, and the end is ours", async () => {
  const [gateway, client] = await udp({ t1: 4 }, answering);
  const phone = new Phone(client);
  phone.invite();
  await phone.response(200);
  const bye = await phone.request("BYE");
  expect(bye.get("reason")).toBe('Q.850;cause=102;text="RECOVERY_ON_TIMER_EXPIRE"');
  const taken = await gateway.calls.next();
  expect(await taken.end()).toEqual({
    by: "media_server",
    cause: "RECOVERY_ON_TIMER_EXPIRE",
    q850: 102,
    sipStatus: null,
  });
});

test("a hangup before the ACK waits for it", async () => {
  const [, client] = await udp({ t1: 50 }, (call) => {
    call.answer(media);
    call.hangup(causeOf("NORMAL_CLEARING"));
  });
  const phone = new Phone(client);
  phone.invite();
  await phone.response(200);
  await phone.response(200);
  expect(phone.heard()).not.toContain("BYE");
  phone.ack();
  const bye = await phone.request("BYE");
  phone.reply(bye, "200 OK");
});

test("a hangup before the ACK, and the caller was faster: no BYE of ours", async () => {
  const [gateway, client] = await udp({ t1: 50 }, (call) => {
    call.answer(media);
    call.hangup(causeOf("NORMAL_CLEARING"));
  });
  const phone = new Phone(client);
  phone.invite();
  await phone.response(200);
  phone.send("BYE");
  await phone.response(200, "BYE");
  phone.ack();
  await phone.fence();
  expect(phone.heard()).not.toContain("BYE");
  expect(gateway.server.stats().dialogs).toBe(0);
});

test("a refusal is repeated until its ACK, over UDP", async () => {
  const [gateway, client] = await udp({ t1: 20 }, (call) => call.refuse(404));
  const phone = new Phone(client);
  phone.invite();
  await phone.response(404);
  const refusal = await phone.response(404);
  phone.ackRefusal(refusal);
  await phone.fence();
  const heard = phone.heard().length;
  const later = new Phone(client);
  later.invite();
  for (let i = 0; i < 4; i++) await later.response(404);
  expect(phone.heard().length).toBe(heard);
  expect(gateway.calls.all.length).toBe(2);
});

test.each(["401 Unauthorized", "407 Proxy Authentication Required", "481 No Call", "500 Error"])(
  "our BYE is repeated until any final answer: %s",
  async (answer) => {
    const [gateway, client] = await udp({ t1: 20 }, answering);
    const phone = new Phone(client);
    await phone.establish();
    await phone.fence();
    (await gateway.calls.next()).call.hangup(causeOf("NORMAL_CLEARING"));
    const bye = await phone.request("BYE");
    const again = await phone.request("BYE");
    expect(again.raw).toBe(bye.raw);
    phone.reply(bye, "100 Trying");
    await phone.request("BYE");
    phone.reply(bye, answer);
    await phone.fence();
    expect(gateway.server.stats().dialogs).toBe(0);
  },
);

test("two BYEs cross: both are answered", async () => {
  const [gateway, client] = await udp({}, answering);
  const phone = new Phone(client);
  await phone.establish();
  await phone.fence();
  const taken = await gateway.calls.next();
  taken.call.hangup(causeOf("NORMAL_CLEARING"));
  const bye = await phone.request("BYE");
  phone.send("BYE");
  await phone.response(200, "BYE");
  phone.reply(bye, "200 OK");
  await phone.fence();
  expect(gateway.server.stats().dialogs).toBe(0);
  expect(taken.told.all.map((each) => each.what)).toEqual(["remote"]);
});

test("an INVITE that comes twice is one call, before and after each answer", async () => {
  const [gateway, client] = await udp();
  const phone = new Phone(client);
  const invite = phone.invite();
  client.send(invite);
  await phone.response(100);
  await phone.response(100);
  const { call } = await gateway.calls.next();
  call.ring();
  await phone.response(180);
  client.send(invite);
  await phone.response(180);
  call.answer(media);
  await phone.response(200);
  phone.ack();
  client.send(invite);
  await phone.fence();
  expect(phone.heard()).toEqual(["100 INVITE", "100 INVITE", "180 INVITE", "180 INVITE", "200 INVITE"]);
  const bye = phone.send("BYE");
  client.send(bye);
  client.send(invite);
  await phone.response(200, "BYE");
  await phone.response(200, "BYE");
  await phone.fence();
  expect(gateway.calls.all.length).toBe(1);
});

test("the same INVITE over another way is 482, for as long as the first is known", async () => {
  const [gateway, client] = await udp();
  const phone = new Phone(client);
  const invite = phone.invite();
  await phone.response(100);
  const fork = invite.replace(phone.branch, `${phone.branch}x`);
  client.send(fork);
  await phone.response(482);
  (await gateway.calls.next()).call.answer(media);
  await phone.response(200);
  phone.ack();
  client.send(fork);
  await phone.response(482);
  expect(gateway.calls.all.length).toBe(1);
});

test("a digit whose INFO comes twice is one digit", async () => {
  const [gateway, client] = await udp({}, answering);
  const phone = new Phone(client);
  await phone.establish();
  const info = phone.send("INFO", { body: "Signal=5\r\nDuration=160\r\n", type: "application/dtmf-relay" });
  client.send(info);
  await phone.response(200, "INFO");
  await phone.response(200, "INFO");
  const taken = await gateway.calls.next();
  expect(taken.told.all.filter((each) => each.what === "digit")).toEqual([{ what: "digit", digit: "5", ms: 160 }]);
});

test("while it rings, the last word is said again each minute, and ten minutes are enough", async () => {
  // A minute is 120 T1.
  const [gateway, client] = await udp({ t1: 1 }, (call) => call.ring());
  const phone = new Phone(client);
  phone.invite();
  await phone.response(180);
  await phone.response(180);
  const refusal = await phone.response(480);
  phone.ackRefusal(refusal);
  expect(refusal.get("reason")).toBe('Q.850;cause=19;text="NO_ANSWER"');
  const taken = await gateway.calls.next();
  expect(await taken.end()).toEqual({ by: "media_server", cause: "NO_ANSWER", q850: 19, sipStatus: 480 });
  expect(phone.heard().filter((each) => each === "180 INVITE").length).toBe(10);
});
