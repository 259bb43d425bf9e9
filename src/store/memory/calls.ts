import type { Commit, CommitOutcome, Operation, Overdue, PageMark, Session, SessionPage } from "../store";
import { Chain, type Linked } from "./chain";
import type { Entry, Schedule } from "./schedule";
import { RememberedUids, type SessionUids, type UidBounds } from "./uids";

/** How long an ended session answers repeats of the uids it has seen. */
export const REMEMBER_MS = 86_400_000;
/** A commit is known again as long as fewer versions than this came after it. */
const NONCES = 8;

export interface CallBounds extends UidBounds {
  /** The longest ended session of an app is forgotten when it would remember more. */
  readonly ended_per_app: number;
}

interface Cooldown {
  readonly until: number;
  /** Who opened it: it is reopened only while it is still the window of the one that is taken back. */
  readonly operation_id: string;
}

/** A session as it is kept, and what is left of it once it has ended. */
export interface Call extends Linked<Call> {
  readonly session_uuid: string;
  readonly created_at: number;
  /** Null once it has ended. Never changed, only replaced: it is shared with whoever loaded it. */
  session: Session | null;
  version: number;
  /** Of the last commits, each at its version modulo the length. */
  readonly nonces: string[];
  readonly cooldowns: Map<string, Cooldown>;
  /** Of the pending operations, by id. */
  readonly deadlines: Map<string, Entry<Overdue>>;
  uids: SessionUids | null;
  /** When what is left is deleted. */
  forget_at: number;
}

/** The sessions of one app. */
export class Calls {
  private readonly calls = new Map<string, Call>();
  /** By created_at and uuid, ascending: new ones nearly always go to the end. */
  private readonly live: Call[] = [];
  private readonly ended = new Chain<Call>();
  private readonly seen: RememberedUids;

  /**
   * @param deadlines of the pending operations of all apps
   * @param forgotten is told when a session has left nothing behind
   */
  constructor(
    private readonly bounds: CallBounds,
    private readonly deadlines: Schedule<Overdue>,
    private readonly forgotten: (session_uuid: string) => void,
  ) {
    this.seen = new RememberedUids(bounds);
  }

  get(session_uuid: string): Call | undefined {
    return this.calls.get(session_uuid);
  }

  /** Uuids of the live ones. */
  get alive(): readonly string[] {
    return this.live.map((call) => call.session_uuid);
  }

  create(session: Session): void {
    const { session_uuid, created_at } = session;
    const call: Call = {
      session_uuid,
      created_at,
      session,
      version: 1,
      nonces: [],
      cooldowns: new Map(),
      deadlines: new Map(),
      uids: null,
      forget_at: 0,
      older: null,
      newer: null,
    };
    this.calls.set(session_uuid, call);
    this.live.splice(this.position(call), 0, call);
  }

  page(limit: number, after: PageMark | null): SessionPage {
    const end = after === null ? this.live.length : this.position(after);
    const start = Math.max(0, end - limit);
    const sessions: Session[] = [];
    for (const call of this.live.slice(start, end).reverse()) if (call.session !== null) sessions.push(call.session);
    const last = sessions[sessions.length - 1];
    const more = start > 0 && last !== undefined;
    return { sessions, next: more ? { created_at: last.created_at, session_uuid: last.session_uuid } : null };
  }

  /** Registers a pending operation; the uid and the window only where the command has them. */
  add(
    call: Call,
    session: Session,
    operation: Operation,
    fingerprint: string,
    cooldown_ms: number,
    now: number,
  ): Session {
    const { operation_id, command_uid, timeout_ms, deadline, group } = operation;
    const { app_id, session_uuid } = session;
    const next: Session = { ...session, operations: [...session.operations, operation] };
    call.session = next;
    call.version += 1;
    call.deadlines.set(operation_id, this.deadlines.add(deadline, { session_uuid, app_id, operation_id }));
    if (group !== null) call.cooldowns.set(group, { until: now + cooldown_ms, operation_id });
    if (operation.uid_given) {
      call.uids ??= new Map();
      this.seen.remember(call.uids, { command_uid, fingerprint, operation_id, timeout_ms });
    }
    return next;
  }

  /** `applied` runs the consequences that belong to the same step. */
  commit(commit: Commit, now: number, applied: () => void): CommitOutcome {
    const call = this.calls.get(commit.session_uuid);
    if (call === undefined) return "gone";
    if (call.version !== commit.version) {
      // The second run of a commit finds a newer version, and perhaps the end that it made itself.
      if (call.nonces[commit.version % NONCES] === commit.nonce) return "committed";
      return call.session === null ? "gone" : "conflict";
    }
    if (call.session === null) return "gone";
    call.nonces[commit.version % NONCES] = commit.nonce;
    call.version += 1;
    call.session = commit.session;
    for (const { operation, status } of commit.decided) this.decide(call, operation, status);
    if (call.deadlines.size > commit.session.operations.length) this.keepDeadlines(call, commit.session.operations);
    applied();
    if (commit.session.state === "ended") this.end(call, now);
    return "committed";
  }

  /** Deletes what has outlived its time. */
  expire(now: number): void {
    for (let first = this.ended.oldest; first !== null && first.forget_at <= now; first = this.ended.oldest) {
      this.forget(first);
    }
  }

  /** Deletes all, live ones included. */
  clear(): void {
    for (const call of this.calls.values()) {
      this.stopDeadlines(call);
      this.forgotten(call.session_uuid);
    }
    this.calls.clear();
  }

  /** Of those that are still pending. */
  private keepDeadlines(call: Call, operations: readonly Operation[]): void {
    const pending = new Set(operations.map((operation) => operation.operation_id));
    for (const [operation_id, entry] of call.deadlines) {
      if (pending.has(operation_id)) continue;
      this.deadlines.remove(entry);
      call.deadlines.delete(operation_id);
    }
  }

  private decide(call: Call, operation: Operation, status: 202 | 504 | "free"): void {
    const seen = call.uids?.get(operation.command_uid);
    const own = seen?.operation_id === operation.operation_id ? seen : undefined;
    if (status !== "free") {
      if (own !== undefined) own.status = status;
      return;
    }
    if (own !== undefined) this.seen.forget(own);
    if (operation.group === null) return;
    if (call.cooldowns.get(operation.group)?.operation_id === operation.operation_id) {
      call.cooldowns.delete(operation.group);
    }
  }

  private end(call: Call, now: number): void {
    this.live.splice(this.position(call), 1);
    call.session = null;
    call.cooldowns.clear();
    this.stopDeadlines(call);
    call.forget_at = now + REMEMBER_MS;
    this.ended.append(call);
    this.expire(now);
    if (this.ended.size > this.bounds.ended_per_app && this.ended.oldest !== null) this.forget(this.ended.oldest);
  }

  private stopDeadlines(call: Call): void {
    for (const entry of call.deadlines.values()) this.deadlines.remove(entry);
    call.deadlines.clear();
  }

  private forget(call: Call): void {
    this.ended.remove(call);
    if (call.uids !== null) this.seen.forgetAll(call.uids);
    this.calls.delete(call.session_uuid);
    this.forgotten(call.session_uuid);
  }

  /** Where this stands among the live ones, or would. */
  private position(mark: PageMark): number {
    let low = 0;
    let high = this.live.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const call = this.live[middle];
      if (call !== undefined && isOlder(call, mark)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isOlder(call: PageMark, mark: PageMark): boolean {
  if (call.created_at !== mark.created_at) return call.created_at < mark.created_at;
  return call.session_uuid < mark.session_uuid;
}
