/** Rooms: their names, their members, their end. */
import { randomUUID } from "node:crypto";
import type { Check } from "../../check";
import { expectStatus, KitRoom } from "../ground/app";
import { expectSame, expectThat } from "../ground/expectation";
import { onCall } from "../ground/on_call";
import type { World } from "../world";
import { members } from "./members";

const full = { profile: "full" } as const;

/** Two times of one gateway that are told of the same thing. */
const sameMs = 3000;

export const rooms: readonly Check<World>[] = [
  {
    ...full,
    id: "rooms/made",
    title: "A room that is made is told of, and is empty and silent",
    clause: "createRoom, getRoom, conference.created",
    async run(world) {
      const app = await world.main();
      const room = await app.room();
      const { data, sequence, timestamp } = await room.event("conference.created");
      const about = { of: room };
      expectSame("its sequence", sequence, 1, about);
      expectSame("conference.created", data, { room_id: room.source, name: room.name }, about);
      const { created_at, ...shown } = await room.state();
      expectSame("the room", shown, { room_id: room.source, name: room.name, members: [], playback: null }, about);
      const apart = Math.abs(Date.parse(String(created_at)) - Date.parse(timestamp));
      expectThat(apart < sameMs, `created_at that is the time of conference.created, ${timestamp}`, created_at, about);
      await room.close();
    },
  },
  {
    ...full,
    id: "rooms/name",
    title: "A name is taken as long as its room is there, then it is free again",
    clause: "createRoom: name",
    async run(world) {
      const app = await world.main();
      const room = await app.room();
      const make = () => app.post("/api/v1/conferences", { name: room.name });
      const refused = await make();
      const about = { answers: [refused], of: room };
      expectSame("code", refused.body?.code, "room_name_taken", about);
      expectSame("detail", refused.body?.detail, { room_id: room.source }, about);
      await room.close();
      const made = await make();
      expectStatus(made, 201);
      expectThat(made.body?.room_id !== room.source, "another room", room.source, { answers: [made] });
      await new KitRoom(app, String(made.body?.room_id), room.name).close();
    },
  },
  {
    ...full,
    id: "rooms/name-of-another-app",
    title: "Two apps may have rooms of one name",
    clause: "createRoom: name",
    async run(world) {
      const [app, other] = [await world.main(), await world.other()];
      const room = await app.room();
      const made = await other.post("/api/v1/conferences", { name: room.name });
      expectStatus(made, 201);
      await new KitRoom(other, String(made.body?.room_id), room.name).close();
      await room.close();
    },
  },
  {
    ...full,
    id: "rooms/name-at-once",
    title: "Of many who ask for one name at the same time one gets it",
    clause: "createRoom: name",
    async run(world) {
      const app = await world.main();
      const name = `kit-${randomUUID()}`;
      const answers = await Promise.all(Array.from({ length: 6 }, () => app.post("/api/v1/conferences", { name })));
      const made = answers.filter(({ status }) => status === 201);
      expectSame("how many were made:", made.length, 1, { answers });
      await new KitRoom(app, String(made[0]?.body?.room_id), name).close();
    },
  },
  {
    ...full,
    id: "rooms/closed",
    title: "A room that is closed is told of, and is not found any more",
    clause: "deleteRoom, conference.destroyed",
    async run(world) {
      const app = await world.main();
      const room = await app.room();
      await room.state();
      const { data } = await room.close();
      expectSame("conference.destroyed", data, { room_id: room.source, name: room.name }, { of: room });
      const path = `/api/v1/conferences/${room.source}`;
      const answers = [await app.get(path), await app.delete(path), await room.command("stopRoom")];
      for (const answer of answers) expectSame("code", answer.body?.code, "room_not_found", { answers: [answer] });
      const events = await app.get(`${path}/events`);
      expectStatus(events, 200);
    },
  },
  onCall({
    id: "rooms/of-a-call",
    title: "A room is made on the media server of the call that it is made for",
    clause: "createRoom: session_uuid",
    ringing: true,
    async run({ app, call }) {
      const room = await app.room(call.source);
      const node = (id: string) => id.replace(/-(?:room-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "");
      expectSame("its media server", node(room.source), node(call.source), { of: room });
      const form = /^[A-Za-z0-9]{1,16}-room-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
      expectThat(form.test(room.source), "an id like <node>-room-<uuid v4>", room.source, { of: room });
      await room.close();
    },
  }),
  ...members,
];
