/**
 * Conference rooms from their opening to their end. A room ends in three steps: it is there for nobody any more; its
 * members leave, as the engine tells or, where it does not, all the same; then `conference.destroyed` is the last of it.
 * Whatever fails in between is tried again by the sweep.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type EngineRoomEvent, Refused } from "../engines/engine";
import { newRoomId } from "../ids";
import type { Room, Session } from "../store/store";
import type { RoomEvent, SessionEvent } from "./happening";
import type { Leases, Tenure } from "./leases";
import { Live } from "./live";
import { advanceRoom, createRoom, roomLife } from "./room";
import { within } from "./within";
import { Writer, type WriterOptions } from "./writer";

export interface RoomsOptions extends WriterOptions {
  readonly leases: Leases;
  /** How long an engine may take to make a room known. */
  readonly commandTimeoutMs: number;
  /** How long a room may stand empty. */
  readonly idleMs: number;
  /** Calls of a node. */
  readonly load: (node: string) => number;
}

/** What became of the wish for a room. */
export type Opening =
  | { readonly outcome: "created" | "name_taken"; readonly room_id: string }
  /** The app has as many rooms as it may, or is gone. */
  | { readonly outcome: "full" | "no_app" };

type MemberEvent = Extract<SessionEvent, { readonly type: "room.joined" | "room.left" }>;

/** How long an engine may take to have the members leave. */
const closeMs = 1000;
/** Idle rooms closed in one sweep. */
const maxIdle = 100;
/** How often it is looked whether another instance has closed a room. */
const goneMs = 100;
/** How much longer than a join may be pending it is remembered that a room was closed. */
const keepShutMs = 60_000;

export class Rooms {
  /** Of this instance. */
  readonly live = new Live();
  readonly writer: Writer<Room, RoomEvent>;
  readonly #options: RoomsOptions;
  readonly #calls: Writer<Session, SessionEvent>;
  readonly #closing = new Map<string, Promise<void>>();
  /** The store failed while they were being closed. */
  readonly #unclosed = new Set<string>();
  /** Nobody is told of a join of these any more; until when, by the monotonic clock. */
  readonly #shut = new Map<string, number>();
  /** What engines told of members, and is not committed yet. */
  readonly #members = new Map<string, Set<Promise<unknown>>>();

  constructor(options: RoomsOptions, calls: Writer<Session, SessionEvent>) {
    const { store } = options;
    this.#options = options;
    this.#calls = calls;
    this.writer = new Writer<Room, RoomEvent>(
      {
        load: (room_id) => store.loadRoom(room_id),
        advance: advanceRoom,
        life: roomLife,
        source: (room_id) => ({ room_id }),
        over: (room_id) => this.live.delete(room_id),
        committed: () => undefined,
        stray: (room_id) => this.closeInEngine(room_id),
      },
      options,
    );
  }

  /**
   * @param session_uuid a call on whose media server it is to be; null: on the least loaded one
   * @throws Refused("unreachable") when no media server takes it
   */
  async open(app_id: string, name: string, session_uuid: string | null): Promise<Opening> {
    const { store, nodes, load, commandTimeoutMs, log } = this.#options;
    const engine = session_uuid === null ? nodes.leastLoaded(load) : nodes.engineOf(session_uuid);
    const node = engine?.node ?? "none";
    const room_id = newRoomId(node);
    // Also where there is no media server: what the store refuses comes before that.
    const created = await store.createRoom(createRoom({ room_id, app_id, node, name }, Date.now()));
    if (created.outcome !== "created") return created;
    this.live.add(room_id);
    try {
      if (!engine) throw new Refused("unreachable");
      await within(commandTimeoutMs, engine.openRoom(room_id));
    } catch (err) {
      await this.#abandon(room_id);
      if (!(err instanceof Refused)) throw err;
      log.warn({ room_id, app_id, refusal: err.refusal }, "room not opened");
      throw new Refused("unreachable");
    }
    if ((await this.writer.run(room_id, { type: "opened" })) !== "changed") {
      // Its app was deleted meanwhile, and its rooms with it.
      await this.#abandon(room_id);
      return { outcome: "no_app" };
    }
    log.info({ room_id, app_id, name }, "room opened");
    return { outcome: "created", room_id };
  }

  /**
   * Resolves once it is destroyed, whoever began that; of what is not there nothing is to be done.
   * @throws what the store threw, Refused("unreachable") when another instance has its node and does not do it in time; it is
   * tried again all the same
   */
  close(room_id: string): Promise<void> {
    if (this.#options.leases.standing(room_id) === "other") return this.#askToClose(room_id);
    return this.#close(room_id, "closing");
  }

  /** The same for one whose media server is lost. */
  bury(room_id: string): Promise<void> {
    this.closeInEngine(room_id);
    return this.#close(room_id, "lost");
  }

  /** Closes all for which `picked` holds; one that the store does not take now is tried again by the sweep. */
  async closeAll(picked: (room_id: string) => boolean): Promise<void> {
    await Promise.allSettled(this.live.ids.filter(picked).map((room_id) => this.close(room_id)));
  }

  emit(event: EngineRoomEvent, tenure: Tenure): void {
    if (event.type === "lost") this.#closeSoon(event.room_id, "lost");
    else this.writer.add(event.room_id, event, tenure);
  }

  /** What an engine tells of a member: the end of the room waits until it is committed. */
  emitMember(session_uuid: string, event: MemberEvent, tenure: Tenure): void {
    const { room_id } = event;
    if (event.type === "room.joined" && this.#shut.has(room_id)) {
      const { operation_id } = event;
      this.#calls.add(session_uuid, { type: "failed", operation_id, error: "Room ended" }, tenure);
      this.#options.nodes.engineOf(session_uuid)?.cancel(session_uuid, operation_id);
      return;
    }
    const waiting = this.#members.get(room_id) ?? new Set();
    this.#members.set(room_id, waiting);
    // That the store is away is logged by the line, which tries again.
    const told = this.#calls.run(session_uuid, event, tenure).catch(() => undefined);
    waiting.add(told);
    void told.then(() => {
      waiting.delete(told);
      if (waiting.size === 0 && this.#members.get(room_id) === waiting) this.#members.delete(room_id);
    });
  }

  /** Whether the media server does it is its own matter. */
  closeInEngine(room_id: string): void {
    const { nodes, log } = this.#options;
    nodes
      .engineOf(room_id)
      ?.closeRoom(room_id)
      .catch((err: unknown) => log.warn({ room_id, err }, "the media server did not close the room"));
  }

  /** Closes what could not be closed before. */
  retry(): void {
    for (const room_id of this.#unclosed) this.#closeSoon(room_id, "closing");
  }

  /** Closes what was idle for too long, but for what is another instance's to close. */
  async closeIdle(): Promise<void> {
    const { store, leases, idleMs } = this.#options;
    const now = performance.now();
    for (const [room_id, until] of this.#shut) if (until <= now) this.#shut.delete(room_id);
    for (const room_id of await store.idleRooms(idleMs, maxIdle)) {
      const standing = leases.standing(room_id);
      // Of a node that nobody misses there is nobody else to do it.
      if (standing === "own" || standing === "unknown") this.#closeSoon(room_id, "closing");
    }
  }

  #closeSoon(room_id: string, why: "closing" | "lost"): void {
    if (this.#closing.has(room_id)) return;
    this.#close(room_id, why).catch((err: unknown) => this.#options.log.error({ room_id, err }, "room not closed"));
  }

  /** One does it, and all others wait for that one. */
  #close(room_id: string, why: "closing" | "lost"): Promise<void> {
    const running = this.#closing.get(room_id);
    if (running) return running;
    const closing = this.#end(room_id, why).finally(() => this.#closing.delete(room_id));
    this.#closing.set(room_id, closing);
    return closing;
  }

  async #end(room_id: string, why: "closing" | "lost"): Promise<void> {
    const { store, commandTimeoutMs, log } = this.#options;
    this.#unclosed.add(room_id);
    const applied = await this.writer.run(room_id, { type: why });
    if (why === "closing" && applied !== "gone") await this.#emptied(room_id);
    // Before it is asked who is left, so that nobody slips in behind that.
    this.#shut.set(room_id, performance.now() + commandTimeoutMs + keepShutMs);
    await Promise.all(this.#members.get(room_id) ?? []);
    const loaded = await store.loadRoom(room_id);
    if (loaded) {
      const { app_id, name } = loaded.state;
      const reason = why === "lost" ? "orphan" : "removed";
      const left = { type: "room.left", operation_id: null, room_id, reason } as const;
      const members = await store.members(app_id, room_id);
      await Promise.all(members.map(({ session_uuid }) => this.#calls.run(session_uuid, left)));
      await this.writer.run(room_id, { type: "destroyed" });
      log.info({ room_id, app_id, name, why }, "room closed");
    }
    this.#unclosed.delete(room_id);
  }

  /** Who has its node is told with its next look at the leases. */
  async #askToClose(room_id: string): Promise<void> {
    const { store, commandTimeoutMs } = this.#options;
    const until = performance.now() + commandTimeoutMs;
    await store.askToEnd({ id: room_id, cause: "NORMAL_CLEARING" });
    while (await store.loadRoom(room_id)) {
      if (performance.now() >= until) throw new Refused("unreachable");
      await delay(goneMs);
    }
  }

  /** An engine that does not say that they left, or cannot, holds nothing up. */
  async #emptied(room_id: string): Promise<void> {
    const { nodes, log } = this.#options;
    try {
      await within(closeMs, nodes.engineOf(room_id)?.closeRoom(room_id) ?? Promise.resolve());
    } catch (err) {
      log.warn({ room_id, err }, "the media server did not close the room");
    }
  }

  /** A room that was never open. */
  async #abandon(room_id: string): Promise<void> {
    this.closeInEngine(room_id);
    await this.writer.run(room_id, { type: "closing" });
  }
}
