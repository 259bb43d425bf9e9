/** What no outsider can cause: a store that fails and an engine that refuses, handed to the gateway by its ports. */
import { randomUUID } from "node:crypto";
import { operations } from "../../generated/operations";
import {
  type Engine,
  type EngineCommands,
  type EngineEvent,
  type EngineRoomCommands,
  type Outcome,
  type Refusal,
  Refused,
  type Sink,
} from "../../src/engines/engine";
import { MemoryStore } from "../../src/store/memory";
import type { Store } from "../../src/store/store";

/** A method of a store that cannot be asked. */
export const away = (): Promise<never> => Promise.reject(new Error("the store is away"));

/** Takes a media node for another instance, which never does anything with it. */
export const elsewhere = { owner: "another instance", nodes: ["elsewhere"], lease_ms: 1e9, lost_ms: 1e9 };

/** A memory store of which single methods fail as long as a test wants them to, and whose clock it can put forward. */
export class FailingStore {
  #ahead_ms = 0;
  #stopped: number | null = null;
  readonly real: Store;
  /** To be handed in. */
  readonly store: Store;
  #instead: Partial<Store> = {};

  /** @param shared of another instance: what it is while it does not fail */
  constructor(shared?: FailingStore) {
    this.real = shared?.real ?? new MemoryStore({ now: () => (this.#stopped ?? Date.now()) + this.#ahead_ms });
    this.store = new Proxy(this.real, {
      get: (real, name) => {
        const method = Reflect.get(this.#instead, name) ?? Reflect.get(real, name);
        return typeof method === "function" ? method.bind(real) : method;
      },
    });
  }

  /** Windows and cooldowns that would end within this time are over. */
  forward(ms: number): void {
    this.#ahead_ms += ms;
  }

  /** From now on its clock only goes by {@link forward}: no window ends while a test looks at it. */
  stop(): void {
    this.#stopped = Date.now();
  }

  /** Runs `work` while these methods stand in for the real ones. */
  async while<T>(instead: Partial<Store>, work: () => Promise<T>): Promise<T> {
    this.#instead = instead;
    try {
      return await work();
    } finally {
      this.#instead = {};
    }
  }
}

/** How an engine meets a command: it takes and confirms it, refuses, does not answer at all, or has an error of its own. */
export type Conduct = Refusal | "willing" | "silent" | "broken";

/** An engine whose calls are made by the test, and that takes commands only while it is willing. */
export class ContraryEngine implements Engine {
  readonly kind = "freeswitch";
  conduct: Conduct = "unreachable";
  #sink: Sink | null = null;
  #asked: () => void = () => undefined;
  /** What it has kept silent about. */
  #kept: (() => void)[] = [];

  constructor(readonly node = "contrary") {}

  get commands(): EngineCommands {
    if (this.conduct === "unsupported") return Object.fromEntries(commands.map((id) => [id, "unsupported"])) as never;
    const met = () => this.#meet(this.conduct);
    return {
      answer: (session_uuid, _, { operation_id }) =>
        this.#meet(this.conduct, { session_uuid, type: "answered", operation_id }),
      hangup: met,
      disconnect: (session_uuid) => this.#meet(this.conduct, { session_uuid, type: "handed_back" }),
      startPlayback: met,
      stopPlayback: met,
      pausePlayback: met,
      resumePlayback: met,
      restartPlayback: met,
      seekPlayback: met,
      playSilence: met,
      playAndGetDigits: met,
      startRecording: (session_uuid, { file: { recording_id } }, operation) =>
        this.#meet(this.conduct, { session_uuid, type: "recording.started", ...operation, recording_id }),
      stopRecording: met,
      joinRoom: (session_uuid, { room_id, muted }, { operation_id }) =>
        this.#meet(this.conduct, { session_uuid, type: "room.joined", operation_id, room_id, muted }),
      leaveRoom: met,
      mute: met,
      unmute: met,
    };
  }

  get roomCommands(): EngineRoomCommands {
    const met = this.conduct === "unsupported" ? "unsupported" : () => this.#meet(this.conduct);
    return { playRoom: met, pauseRoom: met, setRoomVolume: met, stopRoom: met };
  }

  /** A call comes in. @returns its session uuid */
  async call(did: string): Promise<string> {
    const session_uuid = `${this.node}-${randomUUID()}`;
    const verdict = await this.#sink?.offer({ session_uuid, caller_id: "100", did, app_id: null });
    if (verdict !== "accepted") throw new Error(`the call was not accepted: ${verdict}`);
    return session_uuid;
  }

  /** Something happens to one of its calls, by no command. */
  tell(event: EngineEvent): void {
    this.#sink?.emit(event);
  }

  /** Takes all commands now that it has kept silent about. */
  release(): void {
    for (const taken of this.#kept.splice(0)) taken();
  }

  /** Resolves when the next command has reached this engine. */
  asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }

  async start(sink: Sink): Promise<void> {
    this.#sink = sink;
  }

  connected(): boolean {
    return this.conduct !== "unreachable";
  }

  reads(): void {
    // All that it has goes with this process.
  }

  /** Nothing was ever begun. */
  cancel(): void {}

  async openRoom(): Promise<void> {
    if (this.conduct !== "willing") await this.#meet(this.conduct);
  }

  /** There is nothing in it. */
  async closeRoom(): Promise<void> {}

  end(session_uuid: string, cause: string): void {
    this.#sink?.emit({ session_uuid, type: "hangup", cause, q850_cause: 41, sip_status: null, by: "gateway" });
  }

  /** Calls come only from the test. */
  drain(): void {}

  async close(): Promise<void> {}

  #meet(conduct: Conduct, confirmation?: EngineEvent): Promise<Outcome> {
    this.#asked();
    if (conduct === "silent") return new Promise((resolve) => this.#kept.push(() => resolve(undefined)));
    if (conduct === "broken") return Promise.reject(new Error("no such channel variable"));
    if (conduct !== "willing") return Promise.reject(new Refused(conduct));
    if (confirmation) this.#sink?.emit(confirmation);
    return Promise.resolve(undefined);
  }
}

const commands = Object.entries(operations).flatMap(([id, { command }]) => (command?.of === "session" ? [id] : []));
