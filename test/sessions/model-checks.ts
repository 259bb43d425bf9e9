/** Holds what the store says against what the events say. */
import type { Room, Session } from "../../src/store/store";
import { type CallStory, membersBy, type RoomStory, toldBy } from "./model";
import type { World } from "./model-world";

/** @throws when there is anything that the events cannot explain; at any moment: both are committed together */
export async function checkWorld(world: World): Promise<void> {
  await world.listen();
  const { stories, ledger, store, faults } = world;
  if (faults.length > 0) throw new Error(faults.join("\n"));
  ledger.check(stories);
  const listed = await store.sessions("a", 1000, null);
  const live = [...stories.calls.values()].filter(({ over }) => !over);
  same("live calls", live.map(({ id }) => id).sort(), listed.items.map(({ session_uuid }) => session_uuid).sort());
  for (const session of listed.items) checkCall(session, stories.call(session.session_uuid));
  for (const story of stories.rooms.values()) await checkRoom(world, story);
}

/** Once every deadline has passed: nothing is pending, and what was taken has its result. */
export async function checkSettled(world: World): Promise<void> {
  await checkWorld(world);
  const { stories, ledger, store } = world;
  ledger.settled(stories);
  same("overdue", await store.overdue(1000), []);
  for (const { operations } of (await store.sessions("a", 1000, null)).items) same("pending", operations, []);
  for (const { room } of (await store.rooms("a", 1000, null)).items) same("pending", room.operations, []);
}

/** Once everything has ended: no call and no room is left. */
export async function checkEnd(world: World): Promise<void> {
  await checkSettled(world);
  const { stories, ledger, sessions, engine, counted } = world;
  same("calls", { live: sessions.live, calls: world.calls.length }, { live: 0, calls: stories.calls.size });
  same("rooms", { live: sessions.rooms, rooms: world.rooms.length }, { live: 0, rooms: stories.rooms.size });
  for (const story of [...stories.calls.values(), ...stories.rooms.values()]) same(story.id, story.over, true);
  for (const id of [...world.calls, ...world.rooms]) await checkLog(world, id);
  const completed = [...stories.calls.values()].flatMap((story) => [...story.completed]);
  same("recordings", completed.sort(), engine.recordings.map(({ recording_id }) => recording_id).sort());
  for (const [operation_id, asked] of engine.asked) same(`asked for ${operation_id}`, asked, 1);
  const results = (counted.get("succeeded") ?? 0) + (counted.get("failed") ?? 0);
  same("counted results", results, stories.results.size);
  const answers = [...ledger.entries.values()].map(({ answer }) => answer);
  same("counted answers", counted.get("accepted") ?? 0, answers.filter((answer) => answer === "taken").length);
}

function checkCall(session: Session, story: CallStory): void {
  const { state, answered_at, playback, collecting, room, recording, unfinished, sequence } = session;
  const { session_uuid } = session;
  same(`${session_uuid} sequence`, sequence, story.sequence);
  same(`${session_uuid} answered`, { answered: answered_at !== null }, { answered: story.answered });
  if (state === "answered") same(`${session_uuid} state`, story.answered, true);
  if (state === "ringing" || state === "early") same(`${session_uuid} state`, story.answered, false);
  same(`${session_uuid} playback`, playback?.command_uid ?? null, story.playing);
  same(`${session_uuid} collecting`, collecting?.command_uid ?? null, story.collecting);
  same(`${session_uuid} room`, room && { room_id: room.room_id, muted: room.muted }, story.room);
  for (const { recording_id } of recording ? [recording, ...unfinished] : unfinished)
    same(`${recording_id} completed`, story.completed.has(recording_id), false);
}

async function checkRoom({ store, stories }: World, story: RoomStory): Promise<void> {
  const { id } = story;
  const loaded = await store.loadRoom(id);
  if (!loaded) {
    same(`${id} over`, story.over, true);
    return;
  }
  const { state, sequence, playback }: Room = loaded.state;
  same(`${id} state`, ["open", "closing"].includes(state), !story.over);
  same(`${id} sequence`, sequence, story.sequence);
  same(`${id} playback`, playback?.command_uid ?? null, story.playing);
  const inside = [...stories.calls.values()].filter(({ room }) => room?.room_id === id);
  const members = await store.members("a", id);
  same(
    `${id} members`,
    members.map(({ session_uuid, muted }) => `${session_uuid} ${muted}`).sort(),
    inside.map((call) => `${call.id} ${call.room?.muted}`).sort(),
  );
}

/** What is kept for those who missed an event is what was told. */
async function checkLog({ store, stories }: World, id: string): Promise<void> {
  if (id.includes("-room-")) {
    const { events } = await store.roomEvents("a", id, 0, 10_000);
    const list = events.map(({ event }) => toldBy(event.body));
    same(`${id} members at the end`, [...membersBy(id, list)], []);
    same(`${id} own events`, list.filter(({ source }) => source === id).length, stories.room(id).sequence);
    return;
  }
  const { events } = await store.sessionEvents("a", id, 0, 10_000);
  same(
    `${id} events`,
    events.map(({ number }) => number),
    [...events.keys()].map((i) => i + 1),
  );
  same(`${id} events`, events.length, stories.call(id).sequence);
}

export function same(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: ${is}, by the events ${should}`);
}
