/** Who is in a room: joined, muted, gone. */
import { type Check, Skipped } from "../../check";
import { expectStatus, type KitApp, type KitRoom } from "../ground/app";
import type { JsonObject } from "../ground/client";
import { expectFields, expectSame, expectThat } from "../ground/expectation";
import { onCall, withCalls } from "../ground/on_call";
import type { World } from "../world";

const full = { profile: "full" } as const;

/** Two times of one gateway that are told of the same thing. */
const sameMs = 3000;

export const members: readonly Check<World>[] = [
  onCall({
    id: "rooms/joined",
    title: "Who joins is told of, and shown by the call and by the room",
    clause: "conference/join, conference.member.joined",
    async run({ app, call }) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source });
      const { caller_id } = await call.state();
      const member = { session_uuid: call.source, room_id: room.source, caller_id, muted: false };
      const { data, timestamp } = await call.event("conference.member.joined");
      expectSame("conference.member.joined", data, member, { of: call });
      expectFields("the call", await call.state(), { room_id: room.source, muted: false }, { of: call });
      const [shown, ...more] = await membersOf(room);
      const { joined_at, ...about } = shown ?? {};
      expectSame("the member", about, { session_uuid: call.source, caller_id, muted: false }, { of: room });
      expectSame("further members", more, [], { of: room });
      const apart = Math.abs(Date.parse(String(joined_at)) - Date.parse(timestamp));
      expectThat(apart < sameMs, `joined_at that is the time of conference.member.joined, ${timestamp}`, joined_at, {
        of: room,
      });
      await room.close();
    },
  }),
  onCall({
    id: "rooms/left",
    title: "Who leaves is told of, and is neither shown by the call nor by the room",
    clause: "conference/leave, conference.member.left",
    async run({ app, call }) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source });
      await call.doneInTime("leaveRoom");
      const { data } = await call.event("conference.member.left");
      const { caller_id, ...shown } = await call.state();
      const left = { session_uuid: call.source, room_id: room.source, caller_id, reason: "left" };
      expectSame("conference.member.left", data, left, { of: call });
      expectFields("the call", shown, { room_id: null, muted: false, state: "answered" }, { of: call });
      expectSame("members", await membersOf(room), [], { of: room });
      await room.close();
    },
  }),
  onCall({
    id: "rooms/muted",
    title: "Who is muted and unmuted is told of, and shown by the call and by the room",
    clause: "conference/mute, conference/unmute",
    async run({ app, call }) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source });
      const { caller_id } = await call.state();
      const who = { session_uuid: call.source, room_id: room.source, caller_id };
      for (const [command, muted] of [
        ["mute", true],
        ["unmute", false],
      ] as const) {
        await call.doneInTime(command);
        const { data } = await call.event(`conference.member.${command}d`);
        expectSame(`conference.member.${command}d`, data, who, { of: call });
        expectSame("muted", (await call.state()).muted, muted, { of: call });
        expectSame("muted, by the room", (await membersOf(room))[0]?.muted, muted, { of: room });
      }
      await room.close();
    },
  }),
  onCall({
    id: "rooms/joined-muted",
    title: "Who joins muted is muted from the beginning",
    clause: "conference/join: muted",
    async run({ app, call }) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source, muted: true });
      const { data } = await call.event("conference.member.joined");
      expectSame("conference.member.joined: muted", data.muted, true, { of: call });
      expectSame("muted", (await call.state()).muted, true, { of: call });
      expectSame("muted, by the room", (await membersOf(room))[0]?.muted, true, { of: room });
      expectSame("how many conference.member.muted:", call.named("conference.member.muted").length, 0, { of: call });
      await room.close();
    },
  }),
  onCall({
    id: "rooms/joined-twice",
    title: "Who is in the room already stays as he is: success, and no second event",
    clause: "conference/join",
    async run({ app, call }) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source });
      await call.doneInTime("joinRoom", { room_id: room.source, muted: true });
      expectSame("how many conference.member.joined:", call.named("conference.member.joined").length, 1, { of: call });
      expectSame("muted", (await call.state()).muted, false, { of: call });
      await room.close();
    },
  }),
  onCall({
    id: "rooms/other-room",
    title: "Who is in one room cannot join another",
    clause: "conference/join: Session is already in a different conference room",
    async run({ app, call }) {
      const [room, other] = [await app.room(call.source), await app.room(call.source)];
      await call.done("joinRoom", { room_id: room.source });
      const answer = await call.command("joinRoom", { room_id: other.source });
      expectSame("code", answer.body?.code, "session_in_other_room", { answers: [answer], of: call });
      expectSame("room_id", (await call.state()).room_id, room.source, { of: call });
      for (const each of [room, other]) await each.close();
    },
  }),
  onCall({
    id: "rooms/joined-from-playback",
    title: "What plays ends when its call joins a room",
    clause: "conference/join",
    async run({ app, call }) {
      const room = await app.room(call.source);
      await call.done("playSilence", { command_uid: "hush", duration_ms: 60_000 });
      await call.done("joinRoom", { room_id: room.source });
      const { data, sequence } = await call.event("playback.stopped");
      expectFields("playback.stopped", data, { command_uid: "hush" }, { of: call });
      const joined = await call.event("conference.member.joined");
      expectThat(sequence < joined.sequence, "the end before the joining", "behind it", { of: call });
      await room.close();
    },
  }),
  {
    ...full,
    id: "rooms/members",
    title: "Members are listed in the order of their joining, counted, and go on by themselves when the room is closed",
    clause: "getRoom, deleteRoom",
    run: (world) =>
      withCalls(world, 3, async ({ app, calls }) => {
        const room = await app.room(calls[0]?.source);
        for (const call of calls) await call.done("joinRoom", { room_id: room.source });
        const wanted = calls.map(({ source }) => source);
        const shown = await membersOf(room);
        expectSame(
          "the members",
          shown.map(({ session_uuid }) => session_uuid),
          wanted,
          { of: room },
        );
        expectSame("member_count", await countOf(app, room), calls.length, { of: room });
        const [first, ...others] = calls;
        if (!first) throw new Error("there is no first call");
        await first.hangup();
        const left = first.named("conference.member.left")[0]?.data;
        expectFields("conference.member.left", left ?? {}, { room_id: room.source, reason: "hangup" }, { of: first });
        expectSame(
          "the members",
          (await membersOf(room)).map(({ session_uuid }) => session_uuid),
          wanted.slice(1),
          { of: room },
        );
        const destroyed = await room.close();
        for (const call of others) {
          const { data } = await call.event("conference.member.left");
          expectFields("conference.member.left", data, { room_id: room.source, reason: "removed" }, { of: call });
          expectFields(
            "the call",
            await call.state(),
            { state: "answered", room_id: null, muted: false },
            { of: call },
          );
        }
        const { events, answer } = await eventsOf(app, room);
        const told = events.map(({ event, session_uuid, data }) =>
          `${event} ${session_uuid ?? ""} ${Object(data).reason ?? ""}`.trim(),
        );
        const [gone, ...stayed] = calls;
        const joined = calls.map(({ source }) => `conference.member.joined ${source}`);
        const removed = stayed.map(({ source }) => `conference.member.left ${source} removed`).sort();
        const middle = ["conference.created", ...joined, `conference.member.left ${gone?.source} hangup`];
        const about = { answers: [answer], of: room };
        expectSame("what the room was told, in the beginning", told.slice(0, middle.length), middle, about);
        expectSame("who was removed", told.slice(middle.length, -1).sort(), removed, about);
        expectSame("the last word", told.at(-1), "conference.destroyed", about);
        expectSame("its sequence", destroyed.sequence, 2, about);
      }),
  },
  {
    ...full,
    id: "rooms/heard",
    title: "Members of a room hear each other, and not who is muted",
    clause: "conference/join, conference/mute",
    run: (world) => {
      if (world.caller.kind !== "sip") throw new Skipped("This caller has no ears: use --caller sip:….");
      const script = [
        { do: "wait_for", event: "call.answered" },
        { do: "tone", hz: 440, ms: 15_000 },
      ] as const;
      return withCalls(
        world,
        2,
        async ({ app, calls: [one, two] }) => {
          const phone = two?.placed.phone;
          if (!one || !two || !phone) throw new Error("two phones are needed");
          const room = await app.room(one.source);
          for (const call of [one, two]) await call.done("joinRoom", { room_id: room.source });
          const heard = await world.settled(async () => phone.heard.level > -40);
          expectThat(heard, "a tone that the other hears", `${Math.round(phone.heard.level)} dBFS`, { of: two });
          await one.done("mute");
          const silent = await world.settled(async () => phone.heard.level < -40);
          expectThat(silent, "nothing of who is muted", `${Math.round(phone.heard.level)} dBFS`, { of: two });
          await room.close();
        },
        { script },
      );
    },
  },
];

async function membersOf(room: KitRoom): Promise<readonly JsonObject[]> {
  const { members } = await room.state();
  return Array.isArray(members) ? members : [];
}

async function countOf(app: KitApp, room: KitRoom): Promise<unknown> {
  for (let cursor = ""; ; ) {
    const { body } = await app.get(`/api/v1/conferences?limit=100${cursor}`);
    const { rooms, next_cursor }: { rooms: readonly JsonObject[]; next_cursor: string | null } = Object(body);
    const found = rooms.find(({ room_id }) => room_id === room.source);
    if (found) return found.member_count;
    if (next_cursor === null) return null;
    cursor = `&cursor=${next_cursor}`;
  }
}

/** All that the room was told: its own events, and those of its members that name it. */
async function eventsOf(app: KitApp, room: KitRoom) {
  const answer = await app.get(`/api/v1/conferences/${room.source}/events?limit=1000`);
  expectStatus(answer, 200);
  const events: readonly JsonObject[] = Object(answer.body).events;
  return { answer, events };
}
