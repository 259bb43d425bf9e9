/** Calls at a real Asterisk: how they come, how they end, and what the dialplan has to do with them. */
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type CauseName, causeOf } from "../../src/engines/causes";
import { SipCaller } from "../engine/sip-caller";
import { play, run } from "../engine/suite";
import { AsteriskPlace, answeredCall, until } from "./place";
import { AsteriskServer } from "./server";

let server: AsteriskServer;
let place: AsteriskPlace;
beforeAll(async () => {
  server = await AsteriskServer.start(async (prepared) => {
    const name = prepared.conf("extensions.conf");
    const text = await readFile(name, "utf8");
    const named = "[from-callers]\nexten => 77,1,Set(gateway_app_id=shop)\n same => n,Stasis(voicegate,77)\n";
    const answered = "exten => 78,1,Answer()\n same => n,Stasis(voicegate)\n same => n,Hangup(17)\n";
    await writeFile(name, text.replace("[from-callers]\n", `${named}${answered}`));
  });
  place = await AsteriskPlace.open(server);
});
afterAll(async () => {
  await place.close();
  await server.stop();
});

/** Causes that an app may ask for, of each SIP status one, and each of those that Asterisk has no status for. */
const causes: readonly CauseName[] = [
  "UNALLOCATED_NUMBER",
  "NORMAL_CLEARING",
  "USER_BUSY",
  "NO_USER_RESPONSE",
  "NO_ANSWER",
  "CALL_REJECTED",
  "NUMBER_CHANGED",
  "REDIRECTION_TO_NEW_DESTINATION",
  "EXCHANGE_ROUTING_ERROR",
  "DESTINATION_OUT_OF_ORDER",
  "INVALID_NUMBER_FORMAT",
  "FACILITY_REJECTED",
  "NORMAL_TEMPORARY_FAILURE",
  "NETWORK_OUT_OF_ORDER",
  "OUTGOING_CALL_BARRED",
  "BEARERCAPABILITY_NOTAVAIL",
  "BEARERCAPABILITY_NOTIMPL",
  "RECOVERY_ON_TIMER_EXPIRE",
  "INTERWORKING",
];
const impossible: Readonly<Record<string, number | undefined>> = {
  EXCHANGE_ROUTING_ERROR: 480,
  RECOVERY_ON_TIMER_EXPIRE: 480,
};

test.each(causes)("refused with %s: the phone gets the status that is told", async (name) => {
  const caller = await place.caller();
  const { q850, sip } = causeOf(name);
  // The caller waits for that status, and complains at the end when it does not come.
  await run(place, "hangup", caller.session_uuid, { cause: asked(name) });
  expect(await place.recorder.event(caller.session_uuid, "hangup")).toMatchObject({
    cause: name,
    q850_cause: q850,
    sip_status: impossible[name] ?? sip,
    by: "app",
  });
  await caller.settled();
});

test.each([
  ["no_app", 404],
  ["overloaded", 503],
  ["unavailable", 503],
] as const)("a call that is not taken, as of %s, is refused with %i", async (verdict, status) => {
  place.recorder.verdict = () => verdict;
  const caller = await SipCaller.at(server.sipPort, place.recorder);
  caller.phone.invite({ body: caller.offer });
  caller.phone.ackRefusal(await caller.phone.response(status));
  place.recorder.verdict = () => "accepted";
  await caller.close();
});

test("the app that the dialplan names, the number and the caller go with the offer", async () => {
  const caller = await place.caller("77");
  const offer = place.recorder.offers.at(-1);
  expect(offer).toEqual({ session_uuid: caller.session_uuid, caller_id: "4930123", did: "77", app_id: "shop" });
});

test("what a caller writes stays text, whatever it would be for a dialplan", async () => {
  const caller = await SipCaller.at(server.sipPort, place.recorder);
  const { phone } = caller;
  const offers = place.recorder.offers.length;
  const text = phone.write("INVITE", { body: caller.offer });
  phone.client.send(text.replace('"A" <sip:4930123@', '"A" <sip:%24%7BSHELL(id)%7D@'));
  const { caller_id, session_uuid } = await place.recorder.offered(offers + 1);
  expect(caller_id).toBe(["$", "{SHELL(id)}"].join(""));
  await run(place, "hangup", session_uuid, { cause: "USER_BUSY" });
  await place.recorder.event(session_uuid, "hangup");
  phone.ackRefusal(await phone.response(486));
  await caller.close();
});

test("one that the dialplan has answered is told as answered", async () => {
  const caller = await SipCaller.at(server.sipPort, place.recorder, "78");
  const offers = place.recorder.offers.length;
  caller.phone.invite({ body: caller.offer });
  const { session_uuid } = await place.recorder.offered(offers + 1);
  await caller.phone.response(200);
  caller.phone.ack();
  expect(await place.recorder.event(session_uuid, "answered")).toMatchObject({ operation_id: null });
  // Behind the application its dialplan hangs up.
  await run(place, "disconnect", session_uuid, {});
  expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "media_server", q850_cause: 17 });
  caller.phone.reply(await caller.phone.request("BYE"), "200 OK");
  // If its end is heard of before the answer, nothing is told of handing it back.
  const orders = [
    ["answered", "handed_back", "hangup"],
    ["answered", "hangup"],
  ];
  expect(orders).toContainEqual(place.recorder.types(session_uuid));
  await caller.close();
});

test.each(["caller", "media_server"])("handed back, the dialplan has it, and its end by the %s is told", async (by) => {
  const caller = await answeredCall(place);
  const { session_uuid } = caller;
  await play(place, session_uuid, place.files.tone(20_000));
  await place.recorder.event(session_uuid, "playback.started");
  await run(place, "disconnect", session_uuid, {});
  await place.recorder.event(session_uuid, "handed_back");
  await until(async () => (await server.console("core show channels concise")).includes("handed-back"));
  if (by === "caller") await caller.hangUp();
  else await server.console("channel request hangup all");
  expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by, sip_status: null });
});

test("ended by somebody at Asterisk's console", async () => {
  const { session_uuid } = await answeredCall(place);
  await server.console("channel request hangup all");
  expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "media_server", sip_status: null });
});

test("nobody reads its events: calls are refused by the dialplan; draining, by the gateway", async () => {
  const alone = await AsteriskServer.start();
  const phone = await SipCaller.at(alone.sipPort, place.recorder);
  phone.phone.invite({ body: phone.offer });
  phone.phone.ackRefusal(await phone.phone.response(503));
  await phone.close();
  const draining = await AsteriskPlace.open(alone);
  draining.engine.drain();
  const late = await SipCaller.at(alone.sipPort, draining.recorder);
  late.phone.invite({ body: late.offer });
  late.phone.ackRefusal(await late.phone.response(503));
  expect(draining.recorder.offers).toEqual([]);
  await late.close();
  await draining.close();
  await alone.stop();
});

/** Not every name may be asked for: the document's own list decides, at compile time for the rest. */
function asked(name: CauseName) {
  if (name === "MEDIA_TIMEOUT" || name === "ORIGINATOR_CANCEL" || name === "SYSTEM_SHUTDOWN") throw new Error(name);
  return name;
}
