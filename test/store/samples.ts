/** What the rules of the store are tried with: an app, a call, a room, a command and an event, each with the changes that matter. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach } from "@jest/globals";
import type {
  Admission,
  AdmissionRequest,
  AppSettings,
  CloseApp,
  CommandAdmission,
  Commit,
  Loaded,
  Operation,
  PutApp,
  Room,
  Session,
  Settlement,
  Store,
  StoredEvent,
  Subject,
  Taken,
  Turn,
  TurnResult,
} from "../../src/store/store";

/** An adapter and the means to move its clock. */
export interface Tried {
  readonly store: Store;
  advance(ms: number): Promise<void> | void;
}
export type Make = () => Promise<Tried> | Tried;

/** A new store for each test, asked for inside of the test; closed after it. */
export function eachTime(make: Make): () => Tried {
  let subject: Tried | null = null;
  beforeEach(async () => {
    subject = await make();
  });
  afterEach(async () => {
    await subject?.store.close();
    subject = null;
  });
  return () => {
    if (subject === null) throw new Error("there is a store only inside of a test");
    return subject;
  };
}

export const receiver = "https://receiver.example/hook";

export function digestOf(app_id: string): string {
  return `digest of ${app_id}`;
}

/** As a handler would: the secret is a new one for each call. */
export function appPut(app_id: string, changes: Partial<AppSettings> = {}): PutApp {
  const settings = { app_id, webhook_url: receiver, rate_limit: 0, events: [], dids: [], ...changes };
  return { settings, digest: null, created: { digest: digestOf(app_id), secret: `secret ${randomUUID()}` } };
}

/** As a handler would: the nonce is a new one for each deletion. */
export function closeOf(app_id: string): CloseApp {
  return { app_id, nonce: randomUUID(), keep_ms: 30_000 };
}

export function sessionOf(session_uuid: string, changes: Partial<Session> = {}): Session {
  return {
    session_uuid,
    app_id: "acme",
    node: "node",
    state: "answered",
    direction: "inbound",
    caller_id: "+15550100",
    did: "+15550199",
    created_at: 1000,
    answered_at: null,
    playback: null,
    collecting: null,
    room: null,
    recording: null,
    unfinished: [],
    operations: [],
    sequence: 0,
    ...changes,
  };
}

export function roomOf(room_id: string, changes: Partial<Room> = {}): Room {
  return {
    room_id,
    app_id: "acme",
    node: "node",
    name: `name of ${room_id}`,
    created_at: 1000,
    state: "open",
    playback: null,
    operations: [],
    sequence: 0,
    ...changes,
  };
}

/** A call's part in a room. */
export function memberOf(room_id: string, joined_at = 2000, muted = false): Pick<Session, "room"> {
  return { room: { room_id, muted, joined_at } };
}

export function eventOf(sequence: number, event = "dtmf", changes: Partial<StoredEvent> = {}): StoredEvent {
  const body = `{"sequence":${sequence}}`;
  return { sequence, id: `id ${sequence}`, event, body, created_at: 1000 + sequence, room_id: null, ...changes };
}

/** Events `from` to `to`, both included. */
export function eventsOf(from: number, to: number): StoredEvent[] {
  return Array.from({ length: to - from + 1 }, (_, i) => eventOf(from + i));
}

export function commandOf(changes: Partial<CommandAdmission> = {}): CommandAdmission {
  return {
    command: "playback/start",
    operation_id: randomUUID(),
    command_uid: randomUUID(),
    uid_given: false,
    fingerprint: "fingerprint",
    barred: null,
    guards: [],
    cooldown: null,
    timeout_ms: 2000,
    ...changes,
  };
}

/** A command that its caller gave this uid. */
export function withUid(command_uid: string, changes: Partial<CommandAdmission> = {}): CommandAdmission {
  return commandOf({ command_uid, uid_given: true, ...changes });
}

export function requestOf(changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    app_id: "acme",
    digest: digestOf(changes.app_id ?? "acme"),
    address: "192.0.2.1",
    default_rate_limit: 1000,
    held: false,
    session_uuid: null,
    room_id: null,
    ended: false,
    command: null,
    ...changes,
  };
}

export function admit(store: Store, session_uuid: string, command: CommandAdmission): Promise<Admission> {
  return store.admit(requestOf({ session_uuid, command }));
}

export function admitRoom(store: Store, room_id: string, command: CommandAdmission): Promise<Admission> {
  return store.admit(requestOf({ room_id, command }));
}

/** @throws when it was not admitted */
export async function admitted(
  store: Store,
  session_uuid: string,
  command: CommandAdmission,
): Promise<Loaded<Session>> {
  const answer = await admit(store, session_uuid, command);
  if (answer.outcome !== "admitted" || answer.session === null) throw new Error(`not admitted: ${answer.outcome}`);
  return answer.session;
}

/** @throws when it was not admitted */
export async function admittedRoom(store: Store, room_id: string, command: CommandAdmission): Promise<Loaded<Room>> {
  const answer = await admitRoom(store, room_id, command);
  if (answer.outcome !== "admitted" || answer.room === null) throw new Error(`not admitted: ${answer.outcome}`);
  return answer.room;
}

/** The operation under which the command was admitted. */
export function operationOf({ state }: Loaded<Subject>, command: CommandAdmission): Operation {
  const operation = state.operations.find(({ operation_id }) => operation_id === command.operation_id);
  if (operation === undefined) throw new Error("the operation is not pending");
  return operation;
}

/** @throws when it is not found */
export async function loaded(store: Store, session_uuid: string): Promise<Loaded<Session>> {
  const found = await store.loadSession(session_uuid);
  if (found === null) throw new Error(`${session_uuid} is not found`);
  return found;
}

/** @throws when it is not found */
export async function loadedRoom(store: Store, room_id: string): Promise<Loaded<Room>> {
  const found = await store.loadRoom(room_id);
  if (found === null) throw new Error(`${room_id} is not found`);
  return found;
}

/** A commit on what was loaded; `changes` are to the call or room. Its life is what its state says, unless told. */
export function commitOf<S extends Subject>(
  { state, version, revision }: Loaded<S>,
  changes: Partial<S> = {},
  more: Partial<Pick<Commit, "events" | "decided" | "life" | "fence">> = {},
): Commit<S> {
  const next = { ...state, ...changes };
  const id = "session_uuid" in state ? state.session_uuid : state.room_id;
  const life = lifeOf(next.state);
  return {
    id,
    app_id: state.app_id,
    version,
    revision,
    fence: null,
    nonce: randomUUID(),
    state: next,
    life,
    events: [],
    decided: [],
    ...more,
  };
}

function lifeOf(state: Subject["state"]): Commit["life"] {
  return state === "ended" || state === "closing" ? state : "live";
}

/** Admits the command and decides it: its operation is pending no more. */
export async function decided(
  store: Store,
  session_uuid: string,
  command: CommandAdmission,
  status: 202 | 504 | "free",
): Promise<void> {
  const before = await admitted(store, session_uuid, command);
  const operation = operationOf(before, command);
  await store.commit(commitOf(before, { operations: [] }, { decided: [{ operation, status }] }));
}

/** The same with a command of a room. */
export async function decidedRoom(
  store: Store,
  room_id: string,
  command: CommandAdmission,
  status: 202 | 504 | "free",
): Promise<void> {
  const before = await admittedRoom(store, room_id, command);
  const operation = operationOf(before, command);
  await store.commit(commitOf(before, { operations: [] }, { decided: [{ operation, status }] }));
}

/** Ends the call as the session core would: nothing is pending any more. */
export async function ended(store: Store, session_uuid: string, events: readonly StoredEvent[] = []): Promise<void> {
  const before = await loaded(store, session_uuid);
  await store.commit(commitOf(before, { state: "ended", operations: [], room: null }, { events }));
}

/** Ends the room as its core would. */
export async function endedRoom(store: Store, room_id: string, events: readonly StoredEvent[] = []): Promise<void> {
  const before = await loadedRoom(store, room_id);
  await store.commit(commitOf(before, { state: "ended", operations: [] }, { events }));
}

export function turn(store: Store, changes: Partial<Turn> = {}): Promise<TurnResult> {
  return store.turn({ app_id: "acme", settled: [], want: 100, limit: 100, lease_ms: 3000, ...changes });
}

export function settlementOf(taken: Taken, verdict: Settlement["verdict"] = "delivered"): Settlement {
  const { queue, token, event } = taken;
  return { queue, token, sequence: event.sequence, verdict };
}

/** What was taken, as `queue:sequence`. */
export function names(result: TurnResult): string[] {
  return result.taken.map(({ queue, event }) => `${queue}:${event.sequence}`);
}

/** The only event that was taken. */
export function only(result: TurnResult): Taken {
  const [taken, ...others] = result.taken;
  if (taken === undefined || others.length > 0) throw new Error(`${result.taken.length} taken`);
  return taken;
}

/** The open room of this name. */
export async function roomNamed(store: Store, app_id: string, name: string): Promise<string | null> {
  const { items } = await store.rooms(app_id, 100, null);
  return items.find(({ room }) => room.name === name)?.room.room_id ?? null;
}
