/**
 * The only writer of calls and rooms: takes calls and events from engines and commands from the API, and sees to it that
 * what follows is committed together with the events that tell of it.
 */
import { operations } from "../../generated/operations";
import type { CommandId, RoomCommandId } from "../contract";
import {
  type Engine,
  type EngineEvent,
  type EngineRoomEvent,
  type Offer,
  Refused,
  type Sink,
  type Verdict,
} from "../engines/engine";
import { isRoom, nodeOf } from "../ids";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Recordings } from "../recordings/recordings";
import type { App, Session, Store } from "../store/store";
import { Asking } from "./asking";
import { type CommandCall, Commands, type RoomCommandCall } from "./commands";
import { numbered } from "./events";
import type { Recorded, SessionEvent } from "./happening";
import { Live } from "./live";
import type { Advance } from "./next";
import { Nodes } from "./nodes";
import { type Opening, Rooms } from "./rooms";
import { advance, createSession, sessionLife } from "./session";
import { Taping } from "./taping";
import { within } from "./within";
import { Writer } from "./writer";

export interface SessionsOptions {
  readonly store: Store;
  readonly engines: readonly Engine[];
  /** Something was committed for this app: deliveries may begin. */
  readonly wake: (app_id: string) => void;
  /** Who has the files: before the engine is asked to record, when it does not, and once it has closed them. */
  readonly recordings: Pick<Recordings, "begin" | "discard" | "finish">;
  readonly meter: Pick<Meter, "command">;
  readonly maxSessions: number;
  readonly defaultAppId: string | null;
  /** How long an engine may take to take a command. */
  readonly commandTimeoutMs: number;
  /** How long a room may stand empty. */
  readonly roomIdleMs: number;
  readonly log: Log;
}

/** Overdue operations settled in one sweep. */
const maxOverdue = 1000;
const sweepMs = 100;
/** How long an engine may take to tell of an end that the gateway asked for. */
const endMs = 1000;

export class Sessions implements Sink {
  readonly #options: SessionsOptions;
  readonly #nodes: Nodes;
  readonly #live = new Live();
  readonly #calls: Writer<Session, SessionEvent>;
  readonly #rooms: Rooms;
  /** Their deadline is the engine's until it has answered. */
  readonly #asking: Asking;
  readonly #commands: Commands;
  readonly #taping: Taping;
  #timer: NodeJS.Timeout | undefined;
  #refusing = false;
  #closed = false;

  constructor(options: SessionsOptions) {
    const { store, wake, meter, log, commandTimeoutMs, roomIdleMs } = options;
    this.#options = options;
    const nodes = new Nodes(options.engines);
    const asking = new Asking(commandTimeoutMs);
    this.#nodes = nodes;
    this.#asking = asking;
    this.#taping = new Taping(options.recordings, asking);
    this.#commands = new Commands(nodes, asking, meter, log);
    const shared = { store, nodes, asking, wake, meter, log };
    this.#calls = new Writer<Session, SessionEvent>(
      {
        load: (session_uuid) => store.loadSession(session_uuid),
        advance,
        life: sessionLife,
        source: (session_uuid) => ({ session_uuid }),
        over: (session_uuid) => this.#live.delete(session_uuid),
        committed: (next) => this.#committed(next),
      },
      shared,
    );
    const load = (node: string) => this.#live.count(node);
    this.#rooms = new Rooms({ ...shared, commandTimeoutMs, idleMs: roomIdleMs, load }, this.#calls);
  }

  /** Calls under control of this instance. */
  get live(): number {
    return this.#live.size;
  }

  /** Rooms under control of this instance. */
  get rooms(): number {
    return this.#rooms.live.size;
  }

  /** What this node has of them. */
  counts(node: string): { readonly sessions: number; readonly rooms: number } {
    return { sessions: this.#live.count(node), rooms: this.#rooms.live.count(node) };
  }

  start(): void {
    this.#timer = setTimeout(() => this.#sweep(), sweepMs);
  }

  /** A call wants in: it belongs to the app that its number is assigned to, else to the default app. */
  async offer(call: Offer): Promise<Verdict> {
    if (this.#refusing || this.#live.size >= this.#options.maxSessions) return "overloaded";
    const { session_uuid, did } = call;
    // Before the first await, so that a burst of calls cannot pass the bound together.
    this.#live.add(session_uuid);
    let created: Promise<boolean> | null = null;
    try {
      const app = await this.appFor(did);
      created = app && this.#create(call, app);
      if (!(app && (await created))) {
        this.#live.delete(session_uuid);
        return "no_app";
      }
      this.#options.log.info({ session_uuid, app_id: app.app_id, did }, "call accepted");
      return "accepted";
    } catch (err) {
      this.#options.log.error({ session_uuid, err }, "call refused: the store cannot be asked");
      // Whether it is stored is not known: if it is, it has to end. Until that is settled it counts as a call.
      if (created) this.#calls.add(session_uuid, ended("NORMAL_TEMPORARY_FAILURE"));
      else this.#live.delete(session_uuid);
      return "unavailable";
    }
  }

  emit(event: EngineEvent): void {
    const { session_uuid } = event;
    if (event.type === "room.joined" || event.type === "room.left") this.#rooms.emitMember(session_uuid, event);
    else this.#calls.add(session_uuid, event);
  }

  emitRoom(event: EngineRoomEvent): void {
    this.#rooms.emit(event);
  }

  /**
   * Has the media server take an admitted command.
   * @throws Refused when it did not: the operation was taken back, or is left open when it was `late`
   */
  command<C extends CommandId>(call: CommandCall<C>): Promise<void> {
    const { command, operation, session_uuid } = call;
    const { name, result } = operations[command].command;
    const asked = { id: session_uuid, name, operation, immediate: result === "immediate" };
    return this.#commands.take(this.#calls, asked, async (engine) => {
      const take = this.#taping.of(engine.commands)[command];
      if (take === "unsupported") throw new Refused("unsupported");
      return take(session_uuid, call.body, operation, call.app_id);
    });
  }

  /** The same for a command of a room. */
  roomCommand<C extends RoomCommandId>(call: RoomCommandCall<C>): Promise<void> {
    const { command, operation, room_id } = call;
    const { name, result } = operations[command].command;
    const asked = { id: room_id, name, operation, immediate: result === "immediate" };
    return this.#commands.take(this.#rooms.writer, asked, async (engine) => {
      const take = engine.roomCommands[command];
      if (take === "unsupported") throw new Refused("unsupported");
      return take(room_id, call.body, operation);
    });
  }

  /**
   * A recording is whole, or has been given up. Resolves once that is committed, or when the call is not known any more;
   * rejects when the store cannot be asked.
   */
  async recorded(session_uuid: string, recorded: Recorded): Promise<void> {
    await this.#calls.run(session_uuid, { type: "recording.completed", ...recorded });
  }

  /**
   * @param session_uuid a call on whose media server the room is to be; null: on the least loaded one
   * @throws Refused("unreachable") when no media server takes it
   */
  createRoom(app_id: string, name: string, session_uuid: string | null): Promise<Opening> {
    return this.#rooms.open(app_id, name, session_uuid);
  }

  /** Resolves once its `conference.destroyed` is committed; of what is not there nothing is to be done. */
  closeRoom(room_id: string): Promise<void> {
    return this.#rooms.close(room_id);
  }

  /** Ends a call for the gateway's own reasons; resolves once its `call.hangup` is committed. */
  async end(session_uuid: string, cause: string): Promise<void> {
    const engine = this.#nodes.engineOf(session_uuid);
    if (engine && this.#live.has(session_uuid)) {
      const over = this.#live.ended(session_uuid);
      engine.end(session_uuid, cause);
      try {
        return await within(endMs, over);
      } catch (err) {
        this.#options.log.warn({ session_uuid, cause, err }, "the media server does not say that the call ended");
      }
    }
    // The engine does not know the call, or does not say: the app is told all the same.
    await this.#calls.run(session_uuid, ended(cause));
  }

  /** No new calls from now on. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Resolves once no call is left. */
  emptied(): Promise<void> {
    return this.#live.emptied();
  }

  /**
   * Ends every call, then every room that goes with this process; what the store does not take now is tried again until
   * `close`.
   */
  async endAll(cause: string): Promise<void> {
    await Promise.allSettled(this.#live.ids.map((session_uuid) => this.end(session_uuid, cause)));
    await this.#rooms.closeAll((room_id) => this.#nodes.kindOf(room_id) === "embedded");
  }

  /** Resolves once what waited is committed, or cannot be. */
  async close(): Promise<void> {
    this.refuse();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#asking.close();
    await Promise.all([this.#calls.close(), this.#rooms.writer.close()]);
  }

  /** Whose number it is. */
  async appFor(did: string): Promise<App | null> {
    const { store, defaultAppId } = this.#options;
    return (await store.appForDid(did)) ?? (defaultAppId === null ? null : store.app(defaultAppId));
  }

  /** False when the app went away meanwhile. */
  async #create(call: Offer, app: App): Promise<boolean> {
    const { store, wake } = this.#options;
    const { session_uuid } = call;
    const { app_id } = app;
    const at = Date.now();
    const made = createSession({ ...call, app_id, node: nodeOf(session_uuid) }, at);
    const events = numbered({ session_uuid }, made, app, at);
    const created = await store.createSession(made.state, events);
    if (created && events.length > 0) wake(app_id);
    return created;
  }

  #committed({ state, publish, finish }: Advance<Session>): void {
    const { recordings, log } = this.#options;
    for (const { recording_id, failure } of finish) recordings.finish(recording_id, failure);
    const last = publish.at(-1);
    if (last?.event !== "call.hangup") return;
    const { session_uuid, app_id } = state;
    log.info({ session_uuid, app_id, ...last.data }, "call ended");
  }

  async #sweep(): Promise<void> {
    const { store, log } = this.#options;
    try {
      for (const { id, operation_id } of await store.overdue(maxOverdue)) {
        if (this.#asking.has(operation_id)) continue;
        (isRoom(id) ? this.#rooms.writer : this.#calls).add(id, { type: "command.overdue", operation_id });
      }
      await this.#rooms.sweep();
      await store.sweep();
    } catch (err) {
      log.error({ err }, "sweep failed: the store cannot be asked");
    }
    if (!this.#closed) this.#timer = setTimeout(() => this.#sweep(), sweepMs);
  }
}

/** The gateway ends a call itself: normal, temporary failure (Q.850 cause 41). */
function ended(cause: string): Extract<SessionEvent, { type: "hangup" }> {
  return { type: "hangup", cause, q850_cause: 41, sip_status: null, by: "gateway" };
}
