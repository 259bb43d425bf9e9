/**
 * What waits to be done to each session, one after the other. While the store is away a line keeps what comes,
 * bounded, and tries its head again until it is through.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log";
import type { Commit } from "../store/store";
import type { SessionEvent } from "./session";

/** What became of a step: `unchanged` and `gone` mean that it had nothing to act on any more. */
export type Applied = "changed" | "unchanged" | "gone";

export interface Step {
  readonly event: SessionEvent;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Told once, after the first try; a step that failed is tried again all the same. */
  readonly tried: ((applied: Applied | Error) => void) | null;
  /** A commit whose answer was lost is sent again as it was, so that it is not done twice. */
  sent: { readonly commit: Commit; readonly cancel: readonly string[]; readonly wakes: boolean } | null;
}

/** Steps that one session may have waiting. */
const maxWaiting = 1000;
const retryMs = 250;

export class Lines {
  readonly #lines = new Map<string, Step[]>();
  readonly #apply: (session_uuid: string, step: Step) => Promise<Applied>;
  readonly #log: Log;
  #closed = false;
  #empty: (() => void) | null = null;

  /** @param apply rejects when the store cannot be asked, and may then be called again with the same step */
  constructor(apply: (session_uuid: string, step: Step) => Promise<Applied>, log: Log) {
    this.#apply = apply;
    this.#log = log;
  }

  /** For what nobody waits for: events of a media server. */
  add(session_uuid: string, event: SessionEvent): void {
    this.#enqueue(session_uuid, { event, at: Date.now(), tried: null, sent: null });
  }

  /** @throws what the store threw at the first try; the step stays in its line and is tried again */
  run(session_uuid: string, event: SessionEvent): Promise<Applied> {
    return new Promise((resolve, reject) => {
      const tried = (applied: Applied | Error) => (applied instanceof Error ? reject(applied) : resolve(applied));
      this.#enqueue(session_uuid, { event, at: Date.now(), tried, sent: null });
    });
  }

  /** Resolves once nothing waits; what the store does not take now is lost, and said to be. */
  close(): Promise<void> {
    this.#closed = true;
    return new Promise((resolve) => {
      if (this.#lines.size === 0) resolve();
      else this.#empty = resolve;
    });
  }

  #enqueue(session_uuid: string, step: Step): void {
    const line = this.#lines.get(session_uuid);
    if (!line) {
      const begun = [step];
      this.#lines.set(session_uuid, begun);
      void this.#work(session_uuid, begun);
    } else if (line.length < maxWaiting || this.#makeRoom(session_uuid, line, step)) line.push(step);
  }

  /** Digits go first; what ends a call or settles a command never goes. */
  #makeRoom(session_uuid: string, line: Step[], step: Step): boolean {
    const digit = line.findIndex((waiting, i) => i > 0 && waiting.event.type === "dtmf");
    const needed = step.tried !== null || step.event.type === "hangup" || "operation_id" in step.event;
    if (digit > 0) line.splice(digit, 1);
    else if (needed) return true;
    this.#log.warn({ session_uuid, dropped: digit > 0 ? "dtmf" : step.event.type }, "event dropped: too many wait");
    return digit > 0;
  }

  async #work(session_uuid: string, line: Step[]): Promise<void> {
    let failures = 0;
    for (let step = line[0]; step; step = line[0]) {
      try {
        const applied = await this.#apply(session_uuid, step);
        if (failures === 0) step.tried?.(applied);
        line.shift();
        failures = 0;
      } catch (err) {
        if (failures++ === 0) {
          this.#log.error({ session_uuid, event: step.event.type, err }, "event waits: the store cannot be asked");
          step.tried?.(err instanceof Error ? err : new Error(String(err)));
        }
        if (this.#closed) {
          this.#log.error({ session_uuid, lost: line.length }, "events lost: the store cannot be asked");
          for (const lost of line.splice(0).slice(1)) lost.tried?.(new Error("closed"));
        } else await delay(retryMs);
      }
    }
    this.#lines.delete(session_uuid);
    if (this.#lines.size === 0) this.#empty?.();
  }
}
