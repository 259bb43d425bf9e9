/** What the rules of the store are tried with: an app, a call, a command and an event, each with the changes that matter. */
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
  Session,
  Settlement,
  Store,
  StoredEvent,
  Taken,
  Turn,
  TurnResult,
} from "../../src/store/store";

/** An adapter and the means to move its clock. */
export interface Subject {
  readonly store: Store;
  advance(ms: number): Promise<void> | void;
}
export type Make = () => Promise<Subject> | Subject;

/** A new store for each test, asked for inside of the test; closed after it. */
export function eachTime(make: Make): () => Subject {
  let subject: Subject | null = null;
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
    operations: [],
    sequence: 0,
    ...changes,
  };
}

export function eventOf(sequence: number, event = "dtmf"): StoredEvent {
  return { sequence, id: `id ${sequence}`, event, body: `{"sequence":${sequence}}`, created_at: 1000 + sequence };
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
    command: null,
    ...changes,
  };
}

export function admit(store: Store, session_uuid: string, command: CommandAdmission): Promise<Admission> {
  return store.admit(requestOf({ session_uuid, command }));
}

/** @throws when it was not admitted */
export async function admitted(store: Store, session_uuid: string, command: CommandAdmission): Promise<Loaded> {
  const answer = await admit(store, session_uuid, command);
  if (answer.outcome !== "admitted" || answer.loaded === null) throw new Error(`not admitted: ${answer.outcome}`);
  return answer.loaded;
}

/** The operation under which the command was admitted. */
export function operationOf(loaded: Loaded, command: CommandAdmission): Operation {
  const operation = loaded.session.operations.find(({ operation_id }) => operation_id === command.operation_id);
  if (operation === undefined) throw new Error("the operation is not pending");
  return operation;
}

/** @throws when it is not found */
export async function loaded(store: Store, session_uuid: string): Promise<Loaded> {
  const found = await store.load(session_uuid);
  if (found === null) throw new Error(`${session_uuid} is not found`);
  return found;
}

/** A commit on what was loaded; `changes` are to the session. */
export function commitOf(
  { session, version }: Loaded,
  changes: Partial<Session> = {},
  more: Partial<Pick<Commit, "events" | "decided">> = {},
): Commit {
  const { session_uuid, app_id } = session;
  const next = { ...session, ...changes };
  return { session_uuid, app_id, version, nonce: randomUUID(), session: next, events: [], decided: [], ...more };
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

/** Ends the call as the session core would: nothing is pending any more. */
export async function ended(store: Store, session_uuid: string, events: readonly StoredEvent[] = []): Promise<void> {
  const before = await loaded(store, session_uuid);
  await store.commit(commitOf(before, { state: "ended", operations: [] }, { events }));
}

export function turn(store: Store, changes: Partial<Turn> = {}): Promise<TurnResult> {
  return store.turn({ app_id: "acme", settled: [], want: 100, limit: 100, lease_ms: 3000, ...changes });
}

export function settlementOf(taken: Taken, verdict: Settlement["verdict"] = "delivered"): Settlement {
  const { session_uuid, token, event } = taken;
  return { session_uuid, token, sequence: event.sequence, verdict };
}

/** What was taken, as `call:sequence`. */
export function names(result: TurnResult): string[] {
  return result.taken.map(({ session_uuid, event }) => `${session_uuid}:${event.sequence}`);
}

/** The only event that was taken. */
export function only(result: TurnResult): Taken {
  const [taken, ...others] = result.taken;
  if (taken === undefined || others.length > 0) throw new Error(`${result.taken.length} taken`);
  return taken;
}
