/** What no outsider can cause: a store that fails and an engine that refuses, handed to the gateway by its ports. */
import { randomUUID } from "node:crypto";
import type { CommandId } from "../../src/contract";
import {
  type Engine,
  type EngineCommand,
  type EngineCommands,
  type Outcome,
  type Refusal,
  Refused,
  type Sink,
} from "../../src/engines/engine";
import { MemoryStore } from "../../src/store/memory";
import type { Store } from "../../src/store/store";

/** A method of a store that cannot be asked. */
export const away = (): Promise<never> => Promise.reject(new Error("the store is away"));

/** A memory store of which single methods fail as long as a test wants them to. */
export class FailingStore {
  readonly real: Store = new MemoryStore();
  /** To be handed in. */
  readonly store: Store = new Proxy(this.real, {
    get: (real, name) => {
      const method = Reflect.get(this.#instead, name) ?? Reflect.get(real, name);
      return typeof method === "function" ? method.bind(real) : method;
    },
  });
  #instead: Partial<Store> = {};

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

/** How an engine meets a command: by a refusal, by no answer at all, or by an error of its own. */
export type Conduct = Refusal | "silent" | "broken";

/** An engine whose calls are made by the test, and that takes no command. */
export class ContraryEngine implements Engine {
  readonly kind = "freeswitch";
  readonly node = "contrary";
  conduct: Conduct = "unreachable";
  #sink: Sink | null = null;
  #asked: () => void = () => undefined;

  get commands(): EngineCommands {
    const command: EngineCommand<CommandId> | "unsupported" =
      this.conduct === "unsupported" ? "unsupported" : () => this.#meet(this.conduct);
    return {
      answer: command,
      hangup: command,
      disconnect: command,
      startPlayback: command,
      stopPlayback: command,
      playAndGetDigits: command,
    };
  }

  /** A call comes in. @returns its session uuid */
  async call(did: string): Promise<string> {
    const session_uuid = `${this.node}-${randomUUID()}`;
    const verdict = await this.#sink?.offer({ session_uuid, caller_id: "100", did });
    if (verdict !== "accepted") throw new Error(`the call was not accepted: ${verdict}`);
    return session_uuid;
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

  /** Nothing was ever begun. */
  cancel(): void {}

  end(session_uuid: string, cause: string): void {
    this.#sink?.emit({ session_uuid, type: "hangup", cause, q850_cause: 41, sip_status: null, by: "gateway" });
  }

  /** Calls come only from the test. */
  drain(): void {}

  async close(): Promise<void> {}

  #meet(conduct: Conduct): Promise<Outcome> {
    this.#asked();
    if (conduct === "silent") return new Promise(() => {});
    return Promise.reject(conduct === "broken" ? new Error("no such channel variable") : new Refused(conduct));
  }
}
