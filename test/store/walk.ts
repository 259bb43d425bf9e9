import type { Admission, Commit, Loaded, Room, Session, Subject } from "../../src/store/store";
import { chances, type Loses, repeating } from "./repeating";
import {
  appPut,
  commandOf,
  commitOf,
  eventOf,
  memberOf,
  requestOf,
  roomOf,
  sessionOf,
  settlementOf,
  type Tried,
  turn,
} from "./samples";

/** One call of the store: what was asked, the outcome in a word where there is one, and everything else it told. */
export interface Told {
  readonly asked: string;
  readonly answer: string | boolean | null;
  readonly more: unknown;
}

/** Quota is left out: that a read counts twice when it runs twice is allowed. */
function toldOf(answer: Admission): [Told["answer"], unknown] {
  if (answer.outcome === "key") return [answer.outcome, null];
  const { quota: _, outcome, ...more } = answer;
  if (answer.outcome !== "admitted") return [outcome, more];
  return [outcome, { ...more, session: lastingOf(answer.session), room: lastingOf(answer.room) }];
}

/** Without the revision: that settings which are put twice count as changed twice is allowed, too. */
function lastingOf(loaded: Loaded<Subject> | null): unknown {
  return loaded && { ...loaded, revision: null };
}

/**
 * A random walk of a session core and an API over a few apps, calls and rooms, the same for the same seed as long as the
 * store answers the same.
 */
export async function walk(subject: Tried, loses: Loses, seed: number, steps: number): Promise<Told[]> {
  const store = repeating(subject.store, loses);
  const chance = chances(seed);
  const pick = (count: number) => Math.floor(chance() * count);
  const start = await store.now();
  const told: Told[] = [];
  const tell = (asked: string, answer: Told["answer"], more: unknown = null) => told.push({ asked, answer, more });
  const appId = () => `app${pick(2)}`;
  /** The app of each call and of each room, which are numbered by their places here. */
  const calls: string[] = [];
  const rooms: string[] = [];
  let made = 0;

  async function change(loaded: Loaded<Subject> | null, changes: Partial<Subject>, id: string): Promise<void> {
    if (loaded === null) return;
    const [operation, ...operations] = loaded.state.operations;
    const sequence = loaded.state.sequence + 1;
    const over = changes.state === "ended" || changes.state === "closing";
    const room_id = "session_uuid" in loaded.state ? (loaded.state.room?.room_id ?? null) : null;
    const more: { events: Commit["events"]; decided: Commit["decided"]; life?: Commit["life"] } = {
      events: [eventOf(sequence, "dtmf", { id: `${id}.${sequence}`, room_id })],
      decided: operation ? [{ operation, status: ([202, 504, "free"] as const)[pick(3)] ?? 202 }] : [],
      ...(changes.state === "ended" && chance() < 0.3 && { life: "closing" }),
    };
    const commit = {
      ...commitOf(loaded, { ...changes, sequence, operations: over ? [] : operations }, more),
      nonce: `nonce${made++}`,
    };
    tell("commit", await store.commit(commit));
    // Another writer on what was read before.
    if (chance() < 0.2) tell("late commit", await store.commit({ ...commit, nonce: `nonce${made++}` }));
  }
  function changeOfCall(): Partial<Session> {
    const dice = chance();
    if (dice < 0.1) return { state: "ended" };
    if (dice < 0.3) return memberOf(`room${rooms.length - 1 - pick(3)}`, made, chance() < 0.5);
    return dice < 0.4 ? { room: null } : {};
  }
  function changeOfRoom(state: Room["state"] | undefined): Partial<Room> {
    if (state === "opening") return { state: chance() < 0.8 ? "open" : "ended" };
    if (state === "closing") return { state: "ended" };
    return chance() < 0.2 ? { state: "closing" } : {};
  }

  async function ask(app_id: string, session_uuid: string, room_id: string): Promise<void> {
    const of = pick(10);
    const names = { session_uuid: of < 7 ? session_uuid : null, room_id: of < 5 ? null : room_id };
    const command = commandOf({
      operation_id: `operation${made++}`,
      command_uid: `uid${pick(3)}`,
      uid_given: chance() < 0.7,
      fingerprint: `fingerprint${pick(2)}`,
      guards: chance() < 0.3 ? [{ field: "state", one_of: ["answered"], error: "session_not_answered" }] : [],
      cooldown: chance() < 0.3 ? { group: `group${pick(2)}`, ms: 500 } : null,
      timeout_ms: 100,
    });
    const ended = chance() < 0.1;
    const request = requestOf({ app_id, ...names, ended, command: ended ? null : command, default_rate_limit: 1e9 });
    tell("admit", ...toldOf(await store.admit(request)));
  }

  /** What is due is settled in one go; a turn that runs twice hands out to nobody, and is not in question here. */
  async function deliver(app_id: string): Promise<void> {
    // What is due at the same moment is in no order that counts.
    const taken = (await turn(subject.store, { app_id })).taken.toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
    // Of a deleted app as many as are left, which depends on the sweeps.
    const shown = taken.filter(({ mode }) => mode !== "closing");
    tell("turn", null, [
      shown.map(({ queue, event, mode, attempts }) => `${queue}:${event.sequence} ${mode} ${attempts}`),
    ]);
    // Not by chance: how many are taken is the store's affair, and what comes later must not depend on it.
    const settled = taken.map((each) => settlementOf(each, each.event.sequence % 2 === 0 ? "delivered" : "dead"));
    await turn(subject.store, { app_id, settled, want: 0 });
    tell("deadLetters", null, await store.deadLetters(app_id, 3, null));
    tell("replay", null, await store.replayDeadLetters(app_id, null, `nonce${made++}`));
  }

  for (let step = 0; step < steps; step++) {
    const app_id = appId();
    const call = calls.length - 1 - pick(6);
    const room = rooms.length - 1 - pick(3);
    const [session_uuid, room_id] = [`call${call}`, `room${room}`];
    const kind = pick(200) / 2;
    if (kind < 4) {
      const settings = appPut(app_id, { dids: [`${pick(3)}*`] }).settings;
      const created = { digest: `digest of ${app_id}`, secret: `secret${made++}` };
      const { outcome, ...more } = await store.putApp({ settings, digest: null, created });
      tell("putApp", outcome, more);
    } else if (kind < 6) {
      tell("rotateSecret", await store.rotateSecret(app_id, `secret${made++}`, 500));
    } else if (kind < 6.5) {
      const close = { app_id, nonce: `nonce${made++}`, keep_ms: 200 };
      tell("closeApp", null, await store.closeApp(close));
    } else if (kind < 7.5) {
      tell("app", null, [await store.app(app_id), await store.apps()]);
    } else if (kind < 14) {
      const state = chance() < 0.3 ? "ringing" : "answered";
      const changes = { app_id, created_at: await store.now(), state, sequence: 1 } as const;
      const session = sessionOf(`call${calls.push(app_id) - 1}`, changes);
      const first = eventOf(1, "call.new", { id: `${session.session_uuid}.1` });
      tell("createSession", await store.createSession(session, [first]));
    } else if (kind < 18) {
      const state = chance() < 0.7 ? "opening" : "open";
      const made_room = { app_id, created_at: await store.now(), state, name: `name${pick(3)}` } as const;
      const { outcome, ...more } = await store.createRoom(roomOf(`room${rooms.push(app_id) - 1}`, made_room));
      tell("createRoom", outcome, more);
    } else if (kind < 62) {
      await ask(chance() < 0.9 ? (calls[call] ?? app_id) : app_id, session_uuid, room_id);
    } else if (kind < 80) {
      const loaded = await store.loadSession(session_uuid);
      tell("loadSession", null, lastingOf(loaded));
      await change(loaded, changeOfCall(), session_uuid);
    } else if (kind < 86) {
      const loaded = await store.loadRoom(room_id);
      tell("loadRoom", null, lastingOf(loaded));
      await change(loaded, changeOfRoom(loaded?.state.state), room_id);
    } else if (kind < 90) {
      tell("sessions", null, [await store.sessions(app_id, 3, null), await store.rooms(app_id, 3, null)]);
      tell("members", null, [await store.members(rooms[room] ?? app_id, room_id)]);
      tell("events", null, [
        await store.sessionEvents(app_id, session_uuid, 0, 9),
        await store.roomEvents(app_id, room_id, 0, 9),
      ]);
      tell("feed", null, await store.feed(app_id, (await store.feedPosition(app_id, "unknown")).position, 9));
      tell("appForDid", null, await store.appForDid(`${pick(3)}00`));
    } else if (kind < 92) {
      await deliver(app_id);
    } else if (kind < 95) {
      tell("overdue", null, [await store.overdue(5), await store.idleRooms(100, 5)]);
      await store.sweep();
    } else {
      await subject.advance(pick(60));
      tell("now", null, (await store.now()) - start);
    }
  }
  tell("appsWithEvents", null, await store.appsWithEvents());
  return told;
}
