/** The session core with the memory store and a media server of the test's, and what all of it is held against. */
import { randomUUID } from "node:crypto";
import { jest } from "@jest/globals";
import { operations } from "../../generated/operations";
import { fingerprint } from "../../src/api/fingerprint";
import { guardsOf } from "../../src/api/guards";
import type { CommandId, RoomCommandId } from "../../src/contract";
import { Refused } from "../../src/engines/engine";
import { createLog } from "../../src/log";
import { Sessions } from "../../src/sessions/sessions";
import { MemoryStore } from "../../src/store/memory";
import type { Store } from "../../src/store/store";
import { Stories, toldBy } from "./model";
import { after, type Conduct, ModelEngine } from "./model-engine";
import { Ledger } from "./model-ledger";

const commandTimeoutMs = 2000;
const idleMs = 20_000;
/** Methods that take a while, as those of a store elsewhere do. */
const slow = ["admit", "commit", "createSession", "createRoom", "loadSession", "loadRoom", "members", "overdue"];

export interface Asked {
  readonly command: CommandId | RoomCommandId;
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Null: one is made up. */
  readonly command_uid: string | null;
  readonly conduct: Conduct;
}

export class World {
  readonly engine = new ModelEngine();
  readonly stories = new Stories();
  readonly ledger = new Ledger();
  readonly sessions: Sessions;
  readonly store: Store;
  /** Every call and room that there was, in the order of their beginning. */
  readonly calls: string[] = [];
  readonly rooms: string[] = [];
  readonly counted = new Map<string, number>();
  readonly #real = new MemoryStore({ now: () => Date.now() });
  /** What went wrong where nobody waits for it. */
  readonly faults: string[] = [];
  readonly #turns: readonly number[];
  #asked = 0;
  #slowed = 0;
  #position = "";

  /** @param turns for how many turns the calls of the store let others go first, one after the other */
  private constructor(turns: readonly number[]) {
    this.#turns = turns.length > 0 ? turns : [0];
    this.store = new Proxy<Store>(this.#real, {
      get: (real, name) => {
        const method = Reflect.get(real, name);
        if (typeof method !== "function") return method;
        const bound = method.bind(real);
        if (typeof name !== "string" || !slow.includes(name)) return bound;
        return (...of: readonly unknown[]) => this.#slowly(() => bound(...of));
      },
    });
    this.sessions = new Sessions({
      store: this.store,
      engines: [this.engine],
      wake: () => undefined,
      recordings: {
        begin: async () => ({ recording_id: randomUUID(), path: "" }),
        discard: async () => undefined,
        finish: (recording_id) => this.launch(this.#complete(recording_id)),
      },
      meter: { command: (_command, _engine, outcome) => void this.#count(outcome), givenUp: () => undefined },
      maxSessions: 100,
      defaultAppId: null,
      commandTimeoutMs,
      roomIdleMs: idleMs,
      leaseMs: 3000,
      nodeLostMs: 120_000,
      log: createLog("error", { write: (line) => void this.faults.push(line) }),
    });
  }

  static async open(turns: readonly number[]): Promise<World> {
    const world = new World(turns);
    const settings = { app_id: "a", webhook_url: "", rate_limit: 0, events: [], dids: ["*"] };
    await world.store.putApp({ settings, digest: "digest", created: { digest: "digest", secret: "s" } });
    world.#position = (await world.store.feedPosition("a", null)).position;
    await world.sessions.hold();
    await world.engine.start(world.sessions);
    world.sessions.start();
    return world;
  }

  /** Goes on by itself. */
  launch(work: Promise<unknown>): void {
    work.catch((err: unknown) => this.faults.push(err instanceof Error ? `${err.stack}` : String(err)));
  }

  async close(): Promise<void> {
    await this.sessions.close();
    await this.store.close();
  }

  async call(answered: boolean): Promise<void> {
    const session_uuid = `model-${randomUUID()}`;
    const call = await this.engine.offer(session_uuid);
    if (!call) throw new Error("a call was not taken");
    this.calls.push(session_uuid);
    if (!answered) return;
    call.answered = true;
    call.emit({ type: "answered", operation_id: null });
  }

  async room(name: string, opens: Conduct): Promise<void> {
    this.engine.opens = opens;
    try {
      const opening = await this.sessions.createRoom("a", name, null);
      if (opening.outcome === "created") this.rooms.push(opening.room_id);
      else if (opening.outcome !== "name_taken") throw new Error(opening.outcome);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** As the gateway does it: admission, then the core. */
  async command({ command, id, body, command_uid: given, conduct }: Asked): Promise<void> {
    const { of, name, timeout_ms, cooldown } = operations[command].command;
    const guards = guardsOf(operations[command].guards)(body);
    this.#asked += 1;
    const operation = { operation_id: `op${this.#asked}`, command_uid: given ?? `uid${this.#asked}` };
    this.engine.conducts.set(operation.operation_id, conduct);
    const room_id = of === "room" ? id : typeof body.room_id === "string" ? body.room_id : null;
    const admission = await this.store.admit({
      app_id: "a",
      digest: "digest",
      address: "x",
      default_rate_limit: 100_000,
      held: false,
      ended: false,
      session_uuid: of === "session" ? id : null,
      room_id,
      command: {
        ...operation,
        command: name,
        uid_given: given !== null,
        fingerprint: fingerprint(name, body),
        barred: null,
        guards,
        cooldown,
        timeout_ms: timeout_ms === "COMMAND_TIMEOUT_MS" ? commandTimeoutMs : timeout_ms,
      },
    });
    this.ledger.count(admission);
    const named = { command: name, id, command_uid: operation.command_uid };
    if (admission.outcome === "replay") this.ledger.replayed(named, admission);
    if (admission.outcome !== "admitted") return;
    const entry = this.ledger.begin({ ...named, ...operation });
    // The compiler cannot pair a command that is only known at run time with its body.
    const { session, room } = admission;
    const asked = { command, body, operation, session, room } as never;
    try {
      await (of === "session" ? this.sessions.command(asked) : this.sessions.roomCommand(asked));
      entry.answer = "taken";
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      entry.answer = error.refusal === "late" ? "late" : "refused";
    }
  }

  /** Lets the clock go on, and all that waits for it. */
  async pass(ms: number): Promise<void> {
    const until = Date.now() + ms;
    const step = ms > 2000 ? 500 : 50;
    while (Date.now() < until) {
      jest.advanceTimersByTime(Math.min(until - Date.now(), step));
      await this.rest();
    }
  }

  /** Until everything that needs no clock has happened. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Takes what was told since. @throws what it does not fit to */
  async listen(): Promise<void> {
    for (;;) {
      const { events, position, gap } = await this.store.feed("a", this.#position, 1000);
      if (gap) throw new Error("the feed has a gap");
      this.#position = position;
      if (events.length === 0) return;
      for (const { event } of events) this.stories.take(toldBy(event.body));
    }
  }

  async #complete(recording_id: string): Promise<void> {
    const begun = this.engine.recordings.find((recording) => recording.recording_id === recording_id);
    if (!begun) throw new Error(`finish of ${recording_id}, which never began`);
    await after(40);
    await this.sessions.recorded(begun.session_uuid, { recording_id, recording_url: null, duration_ms: 1000 });
  }

  #count(outcome: string): void {
    this.counted.set(outcome, (this.counted.get(outcome) ?? 0) + 1);
  }

  async #slowly<T>(work: () => Promise<T>): Promise<T> {
    await this.#turn();
    const done = await work();
    await this.#turn();
    return done;
  }

  /** Others come first. */
  async #turn(): Promise<void> {
    this.#slowed += 1;
    const turns = this.#turns[this.#slowed % this.#turns.length] ?? 0;
    for (let turn = 0; turn < turns; turn += 1) await null;
  }
}
