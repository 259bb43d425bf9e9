import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { FreeswitchEvent } from "../../src/engines/freeswitch/event";
import { Shelf } from "../engine/ear";
import { openRoom, play, run } from "../engine/suite";
import { Lines } from "./lines";
import { answeredAt, commandsAt, type FreeswitchPlace, openReplayed } from "./place";
import { trace } from "./recorded";

let place: FreeswitchPlace;
const lines = new Lines();
const shelf = new Shelf();
beforeAll(async () => {
  await shelf.open();
  place = await openReplayed({ log: lines.log });
});
afterAll(async () => {
  await place.close();
  await shelf.close();
});

const answered = () => answeredAt(place);
const commandsOf = (id: string) => commandsAt(place, id);

describe("calls", () => {
  test("the subscription has what is needed, its classes last", () => {
    const subscribed = place.replay.commands.find((command) => command.startsWith("event plain "));
    expect(subscribed).toMatch(/ CUSTOM conference::maintenance$/);
    expect(subscribed).not.toContain("ALL");
  });

  test("before it rings: no key ends a playback, recordings are stereo and begin at once; then the dialplan's timer goes", async () => {
    const session_uuid = await place.call([]);
    while (place.channel(session_uuid).timed) await delay(1);
    const [prepared, ...others] = commandsOf(session_uuid);
    expect(prepared).toBe(
      "api uuid_setvar_multi X playback_terminators=none;RECORD_STEREO=true;RECORD_PRE_BUFFER_FRAMES=1;RECORD_MIN_SEC=0;record_sample_rate=8000",
    );
    expect(others).toEqual(["sendmsg X\ncall-command: execute\nexecute-app-name: ring_ready", "api sched_del X"]);
  });

  test("one that comes back into the park from a conference is not offered again", async () => {
    const room_id = await openRoom(place);
    const session_uuid = await answered();
    const offers = place.recorder.offers.length;
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    await run(place, "leaveRoom", session_uuid, {});
    expect(commandsOf(session_uuid).at(-1)).toBe("api uuid_transfer X park inline");
    expect(place.recorder.offers).toHaveLength(offers);
  });

  test("outbound and answered ones that are parked are none of ours", async () => {
    const offers = place.recorder.offers.length;
    const park = trace("15-originate-bridge").find(
      ({ text }) => text.includes("Event-Name: CHANNEL_PARK") && text.includes("Call-Direction: outbound"),
    );
    const event = park?.text.slice(park.text.indexOf("Event-Name: CHANNEL_PARK")).trimEnd();
    expect(event).toContain("Call-Direction: outbound");
    place.replay.tell(`${event}\n\n`);
    place.replay.tell(`${event}\n\n`.replace("Call-Direction: outbound", "Call-Direction: inbound"));
    await place.call([]);
    expect(place.recorder.offers).toHaveLength(offers + 1);
    expect(commandsOf(/^Unique-ID: (.*)$/m.exec(event ?? "")?.[1] ?? "none")).toEqual([]);
  });

  test("the dialplan names its app, and where it is handed back to", async () => {
    const offers = place.recorder.offers.length;
    const back: string[] = [];
    place.replay.extensions.set("reception", ({ uuid }) => void back.push(uuid));
    const variables = { gateway_app_id: "acme", gateway_disconnect: "reception XML office" };
    const { uuid } = place.replay.call({ caller_id: "4930123", did: "1000", variables });
    const { session_uuid, app_id } = await place.recorder.offered(offers + 1);
    expect(app_id).toBe("acme");
    await run(place, "answer", session_uuid, {});
    await run(place, "disconnect", session_uuid, {});
    expect(commandsOf(session_uuid).at(-1)).toBe("api uuid_transfer X reception XML office");
    while (back.length === 0) await delay(1);
    expect(back).toEqual([uuid]);
  });

  test("a dialplan that answers by itself, before or after it parks", async () => {
    const session_uuid = await place.call([]);
    place.channel(session_uuid).answer();
    expect(await place.recorder.event(session_uuid, "answered")).toMatchObject({ operation_id: null });
  });

  test("handed back with its context named: after a conference it has no dialplan in which FreeSWITCH would look", async () => {
    place.replay.extensions.set("voicegate_disconnect", () => undefined);
    const room_id = await openRoom(place);
    const session_uuid = await answered();
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    await run(place, "leaveRoom", session_uuid, {});
    await run(place, "disconnect", session_uuid, {});
    expect(commandsOf(session_uuid).at(-1)).toBe("api uuid_transfer X voicegate_disconnect XML public");
    // From within a conference as well, and with the end of its recording.
    const inside = await answered();
    await run(place, "joinRoom", inside, { room_id, muted: false });
    const { recording_id, path } = shelf.file();
    await run(place, "startRecording", inside, { file: { recording_id, path } });
    await run(place, "disconnect", inside, {});
    expect(await place.recorder.recorded(recording_id)).toMatchObject({ failure: null });
    expect(place.recorder.of(inside).at(-1)).toMatchObject({ type: "handed_back" });
    expect(lines.count("somebody took a call out of its room")).toBe(0);
  });

  test("handed back to where nothing is, the call ends by the media server", async () => {
    place.replay.extensions.delete("voicegate_disconnect");
    const session_uuid = await answered();
    await run(place, "disconnect", session_uuid, {});
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({
      cause: "NO_ROUTE_DESTINATION",
      q850_cause: 3,
      by: "media_server",
      sip_status: null,
    });
  });

  test.each([
    ["no_app", "UNALLOCATED_NUMBER"],
    ["overloaded", "SWITCH_CONGESTION"],
    ["unavailable", "NORMAL_TEMPORARY_FAILURE"],
  ] as const)("one that is refused (%s) ends with %s, and nothing is told of it", async (verdict, cause) => {
    place.recorder.verdict = () => verdict;
    const channel = place.replay.call({ caller_id: "4930123", did: "2000" });
    while (!channel.over) await delay(1);
    place.recorder.verdict = () => "accepted";
    expect(place.replay.commands).toContain(`api uuid_kill ${channel.uuid} ${cause}`);
    expect(place.recorder.types(`fs1-${channel.uuid}`)).toEqual([]);
  });

  test("a cause of the gateway's own is said in FreeSWITCH's words, which would clear any other normally", async () => {
    const session_uuid = await answered();
    place.engine.end(session_uuid, "SERVER_SHUTDOWN");
    await place.recorder.event(session_uuid, "hangup");
    expect(commandsOf(session_uuid).at(-1)).toBe("api uuid_kill X NORMAL_TEMPORARY_FAILURE");
    expect(place.recorder.of(session_uuid).at(-1)).toMatchObject({ cause: "SERVER_SHUTDOWN", by: "gateway" });
  });

  test("a caller who hangs up while the app does is the one who did", async () => {
    const session_uuid = await answered();
    place.channel(session_uuid).hangup("NORMAL_CLEARING", "bye");
    await run(place, "hangup", session_uuid, { cause: "NORMAL_CLEARING" }).catch(() => undefined);
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ by: "caller" });
  });

  test("the length of a key is counted in samples of 8 kHz", async () => {
    const session_uuid = await answered();
    place.channel(session_uuid).press("#", 280);
    expect(await place.recorder.event(session_uuid, "dtmf")).toMatchObject({ digit: "#", duration_ms: 280 });
    const recorded = trace("07-digits").find(({ text }) => text.includes("DTMF-Source: RTP"));
    const event = FreeswitchEvent.parse(recorded?.text.slice(recorded.text.indexOf("Event-Name")) ?? "");
    expect(event.number("DTMF-Duration")).toBe(2240);
  });
});

describe("playback", () => {
  test("is told apart by a header of its own, because its start and stop have no other", async () => {
    const session_uuid = await answered();
    await play(place, session_uuid, place.files.tone(60));
    await place.recorder.event(session_uuid, "playback.stopped");
    const [, tag] = /Event-UUID: (\S+)$/.exec(commandsOf(session_uuid).at(-1) ?? "") ?? [];
    expect(commandsOf(session_uuid).at(-1)).toMatch(/execute-app-arg: \{vg_op=\S+\}\/\S+\.wav\n/);
    expect(commandsOf(session_uuid).at(-1)).toContain(`{vg_op=${tag}}`);
  });

  test("an offset is given in samples, and only for a file", async () => {
    const session_uuid = await answered();
    await run(place, "startPlayback", session_uuid, { urls: [place.files.tone(2100)], offset_sec: 2 });
    await place.recorder.event(session_uuid, "playback.stopped");
    expect(commandsOf(session_uuid).at(-1)).toContain(".wav@@16000\n");
    await run(place, "playSilence", session_uuid, { duration_ms: 40 });
    await place.recorder.event(session_uuid, "playback.stopped", 2);
    expect(commandsOf(session_uuid).at(-1)).toMatch(/\{vg_op=\S+\}silence_stream:\/\/40\n/);
  });

  test("stopped and paused by uuid_break, where FreeSWITCH says it was; resumed from just there; never by fileman", async () => {
    const session_uuid = await answered();
    await play(place, session_uuid, place.files.tone(20_000));
    await place.recorder.event(session_uuid, "playback.started");
    await delay(50);
    await run(place, "pausePlayback", session_uuid, {});
    const { offset_ms } = await place.recorder.event(session_uuid, "playback.moved");
    // Frames of 20 ms.
    expect(offset_ms % 20).toBe(0);
    await run(place, "resumePlayback", session_uuid, {});
    expect(commandsOf(session_uuid).at(-1)).toContain(offset_ms > 0 ? `@@${offset_ms * 8}\n` : ".wav\n");
    await run(place, "seekPlayback", session_uuid, { offset_sec: 3 });
    expect(commandsOf(session_uuid).at(-1)).toBe("api uuid_fileman X seek:3000");
    await run(place, "stopPlayback", session_uuid, {});
    expect(commandsOf(session_uuid).at(-1)).toBe("api uuid_break X");
    expect(commandsOf(session_uuid).join()).not.toMatch(/fileman X (?:stop|pause)/);
  });

  test("a file that is gone has no start: it is told as one that could not be played", async () => {
    const session_uuid = await answered();
    place.replay.intercept = (command) => {
      if (!command.includes("playback")) return undefined;
      place.replay.intercept = () => undefined;
      const [, tag = ""] = /Event-UUID: (\S+)$/.exec(command) ?? [];
      place.channel(session_uuid).execute("playback", "{vg_op=x}/nowhere/at-all.wav", tag);
      return "Content-Type: command/reply\nReply-Text: +OK\n\n";
    };
    const url = place.files.tone(100);
    await play(place, session_uuid, url);
    await place.recorder.event(session_uuid, "failed");
    expect(place.recorder.of(session_uuid, "answered")).toMatchObject([
      { type: "playback.file_not_found", url, reason: "unreachable" },
      { type: "failed", error: "No file could be played" },
    ]);
  });

  test("one that an operator breaks off has ended there, and the list goes on", async () => {
    const session_uuid = await answered();
    await play(place, session_uuid, place.files.tone(20_000), place.files.tone(60));
    await place.recorder.event(session_uuid, "playback.started");
    place.channel(session_uuid).break(false);
    expect(await place.recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
    expect(lines.count("somebody else broke a sound off")).toBe(1);
  });

  test("one whose end is never told ends by its time", async () => {
    const session_uuid = await answered();
    const { tell } = place.replay;
    place.replay.tell = (event) => {
      if (!event.includes("Event-Name: PLAYBACK_STOP")) tell.call(place.replay, event);
    };
    await play(place, session_uuid, place.files.tone(40));
    const { reason } = await place.recorder.event(session_uuid, "playback.stopped");
    place.replay.tell = tell;
    expect(reason).toBe("completed");
  });
});
