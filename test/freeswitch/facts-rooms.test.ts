/** What a real FreeSWITCH does with conferences and recordings, each held against the engine. */
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Shelf } from "../engine/ear";
import { openRoom, play, run, runRoom } from "../engine/suite";
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

describe("rooms", () => {
  test("numbers of members are used again: a call leaves by its own id, and is muted by what its event says", async () => {
    const room_id = await openRoom(place);
    const [first, second] = [await answered(), await answered()];
    await run(place, "joinRoom", first, { room_id, muted: false });
    await run(place, "leaveRoom", first, {});
    await run(place, "joinRoom", second, { room_id, muted: true });
    expect(place.replay.room(room_id)?.numberOf(place.channel(second))).toBe(1);
    await run(place, "unmute", second, {});
    expect(commandsOf(room_id).at(-1)).toBe("api conference X unmute 1");
    expect(commandsOf(second).filter((command) => command.includes("conference"))).toEqual([
      `sendmsg X\ncall-command: execute\nexecute-app-name: conference\nexecute-app-arg: ${room_id}@voicegate+flags{mute}`,
    ]);
  });

  test("a member's own sound plays through its conference, and goes on by itself when it leaves", async () => {
    const room_id = await openRoom(place);
    const session_uuid = await answered();
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    await play(place, session_uuid, place.files.tone(900));
    await place.recorder.event(session_uuid, "playback.started");
    expect(commandsOf(room_id).at(-1)).toMatch(/^api conference X play \{vg_op=\S+\}\/\S+\.wav 1$/);
    await run(place, "leaveRoom", session_uuid, {});
    while (place.channel(session_uuid).application !== "playback") await delay(1);
    expect(await place.recorder.event(session_uuid, "playback.stopped")).toMatchObject({
      reason: "completed",
      offset_ms: 900,
    });
  });

  test("there is no conference without members: what plays to an empty room goes on by the clock, and on for who comes", async () => {
    const room_id = await openRoom(place);
    await runRoom(place, "playRoom", room_id, { urls: [place.files.tone(20_000)], loop: false, volume: -2 });
    await place.recorder.roomEvent(room_id, "play.started");
    expect(commandsOf(room_id)).toEqual([]);
    await delay(60);
    const session_uuid = await answered();
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    while (!commandsOf(room_id).some((command) => command.includes("file-vol"))) await delay(1);
    const given = commandsOf(room_id).filter((command) => command.startsWith("api conference"));
    expect(given).toEqual([
      "api conference X stop all",
      expect.stringMatching(/^api conference X play \{vg_op=\S+\}\/\S+\.wav$/),
      expect.stringMatching(/^api conference X file_seek \d+$/),
      // Two steps of 3 dB.
      "api conference X file-vol -6",
    ]);
    expect(Number(/file_seek (\d+)/.exec(given[2] ?? "")?.[1])).toBeGreaterThanOrEqual(60);
    await run(place, "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
    await place.recorder.event(session_uuid, "hangup");
    expect((await runRoom(place, "stopRoom", room_id, {})).outcome).toBeUndefined();
    expect(await place.recorder.roomEvent(room_id, "play.stopped")).toMatchObject({ reason: "stopped" });
  });

  test("a file that the conference does not find, though it tells of its start", async () => {
    const room_id = await openRoom(place);
    const session_uuid = await answered();
    await run(place, "joinRoom", session_uuid, { room_id, muted: false });
    place.replay.intercept = (command) => {
      if (!command.includes(`conference ${room_id} play`)) return undefined;
      place.replay.intercept = () => undefined;
      const body = "-ERR (play) File: /x.wav not found.\n";
      return `Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}`;
    };
    const url = place.files.tone(100);
    await runRoom(place, "playRoom", room_id, { urls: [url], loop: false, volume: 0 });
    await place.recorder.roomEvent(room_id, "failed");
    expect(place.recorder.roomTypes(room_id)).toEqual(["play.file_not_found", "failed"]);
  });
});

describe("recording", () => {
  test("begins when FreeSWITCH has made the file, within the limit of whole seconds", async () => {
    const session_uuid = await answered();
    const file = shelf.file();
    await run(place, "startRecording", session_uuid, { file });
    expect(commandsOf(session_uuid).at(-1)).toBe(`api uuid_record X start ${file.path} 65`);
    await run(place, "stopRecording", session_uuid, {});
    expect(commandsOf(session_uuid).at(-1)).toBe(`api uuid_record X stop ${file.path}`);
    await place.recorder.recorded(file.recording_id);
  });

  test("FreeSWITCH would make a folder, and write over a file: it is not asked to", async () => {
    const session_uuid = await answered();
    const there = shelf.file();
    await writeFile(there.path, "mine");
    const commands = commandsOf(session_uuid).length;
    for (const file of [shelf.impossible(), there]) {
      const { outcome } = await run(place, "startRecording", session_uuid, { file });
      expect(outcome).toEqual({ failure: "Recording could not be started" });
    }
    expect(commandsOf(session_uuid)).toHaveLength(commands);
  });

  test("what it writes elsewhere is none", async () => {
    const session_uuid = await answered();
    place.replay.intercept = (command) => {
      if (!command.includes("uuid_record")) return undefined;
      place.replay.intercept = () => undefined;
      const [, path = ""] = / start (\S+) /.exec(command) ?? [];
      const started = trace("08-record").find(({ text }) => text.includes("Event-Name: RECORD_START"));
      const event = started?.text.slice(started.text.indexOf("Event-Name")).trimEnd() ?? "";
      place.replay.tell(`${event.replace(/Record-File-Path: .*/, `Record-File-Path: ${path}`)}\n\n`);
      return "Content-Type: api/response\nContent-Length: 12\n\n+OK Success\n";
    };
    const { outcome } = await run(place, "startRecording", session_uuid, { file: shelf.file() });
    expect(outcome).toEqual({ failure: "Recording could not be started" });
    while (!commandsOf(session_uuid).at(-1)?.startsWith("api uuid_record X stop ")) await delay(1);
  });

  test("FreeSWITCH cannot write the file: the command says so", async () => {
    const session_uuid = await answered();
    place.replay.intercept = (command) => {
      if (!command.includes("uuid_record")) return undefined;
      place.replay.intercept = () => undefined;
      const body = "-ERR Cannot record session!\n";
      return `Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}`;
    };
    const { outcome } = await run(place, "startRecording", session_uuid, { file: shelf.file() });
    expect(outcome).toEqual({ failure: "Recording could not be started" });
  });
});
