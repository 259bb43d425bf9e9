/** What has to be looked after again and again, whoever else does the same: what is overdue, idle, over its time, or left behind. */
import { isRoom } from "../ids";
import type { Log } from "../log";
import type { Session, Store } from "../store/store";
import type { Asking } from "./asking";
import type { Burial } from "./burial";
import type { SessionEvent } from "./happening";
import type { Leases } from "./leases";
import type { Nodes } from "./nodes";
import type { Rooms } from "./rooms";
import type { Writer } from "./writer";

export interface SweepOptions {
  readonly store: Pick<Store, "overdue" | "sweep">;
  readonly nodes: Nodes;
  readonly leases: Leases;
  readonly asking: Asking;
  readonly calls: Writer<Session, SessionEvent>;
  readonly rooms: Rooms;
  readonly burial: Burial;
  /** How long an engine may take to take a command. */
  readonly commandTimeoutMs: number;
  readonly log: Log;
}

const overdueMs = 250;
const storeMs = 1000;
const auditMs = 10_000;
/** Overdue operations settled in one sweep. */
const maxOverdue = 1000;

export class Sweeps {
  readonly #options: SweepOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Overdue operations, by when they were first seen to be: monotonic milliseconds. */
  #overdue: ReadonlyMap<string, number> = new Map();
  #closed = false;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  start(): void {
    const { store, rooms } = this.#options;
    this.#every(overdueMs, "overdue operations", () => this.#settle());
    this.#every(storeMs, "idle rooms", () => rooms.closeIdle());
    this.#every(storeMs, "what has outlived its time", () => store.sweep());
    this.#every(auditMs, "calls and rooms of media nodes", () => this.#audit());
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** The next one begins so long after this one has ended; that the store is away is said once. */
  #every(ms: number, what: string, sweep: () => Promise<void>): void {
    const { log } = this.#options;
    let failing = false;
    const again = () => {
      if (this.#closed) return;
      const timer = setTimeout(async () => {
        this.#timers.delete(timer);
        try {
          await sweep();
          failing = false;
        } catch (err) {
          if (!failing) log.error({ what, err }, "sweep failed: the store cannot be asked");
          failing = true;
        }
        again();
      }, ms);
      this.#timers.add(timer);
    };
    again();
  }

  async #settle(): Promise<void> {
    const { store, asking, calls, rooms, commandTimeoutMs } = this.#options;
    rooms.retry();
    const now = performance.now();
    const seen = new Map<string, number>();
    for (const { id, operation_id } of await store.overdue(maxOverdue)) {
      if (asking.has(operation_id)) continue;
      const since = this.#overdue.get(operation_id) ?? now;
      seen.set(operation_id, since);
      const abandoned = now - since >= commandTimeoutMs;
      (isRoom(id) ? rooms.writer : calls).add(id, { type: "command.overdue", operation_id, abandoned });
    }
    this.#overdue = seen;
  }

  async #audit(): Promise<void> {
    const { nodes, leases, burial } = this.#options;
    for (const node of nodes.names) if (leases.tenure(node)?.holds) await burial.audit(node);
  }
}
