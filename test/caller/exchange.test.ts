/** What the phone does when the other side is slow, strange or rude: every message of it is written here. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type Progress, placeSipCall, type SipCall, type SipCallOptions } from "../../src/caller/call";
import { RtpPeer } from "../media-child/peer";
import { Exchange, sound } from "./exchange";

let exchange: Exchange;
let peer: RtpPeer;
let calls: SipCall[];
let told: Progress[];
beforeEach(async () => {
  [exchange, peer] = [await Exchange.open(), await RtpPeer.bind()];
  [calls, told] = [[], []];
});
afterEach(async () => {
  for (const call of calls) await call.close();
  peer.close();
  await exchange.close();
});

async function place(options: Partial<SipCallOptions> = {}): Promise<SipCall> {
  const told_ = (line: Progress) => void told.push(line);
  const call = await placeSipCall({ uri: exchange.uri, callerId: "bob", script: [], told: told_, t1: 20, ...options });
  calls.push(call);
  return call;
}

const contact = () => [`Contact: <sip:desk@127.0.0.1:${exchange.port};x=1>`];

test("an INVITE is repeated until a word comes, a challenge by a proxy is answered with SHA-256, and the ACK of each takes its own way", async () => {
  const call = await place({ username: "bob", password: "pw" });
  const first = await exchange.next("INVITE");
  expect((await exchange.next("INVITE")).raw).toBe(first.raw);
  const challenge = 'Digest realm="r", nonce="n", opaque="o", qop="auth-int,auth", algorithm=SHA-256';
  const unknown = 'Digest realm="r", nonce="x", algorithm=SHA-512-256';
  exchange.answer(first, "407 Who", { lines: [unknown, challenge].map((text) => `Proxy-Authenticate: ${text}`) });
  expect((await exchange.next("ACK")).get("via")).toBe(first.get("via"));
  const again = await exchange.inbox.next((message) => message.get("proxy-authorization") !== "", "credentials");
  expect(again.get("call-id")).toBe(first.get("call-id"));
  const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)`).exec(again.get("proxy-authorization"))?.[1] ?? "";
  const hash = (...parts: string[]) => createHash("sha256").update(parts.join(":")).digest("hex");
  const ha2 = hash("INVITE", exchange.uri);
  const expected = hash(hash("bob", "r", "pw"), "n", "00000001", field("cnonce"), "auth", ha2);
  expect([field("response"), field("opaque"), field("uri")]).toEqual([expected, "o", exchange.uri]);
  exchange.answer(again, "486 Busy", {});
  expect(await call.ended).toEqual({ by: "callee", status: 486, reason: "Busy" });
  expect((await exchange.next("ACK")).get("via")).toBe(again.get("via"));
});

test("an answer makes the dialog: its routes and Contact, a 200 that comes again is acknowledged again", async () => {
  const call = await place();
  const invite = await exchange.next("INVITE");
  const routes = ["<sip:127.0.0.1:9;lr>", `<sip:127.0.0.1:${exchange.port};lr;near>`];
  const lines = [...contact(), `Record-Route: ${routes.join(", ")}`];
  const said = { lines, sdp: sound(peer.port, "sendrecv") };
  exchange.answer(invite, "200 OK", said);
  const ack = await exchange.next("ACK");
  expect(ack.start).toBe(`ACK sip:desk@127.0.0.1:${exchange.port};x=1 SIP/2.0`);
  expect(ack.all("route")).toEqual(routes.toReversed());
  exchange.answer(invite, "200 OK", said);
  expect((await exchange.next("ACK")).raw).toBe(ack.raw);
  await call.answered;
  // PCMA, as agreed; the event's number is theirs.
  expect(await peer.next()).toMatchObject({ payload: 8, body: Buffer.alloc(160, 0xd5) });
  void call.press("5");
  expect(await peer.next(({ payload }) => payload === 96)).toMatchObject({ marker: true, version: 2 });
  void call.hangUp();
  const bye = await exchange.next("BYE");
  exchange.answer(bye, "200 OK");
  expect(bye.toTag).toBe("exchange");
  expect(Number(bye.get("cseq").split(" ")[0])).toBe(Number(invite.get("cseq").split(" ")[0]) + 1);
  expect(await call.ended).toEqual({ by: "caller", status: null, reason: "Hung up" });
});

test("it can be put on hold, asked, and not be talked into anything by a stranger", async () => {
  const call = await place();
  const invite = await exchange.next("INVITE");
  exchange.answer(invite, "180 Ringing");
  exchange.answer(invite, "200 OK", { lines: contact(), sdp: sound(peer.port, "sendrecv") });
  await exchange.next("ACK");
  await call.answered;
  exchange.ask(invite, "BYE", 1, { tag: "stranger" });
  await exchange.response(481);
  exchange.ask(invite, "INVITE", 2, { lines: contact(), sdp: sound(peer.port, "sendonly", 2) });
  const held = await exchange.response(200);
  expect(held.body).toContain("a=recvonly");
  exchange.ask(invite, "ACK", 2);
  exchange.ask(invite, "INFO", 3);
  await exchange.response(200);
  exchange.ask(invite, "REFER", 4);
  await exchange.response(405);
  exchange.ask(invite, "BYE", 5, { lines: ['Reason: Q.850;cause=16;text="Had enough"'] });
  await exchange.response(200);
  exchange.ask(invite, "BYE", 5);
  await exchange.response(200);
  expect(await call.ended).toEqual({ by: "callee", status: null, reason: "Had enough" });
  // A busy machine may be silent for as long as it takes to say so.
  const heard = told.map(({ what }) => what).filter((what) => what !== "silence");
  expect(heard).toEqual(["calling", "ringing", "answered", "hold", "ended"]);
});

test("nothing is cancelled before a word came, and an answer that crosses the CANCEL is ended by a BYE", async () => {
  const call = await place();
  const invite = await exchange.next("INVITE");
  void call.hangUp();
  exchange.answer(invite, "100 Trying", { tag: "" });
  const cancel = await exchange.next("CANCEL");
  expect([cancel.get("via"), cancel.toTag]).toEqual([invite.get("via"), ""]);
  exchange.answer(invite, "200 OK", { lines: contact(), sdp: sound(peer.port, "sendrecv") });
  exchange.answer(cancel, "200 OK");
  await exchange.next("ACK");
  exchange.answer(await exchange.next("BYE"), "200 OK");
  expect(await call.ended).toMatchObject({ by: "caller", status: null });
  await expect(call.answered).rejects.toThrow("not answered");
});

test("where nobody answers it says so; what is no SIP URI is refused at once", async () => {
  const call = await place({ t1: 5 });
  expect(await call.ended).toMatchObject({
    by: "failure",
    status: null,
    reason: expect.stringMatching(/^Nobody answers/),
  });
  expect(told.map(({ what }) => what)).toEqual(["calling", "silence", "ended"]);
  await expect(place({ uri: "tel:100" })).rejects.toThrow("is no SIP URI");
  await expect(place({ uri: "sips:100@127.0.0.1" })).rejects.toThrow("TLS is not supported");
  const { port } = exchange;
  await expect(place({ uri: `sip:100@127.0.0.1:${port};transport=tcp` })).rejects.toThrow("ECONNREFUSED");
});
