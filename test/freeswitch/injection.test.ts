/** Nothing that a tenant or a caller wrote is ever part of a command: FreeSWITCH would expand it, or take it for another one. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  auth,
  enter,
  extensionOf,
  fileName,
  kill,
  playback,
  record,
  transfer,
  Unspeakable,
} from "../../src/engines/freeswitch/commands";
import { newOperation, openRoom, run, runRoom } from "../engine/suite";
import { type FreeswitchPlace, openReplayed } from "./place";

const evil = [
  ["$", "{hangup()}"].join(""),
  "a\r\n\r\napi shutdown\n\n",
  "{vg_op=x}",
  "|ls",
  "!x",
  "'; fsctl shutdown",
  "a@@1",
  "&park()",
];

describe("a tenant's and a caller's text", () => {
  let place: FreeswitchPlace;
  beforeAll(async () => {
    place = await openReplayed();
  });
  afterAll(() => place.close());

  test("in numbers, names, URLs, uids and file names: none of it is commanded", async () => {
    const { replay, recorder, files, engine } = place;
    for (const text of evil) {
      const calls = recorder.offers.length;
      const variables = { gateway_app_id: text, gateway_disconnect: text, sip_h_X: text };
      replay.extensions.set("voicegate_disconnect", () => undefined);
      replay.call({ caller_id: text, did: `1000${text}`, variables });
      const offer = await recorder.offered(calls + 1);
      // It arrives as it was written, but for what FreeSWITCH cannot say.
      expect(offer).toMatchObject({ caller_id: text, did: `1000${text}`, app_id: text });
      const { session_uuid } = offer;
      await run(place, "answer", session_uuid, {});
      await recorder.event(session_uuid, "answered");
      const operation = { ...newOperation(), command_uid: text };
      const start = engine.commands.startPlayback;
      if (start === "unsupported") throw new Error("no playback");
      const urls = [`${files.missing()}/${encodeURI(text)}`, files.tone(40, "tone")];
      await start(session_uuid, { urls, offset_sec: 0 }, operation);
      await recorder.event(session_uuid, "playback.stopped");
      const room_id = await openRoom(place);
      await run(place, "joinRoom", session_uuid, { room_id, muted: false });
      await runRoom(place, "playRoom", room_id, { urls, loop: false, volume: 0 });
      await recorder.roomEvent(room_id, "play.stopped");
      await run(place, "leaveRoom", session_uuid, {});
      await run(place, "disconnect", session_uuid, {});
    }
    const all = replay.commands.join("\n");
    for (const text of ["$", "\r", "|", "!", "'", "&", "fsctl", "hangup", "shutdown", "acme", "http"]) {
      expect(all).not.toContain(text);
    }
    // Of braces there are those of our own parameters, and of a room's flags.
    for (const brace of all.match(/\{[^}]*\}/g) ?? []) expect(brace).toMatch(/^\{(?:vg_op=[a-z0-9.]+|mute)\}$/);
    expect(all).toContain(" voicegate_disconnect XML public");
  });

  test("rooms and calls of forms that are none are unknown, whatever they hold", async () => {
    const { engine, replay } = place;
    const commands = replay.commands.length;
    for (const text of evil) {
      await expect(run(place, "hangup", `fs1-${text}`, { cause: "NORMAL_CLEARING" })).rejects.toMatchObject({
        refusal: "gone",
      });
      engine.end(`fs1-${text}`, text);
      engine.cancel(`fs1-${text}`, text);
    }
    expect(replay.commands).toHaveLength(commands);
  });

  test("a channel with an id that is no UUID is left alone", async () => {
    const { replay, recorder } = place;
    const offers = recorder.offers.length;
    const channel = replay.call({ caller_id: "1", did: "2" });
    await recorder.offered(offers + 1);
    const event = channel.dump().replace("CHANNEL_DATA", "CHANNEL_PARK");
    for (const uuid of ["x%0Aapi%20shutdown", "", "1234"]) replay.tell(event.replaceAll(channel.uuid, uuid));
    replay.call({ caller_id: "1", did: "2" });
    await recorder.offered(offers + 2);
    expect(recorder.offers).toHaveLength(offers + 2);
  });
});

describe("commands", () => {
  const uuid = "b9e2f987-ef68-4c0e-b4b7-e567c2929fcb";

  test.each(evil)("%j is no part of any", (text) => {
    const made = [
      () => kill(text, "USER_BUSY"),
      () => kill(uuid, text),
      () => enter(uuid, text, false),
      () => playback(uuid, text, "/var/a.wav", 0),
      () => record(uuid, text, 1),
      () => record(uuid, `/var/${text}.wav`, 1),
      () => transfer(uuid, { name: text, context: null }),
      () => transfer(uuid, { name: "a", context: text }),
      () => fileName(`/var/${text}`),
    ];
    for (const make of made) expect(make).toThrow(Unspeakable);
    expect(extensionOf(text)).toBeNull();
  });

  test("folders that lead elsewhere, and numbers that are none", () => {
    for (const file of ["/a/../b.wav", "a.wav", "/a b.wav", "/ä.wav", ""])
      expect(() => fileName(file)).toThrow(Unspeakable);
    for (const offset of [-1, 0.5, Number.NaN, 2 ** 60]) {
      if (offset > 0 || Number.isNaN(offset)) expect(() => record(uuid, "/a.wav", offset)).toThrow(Unspeakable);
    }
    expect(extensionOf("reception")).toEqual({ name: "reception", context: null });
    expect(extensionOf("reception XML office")).toEqual({ name: "reception", context: "office" });
    expect(extensionOf("reception inline")).toBeNull();
  });

  test("a password with a line end is refused before it is sent", () => {
    expect(() => auth("a\nb")).toThrow(Unspeakable);
    expect(auth("Clue Con $1").text).toBe("auth Clue Con $1\n\n");
  });
});
