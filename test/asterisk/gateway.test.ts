/** A whole gateway at a real Asterisk: a call from its first webhook to its last, and one that outlives the gateway. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { FileServer } from "../engine/files";
import { Recorder } from "../engine/recorder";
import { SipCaller } from "../engine/sip-caller";
import { TestGateway } from "../gateway";
import { until } from "./place";
import { AsteriskServer, freePort } from "./server";

let server: AsteriskServer;
let place: TestGateway;
const files = new FileServer();
beforeAll(async () => {
  server = await AsteriskServer.start();
  await files.listen();
  const ASTERISK_NODES = `ast=${server.url}|${server.user}|${server.password}`;
  const PORT = String(await freePort("tcp"));
  const env = { PORT, MEDIA_BASE_URL: `http://127.0.0.1:${PORT}`, ASTERISK_NODES, EMBEDDED_ENGINE: "false" };
  place = await TestGateway.start({ recordings: true, env });
});
afterAll(async () => {
  await server.stop();
  await files.close();
});

test("answered, played to, recorded and ended by HTTP, and told of by webhooks; the next call stays up without the gateway", async () => {
  const { receiver, client, app } = place;
  const caller = await SipCaller.at(server.sipPort, new Recorder(), "100", { paced: true });
  const { phone } = caller;
  phone.invite({ body: caller.offer });
  await phone.response(180);
  const { source, data } = await receiver.event("call.new");
  expect(data).toMatchObject({ did: "100", caller_id: "4930123" });
  const command = async (name: string, body: object = {}) => {
    const path = `/api/v1/sessions/${source}/commands/${name}`;
    const { status, text } = await client.request({ method: "POST", path, headers: app, body });
    if (status !== 202) throw new Error(`${name}: ${status} ${text}`);
  };
  await command("answer");
  caller.listenTo(await phone.response(200));
  phone.ack();
  await receiver.event("call.answered", source);
  await command("record/start");
  await command("playback/start", { urls: [files.tone(300)] });
  expect((await receiver.event("playback.stopped", source)).data).toMatchObject({ reason: "completed" });
  // Asterisk has fetched it from the gateway.
  expect(receiver.names(source)).not.toContain("playback.file_not_found");
  await caller.peer.hold("5");
  expect((await receiver.event("dtmf", source)).data).toMatchObject({ digit: "5" });
  await command("record/stop");
  expect((await receiver.event("recording.completed", source)).data).toMatchObject({
    recording_url: expect.any(String),
  });
  await command("hangup", { cause: "USER_BUSY" });
  phone.reply(await phone.request("BYE"), "200 OK");
  expect((await receiver.event("call.hangup", source)).data).toMatchObject({ cause: "USER_BUSY", by: "app" });
  const second = await SipCaller.at(server.sipPort, new Recorder(), "100");
  second.phone.invite({ body: second.offer });
  await second.phone.response(180);
  await place.close();
  await until(async () => (await server.channels()).length === 1);
  second.phone.cancel();
  second.phone.ackRefusal(await second.phone.response(487));
  for (const each of [caller, second]) await each.close();
});
