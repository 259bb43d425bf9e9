/**
 * Of which media nodes this instance reads the events. The store gives each node to one instance for a time; here that
 * time ends by the local monotonic clock, counted from before the store was asked: an instance that was asleep, or that
 * cannot ask, stops by itself before another one begins.
 */
import { randomUUID } from "node:crypto";
import { nodeOf } from "../ids";
import type { Log } from "../log";
import type { Ending, NodeLease, Store } from "../store/store";
import type { Nodes } from "./nodes";

/** This instance's right to tell what a node says, under one fence. Each event is read under one of them. */
export class Tenure {
  /** Monotonic milliseconds. */
  until = Number.NEGATIVE_INFINITY;
  /** No call of the node takes anything from those before any more. */
  raised = false;
  /** Another instance has the node, or nobody ever will: what was read under this is not to be told any more. */
  over = false;

  constructor(
    readonly node: string,
    readonly fence: number,
  ) {}

  /** May what was read under this be told now? False also while the store cannot be asked: then it is to wait. */
  get holds(): boolean {
    return this.raised && !this.over && performance.now() < this.until;
  }
}

/** What a node says waits: it was away for longer than a lease, or the store cannot be asked. Until it is held again, or given up. */
export class Unconfirmed extends Error {
  override readonly name = "Unconfirmed";

  constructor() {
    super("the lease of the media node is not confirmed");
  }
}

/** How a node stands, as this instance saw it last. `unknown`: nobody has it, and nobody misses it. */
export type Standing = "own" | "other" | "away" | "lost" | "unknown";

export interface LeasesOptions {
  readonly store: Pick<Store, "hold" | "release" | "raiseFence">;
  readonly nodes: Nodes;
  readonly leaseMs: number;
  /** For how long a node may be away before it is lost. */
  readonly lostMs: number;
  /** A node is lost: its calls and rooms are to be ended. Asked again until the node is forgotten. */
  readonly bury: (node: string) => Promise<void>;
  /** Somebody wants this call or room ended, and this instance has its node. Asked again until it is over. */
  readonly end: (ending: Ending) => Promise<void>;
  /** Another instance has this node: what it holds is none of this one's any more. */
  readonly left: (node: string) => void;
  readonly log: Log;
}

/** The store looks away from nodes that nobody asks for in five seconds; and who wants a room closed waits for the next look. */
const longestMs = 1000;
const retryMs = 250;

export class Leases {
  readonly #options: LeasesOptions;
  /** New at each start. */
  readonly #owner = randomUUID();
  readonly #tenures = new Map<string, Tenure>();
  #states: ReadonlyMap<string, NodeLease["state"]> = new Map();
  /** Nodes, calls and rooms that are being seen to. */
  readonly #underWay = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #look: Promise<void> | null = null;
  #failing = false;
  #closed = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /**
   * Takes every node there is, and goes on to hold those that can be reached.
   * @throws when the store cannot be asked
   */
  async start(): Promise<void> {
    const { nodes } = this.#options;
    await this.#hold(nodes.names);
    for (const node of nodes.names) if (!this.#tenures.has(node)) nodes.reads(node, false);
    await Promise.all([...this.#tenures.values()].map((tenure) => this.#raise(tenure)));
    this.#next(this.#everyMs);
  }

  /** Under which what this node says now is read; null: another instance reads it, or nobody does. */
  tenure(node: string): Tenure | null {
    return this.#tenures.get(node) ?? null;
  }

  /**
   * The same, once nothing is told under those before it any more.
   * @throws when the store cannot be asked, or when the node is not this instance's
   */
  async raised(node: string): Promise<Tenure> {
    const tenure = this.tenure(node);
    if (!tenure) throw new Error("another instance has the media node, or nobody does");
    if (!tenure.raised) await this.#raise(tenure);
    return tenure;
  }

  /**
   * Under which an event is read that this call or room has now; null: it is not for this instance to tell.
   * @param event its name
   */
  read(id: string, event: string): Tenure | null {
    const tenure = this.tenure(nodeOf(id));
    // Where several listen to a node, all but one have this for each event of it.
    if (!tenure) this.#options.log.debug({ id, event, standing: this.standing(id) }, "event dropped: not ours to tell");
    return tenure;
  }

  /** @param id of a call or a room */
  standing(id: string): Standing {
    const node = nodeOf(id);
    if (this.#tenures.has(node)) return "own";
    const state = this.#states.get(node);
    return state === "held" ? "other" : (state ?? "unknown");
  }

  /** Nodes by how they stand. */
  counts(): Readonly<Record<"own" | "other" | "away" | "lost", number>> {
    const counts = { own: 0, other: 0, away: 0, lost: 0 };
    for (const [node, state] of this.#states) {
      if (this.#tenures.get(node)?.holds) counts.own += 1;
      else if (state !== "held") counts[state] += 1;
      // One of its own that is not confirmed: nobody reads it now.
      else if (this.#tenures.has(node)) counts.away += 1;
      else counts.other += 1;
    }
    return counts;
  }

  /** Gives up what it holds, so that others need not wait. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#look;
    for (const tenure of this.#tenures.values()) tenure.over = true;
    this.#tenures.clear();
    if (this.#states.size === 0) return;
    try {
      await this.#options.store.release(this.#owner);
    } catch (err) {
      this.#options.log.warn({ err }, "leases of media nodes end by themselves: the store cannot be asked");
    }
  }

  get #everyMs(): number {
    return Math.min(this.#options.leaseMs / 3, longestMs);
  }

  #next(ms: number): void {
    if (!this.#closed) this.#timer = setTimeout(() => this.#again(), ms);
  }

  #again(): void {
    this.#look = this.#renew().finally(() => {
      this.#look = null;
    });
  }

  async #renew(): Promise<void> {
    const { nodes, log } = this.#options;
    const asked = performance.now();
    try {
      await this.#hold(nodes.readable);
      if (this.#failing) log.info({}, "leases of media nodes are held again");
      this.#failing = false;
    } catch (err) {
      if (!this.#failing) log.error({ err }, "leases of media nodes are not renewed: the store cannot be asked");
      this.#failing = true;
    }
    const every = this.#failing ? Math.min(this.#everyMs, retryMs) : this.#everyMs;
    this.#next(Math.max(0, asked + every - performance.now()));
  }

  async #hold(nodes: readonly string[]): Promise<void> {
    const { store, leaseMs, lostMs, bury, end } = this.#options;
    const asked = performance.now();
    const leases = await store.hold({ owner: this.#owner, nodes, lease_ms: leaseMs, lost_ms: lostMs });
    this.#states = new Map(leases.map(({ node, state }) => [node, state]));
    for (const { node, fence } of leases) {
      if (fence === null) continue;
      const tenure = this.#begin(node, fence);
      if (nodes.includes(node)) tenure.until = asked + leaseMs;
      if (!tenure.raised) this.#seeTo(`fence of ${node}`, () => this.#raise(tenure));
    }
    // One that nobody holds may still come back under the same fence.
    const kept = new Set(
      leases.filter(({ fence, state }) => fence !== null || state === "away").map(({ node }) => node),
    );
    for (const node of this.#tenures.keys()) if (!kept.has(node)) this.#giveUp(node);
    for (const { node, state, ending } of leases) {
      if (state === "lost") this.#seeTo(node, () => bury(node));
      for (const each of ending) this.#seeTo(each.id, () => end(each));
    }
  }

  #begin(node: string, fence: number): Tenure {
    const known = this.#tenures.get(node);
    if (known?.fence === fence) return known;
    if (known) known.over = true;
    const tenure = new Tenure(node, fence);
    this.#tenures.set(node, tenure);
    this.#options.nodes.reads(node, true);
    this.#options.log.info({ node, fence }, "media node taken");
    return tenure;
  }

  #giveUp(node: string): void {
    const tenure = this.#tenures.get(node);
    if (!tenure) return;
    tenure.over = true;
    this.#tenures.delete(node);
    this.#options.nodes.reads(node, false);
    this.#options.left(node);
    this.#options.log.warn({ node, fence: tenure.fence, state: this.#states.get(node) }, "media node given up");
  }

  /** Before anything is told under it, so that nothing of those before can come in between. */
  async #raise(tenure: Tenure): Promise<void> {
    await this.#options.store.raiseFence(tenure.node, tenure.fence);
    tenure.raised = true;
  }

  /** What fails is asked for again by the next look. */
  #seeTo(what: string, work: () => Promise<void>): void {
    if (this.#underWay.has(what)) return;
    this.#underWay.add(what);
    work()
      .catch((err: unknown) => this.#options.log.error({ what, err }, "media nodes: not done, and tried again"))
      .finally(() => this.#underWay.delete(what));
  }
}
