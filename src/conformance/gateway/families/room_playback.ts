/** What plays to a room. */
import { setTimeout as delay } from "node:timers/promises";
import type { Check } from "../../check";
import type { KitRoom } from "../ground/app";
import type { JsonObject } from "../ground/client";
import { expectBetween, expectFields, expectSame, expectThat } from "../ground/expectation";
import { onCallWithSounds } from "../ground/on_call";
import type { Sounds } from "../ground/sounds";
import type { World } from "../world";

/** A media server counts in frames; where a room plays to nobody, by the clock. */
const frameMs = 100;
/** What a machine that has much to do may add. */
const slowMs = 4000;

/** A check in a room with one member: to nobody not every media server plays. */
function inRoom(check: {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  run(room: KitRoom, sounds: Sounds): Promise<void>;
}): Check<World> {
  const { run, ...own } = check;
  return onCallWithSounds({
    ...own,
    async run({ app, call, sounds }) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source });
      await run(room, sounds);
      await room.app.delete(`/api/v1/conferences/${room.source}`);
    },
  });
}

async function playbackOf(room: KitRoom): Promise<JsonObject> {
  const { playback } = await room.state();
  return Object(playback);
}

export const roomPlayback: readonly Check<World>[] = [
  inRoom({
    id: "room-playback/list",
    title: "What plays to a room is told to begin and to end",
    clause: "conference.play.started, conference.play.stopped",
    async run(room, sounds) {
      const urls = [sounds.tone(600), sounds.tone(400)];
      await room.done("playRoom", { command_uid: "music", urls });
      const { data } = await room.event("conference.play.stopped");
      const { offset_ms, duration_ms, ...more } = data;
      expectSame("conference.play.stopped", more, { command_uid: "music", urls, reason: "completed" }, { of: room });
      expectBetween("offset_ms", offset_ms, 400 - frameMs, 400 + frameMs, { of: room });
      expectBetween("duration_ms", duration_ms, 400, 1000 + slowMs, { of: room });
      const told = room.named("conference.play.started").map(({ data }) => data);
      expectSame("conference.play.started", told, [{ command_uid: "music", urls }], { of: room });
      expectSame("playback", (await room.state()).playback, null, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/shown",
    title: "What plays to a room is shown with its place, its volume and whether it begins again",
    clause: "getRoom: playback",
    async run(room, sounds) {
      const urls = [sounds.tone(20_000)];
      const begun = performance.now();
      await room.done("playRoom", { command_uid: "music", urls, loop: true, volume: -2 });
      const { offset_ms, ...shown } = await playbackOf(room);
      const wanted = { command_uid: "music", urls, index: 0, paused: false, loop: true, volume: -2 };
      expectSame("the playback", shown, wanted, { of: room });
      await delay(900);
      const { offset_ms: later } = await playbackOf(room);
      const most = performance.now() - begun + frameMs;
      expectBetween("offset_ms, some time later,", later, Number(offset_ms) + 200, most, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/defaults",
    title: "Without further fields it plays once, at its own volume",
    clause: "room/play: loop, volume",
    async run(room, sounds) {
      await room.done("playRoom", { urls: [sounds.tone(20_000)] });
      expectFields("the playback", await playbackOf(room), { loop: false, volume: 0, paused: false }, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/loop",
    title: "In a loop it begins again, and does not end by itself",
    clause: "room/play: loop",
    async run(room, sounds) {
      await room.done("playRoom", { command_uid: "music", urls: [sounds.tone(200)], loop: true });
      await delay(1200);
      expectSame("how many ends:", room.named("conference.play.stopped").length, 0, { of: room });
      expectFields("the playback", await playbackOf(room), { command_uid: "music", loop: true }, { of: room });
      await room.done("stopRoom");
      const { data } = await room.event("conference.play.stopped");
      expectFields("conference.play.stopped", data, { command_uid: "music", reason: "stopped" }, { of: room });
      expectBetween("duration_ms", data.duration_ms, 200, 1200 + slowMs, { of: room });
      expectSame("how many beginnings:", room.named("conference.play.started").length, 1, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/paused",
    title: "What plays to a room stands still while it is paused, which a pause without a field does",
    clause: "room/pause",
    async run(room, sounds) {
      await room.done("playRoom", { urls: [sounds.tone(20_000)] });
      await room.done("pauseRoom");
      const paused = await playbackOf(room);
      expectSame("paused", paused.paused, true, { of: room });
      await delay(500);
      expectSame("the playback, some time later,", await playbackOf(room), paused, { of: room });
      await room.doneInTime("pauseRoom", { paused: false });
      const resumed = await playbackOf(room);
      expectSame("paused", resumed.paused, false, { of: room });
      const least = Number(paused.offset_ms) - frameMs;
      expectBetween("offset_ms", resumed.offset_ms, least, least + slowMs, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/volume",
    title: "A volume holds for what plays, and the next play brings its own",
    clause: "room/volume",
    async run(room, sounds) {
      await room.done("playRoom", { urls: [sounds.tone(20_000)], volume: -4 });
      for (const volume of [4, -1]) {
        await room.doneInTime("setRoomVolume", { volume });
        expectSame("volume", (await playbackOf(room)).volume, volume, { of: room });
      }
      await room.doneInTime("playRoom", { urls: [sounds.tone(20_000)] });
      expectSame("volume", (await playbackOf(room)).volume, 0, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/replaced",
    title: "A second play ends the first one before it begins",
    clause: "room/play",
    async run(room, sounds) {
      await room.done("playRoom", { command_uid: "one", urls: [sounds.tone(20_000)] });
      await room.doneInTime("playRoom", { command_uid: "two", urls: [sounds.tone(19_000)] });
      const told = room.events
        .filter(({ event }) => event.startsWith("conference.play."))
        .map(({ event, data }) => {
          return `${event} ${data.command_uid} ${data.reason ?? ""}`.trim();
        });
      const wanted = [
        "conference.play.started one",
        "conference.play.stopped one replaced",
        "conference.play.started two",
      ];
      expectSame("what is told:", told, wanted, { of: room });
      expectSame("what plays:", (await playbackOf(room)).command_uid, "two", { of: room });
    },
  }),
  inRoom({
    id: "room-playback/closed",
    title: "What plays ends with its room, before the room does",
    clause: "deleteRoom, conference.play.stopped",
    async run(room, sounds) {
      await room.done("playRoom", { command_uid: "music", urls: [sounds.tone(20_000)] });
      const destroyed = await room.close();
      const { data, sequence } = await room.event("conference.play.stopped");
      expectFields("conference.play.stopped", data, { command_uid: "music", reason: "destroyed" }, { of: room });
      expectThat(sequence < destroyed.sequence, "the end of the playback before that of the room", sequence, {
        of: room,
      });
    },
  }),
  inRoom({
    id: "room-playback/closed-before",
    title: "What has not begun when its room is closed failed with Room ended",
    clause: "Room ended",
    async run(room, sounds) {
      const { url, requested, release } = sounds.held(100);
      const operation = await room.taken("playRoom", { urls: [url] });
      await requested;
      const destroyed = await room.close();
      release();
      const { data, sequence } = await room.app.endpoint.result(operation);
      expectFields("the result", data, { success: false, error: "Room ended", code: "room_ended" }, { of: room });
      expectThat(sequence < destroyed.sequence, "the result before the end of the room", sequence, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/missing",
    title: "A file that cannot be played to a room is told of, and the rest is played",
    clause: "conference.play.file_not_found",
    async run(room, sounds) {
      const url = sounds.missing();
      await room.done("playRoom", { command_uid: "list", urls: [sounds.tone(100), url, sounds.tone(60)] });
      await room.event("conference.play.stopped");
      const told = room.named("conference.play.file_not_found").map(({ data }) => data);
      const wanted = [{ command_uid: "list", url, reason: "not_found" }];
      expectSame("conference.play.file_not_found", told, wanted, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/none",
    title: "When nothing of a list can be played to a room, the command failed and nothing has begun",
    clause: "No file could be played",
    async run(room, sounds) {
      const { data } = await room.result("playRoom", { urls: [sounds.missing(), sounds.text()] });
      const wanted = { success: false, error: "No file could be played", code: "no_file_could_be_played" };
      expectFields("the result", data, wanted, { of: room });
      expectSame("how many files were told of:", room.named("conference.play.file_not_found").length, 2, { of: room });
      await room.close();
      expectSame("how many beginnings:", room.named("conference.play.started").length, 0, { of: room });
    },
  }),
  inRoom({
    id: "room-playback/nothing",
    title: "Without a playback there is nothing to pause, to make louder or to stop",
    clause: "No active playback",
    async run(room) {
      const wanted = { success: false, error: "No active playback", code: "no_active_playback" };
      for (const [command, body] of [
        ["pauseRoom", {}],
        ["setRoomVolume", { volume: 1 }],
        ["stopRoom", {}],
      ] as const) {
        const { data } = await room.resultInTime(command, body);
        expectFields(`the result of ${command}`, data, wanted, { of: room });
      }
    },
  }),
];
