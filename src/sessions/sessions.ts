/**
 * The only writer of sessions. Takes calls and events from engines and commands from the API, runs each through
 * `advance`, and commits the state and the events that tell of it together. One line per session keeps the order; a
 * commit that another writer beat is computed again from what is there now.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Body, CommandId } from "../contract";
import {
  type Engine,
  type EngineEvent,
  type Offer,
  type OperationRef,
  type Outcome,
  Refused,
  type Sink,
  type Verdict,
} from "../engines/engine";
import type { Log } from "../log";
import type { App, Session, Store } from "../store/store";
import { Asking } from "./asking";
import { numbered } from "./events";
import { type Applied, Lines, type Step } from "./lines";
import { type Advance, advance, createSession, type SessionEvent } from "./session";

export interface SessionsOptions {
  readonly store: Store;
  readonly engines: readonly Engine[];
  /** Something was committed for this app: deliveries may begin. */
  readonly wake: (app_id: string) => void;
  readonly maxSessions: number;
  readonly defaultAppId: string | null;
  /** How long an engine may take to take a command. */
  readonly commandTimeoutMs: number;
  readonly log: Log;
}

/** A command as it was admitted. */
export interface CommandCall<C extends CommandId> {
  readonly command: C;
  readonly body: Body<C>;
  readonly operation: OperationRef;
  readonly session_uuid: string;
  /** Its result follows at once, not when the media server confirms. */
  readonly immediate: boolean;
}

/** Overdue operations settled in one sweep. */
const maxOverdue = 1000;
const sweepMs = 100;
/** How long an engine may take to tell of an end that the gateway asked for. */
const endMs = 1000;

export class Sessions implements Sink {
  readonly #options: SessionsOptions;
  readonly #engines: ReadonlyMap<string, Engine>;
  readonly #lines: Lines;
  /** Calls of this instance that have not ended, and who waits for the end. */
  readonly #live = new Map<string, Set<() => void>>();
  readonly #emptied = new Set<() => void>();
  /** Their deadline is the engine's until it has answered. */
  readonly #asking: Asking;
  /** Commits of this instance so far, which names each of them. */
  #commits = 0;
  readonly #id = randomUUID();
  #timer: NodeJS.Timeout | null = null;
  #refusing = false;
  #closed = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#engines = new Map(options.engines.map((engine) => [engine.node, engine]));
    this.#asking = new Asking(options.commandTimeoutMs);
    this.#lines = new Lines((session_uuid, step) => this.#apply(session_uuid, step), options.log);
  }

  /** Calls under control of this instance. */
  get live(): number {
    return this.#live.size;
  }

  start(): void {
    this.#timer = setTimeout(() => this.#sweep(), sweepMs);
  }

  /** A call wants in: it belongs to the app that its number is assigned to, else to the default app. */
  async offer(call: Offer): Promise<Verdict> {
    if (this.#refusing || this.#live.size >= this.#options.maxSessions) return "overloaded";
    const { session_uuid } = call;
    // Before the first await, so that a burst of calls cannot pass the bound together.
    this.#live.set(session_uuid, new Set());
    let created: Promise<boolean> | null = null;
    try {
      const app = await this.#appFor(call.did);
      created = app && this.#create(call, app);
      if (await created) return "accepted";
      this.#forget(session_uuid);
      return "no_app";
    } catch (err) {
      this.#options.log.error({ session_uuid, err }, "call refused: the store cannot be asked");
      // Whether it is stored is not known: if it is, it has to end. Until that is settled it counts as a call.
      if (created) this.#lines.add(session_uuid, ended("NORMAL_TEMPORARY_FAILURE"));
      else this.#forget(session_uuid);
      return "unavailable";
    }
  }

  emit(event: EngineEvent): void {
    this.#lines.add(event.session_uuid, event);
  }

  /**
   * Has the media server take an admitted command.
   * @throws Refused when it did not: the operation was taken back, or is left open when it was `late`
   */
  async command<C extends CommandId>(call: CommandCall<C>): Promise<void> {
    const { session_uuid } = call;
    const { operation_id } = call.operation;
    try {
      let outcome: Outcome;
      try {
        outcome = await this.#asking.inTime(operation_id, this.#ask(call));
      } catch (error) {
        const late = error instanceof Refused && error.refusal === "late";
        const applied = await this.#decide(session_uuid, { type: "command.refused", operation_id, late });
        // The call ended meanwhile, and the operation has had its command.result: that belongs to a 202.
        if (applied === "unchanged" || applied === "gone") return;
        throw error;
      }
      // Its confirmation may have come first, and be committed.
      if (this.#asking.settled(operation_id)) return;
      const failure = outcome?.failure ?? null;
      const { immediate } = call;
      await this.#decide(session_uuid, { type: "command.taken", operation_id, immediate, failure });
    } finally {
      this.#asking.end(operation_id);
    }
  }

  /** Ends a call for the gateway's own reasons; resolves once its `call.hangup` is committed. */
  async end(session_uuid: string, cause: string): Promise<void> {
    const waiters = this.#live.get(session_uuid);
    const engine = this.#engineOf(session_uuid);
    if (engine && waiters) {
      const ended = new Promise<void>((resolve) => waiters.add(resolve));
      const given = new AbortController();
      engine.end(session_uuid, cause);
      await Promise.race([ended, delay(endMs, undefined, { signal: given.signal }).catch(() => undefined)]);
      given.abort();
      if (!this.#live.has(session_uuid)) return;
    }
    // The engine does not know the call, or does not say: the app is told all the same.
    await this.#lines.run(session_uuid, ended(cause));
  }

  /** No new calls from now on. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Resolves once no call is left. */
  async emptied(): Promise<void> {
    if (this.#live.size === 0) return;
    await new Promise<void>((resolve) => this.#emptied.add(resolve));
  }

  /** Ends every call; one whose end the store does not take now is tried again until `close`. */
  async endAll(cause: string): Promise<void> {
    await Promise.allSettled([...this.#live.keys()].map((session_uuid) => this.end(session_uuid, cause)));
  }

  /** Takes no more calls; resolves once what waited is committed, or cannot be. */
  async close(): Promise<void> {
    this.#refusing = true;
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#asking.close();
    await this.#lines.close();
  }

  async #appFor(did: string): Promise<App | null> {
    const { store, defaultAppId } = this.#options;
    return (await store.appForDid(did)) ?? (defaultAppId === null ? null : store.app(defaultAppId));
  }

  /** False when the app went away meanwhile. */
  async #create(call: Offer, app: App): Promise<boolean> {
    const { store, wake } = this.#options;
    const { app_id } = app;
    const at = Date.now();
    const made = createSession({ ...call, app_id, node: nodeOf(call.session_uuid) }, at);
    const events = numbered(made, app, at);
    const created = await store.createSession(made.session, events);
    if (created && events.length > 0) wake(app_id);
    return created;
  }

  /** What the media server has decided holds, whether the store can be told now or later: null when later. */
  async #decide(session_uuid: string, event: SessionEvent): Promise<Applied | null> {
    try {
      return await this.#lines.run(session_uuid, event);
    } catch {
      // The line has logged it, and tries again.
      return null;
    }
  }

  async #ask<C extends CommandId>(call: CommandCall<C>): Promise<Outcome> {
    const engine = this.#engineOf(call.session_uuid);
    if (!engine) throw new Refused("unreachable");
    const command = engine.commands[call.command];
    if (command === "unsupported") throw new Refused("unsupported");
    return command(call.session_uuid, call.body, call.operation);
  }

  #engineOf(session_uuid: string): Engine | undefined {
    return this.#engines.get(nodeOf(session_uuid));
  }

  async #apply(session_uuid: string, step: Step): Promise<Applied> {
    const { store, wake, log } = this.#options;
    for (;;) {
      // A commit whose answer was lost goes again as it was: had it been done, the store knows it by its nonce.
      if (!step.sent) {
        if (step.event.type === "command.taken" && this.#asking.settled(step.event.operation_id)) return "unchanged";
        const loaded = await store.load(session_uuid);
        const next = loaded && this.#advance(loaded.session, step);
        if (!loaded || !next) {
          const reason = loaded ? "event changed nothing" : "event of an ended call";
          log.debug({ session_uuid, event: step.event.type }, reason);
          if (!loaded) this.#forget(session_uuid);
          return loaded ? "unchanged" : "gone";
        }
        const events = numbered(next, loaded.app, step.at);
        const { version } = loaded;
        const { session, decided, cancel } = next;
        const { app_id } = session;
        this.#commits += 1;
        const nonce = `${this.#id}.${this.#commits}`;
        const wakes = events.length > 0 && loaded.app.webhook_url !== "";
        step.sent = { commit: { session_uuid, app_id, version, nonce, session, events, decided }, cancel, wakes };
      }
      const { commit, cancel, wakes } = step.sent;
      const outcome = await store.commit(commit);
      step.sent = null;
      if (outcome === "conflict") continue;
      if (wakes) wake(commit.app_id);
      if (outcome === "committed")
        for (const { operation } of commit.decided) this.#asking.settle(operation.operation_id);
      for (const operation_id of cancel) this.#engineOf(session_uuid)?.cancel(session_uuid, operation_id);
      if (commit.session.state === "ended" || outcome === "gone") this.#forget(session_uuid);
      return outcome === "gone" ? "gone" : "changed";
    }
  }

  /** A defect of ours must not hold up what comes after it: the event changes nothing then. */
  #advance(session: Session, { event, at }: Step): Advance | null {
    try {
      return advance(session, event, at);
    } catch (err) {
      this.#options.log.error({ session_uuid: session.session_uuid, event: event.type, err }, "internal error");
      return null;
    }
  }

  #forget(session_uuid: string): void {
    const waiters = this.#live.get(session_uuid);
    this.#live.delete(session_uuid);
    for (const ended of waiters ?? []) ended();
    if (this.#live.size > 0) return;
    for (const emptied of this.#emptied) emptied();
    this.#emptied.clear();
  }

  async #sweep(): Promise<void> {
    const { store, log } = this.#options;
    try {
      for (const { session_uuid, operation_id } of await store.overdue(maxOverdue)) {
        if (!this.#asking.has(operation_id)) this.#lines.add(session_uuid, { type: "command.overdue", operation_id });
      }
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

/** The prefix, parsed from the right: a uuid has 36 characters. */
function nodeOf(session_uuid: string): string {
  return session_uuid.slice(0, -37);
}
