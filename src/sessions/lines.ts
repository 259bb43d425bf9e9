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
  /** Told once: what came of it, or that the store fails; it is tried again all the same. Null once it was told. */
  tried: ((applied: Applied | Error) => void) | null;
  /** A commit whose answer was lost is sent again as it was, so that it is not done twice. */
  sent: { readonly commit: Commit; readonly cancel: readonly string[]; readonly wakes: boolean } | null;
}

interface Line {
  readonly steps: Step[];
  /** Why the head could not be done at its last try. */
  failure: Error | null;
  /** Digits that were given up. */
  dropped: number;
}

/** Steps that one session may have waiting before its digits are given up. */
const maxWaiting = 1000;
const retryMs = 250;

export class Lines {
  readonly #lines = new Map<string, Line>();
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

  /** @throws what the store threw, at this step or at one before it; it stays in its line and is tried again */
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
      const begun = { steps: [step], failure: null, dropped: 0 };
      this.#lines.set(session_uuid, begun);
      void this.#work(session_uuid, begun);
    } else if (takes(line, step)) {
      line.steps.push(step);
      // Nobody waits behind a store that is away.
      if (line.failure) tell(step, line.failure);
    }
  }

  async #work(session_uuid: string, line: Line): Promise<void> {
    const { steps } = line;
    for (let step = steps[0]; step; step = steps[0]) {
      try {
        tell(step, await this.#apply(session_uuid, step));
        steps.shift();
        line.failure = null;
      } catch (error) {
        await this.#failed(session_uuid, line, error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (line.dropped > 0) this.#log.warn({ session_uuid, dropped: line.dropped }, "digits given up: too many waited");
    this.#lines.delete(session_uuid);
    if (this.#lines.size === 0) this.#empty?.();
  }

  async #failed(session_uuid: string, line: Line, err: Error): Promise<void> {
    const { steps, failure } = line;
    line.failure = err;
    if (!failure)
      this.#log.error({ session_uuid, waiting: steps.length, err }, "events wait: the store cannot be asked");
    for (const step of steps) tell(step, err);
    if (!this.#closed) {
      await delay(retryMs);
      return;
    }
    this.#log.error({ session_uuid, lost: steps.length }, "events lost: the store cannot be asked");
    steps.length = 0;
  }
}

function tell(step: Step, applied: Applied | Error): void {
  step.tried?.(applied);
  step.tried = null;
}

/** Digits go first, and only digits go: all else is bounded by the commands that cause it. */
function takes(line: Line, { event }: Step): boolean {
  const { steps } = line;
  // The sweep names an operation again as long as it is pending.
  if (event.type === "command.overdue" && steps.some((waiting) => isSame(waiting.event, event))) return false;
  if (steps.length < maxWaiting) return true;
  const digit = steps.findIndex((waiting, i) => i > 0 && waiting.event.type === "dtmf");
  if (digit > 0) steps.splice(digit, 1);
  if (digit > 0 || event.type === "dtmf") line.dropped += 1;
  return digit > 0 || event.type !== "dtmf";
}

function isSame(waiting: SessionEvent, overdue: Extract<SessionEvent, { type: "command.overdue" }>): boolean {
  return waiting.type === overdue.type && waiting.operation_id === overdue.operation_id;
}
