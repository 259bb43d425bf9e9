/** The websocket of a real Asterisk, closed in every way and told what nobody says. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { readHeard, Shelf } from "../engine/ear";
import { play, run } from "../engine/suite";
import { Gate } from "./gate";
import { AsteriskPlace, answeredCall, ready, survivors, until } from "./place";
import { AsteriskServer } from "./server";

describe("the websocket closes", () => {
  const shelf = new Shelf();
  let server: AsteriskServer;
  let gate: Gate;
  beforeAll(async () => {
    server = await AsteriskServer.start();
    gate = await Gate.open(server);
    await shelf.open();
  });
  afterAll(async () => {
    await shelf.close();
    await gate.close();
    await server.stop();
  });

  test.each([1000, 1001, 1006, 1011, 4000])(
    "with %i: what ended meanwhile is told, what goes on goes on",
    async (code) => {
      const place = await AsteriskPlace.open(server, { url: gate.url });
      const { engine, recorder, files } = place;
      const [stays, ends] = [await answeredCall(place), await answeredCall(place)];
      const file = shelf.file();
      await run(place, "startRecording", ends.session_uuid, { file });
      await play(place, ends.session_uuid, files.tone(300));
      await play(place, stays.session_uuid, files.tone(300));
      await recorder.event(stays.session_uuid, "playback.started");
      recorder.before = { calls: survivors(recorder), rooms: [] };
      // Until both have ended nobody is let in again.
      const shut = gate.instead("GET", /\/asterisk\/info/, answerNothing);
      gate.closeSockets(code);
      await until(async () => !engine.connected());
      const refused = run(place, "hangup", stays.session_uuid, { cause: "USER_BUSY" });
      await expect(refused).rejects.toMatchObject({ refusal: "unreachable" });
      await ends.hangUp();
      await until(async () => (await server.channels()).length === 1);
      await until(async () => (await server.ari("GET", `/playbacks/${stays.session_uuid}.0`)).status === 404);
      shut();
      expect(await recorder.event(stays.session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
      expect(await recorder.event(ends.session_uuid, "hangup")).toMatchObject({ lost: true, by: "gateway" });
      expect(await recorder.recorded(file.recording_id)).toMatchObject({ failure: null });
      expect((await readHeard(file.path)).right.length).toBeGreaterThan(0);
      await ready(place);
      await play(place, stays.session_uuid, files.tone(50));
      await recorder.event(stays.session_uuid, "playback.stopped", 2);
      await place.close();
    },
  );

  test("another one of the same name reads the events: it takes them back", async () => {
    const place = await AsteriskPlace.open(server);
    const { engine, recorder } = place;
    const caller = await answeredCall(place);
    recorder.before = { calls: survivors(recorder), rooms: [] };
    const headers = { authorization: `Basic ${Buffer.from(`${server.user}:${server.password}`).toString("base64")}` };
    const thief = new WebSocket(`${server.url.replace("http", "ws")}/ari/events?app=voicegate`, { headers });
    const replaced = new Promise((resolve) => thief.on("message", resolve));
    await until(async () => !engine.connected());
    await replaced;
    await ready(place);
    thief.terminate();
    await run(place, "hangup", caller.session_uuid, { cause: "NORMAL_CLEARING" });
    expect(await recorder.event(caller.session_uuid, "hangup")).toMatchObject({ by: "app" });
    await place.close();
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "7"],
    ["no type", "{}"],
    ["no channel", '{"type":"StasisStart","args":[]}'],
    ["a channel of other things", '{"type":"ChannelStateChange","channel":{"id":7}}'],
    ["no key", '{"type":"ChannelDtmfReceived","digit":"evil","duration_ms":1}'],
    ["bytes", Buffer.from([1, 2, 3])],
    ["an event of the future", '{"type":"ChannelTeleported"}'],
  ])("%s on it is passed over", async (_what, data) => {
    const place = await AsteriskPlace.open(server, { url: gate.url });
    gate.say(data);
    const caller = await answeredCall(place);
    expect(place.recorder.types(caller.session_uuid)).toEqual(["answered"]);
    expect(place.engine.connected()).toBe(true);
    await place.close();
  });

  test("a message beyond all bounds closes it, and it is opened again", async () => {
    const place = await AsteriskPlace.open(server, { url: gate.url });
    gate.say(`{"type":"${"x".repeat(2_000_000)}"}`);
    await until(async () => !place.engine.connected());
    await ready(place);
    await answeredCall(place);
    await place.close();
  });
});

const answerNothing = (_request: unknown, response: { destroy(): unknown }) => {
  response.destroy();
};
