/**
 * The way of an event into the store, for calls and for rooms: one line for each keeps the order; what follows is
 * committed with the events that tell of it; a commit that another writer beat is computed again from what is there now.
 */
import { randomUUID } from "node:crypto";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Commit, Loaded, Store, Subject } from "../store/store";
import type { Asking } from "./asking";
import { numbered, type Source } from "./events";
import type { CommandEvent, RoomEvent, SessionEvent } from "./happening";
import { Known } from "./known";
import { type Tenure, Unconfirmed } from "./leases";
import { type Applied, Lines, type Step } from "./lines";
import type { Advance, Publication } from "./next";
import type { Nodes } from "./nodes";

/** What calls and rooms do not have in common. */
export interface Kind<S extends Subject, E> {
  load(id: string): Promise<Loaded<S> | null>;
  advance(state: S, event: E | CommandEvent, at: number): Advance<S> | null;
  life(state: S): Commit["life"];
  /** What its id is called. */
  source(id: string): Source;
  /** It has ended, or nothing is known of it. */
  over(id: string): void;
  /** Committed, with what it asks for. */
  committed(next: Advance<S>): void;
  /** Its media server goes on with what the store says is over. */
  stray(id: string): void;
}

export interface WriterOptions {
  readonly store: Store;
  readonly nodes: Nodes;
  readonly asking: Asking;
  /** Something was committed for this app: deliveries may begin. */
  readonly wake: (app_id: string) => void;
  readonly meter: Pick<Meter, "command" | "givenUp">;
  readonly log: Log;
}

/** What was worked out of an event, until the store has it. */
interface Sent<S extends Subject> {
  readonly from: Loaded<S>;
  readonly commit: Commit<S>;
  readonly next: Advance<S>;
}

type Told<E extends SessionEvent | RoomEvent, S extends Subject> = Step<E | CommandEvent, Sent<S>>;

export class Writer<S extends Subject, E extends SessionEvent | RoomEvent> {
  readonly #options: WriterOptions;
  readonly #kind: Kind<S, E>;
  readonly #lines: Lines<E | CommandEvent, Sent<S>>;
  readonly #known = new Known<S>();
  /** Commits so far, which names each of them. */
  #commits = 0;
  readonly #id = randomUUID();

  constructor(kind: Kind<S, E>, options: WriterOptions) {
    this.#kind = kind;
    this.#options = options;
    const apply = (id: string, step: Told<E, S>) => this.#apply(id, step);
    this.#lines = new Lines(apply, (id) => kind.source(id), options.meter, options.log);
  }

  /** Events that wait because the store cannot be asked. */
  get waiting(): number {
    return this.#lines.waiting;
  }

  /**
   * For what nobody waits for.
   * @param tenure under which a media node was heard to say it; null: the gateway itself says so
   */
  add(id: string, event: E | CommandEvent, tenure: Tenure | null = null): void {
    this.#lines.add(id, event, tenure);
  }

  /** @throws what the store threw, at this event or at one before it; it stays in its line and is tried again */
  run(id: string, event: E | CommandEvent, tenure: Tenure | null = null): Promise<Applied> {
    return this.#lines.run(id, event, tenure);
  }

  /** The store has just answered this: the next event need not ask it again. */
  seen(id: string, loaded: Loaded<S>): void {
    this.#known.put(id, loaded);
  }

  /** Resolves once nothing waits; what the store does not take now is lost, and said to be. */
  close(): Promise<void> {
    return this.#lines.close();
  }

  async #apply(id: string, step: Told<E, S>): Promise<Applied> {
    const { event, tenure } = step;
    const { store, asking } = this.#options;
    for (;;) {
      // A commit whose answer was lost goes again as it was: had it been done, the store knows it by its nonce.
      if (!step.sent) {
        if (event.type === "command.taken" && asking.settled(event.operation_id)) return "unchanged";
        if (tenure?.over) return this.#fenced(id, step);
        if (tenure && !tenure.holds) throw new Unconfirmed();
        const known = this.#known.get(id);
        const loaded = known ?? (await this.#kind.load(id));
        if (!loaded) return this.#gone(id, step);
        const next = this.#advance(id, loaded.state, step);
        if (!next) {
          if (!known) return this.#unchanged(id, event, loaded.state);
          // What makes no difference to what was known may make one to what is there by now.
          this.#known.drop(id, known);
          continue;
        }
        step.sent = this.#prepare(id, loaded, next, step);
      }
      const sent = step.sent;
      const outcome = await store.commit(sent.commit);
      step.sent = null;
      if (outcome !== "committed") this.#known.drop(id, sent.from);
      if (outcome === "conflict") continue;
      if (outcome === "fenced") return this.#fenced(id, step);
      this.#settled(id, event, sent, outcome === "committed");
      return outcome === "gone" ? "gone" : "changed";
    }
  }

  #prepare(id: string, from: Loaded<S>, next: Advance<S>, { at, tenure }: Told<E, S>): Sent<S> {
    const { app, version, revision } = from;
    const { state, decided } = next;
    const { app_id } = app;
    const events = numbered(this.#kind.source(id), next, app, at);
    this.#commits += 1;
    const nonce = `${this.#id}.${this.#commits}`;
    const life = this.#kind.life(state);
    const fence = tenure?.fence ?? null;
    return { from, commit: { id, app_id, version, revision, fence, nonce, state, life, events, decided }, next };
  }

  /** The store has it, or nobody will. */
  #settled(id: string, event: E | CommandEvent, { from, commit, next }: Sent<S>, committed: boolean): void {
    const { wake, asking, nodes } = this.#options;
    const { app, revision } = from;
    if (commit.events.length > 0 && app.webhook_url !== "") wake(commit.app_id);
    if (committed) {
      this.#logLate(id, event, from.state);
      for (const { operation } of commit.decided) asking.settle(operation.operation_id);
      this.#count(id, next.publish);
    }
    for (const operation_id of next.cancel) nodes.engineOf(id)?.cancel(id, operation_id);
    this.#kind.committed(next);
    if (!committed || commit.state.state === "ended") {
      this.#known.drop(id);
      this.#kind.over(id);
    } else this.#known.put(id, { state: commit.state, version: commit.version + 1, app, revision });
  }

  #count(id: string, publish: readonly Publication[]): void {
    const { meter, nodes, log } = this.#options;
    for (const { event, data } of publish) {
      if (event !== "command.result") continue;
      meter.command(data.command, nodes.kindOf(id), data.success ? "succeeded" : "failed");
      if (!data.success) log.info({ ...this.#kind.source(id), ...data }, "command failed");
    }
  }

  #gone(id: string, { event: { type }, tenure }: Told<E, S>): Applied {
    const { log } = this.#options;
    this.#kind.over(id);
    // Somebody else ended it, and its media server has not heard. What tells of its own end has.
    const stray = tenure !== null && type !== "hangup" && type !== "lost";
    if (stray) this.#kind.stray(id);
    log[stray ? "warn" : "debug"]({ ...this.#kind.source(id), event: type }, "event of what is over");
    return "gone";
  }

  #unchanged(id: string, event: E | CommandEvent, state: S): Applied {
    this.#logLate(id, event, state);
    this.#options.log.debug({ ...this.#kind.source(id), event: event.type }, "event changed nothing");
    return "unchanged";
  }

  /** Whoever reads the events of the node by now has told what there is to tell. */
  #fenced(id: string, { event: { type }, tenure }: Told<E, S>): Applied {
    const { meter, log } = this.#options;
    meter.givenUp("fenced", 1);
    const fence = tenure?.fence;
    log.warn({ ...this.#kind.source(id), event: type, fence }, "event dropped: its media node was given up");
    return "unchanged";
  }

  /** What the media server confirms of a command that was given up. */
  #logLate(id: string, event: E | CommandEvent, { operations }: S): void {
    if (!("operation_id" in event) || event.operation_id === null) return;
    const { type, operation_id } = event;
    if (type === "command.taken" || type === "command.refused" || type === "command.overdue") return;
    if (operations.some((operation) => operation.operation_id === operation_id)) return;
    this.#options.log.info({ ...this.#kind.source(id), operation_id, event: type }, "confirmation came too late");
  }

  /** A defect of ours must not hold up what comes after it: the event changes nothing then. */
  #advance(id: string, state: S, { event, at }: Told<E, S>): Advance<S> | null {
    try {
      return this.#kind.advance(state, event, at);
    } catch (err) {
      this.#options.log.error({ ...this.#kind.source(id), event: event.type, err }, "internal error");
      return null;
    }
  }
}
