import type { Commit, CommitOutcome, Operation, Overdue, Page, PageMark, Subject } from "../store";
import { Chain, type Linked } from "./chain";
import type { Entry, Schedule } from "./schedule";
import type { RememberedUids, SubjectUids } from "./uids";

/**
 * How long an ended call or room answers repeats of the uids it has seen, and how long one that is closing may take to
 * end.
 */
export const REMEMBER_MS = 86_400_000;
/** A commit is known again as long as fewer versions than this came after it. */
const NONCES = 8;

export interface SubjectBounds {
  /** The longest ended call, or room, of an app is forgotten when it would remember more. */
  readonly ended_per_app: number;
}

interface Cooldown {
  readonly until: number;
  /** Who opened it: it is reopened only while it is still the window of the one that is taken back. */
  readonly operation_id: string;
}

/** A call or a room as it is kept, and what is left of it once it has ended. */
export interface Kept<S extends Subject> extends Linked<Kept<S>> {
  readonly id: string;
  readonly created_at: number;
  /** Null once it has ended. Never changed, only replaced: it is shared with whoever loaded it. */
  state: S | null;
  life: Commit["life"];
  version: number;
  /** The highest under which something of it was told. */
  fence: number;
  /** Of the last commits, each at its version modulo the length. */
  readonly nonces: string[];
  readonly cooldowns: Map<string, Cooldown>;
  /** Of the pending operations, by id. */
  readonly deadlines: Map<string, Entry<Overdue>>;
  uids: SubjectUids | null;
  /** When what is left is deleted: once it is no longer live. */
  forget_at: number;
}

/** The state, to everybody but its own core: one that is being made or closed is not there. */
export function seen<S extends Subject>(kept: Kept<S> | undefined): S | null {
  if (kept === undefined || kept.life !== "live" || kept.state?.state === "opening") return null;
  return kept.state;
}

/** The calls of one app, or its rooms. */
export class Subjects<S extends Subject> {
  private readonly kept = new Map<string, Kept<S>>();
  /** By created_at and id, ascending: new ones nearly always go to the end. */
  private readonly live: Kept<S>[] = [];
  private readonly closing = new Chain<Kept<S>>();
  private readonly ended = new Chain<Kept<S>>();

  /**
   * @param uids that the app remembers
   * @param deadlines of the pending operations of all apps
   * @param forgotten is told when nothing is left of one
   */
  constructor(
    private readonly bounds: SubjectBounds,
    private readonly uids: RememberedUids,
    private readonly deadlines: Schedule<Overdue>,
    private readonly forgotten: (id: string, now: number) => void,
  ) {}

  get(id: string): Kept<S> | undefined {
    return this.kept.get(id);
  }

  /** Ids of the live ones. */
  get alive(): readonly string[] {
    return this.live.map(({ id }) => id);
  }

  /** Those of this node that have not ended. */
  *ofNode(node: string): IterableIterator<Kept<S>> {
    for (const kept of this.live) if (kept.state?.node === node) yield kept;
    for (let kept = this.closing.oldest; kept !== null; kept = kept.newer) if (kept.state?.node === node) yield kept;
  }

  /** How many have not ended. */
  get size(): number {
    return this.live.length + this.closing.size;
  }

  create(id: string, state: S): Kept<S> {
    const kept: Kept<S> = {
      id,
      created_at: state.created_at,
      state,
      life: "live",
      version: 1,
      fence: 0,
      nonces: [],
      cooldowns: new Map(),
      deadlines: new Map(),
      uids: null,
      forget_at: 0,
      older: null,
      newer: null,
    };
    this.kept.set(id, kept);
    this.live.splice(this.position(kept), 0, kept);
    return kept;
  }

  /** Newest first. */
  page(limit: number, after: PageMark | null): Page<S> {
    const items: S[] = [];
    let last: Kept<S> | null = null;
    for (let place = (after === null ? this.live.length : this.position(after)) - 1; place >= 0; place -= 1) {
      const kept = this.live[place];
      const state = seen(kept);
      if (kept === undefined || state === null) continue;
      if (last !== null && items.length === limit) {
        return { items, next: { created_at: last.created_at, id: last.id } };
      }
      items.push(state);
      last = kept;
    }
    return { items, next: null };
  }

  /** Registers a pending operation; the uid and the window only where the command has them. */
  add(kept: Kept<S>, state: S, operation: Operation, fingerprint: string, cooldown_ms: number, now: number): S {
    const { operation_id, command_uid, timeout_ms, deadline, group } = operation;
    const { app_id } = state;
    const next: S = { ...state, operations: [...state.operations, operation] };
    kept.state = next;
    kept.version += 1;
    kept.deadlines.set(operation_id, this.deadlines.add(deadline, { id: kept.id, app_id, operation_id }));
    if (group !== null) kept.cooldowns.set(group, { until: now + cooldown_ms, operation_id });
    if (operation.uid_given) {
      kept.uids ??= new Map();
      this.uids.remember(kept.uids, { command_uid, fingerprint, operation_id, timeout_ms });
    }
    return next;
  }

  /**
   * @param revision of the settings of the app
   * @param applied runs the consequences that belong to the same step, and is given the state before it
   */
  commit(commit: Commit, state: S, revision: number, now: number, applied: (before: S) => void): CommitOutcome {
    const kept = this.kept.get(commit.id);
    if (kept === undefined) return "gone";
    const before = kept.state;
    if (kept.version !== commit.version) {
      // The second run of a commit finds a newer version, and perhaps the end that it made itself.
      if (kept.nonces[commit.version % NONCES] === commit.nonce) return "committed";
      return before === null ? "gone" : "conflict";
    }
    if (before === null) return "gone";
    if (commit.revision !== revision) return "conflict";
    if (commit.fence !== null && commit.fence < kept.fence) return "fenced";
    if (commit.fence !== null) kept.fence = commit.fence;
    kept.nonces[commit.version % NONCES] = commit.nonce;
    kept.version += 1;
    kept.state = state;
    for (const { operation, status } of commit.decided) this.decide(kept, operation, status);
    if (kept.deadlines.size > state.operations.length) this.keepDeadlines(kept, state.operations);
    if (commit.life !== "live") this.leave(kept, commit.life, now);
    applied(before);
    return "committed";
  }

  /** Deletes what has outlived its time. */
  expire(now: number): void {
    for (const chain of [this.closing, this.ended]) {
      for (let first = chain.oldest; first !== null && first.forget_at <= now; first = chain.oldest) {
        this.forget(first, now);
      }
    }
  }

  /** Deletes all, live ones included. */
  clear(now: number): void {
    for (const kept of this.kept.values()) {
      this.stopDeadlines(kept);
      this.forgotten(kept.id, now);
    }
    this.kept.clear();
  }

  /** Of those that are still pending. */
  private keepDeadlines(kept: Kept<S>, operations: readonly Operation[]): void {
    const pending = new Set(operations.map((operation) => operation.operation_id));
    for (const [operation_id, entry] of kept.deadlines) {
      if (pending.has(operation_id)) continue;
      this.deadlines.remove(entry);
      kept.deadlines.delete(operation_id);
    }
  }

  private decide(kept: Kept<S>, operation: Operation, status: 202 | 504 | "free"): void {
    const uid = kept.uids?.get(operation.command_uid);
    const own = uid?.operation_id === operation.operation_id ? uid : undefined;
    if (status !== "free") {
      if (own !== undefined) own.status = status;
      return;
    }
    if (own !== undefined) this.uids.forget(own);
    if (operation.group === null) return;
    if (kept.cooldowns.get(operation.group)?.operation_id === operation.operation_id) {
      kept.cooldowns.delete(operation.group);
    }
  }

  /** It is live no more, or not even closing any more. */
  private leave(kept: Kept<S>, life: "closing" | "ended", now: number): void {
    if (kept.life === "live") this.live.splice(this.position(kept), 1);
    else if (life === "closing") return;
    else this.closing.remove(kept);
    kept.life = life;
    kept.cooldowns.clear();
    kept.forget_at = now + REMEMBER_MS;
    if (life === "closing") {
      this.closing.append(kept);
      return;
    }
    kept.state = null;
    this.stopDeadlines(kept);
    this.ended.append(kept);
    this.expire(now);
    if (this.ended.size > this.bounds.ended_per_app && this.ended.oldest !== null) this.forget(this.ended.oldest, now);
  }

  private stopDeadlines(kept: Kept<S>): void {
    for (const entry of kept.deadlines.values()) this.deadlines.remove(entry);
    kept.deadlines.clear();
  }

  private forget(kept: Kept<S>, now: number): void {
    if (kept.life === "closing") this.closing.remove(kept);
    else this.ended.remove(kept);
    this.stopDeadlines(kept);
    kept.state = null;
    if (kept.uids !== null) this.uids.forgetAll(kept.uids);
    this.kept.delete(kept.id);
    this.forgotten(kept.id, now);
  }

  /** Where this stands among the live ones, or would. */
  private position(mark: PageMark): number {
    let low = 0;
    let high = this.live.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const kept = this.live[middle];
      if (kept !== undefined && isOlder(kept, mark)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isOlder(kept: PageMark, mark: PageMark): boolean {
  if (kept.created_at !== mark.created_at) return kept.created_at < mark.created_at;
  return kept.id < mark.id;
}
