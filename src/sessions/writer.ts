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
}

export interface WriterOptions {
  readonly store: Store;
  readonly nodes: Nodes;
  readonly asking: Asking;
  /** Something was committed for this app: deliveries may begin. */
  readonly wake: (app_id: string) => void;
  readonly meter: Pick<Meter, "command">;
  readonly log: Log;
}

/** What was worked out of an event, until the store has it. */
interface Sent<S extends Subject> {
  readonly commit: Commit<S>;
  readonly next: Advance<S>;
  readonly wakes: boolean;
}

export class Writer<S extends Subject, E extends SessionEvent | RoomEvent> {
  readonly #options: WriterOptions;
  readonly #kind: Kind<S, E>;
  readonly #lines: Lines<E | CommandEvent, Sent<S>>;
  /** Commits so far, which names each of them. */
  #commits = 0;
  readonly #id = randomUUID();

  constructor(kind: Kind<S, E>, options: WriterOptions) {
    this.#kind = kind;
    this.#options = options;
    const apply = (id: string, step: Step<E | CommandEvent, Sent<S>>) => this.#apply(id, step);
    this.#lines = new Lines(apply, (id) => kind.source(id), options.log);
  }

  /** For what nobody waits for: events of a media server. */
  add(id: string, event: E | CommandEvent): void {
    this.#lines.add(id, event);
  }

  /** @throws what the store threw, at this event or at one before it; it stays in its line and is tried again */
  run(id: string, event: E | CommandEvent): Promise<Applied> {
    return this.#lines.run(id, event);
  }

  /** Resolves once nothing waits; what the store does not take now is lost, and said to be. */
  close(): Promise<void> {
    return this.#lines.close();
  }

  async #apply(id: string, step: Step<E | CommandEvent, Sent<S>>): Promise<Applied> {
    const { event } = step;
    const { store, asking } = this.#options;
    for (;;) {
      // A commit whose answer was lost goes again as it was: had it been done, the store knows it by its nonce.
      if (!step.sent) {
        if (event.type === "command.taken" && asking.settled(event.operation_id)) return "unchanged";
        const loaded = await this.#kind.load(id);
        if (!loaded) return this.#gone(id, event);
        this.#logLate(id, event, loaded.state);
        const next = this.#advance(id, loaded.state, step);
        if (!next) return "unchanged";
        step.sent = this.#prepare(id, loaded, next, step.at);
      }
      const sent = step.sent;
      const outcome = await store.commit(sent.commit);
      step.sent = null;
      if (outcome === "conflict") continue;
      this.#settled(id, sent, outcome === "committed");
      return outcome === "gone" ? "gone" : "changed";
    }
  }

  #prepare(id: string, { app, version }: Loaded<S>, next: Advance<S>, at: number): Sent<S> {
    const { state, decided } = next;
    const { app_id } = app;
    const events = numbered(this.#kind.source(id), next, app, at);
    this.#commits += 1;
    const nonce = `${this.#id}.${this.#commits}`;
    const life = this.#kind.life(state);
    const wakes = events.length > 0 && app.webhook_url !== "";
    return { commit: { id, app_id, version, nonce, state, life, events, decided }, next, wakes };
  }

  /** The store has it, or nobody will. */
  #settled(id: string, { commit, next, wakes }: Sent<S>, committed: boolean): void {
    const { wake, asking, nodes } = this.#options;
    if (wakes) wake(commit.app_id);
    if (committed) {
      for (const { operation } of commit.decided) asking.settle(operation.operation_id);
      this.#count(id, next.publish);
    }
    for (const operation_id of next.cancel) nodes.engineOf(id)?.cancel(id, operation_id);
    this.#kind.committed(next);
    if (!committed || commit.state.state === "ended") this.#kind.over(id);
  }

  #count(id: string, publish: readonly Publication[]): void {
    const { meter, nodes, log } = this.#options;
    for (const { event, data } of publish) {
      if (event !== "command.result") continue;
      meter.command(data.command, nodes.kindOf(id), data.success ? "succeeded" : "failed");
      if (!data.success) log.info({ ...this.#kind.source(id), ...data }, "command failed");
    }
  }

  #gone(id: string, { type }: E | CommandEvent): Applied {
    this.#options.log.debug({ ...this.#kind.source(id), event: type }, "event of what is over");
    this.#kind.over(id);
    return "gone";
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
  #advance(id: string, state: S, { event, at }: Step<E | CommandEvent, Sent<S>>): Advance<S> | null {
    const { log } = this.#options;
    try {
      const next = this.#kind.advance(state, event, at);
      if (!next) log.debug({ ...this.#kind.source(id), event: event.type }, "event changed nothing");
      return next;
    } catch (err) {
      log.error({ ...this.#kind.source(id), event: event.type, err }, "internal error");
      return null;
    }
  }
}
