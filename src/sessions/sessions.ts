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
  type Survivors,
  type Verdict,
} from "../engines/engine";
import { isRoom, nodeOf } from "../ids";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Recordings } from "../recordings/recordings";
import type { App, Ending, Session, Store } from "../store/store";
import { Asking } from "./asking";
import { Burial } from "./burial";
import { type CommandCall, Commands, type RoomCommandCall } from "./commands";
import type { Recorded, SessionEvent } from "./happening";
import { Leases } from "./leases";
import { Live } from "./live";
import type { Advance } from "./next";
import { Nodes } from "./nodes";
import { ended, Offers } from "./offers";
import { type Opening, Rooms } from "./rooms";
import { advance, sessionLife } from "./session";
import { survivorsOf } from "./survivors";
import { Sweeps } from "./sweeps";
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
  readonly meter: Pick<Meter, "command" | "givenUp">;
  readonly maxSessions: number;
  readonly defaultAppId: string | null;
  /** How long an engine may take to take a command. */
  readonly commandTimeoutMs: number;
  /** How long a room may stand empty. */
  readonly roomIdleMs: number;
  /** For how long a media node is this instance's without being asked for again. */
  readonly leaseMs: number;
  /** For how long a media node may be away until its calls are ended. */
  readonly nodeLostMs: number;
  readonly log: Log;
}

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
  readonly #leases: Leases;
  readonly #offers: Offers;
  readonly #sweeps: Sweeps;

  constructor(options: SessionsOptions) {
    const { store, wake, meter, log, commandTimeoutMs, roomIdleMs: idleMs, leaseMs, nodeLostMs: lostMs } = options;
    this.#options = options;
    const nodes = new Nodes(options.engines);
    const asking = new Asking(commandTimeoutMs);
    const bury = (node: string) => burial.bury(node);
    const left = (node: string) => burial.left(node);
    const end = ({ id, cause }: Ending) => (isRoom(id) ? this.closeRoom(id) : this.end(id, cause));
    const leases = new Leases({ store, nodes, leaseMs, lostMs, bury, end, left, log });
    this.#nodes = nodes;
    this.#asking = asking;
    this.#leases = leases;
    this.#taping = new Taping(options.recordings, asking);
    const here = (id: string) => (isRoom(id) ? this.#rooms.live : this.#live).has(id);
    this.#commands = new Commands(nodes, here, asking, meter, log);
    const shared = { store, nodes, asking, leases, wake, meter, log };
    const calls = new Writer<Session, SessionEvent>(
      {
        load: (session_uuid) => store.loadSession(session_uuid),
        advance,
        life: sessionLife,
        source: (session_uuid) => ({ session_uuid }),
        over: (session_uuid) => this.#live.delete(session_uuid),
        committed: (next) => this.#committed(next),
        stray: (session_uuid) => burial.stray(session_uuid),
      },
      shared,
    );
    const load = (node: string) => this.#live.count(node);
    const rooms = new Rooms({ ...shared, commandTimeoutMs, idleMs, load }, calls);
    const burial = new Burial({ ...shared, calls, rooms, live: this.#live });
    this.#calls = calls;
    this.#rooms = rooms;
    this.#offers = new Offers({ ...options, live: this.#live, leases, calls });
    this.#sweeps = new Sweeps({ ...shared, calls, rooms, burial, commandTimeoutMs });
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

  /** Media nodes that the store knows of, by who reads their events. */
  get leases(): ReturnType<Leases["counts"]> {
    return this.#leases.counts();
  }

  /** Events that wait because the store cannot be asked. */
  get waiting(): number {
    return this.#calls.waiting + this.#rooms.writer.waiting;
  }

  /**
   * Takes the media nodes: from now on what they say is this instance's to tell. Before they are started.
   * @throws when the store cannot be asked
   */
  hold(): Promise<void> {
    return this.#leases.start();
  }

  /** Once the media nodes are started. */
  start(): void {
    this.#sweeps.start();
  }

  offer(call: Offer): Promise<Verdict> {
    return this.#offers.offer(call);
  }

  emit(event: EngineEvent): void {
    const { session_uuid, type } = event;
    // What became of a file is true whoever says so, and whoever reads the events of the node by now cannot say it.
    if (type === "recording.stopped") {
      this.#calls.add(session_uuid, event);
      return;
    }
    const tenure = this.#leases.read(session_uuid, type);
    if (!tenure) return;
    if (type === "room.joined" || type === "room.left") this.#rooms.emitMember(session_uuid, event, tenure);
    else this.#calls.add(session_uuid, event, tenure);
  }

  emitRoom(event: EngineRoomEvent): void {
    const { room_id, type } = event;
    const tenure = this.#leases.read(room_id, type);
    if (tenure) this.#rooms.emit(event, tenure);
  }

  readonly survivors = (node: string): Promise<Survivors> =>
    survivorsOf(node, this.#options.store, this.#leases, this.#live, this.#rooms.live);

  /**
   * Has the media server take an admitted command.
   * @throws Refused when it did not: the operation was taken back, or is left open when it was `late`
   */
  command<C extends CommandId>(call: CommandCall<C>): Promise<void> {
    const { command, operation, session } = call;
    const { session_uuid, app_id } = session.state;
    this.#calls.seen(session_uuid, session);
    const { name, result } = operations[command].command;
    const asked = { id: session_uuid, name, operation, immediate: result === "immediate" };
    return this.#commands.take(this.#calls, asked, (engine) => {
      const take = this.#taping.of(engine.commands)[command];
      if (take === "unsupported") throw new Refused("unsupported");
      return take(session_uuid, call.body, operation, app_id);
    });
  }

  /** The same for a command of a room. */
  roomCommand<C extends RoomCommandId>(call: RoomCommandCall<C>): Promise<void> {
    const { command, operation, room } = call;
    const { room_id } = room.state;
    this.#rooms.writer.seen(room_id, room);
    const { name, result } = operations[command].command;
    const asked = { id: room_id, name, operation, immediate: result === "immediate" };
    return this.#commands.take(this.#rooms.writer, asked, (engine) => {
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

  /**
   * Resolves once its `conference.destroyed` is committed; of what is not there nothing is to be done.
   * @throws Refused("unreachable") when the instance that has its media node does not do it in time
   */
  closeRoom(room_id: string): Promise<void> {
    return this.#rooms.close(room_id);
  }

  /**
   * Ends a call for the gateway's own reasons; resolves once its `call.hangup` is committed, or once another instance that
   * has its media node will be told.
   */
  async end(session_uuid: string, cause: string): Promise<void> {
    const elsewhere = () => this.#leases.standing(session_uuid) === "other";
    const engine = this.#nodes.engineOf(session_uuid);
    if (engine && this.#live.has(session_uuid) && !elsewhere()) {
      const over = this.#live.ended(session_uuid);
      engine.end(session_uuid, cause);
      try {
        await within(endMs, over);
        // Else it has not ended: its node was given up.
        if (!elsewhere()) return;
      } catch (err) {
        this.#options.log.warn({ session_uuid, cause, err }, "the media server does not say that the call ended");
      }
    }
    if (elsewhere()) return this.#options.store.askToEnd({ id: session_uuid, cause });
    // The engine does not know the call, or does not say: the app is told all the same.
    await this.#calls.run(session_uuid, ended(cause));
  }

  /** No new calls from now on. */
  refuse(): void {
    this.#offers.refuse();
  }

  /** Resolves once no call is left that goes with this process. */
  emptied(): Promise<void> {
    return this.#live.emptied(this.#goes);
  }

  /**
   * Ends every call, then every room that goes with this process; what the store does not take now is tried again until
   * `close`.
   */
  async endAll(cause: string): Promise<void> {
    const calls = this.#live.ids.filter(this.#goes);
    await Promise.allSettled(calls.map((session_uuid) => this.end(session_uuid, cause)));
    await this.#rooms.closeAll(this.#goes);
  }

  /** Resolves once what waited is committed, or cannot be, and the media nodes are anybody's. */
  async close(): Promise<void> {
    this.refuse();
    this.#sweeps.close();
    this.#asking.close();
    await Promise.all([this.#calls.close(), this.#rooms.writer.close()]);
    // Only now: until here it told what they said.
    await this.#leases.close();
  }

  /** Whose number it is. */
  appFor(did: string): Promise<App | null> {
    return this.#offers.appFor(did);
  }

  readonly #goes = (id: string): boolean => this.#nodes.isEmbedded(nodeOf(id));

  #committed({ state, publish, finish }: Advance<Session>): void {
    const { recordings, log } = this.#options;
    for (const { recording_id, failure } of finish) recordings.finish(recording_id, failure);
    const last = publish.at(-1);
    if (last?.event !== "call.hangup") return;
    log.info({ session_uuid: state.session_uuid, app_id: state.app_id, ...last.data }, "call ended");
  }
}
