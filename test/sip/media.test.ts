/** Offer and answer over the wire: codecs, hold, late offer, collisions (RFC 3264, RFC 3261 section 14). */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { answering, type Callee, callee, media } from "./callee";
import { type Client, udpClient } from "./client";
import { Phone, sdp } from "./phone";

let gateway: Callee;
let client: Client;
let phone: Phone;
async function start(...args: Parameters<typeof callee>): Promise<void> {
  gateway = await callee(...args);
  client = await udpClient(gateway.port);
  phone = new Phone(client);
}
afterEach(async () => {
  await gateway.server.close();
  await client.close();
});

/** Session id and version of an o= line. */
function origin(body: string): [string, number] {
  const [, id = "", version = ""] = /^o=- (\d+) (\d+) IN IP4 /m.exec(body) ?? [];
  return [id, Number(version)];
}

async function again(body: string): Promise<string> {
  phone.invite({ body });
  const ok = await phone.response(200);
  phone.ack();
  return ok.body;
}

async function hangUp(): Promise<void> {
  phone.send("BYE");
  await phone.response(200, "BYE");
}

describe("what is answered to an offer", () => {
  beforeEach(() => start({}, answering));
  test.each([
    ["PCMU first", sdp([], "0 8 101"), "0 101", { payload: 0, dtmfPayload: 101 }],
    ["PCMA first", sdp([], "8 0 101"), "8 101", { payload: 8 }],
    ["other codecs first", sdp(["a=rtpmap:96 opus/48000/2"], "96 18 8"), "8", { payload: 8, dtmfPayload: null }],
    ["events of another number", sdp(["a=rtpmap:126 telephone-event/8000"], "0 126"), "0 126", { dtmfPayload: 126 }],
    ["events at another rate only", sdp(["a=rtpmap:110 telephone-event/48000"], "0 110"), "0", { dtmfPayload: null }],
    ["ptime 30", sdp(["a=ptime:30"]), "0 101", { ptime: 30 }],
    ["ptime that nobody has", sdp(["a=ptime:7"]), "0 101", { ptime: 20 }],
    ["maxptime below ptime", sdp(["a=ptime:60", "a=maxptime:45"]), "0 101", { ptime: 40 }],
    ["sendonly", sdp(["a=sendonly"]), "0 101", { send: false, receive: true }],
    ["recvonly", sdp(["a=recvonly"]), "0 101", { send: true, receive: false }],
  ])("%s", async (_, body, formats, agreed) => {
    const { body: answer } = await phone.establish({ body });
    expect(answer).toContain(`m=audio 30000 RTP/AVP ${formats}\r\n`);
    const taken = await gateway.calls.next();
    const remote = await taken.remote();
    expect(remote).toMatchObject(agreed);
    expect(answer).toContain(`a=ptime:${remote?.ptime}\r\n`);
    expect(answer).toContain("c=IN IP4 127.0.0.1\r\n");
    await hangUp();
  });

  test("every media line has its answer, all but one with port 0", async () => {
    const video = "m=video 50000 RTP/AVP 99 100\r\na=rtpmap:99 H264/90000\r\n";
    const secure = "m=audio 41000 RTP/SAVP 0\r\n";
    const [head = "", audio = ""] = sdp().split(/(?=m=)/);
    const { body } = await phone.establish({ body: `${head}${secure}${video}${audio}m=audio 42000 RTP/AVP 0\r\n` });
    expect(body.split("\r\n").filter((line) => line.startsWith("m="))).toEqual([
      ...["m=audio 0 RTP/SAVP 0", "m=video 0 RTP/AVP 99", "m=audio 30000 RTP/AVP 0 101", "m=audio 0 RTP/AVP 0"],
    ]);
    await hangUp();
  });
});

test.each([
  ["no audio", "v=0\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5000 RTP/AVP 99\r\n"],
  ["no codec of ours", sdp([], "18 101")],
  ["secure media only", sdp().replace("RTP/AVP", "RTP/SAVP")],
  ["port 0", sdp().replace("40000", "0")],
  ["no address", sdp().replace(/c=.*\r\n/, "")],
  ["a name for an address", sdp([], "0", "media.example.org")],
  ["a multicast address", sdp([], "0", "239.1.2.3")],
  ["an address of the other family", sdp().replace("c=IN IP4 127.0.0.1", "c=IN IP6 ::1")],
  ["PCMU's number for another codec", sdp(["a=rtpmap:0 G726-32/8000"], "0")],
  ["a line that is none", `${sdp()}m=\r\n`],
  ["too many lines", sdp() + "m=video 5000 RTP/AVP 99\r\n".repeat(40)],
  ["no SDP at all", "\0\0\0\0"],
])("488: %s", async (_, body) => {
  await start();
  phone.invite({ body });
  const refusal = await phone.response(488);
  expect(refusal.get("warning")).toMatch(/^304 /);
  // Nothing is kept for it, and nobody was told.
  expect(phone.heard()).toEqual(["488 INVITE"]);
  expect(gateway.calls.all).toEqual([]);
  expect(gateway.server.stats()).toMatchObject({ calls: 0, transactions: 0 });
});

test("hold and resume in every form, with versions that count the changes", async () => {
  await start({}, answering);
  const first = origin((await phone.establish()).body);
  const taken = await gateway.calls.next();
  await taken.remote();
  const steps: [string, string, boolean, boolean][] = [
    [sdp(["a=sendonly"]), "recvonly", false, true],
    [sdp(["a=inactive"]), "inactive", false, false],
    [sdp(["a=recvonly"]), "sendonly", true, false],
    [sdp(["a=sendrecv"]), "sendrecv", true, true],
    [sdp(["a=sendrecv"], "0 8 101", "0.0.0.0"), "recvonly", false, true],
    [sdp([]), "sendrecv", true, true],
  ];
  for (const [index, [offer, direction, send, receive]] of steps.entries()) {
    const body = await again(offer);
    expect(body).toContain(`a=${direction}\r\n`);
    expect(origin(body)).toEqual([first[0], first[1] + index + 1]);
    expect(await taken.remote()).toMatchObject({ send, receive });
  }
  // Nothing changed: the version stays.
  expect(origin(await again(sdp([])))[1]).toBe(first[1] + steps.length);
  await hangUp();
});

test("another codec and address in the midst of a call; what cannot be taken changes nothing", async () => {
  await start({}, answering);
  await phone.establish();
  const taken = await gateway.calls.next();
  await taken.remote();
  expect(await again(sdp([], "8", "127.0.0.2"))).toContain("m=audio 30000 RTP/AVP 8\r\n");
  expect(await taken.remote()).toMatchObject({ address: "127.0.0.2", payload: 8, dtmfPayload: null });
  phone.invite({ body: sdp([], "18") });
  const refusal = await phone.response(488);
  phone.ackRefusal(refusal);
  phone.invite({ body: "x", type: "text/plain" });
  phone.ackRefusal(await phone.response(415));
  await phone.fence();
  expect(gateway.server.stats().calls).toBe(1);
  expect(taken.told.all.length).toBe(2);
  await hangUp();
});

test("late offer: ours in the 200, the answer in the ACK", async () => {
  await start({}, (call) => {
    call.early(media);
    call.answer(media);
  });
  phone.send("INVITE");
  const progress = await phone.response(183);
  expect(progress.body).toBe("");
  const ok = await phone.response(200);
  expect(ok.body).toContain("m=audio 30000 RTP/AVP 0 8 101\r\n");
  const taken = await gateway.calls.next();
  expect(taken.call.offer).toBeNull();
  // Our offer has no answer yet: another one is a collision.
  phone.invite();
  phone.ackRefusal(await phone.response(491));
  expect(taken.told.all).toEqual([]);
  phone.cseq--;
  phone.ack({ body: sdp([], "8 101") });
  expect(await taken.remote()).toMatchObject({ port: 40000, payload: 8, dtmfPayload: 101 });
  phone.cseq++;
  await hangUp();
});

test.each([
  ["none", {}],
  ["one that cannot be taken", { body: sdp([], "18") }],
])("late offer, and the ACK brings %s: BYE", async (_, ack) => {
  await start({}, answering);
  phone.send("INVITE");
  await phone.response(200);
  phone.ack(ack);
  const bye = await phone.request("BYE");
  expect(bye.get("reason")).toContain("cause=88");
  phone.reply(bye, "200 OK");
  const taken = await gateway.calls.next();
  expect(await taken.end()).toMatchObject({ by: "media_server", cause: "INCOMPATIBLE_DESTINATION", sipStatus: null });
});

test("a re-INVITE without an offer asks for ours", async () => {
  await start({}, answering);
  await phone.establish();
  phone.send("INVITE");
  const ok = await phone.response(200);
  expect(ok.body).toContain("m=audio 30000 RTP/AVP 0 8 101\r\n");
  phone.ack({ body: sdp(["a=sendonly"], "0") });
  const taken = await gateway.calls.next();
  await taken.remote();
  expect(await taken.remote()).toMatchObject({ send: false, dtmfPayload: null });
  await hangUp();
});

test("a re-INVITE while the first INVITE rings is 500, and can come again later", async () => {
  await start({}, (call) => call.ring());
  phone.invite();
  await phone.response(180);
  const { branch } = phone;
  phone.invite();
  const refusal = await phone.response(500);
  expect(Number(refusal.get("retry-after"))).toBeGreaterThan(0);
  phone.ackRefusal(refusal);
  phone.branch = branch;
  phone.cseq = 1;
  phone.cancel();
  phone.ackRefusal(await phone.response(487));
});

test("the public host stands in SDP, Contact and Via", async () => {
  await start({ publicHost: "203.0.113.9" }, answering);
  const ok = await phone.establish();
  expect(ok.body).toMatch(/^c=IN IP4 203\.0\.113\.9\r$/m);
  expect(ok.body).toMatch(/^o=- \d+ 1 IN IP4 203\.0\.113\.9\r$/m);
  expect(ok.get("contact")).toBe(`<sip:203.0.113.9:${gateway.port}>`);
  await hangUp();
});
