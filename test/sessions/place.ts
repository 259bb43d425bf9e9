/** The core alone with a real store, and with a media server that a test plays by the port. */
import { randomUUID } from "node:crypto";
import { operations } from "../../generated/operations";
import type { Body, CommandId, RoomCommandId } from "../../src/contract";
import type { Engine, EngineCommands, EngineRoomCommands, OperationRef, Outcome, Sink } from "../../src/engines/engine";
import { createLog } from "../../src/log";
import { Sessions, type SessionsOptions } from "../../src/sessions/sessions";
import type { Admission, Loaded, Room, Session, Store } from "../../src/store/store";
import { FailingStore } from "../errors/failing";

const ids = Object.entries(operations).flatMap(([id, { command }]) => (command ? [[id, command.of] as const] : []));

/** Every command comes to `take`, every wish about rooms to `openRoom` and `closeRoom`. */
export class PlayedEngine implements Engine {
  readonly cancelled: string[] = [];
  readonly ended: string[] = [];
  readonly closedRooms: string[] = [];
  take: (id: string, operation: OperationRef) => Promise<Outcome> = async () => undefined;
  openRoom: (room_id: string) => Promise<void> = async () => undefined;
  close: () => Promise<void> = async () => undefined;
  /** What it tells before it says that a room is closed. */
  onCloseRoom: (room_id: string) => Promise<void> = async () => undefined;
  isConnected = true;

  constructor(
    readonly node = "played",
    readonly kind: Engine["kind"] = "embedded",
  ) {}

  readonly commands = this.#table("session") as EngineCommands;
  readonly roomCommands = this.#table("room") as EngineRoomCommands;

  start(_: Sink): Promise<void> {
    return Promise.resolve();
  }

  connected(): boolean {
    return this.isConnected;
  }

  reads(): void {
    // All that it has goes with this process.
  }

  cancel(_: string, operation_id: string): void {
    this.cancelled.push(operation_id);
  }

  closeRoom(room_id: string): Promise<void> {
    this.closedRooms.push(room_id);
    return this.onCloseRoom(room_id);
  }

  end(session_uuid: string): void {
    this.ended.push(session_uuid);
  }

  drain(): void {}

  #table(of: "session" | "room"): Record<string, unknown> {
    const take = (id: string, _: unknown, operation: OperationRef) => this.take(id, operation);
    return Object.fromEntries(ids.filter(([, subject]) => subject === of).map(([id]) => [id, take]));
  }
}

/** An operation and what it was admitted for. */
export interface Admitted {
  readonly operation: OperationRef;
  readonly session: Loaded<Session> | null;
  readonly room: Loaded<Room> | null;
}

/** An event as it was sent, in short. */
export interface Sent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class Place {
  readonly store: Store;
  readonly log: string[] = [];
  /** `playback/start embedded accepted` */
  readonly counted: string[] = [];
  readonly givenUp = new Map<string, number>();
  readonly finished: string[] = [];
  /** Recordings that never began: they are called by the uids of their commands. */
  readonly discarded: string[] = [];
  readonly sessions: Sessions;

  private constructor(
    readonly engines: readonly Engine[],
    options: Partial<SessionsOptions>,
    readonly failing: FailingStore,
  ) {
    this.store = failing.store;
    this.sessions = new Sessions({
      store: this.store,
      engines,
      wake: () => undefined,
      recordings: {
        begin: async ({ command_uid }) => ({ recording_id: command_uid, path: "/dev/null" }),
        discard: async ({ recording_id }) => void this.discarded.push(recording_id),
        finish: (recording_id) => void this.finished.push(recording_id),
      },
      meter: {
        command: (...counted) => void this.counted.push(counted.join(" ")),
        givenUp: (what, count) => void this.givenUp.set(what, (this.givenUp.get(what) ?? 0) + count),
      },
      maxSessions: 100,
      defaultAppId: null,
      commandTimeoutMs: 100,
      roomIdleMs: 3_600_000,
      leaseMs: 3000,
      nodeLostMs: 120_000,
      log: createLog("info", { write: (line) => void this.log.push(line) }),
      ...options,
    });
  }

  /**
   * An app called `a` that gets all calls.
   * @param beside another instance, on the same store
   */
  static async open(
    engines: readonly Engine[],
    options: Partial<SessionsOptions> = {},
    beside?: Place,
  ): Promise<Place> {
    const place = new Place(engines, options, new FailingStore(beside?.failing));
    const settings = { app_id: "a", webhook_url: "", rate_limit: 0, events: [], dids: ["*"] };
    if (!beside) await place.store.putApp({ settings, digest: "digest", created: { digest: "digest", secret: "s" } });
    await place.sessions.hold();
    return place;
  }

  /** A call comes in. */
  async call(node = "played"): Promise<string> {
    const session_uuid = `${node}-${randomUUID()}`;
    const verdict = await this.sessions.offer({ session_uuid, caller_id: "1", did: "2", app_id: null });
    if (verdict !== "accepted") throw new Error(verdict);
    return session_uuid;
  }

  async room(name: string): Promise<string> {
    const opening = await this.sessions.createRoom("a", name, null);
    if (opening.outcome !== "created") throw new Error(opening.outcome);
    return opening.room_id;
  }

  /** A call that has joined this room. */
  async member(room_id: string): Promise<string> {
    const session_uuid = await this.call();
    const operation = await this.admit("joinRoom", session_uuid);
    this.sessions.emit({ session_uuid, type: "room.joined", ...operation, room_id, muted: false });
    await this.event(session_uuid, "conference.member.joined");
    return session_uuid;
  }

  /** Makes an operation pending. */
  async admit(id: CommandId | RoomCommandId, subject: string): Promise<OperationRef> {
    return (await this.admitted(id, subject)).operation;
  }

  /** The same, with what the store answers. */
  async admitted(id: CommandId | RoomCommandId, subject: string): Promise<Admitted> {
    const { of, name } = operations[id].command;
    const operation = { operation_id: randomUUID(), command_uid: randomUUID() };
    const limits = { address: "x", default_rate_limit: 10_000, held: false, ended: false };
    const named = { session_uuid: of === "session" ? subject : null, room_id: of === "room" ? subject : null };
    const checks = { barred: null, guards: [], cooldown: null, timeout_ms: 100 };
    const command = { ...operation, command: name, uid_given: false, fingerprint: "", ...checks };
    const admission: Admission = await this.store.admit({
      app_id: "a",
      digest: "digest",
      ...limits,
      ...named,
      command,
    });
    if (admission.outcome !== "admitted") throw new Error(admission.outcome);
    return { operation, session: admission.session, room: admission.room };
  }

  async command<C extends CommandId>(command: C, session_uuid: string, body: Body<C>): Promise<OperationRef> {
    const { operation, session } = await this.admitted(command, session_uuid);
    if (!session) throw new Error("no session was answered");
    await this.sessions.command({ command, body, operation, session });
    return operation;
  }

  async roomCommand<C extends RoomCommandId>(command: C, room_id: string, body: Body<C>): Promise<OperationRef> {
    const { operation, room } = await this.admitted(command, room_id);
    if (!room) throw new Error("no room was answered");
    await this.sessions.roomCommand({ command, body, operation, room });
    return operation;
  }

  /** What was told of a call or in a room so far, members included. */
  async told(id: string): Promise<Sent[]> {
    const read = id.includes("-room-") ? this.store.roomEvents : this.store.sessionEvents;
    const { events } = await read.call(this.store, "a", id, 0, 1000);
    return events.map(({ event }) => JSON.parse(event.body));
  }

  async names(id: string): Promise<string[]> {
    return (await this.told(id)).map(({ event }) => event);
  }

  /** Resolves once this event of a call or a room was told. */
  async event(id: string, name: string): Promise<Sent> {
    let grown = () => {};
    const stop = this.store.watch("a", () => grown());
    try {
      for (;;) {
        const more = new Promise<void>((resolve) => {
          grown = resolve;
        });
        const found = (await this.told(id)).find(({ event }) => event === name);
        if (found) return found;
        await more;
      }
    } finally {
      stop();
    }
  }

  async close(): Promise<void> {
    await this.sessions.close();
    await this.store.close();
  }
}
