/** An inbound call from INVITE to BYE, over both transports. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { causeOf } from "../../src/engines/causes";
import { answering, type Callee, callee, media } from "./callee";
import { type Client, tcpClient, udpClient } from "./client";
import { Phone } from "./phone";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const transports = { UDP: udpClient, TCP: tcpClient };

async function both(transport: keyof typeof transports, ...args: Parameters<typeof callee>): Promise<[Callee, Client]> {
  const gateway = await callee(...args);
  const client = await transports[transport](gateway.port);
  // The server first: it waits for the ACK that is still on its way.
  closing.push(() => gateway.server.close(), client.close);
  return [gateway, client];
}

describe.each(["UDP", "TCP"] as const)("over %s", (transport) => {
  test("rings, has early media, is answered, ended by the caller", async () => {
    const [gateway, client] = await both(transport);
    const phone = new Phone(client, "+49301234", "%2B15551230001");
    phone.invite();
    const trying = await phone.response(100);
    expect(trying.toTag).toBe("");
    const taken = await gateway.calls.next();
    expect([taken.call.callerId, taken.call.did]).toEqual(["+15551230001", "+49301234"]);
    expect(taken.call.offer?.remote).toMatchObject({ address: "127.0.0.1", port: 40000, payload: 0, dtmfPayload: 101 });

    taken.call.ring();
    const ringing = await phone.response(180);
    expect(ringing.body).toBe("");
    taken.call.early(media);
    taken.call.early(media);
    const progress = await phone.response(183);
    expect(progress.get("content-type")).toBe("application/sdp");
    expect(progress.body).toContain("m=audio 30000 RTP/AVP 0 101\r\n");
    expect(await taken.remote()).toEqual({
      ...{ address: "127.0.0.1", port: 40000, payload: 0, dtmfPayload: 101, ptime: 20, send: true, receive: true },
    });
    taken.call.answer(media);
    const ok = await phone.response(200);
    expect(ok.body).toBe(progress.body);
    expect([ringing.toTag, progress.toTag]).toEqual([ok.toTag, ok.toTag]);
    expect(ok.get("contact")).toBe(`<sip:127.0.0.1:${gateway.port}${transport === "TCP" ? ";transport=tcp" : ""}>`);
    expect(ok.get("allow")).toBe("INVITE, ACK, CANCEL, BYE, INFO, OPTIONS");
    phone.ack();
    phone.send("BYE", { headers: ['Reason: SIP;cause=200, Q.850;cause=31;text="x"'] });
    await phone.response(200, "BYE");
    expect(await taken.end()).toEqual({ by: "caller", cause: "NORMAL_UNSPECIFIED", q850: 31, sipStatus: null });
    // One 183 and one negotiation, however often it was asked for.
    expect(phone.heard()).toEqual(["100 INVITE", "180 INVITE", "183 INVITE", "200 INVITE", "200 BYE"]);
    expect(taken.told.all.map((each) => each.what)).toEqual(["remote", "end"]);
    expect(gateway.server.stats()).toMatchObject({ calls: 0, dialogs: 0, errors: 0 });
  });

  test("is ended by the engine with its cause", async () => {
    const [gateway, client] = await both(transport, {}, answering);
    const phone = new Phone(client);
    await phone.establish();
    await phone.fence();
    const { call, told } = await gateway.calls.next();
    call.hangup(causeOf("USER_BUSY"));
    const bye = await phone.request("BYE");
    expect(bye.get("reason")).toBe('Q.850;cause=17;text="USER_BUSY"');
    expect(bye.get("max-forwards")).toBe("70");
    expect(bye.toTag).toBe(phone.tag);
    expect(bye.start).toMatch(new RegExp(`^BYE sip:alice@127\\.0\\.0\\.1:${client.port}`));
    phone.reply(bye, "200 OK");
    await phone.fence();
    expect(gateway.server.stats()).toMatchObject({ calls: 0, dialogs: 0 });
    expect(told.all.map((each) => each.what)).toEqual(["remote"]);
  });

  test("is refused, with Reason and Retry-After", async () => {
    const [gateway, client] = await both(transport, {}, (call) => call.refuse(503, { q850: 42, retryAfter: 2.5 }));
    const phone = new Phone(client);
    phone.invite();
    const refusal = await phone.response(503);
    expect(refusal.get("reason")).toBe('Q.850;cause=42;text="SWITCH_CONGESTION"');
    expect(refusal.get("retry-after")).toBe("3");
    phone.ackRefusal(refusal);
    await phone.fence();
    const { told, call } = await gateway.calls.next();
    call.answer(media);
    call.hangup(causeOf("NORMAL_CLEARING"));
    await phone.fence();
    expect(phone.heard()).toEqual(["100 INVITE", "503 INVITE"]);
    expect(told.all).toEqual([]);
  });

  test.each([
    ["CALL_REJECTED", 603, 21],
    ["NORMAL_CLEARING", 480, 16],
    ["UNALLOCATED_NUMBER", 404, 1],
    ["DESTINATION_OUT_OF_ORDER", 502, 27],
  ] as const)("hung up before the answer with %s: %d", async (name, status, q850) => {
    const [, client] = await both(transport, {}, (call) => call.hangup(causeOf(name)));
    const phone = new Phone(client);
    phone.invite();
    const refusal = await phone.response(status);
    expect(refusal.get("reason")).toBe(`Q.850;cause=${q850};text="${name}"`);
    phone.ackRefusal(refusal);
  });

  test("CANCEL while it rings, and once more", async () => {
    const [gateway, client] = await both(transport, {}, (call) => call.ring());
    const phone = new Phone(client);
    phone.invite();
    const { toTag } = await phone.response(180);
    phone.cancel();
    const ok = await phone.response(200, "CANCEL");
    const refusal = await phone.response(487);
    expect([ok.toTag, refusal.toTag]).toEqual([toTag, toTag]);
    phone.cancel();
    await phone.response(200, "CANCEL");
    phone.ackRefusal(refusal);
    const taken = await gateway.calls.next();
    expect(await taken.end()).toEqual({ by: "caller", cause: "ORIGINATOR_CANCEL", q850: 16, sipStatus: 487 });
    taken.call.answer(media);
    await phone.fence();
    expect(phone.heard().filter((each) => each === "200 INVITE")).toEqual([]);
  });

  test("CANCEL before the engine has decided, in one piece with its INVITE", async () => {
    const [gateway, client] = await both(transport);
    const phone = new Phone(client);
    const invite = phone.write("INVITE");
    const cancel = phone.write("CANCEL", { branch: phone.branch });
    if (transport === "TCP") client.send(invite + cancel);
    else for (const message of [invite, cancel]) client.send(message);
    await phone.response(200, "CANCEL");
    phone.ackRefusal(await phone.response(487));
    expect((await (await gateway.calls.next()).end())?.sipStatus).toBe(487);
  });

  test("CANCEL comes too late: the call stays", async () => {
    const [gateway, client] = await both(transport, {}, answering);
    const phone = new Phone(client);
    await phone.establish();
    phone.cancel();
    await phone.response(200, "CANCEL");
    await phone.fence();
    expect(gateway.server.stats()).toMatchObject({ calls: 1 });
    phone.send("BYE");
    await phone.response(200, "BYE");
  });

  test("BYE before the answer ends the INVITE as well", async () => {
    const [gateway, client] = await both(transport, {}, (call) => call.ring());
    const phone = new Phone(client);
    phone.invite();
    await phone.response(180);
    phone.send("BYE");
    await phone.response(200, "BYE");
    phone.ackRefusal(await phone.response(487));
    expect((await (await gateway.calls.next()).end())?.cause).toBe("ORIGINATOR_CANCEL");
  });

  test("a bug of the engine is a 500", async () => {
    const [gateway, client] = await both(transport, {}, () => {
      throw new Error("bug");
    });
    const phone = new Phone(client);
    phone.invite();
    phone.ackRefusal(await phone.response(500));
    await phone.fence();
    expect(gateway.server.stats()).toMatchObject({ calls: 0, dialogs: 0, errors: 1 });
  });
});

test("a connection that breaks before the answer is a caller who gave up; after it the call goes on", async () => {
  const [gateway, client] = await both("TCP", {}, (call) => call.did === "1" && call.answer(media));
  const phone = new Phone(client, "1");
  await phone.establish();
  const early = new Phone(client, "2");
  early.invite();
  await early.response(100);
  await client.close();
  const [answered, open] = [await gateway.calls.next(), await gateway.calls.next()];
  expect((await open.end())?.cause).toBe("ORIGINATOR_CANCEL");
  expect(gateway.server.stats()).toMatchObject({ calls: 1, connections: 0 });

  // The caller comes back over another connection: it is the same call, and our BYE goes there.
  const second = await tcpClient(gateway.port);
  closing.push(second.close);
  const info = phone.write("INFO", { body: "Signal=7\r\nDuration=120\r\n", type: "application/dtmf-relay" });
  second.send(info);
  expect(await answered.digit()).toBe("7 120");
  answered.call.hangup(causeOf("NORMAL_CLEARING"));
  const bye = await second.inbox.next((m) => m.method === "BYE" && m.status === 0, "BYE");
  expect(bye.get("call-id")).toBe(phone.callId);
  new Phone(second).reply(bye, "200 OK");
});

test("Expires: the INVITE ends by itself", async () => {
  const [gateway, client] = await both("UDP", {}, (call) => call.ring());
  const phone = new Phone(client);
  phone.invite({ headers: ["Expires: 1"] });
  phone.ackRefusal(await phone.response(487));
  expect((await (await gateway.calls.next()).end())?.cause).toBe("ORIGINATOR_CANCEL");
});
