/**
 * The end of what a media server cannot end any more: of all calls and rooms of a node that is lost, and of single ones
 * that it and the store do not agree about. Any instance may do it, several at once, and again: what is over stays over.
 */
import { isRoom, nodeOf } from "../ids";
import type { Log } from "../log";
import { sideBySide } from "../side_by_side";
import type { Session, Store } from "../store/store";
import type { SessionEvent } from "./happening";
import type { Live } from "./live";
import type { Nodes } from "./nodes";
import type { Rooms } from "./rooms";
import type { Writer } from "./writer";

export interface BurialOptions {
  readonly store: Pick<Store, "raiseFence" | "subjectsOf" | "forgetNode" | "loadSession">;
  readonly nodes: Nodes;
  readonly calls: Writer<Session, SessionEvent>;
  readonly rooms: Rooms;
  /** Calls of this instance. */
  readonly live: Live;
  readonly log: Log;
}

/** Above every fence that was ever given. */
const highestFence = Number.MAX_SAFE_INTEGER;
/** Calls and rooms that are ended at a time. */
const atOnce = 50;
const cause = "MEDIA_SERVER_LOST";
/** Temporary failure (Q.850 cause 41), as where a media server itself tells of it. */
const lost: Extract<SessionEvent, { type: "hangup" }> = {
  type: "hangup",
  cause,
  q850_cause: 41,
  sip_status: null,
  by: "gateway",
  lost: true,
};

export class Burial {
  readonly #options: BurialOptions;
  /** What the last audit of a node could not explain. */
  readonly #doubtful = new Map<string, ReadonlySet<string>>();

  constructor(options: BurialOptions) {
    this.#options = options;
  }

  /**
   * Ends everything that a lost node had, its own media server told as well where this instance has it, and forgets it.
   * @throws what the store threw; then it may be begun again
   */
  async bury(node: string): Promise<void> {
    const { store, log } = this.#options;
    // First, so that whoever read its events, and was only asleep, tells nothing between the ends.
    await store.raiseFence(node, highestFence);
    const done = new Set<string>();
    for (;;) {
      const all = new Set([...(await store.subjectsOf(node)), ...this.#here(node)]);
      const left = [...all].filter((id) => !done.has(id));
      if (left.length === 0) break;
      // Calls first: members leave their rooms by it.
      await each(
        left.filter((id) => !isRoom(id)),
        (id) => this.#end(id),
      );
      await each(left.filter(isRoom), (id) => this.#end(id));
      for (const id of left) done.add(id);
    }
    await store.forgetNode(node);
    // One that was closed in order has nothing left.
    log[done.size > 0 ? "warn" : "info"]({ node, ended: done.size }, "media node lost");
  }

  /** Another instance has this node: what it holds counts there. */
  left(node: string): void {
    const { live, rooms } = this.#options;
    for (const id of this.#here(node)) (isRoom(id) ? rooms.live : live).delete(id);
    this.#doubtful.delete(node);
  }

  /** The media server goes on with a call or a room that is over. */
  stray(id: string): void {
    const { nodes, rooms } = this.#options;
    if (isRoom(id)) rooms.closeInEngine(id);
    else nodes.engineOf(id)?.end(id, cause);
  }

  /**
   * Compares what a node has by the store with what is known of it here. What does not fit twice in a row is put right: by
   * then it is no call that is just beginning or ending.
   */
  async audit(node: string): Promise<void> {
    const { store, nodes, live, rooms, log } = this.#options;
    const stored = new Set(await store.subjectsOf(node));
    const here = new Set(this.#here(node));
    const before = this.#doubtful.get(node);
    const doubtful = new Set([...stored].filter((id) => !here.has(id)));
    for (const id of here) if (!stored.has(id)) doubtful.add(id);
    this.#doubtful.set(node, doubtful);
    await each(
      [...doubtful].filter((id) => before?.has(id)),
      async (id) => {
        if (stored.has(id)) return nodes.isEmbedded(node) ? this.#end(id) : this.#adopt(id);
        log.warn({ id }, "ended: the store does not know it any more");
        this.stray(id);
        (isRoom(id) ? rooms.live : live).delete(id);
      },
    );
  }

  #here(node: string): readonly string[] {
    const { live, rooms } = this.#options;
    return [...live.ids, ...rooms.live.ids].filter((id) => nodeOf(id) === node);
  }

  async #end(id: string): Promise<void> {
    const { nodes, calls, rooms } = this.#options;
    if (isRoom(id)) return rooms.bury(id);
    nodes.engineOf(id)?.end(id, cause);
    await calls.run(id, lost);
  }

  /** One of a media server elsewhere, from before this instance had its node, or that another one has opened since. */
  async #adopt(id: string): Promise<void> {
    const { store, live, rooms } = this.#options;
    if (isRoom(id)) rooms.live.add(id);
    // One that has ended only waits for its recordings.
    else if ((await store.loadSession(id))?.state.state !== "ended") live.add(id);
  }
}

/** All of them, also when one fails. @throws the first failure, once all were tried */
async function each(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  await sideBySide(ids, atOnce, (id) => work(id).catch((err: unknown) => failures.push(err)));
  if (failures.length > 0) throw failures[0];
}
