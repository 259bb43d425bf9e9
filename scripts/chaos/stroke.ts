/** One kill, and what was under way in the gateway at this very moment. */
import type { Question } from "./asking";
import type { Instance } from "./instance";
import { portsTo } from "./processes";
import type { Receiver } from "./receiver";
import type { Wire } from "./wire";

/** By the names of the scripts that Redis runs for them. */
export const scripts = {
  admission: ["admit"],
  commit: ["commit", "createSession", "createRoom"],
  settlement: ["turn"],
} as const;

/** What the gateway had begun and not ended. */
export interface UnderWay {
  /** Its script was sent and the answer not given to the gateway, or a command was sent and never answered. */
  readonly admission: boolean;
  /** Its script was sent, and the answer not given to the gateway. */
  readonly commit: boolean;
  /** A webhook was at the receiver, and not answered. */
  readonly delivery: boolean;
  /** The same of what became of webhooks, or of asking for more. */
  readonly settlement: boolean;
}

export class Stroke {
  readonly #wire: Wire;
  readonly #receiver: Receiver;
  #pending: readonly string[] = [];
  #questions: readonly Question[] = [];
  #delivering = false;
  #done = false;

  constructor(
    readonly instance: Instance,
    place: { readonly wire: Wire; readonly receiver: Receiver },
  ) {
    this.#wire = place.wire;
    this.#receiver = place.receiver;
  }

  /** Kills, unless it has or nobody lives: then nothing happens. */
  readonly kill = (): void => {
    if (this.#done || !this.instance.alive) return;
    const ports = portsTo(this.#receiver.port, this.instance.pid);
    this.#delivering = this.#receiver.open.some((port) => ports.has(port));
    this.#questions = [...this.instance.asked];
    this.#pending = this.#wire.pending;
    this.#done = this.instance.kill();
  };

  /** @returns null when it was not alive any more: killed by nobody */
  async hit(): Promise<UnderWay | null> {
    const { signal } = await this.instance.exit;
    if (!this.#done || signal !== "SIGKILL") return null;
    // What was answered before it died, and only not read, was not under way.
    const unanswered = await Promise.all(
      this.#questions.map(async ({ what, answered }) => ((await answered) ? null : what)),
    );
    const called = (names: readonly string[]): boolean => this.#pending.some((name) => names.includes(name));
    return {
      admission: called(scripts.admission) || unanswered.includes("command"),
      commit: called(scripts.commit),
      delivery: this.#delivering,
      settlement: called(scripts.settlement),
    };
  }
}
