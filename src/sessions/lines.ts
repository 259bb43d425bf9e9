/**
 * What waits to be done to each call or room, one after the other. While the store is away a line keeps what comes,
 * bounded, and tries its head again until it is through.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Source } from "./events";
import type { RoomEvent, SessionEvent } from "./happening";
import { type Tenure, Unconfirmed } from "./leases";

/** What became of a step: `unchanged` and `gone` mean that it had nothing to act on any more. */
export type Applied = "changed" | "unchanged" | "gone";

type AnyEvent = SessionEvent | RoomEvent;

/** An event that waits for its turn. `W` is what was worked out of it. */
export interface Step<E extends AnyEvent, W> {
  readonly event: E;
  /** Under which a media node was heard to say it; null: nobody but this gateway says so. */
  readonly tenure: Tenure | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Told once: what came of it, or that the store fails; it is tried again all the same. Null once it was told. */
  tried: ((applied: Applied | Error) => void) | null;
  /** A commit whose answer was lost is sent again as it was, so that it is not done twice. */
  sent: W | null;
}

interface Line<E extends AnyEvent, W> {
  readonly steps: Step<E, W>[];
  /** Why the head could not be done at its last try. */
  failure: Error | null;
  /** Operations whose being overdue waits; null as long as none does. */
  overdue: Set<string> | null;
  /** What was given up. */
  digits: number;
  positions: number;
}

/** Steps that one call may have waiting before positions and digits are given up. */
const maxWaiting = 1000;
const retryMs = 250;

export class Lines<E extends AnyEvent, W> {
  readonly #lines = new Map<string, Line<E, W>>();
  readonly #apply: (id: string, step: Step<E, W>) => Promise<Applied>;
  readonly #source: (id: string) => Source;
  readonly #meter: Pick<Meter, "givenUp">;
  readonly #log: Log;
  #closed = false;
  #empty: (() => void) | null = null;

  /**
   * @param apply rejects when the store cannot be asked, and may then be called again with the same step
   * @param source what an id is called
   */
  constructor(
    apply: (id: string, step: Step<E, W>) => Promise<Applied>,
    source: (id: string) => Source,
    meter: Pick<Meter, "givenUp">,
    log: Log,
  ) {
    this.#apply = apply;
    this.#source = source;
    this.#meter = meter;
    this.#log = log;
  }

  /** Events that wait because the store cannot be asked. */
  get waiting(): number {
    let waiting = 0;
    for (const { steps, failure } of this.#lines.values()) if (failure) waiting += steps.length;
    return waiting;
  }

  /** For what nobody waits for. */
  add(id: string, event: E, tenure: Tenure | null = null): void {
    this.#enqueue(id, { event, tenure, at: Date.now(), tried: null, sent: null });
  }

  /** @throws what the store threw, at this step or at one before it; it stays in its line and is tried again */
  run(id: string, event: E, tenure: Tenure | null = null): Promise<Applied> {
    return new Promise((resolve, reject) => {
      const tried = (applied: Applied | Error) => (applied instanceof Error ? reject(applied) : resolve(applied));
      this.#enqueue(id, { event, tenure, at: Date.now(), tried, sent: null });
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

  #enqueue(id: string, step: Step<E, W>): void {
    const line = this.#lines.get(id);
    if (!line) {
      const begun: Line<E, W> = { steps: [], failure: null, overdue: null, digits: 0, positions: 0 };
      append(begun, step);
      this.#lines.set(id, begun);
      void this.#work(id, begun);
      return;
    }
    const { digits, positions } = line;
    const taken = takes(line, step);
    this.#meter.givenUp("digit", line.digits - digits);
    this.#meter.givenUp("position", line.positions - positions);
    if (!taken) return;
    append(line, step);
    // Nobody waits behind a store that is away.
    if (line.failure) tell(step, line.failure);
  }

  async #work(id: string, line: Line<E, W>): Promise<void> {
    const { steps } = line;
    for (let step = steps[0]; step; step = steps[0]) {
      try {
        tell(step, await this.#apply(id, step));
        steps.shift();
        if (step.event.type === "command.overdue") line.overdue?.delete(step.event.operation_id);
        line.failure = null;
      } catch (error) {
        await this.#failed(id, line, error instanceof Error ? error : new Error(String(error)));
      }
    }
    const { digits, positions } = line;
    if (digits + positions > 0)
      this.#log.warn({ ...this.#source(id), digits, positions }, "given up: too many events waited");
    this.#lines.delete(id);
    if (this.#lines.size === 0) this.#empty?.();
  }

  async #failed(id: string, line: Line<E, W>, err: Error): Promise<void> {
    const { steps, failure } = line;
    line.failure = err;
    // A media server that was away is back before its lease is: that is no error, and soon over.
    const why = err instanceof Unconfirmed ? err.message : "the store cannot be asked";
    const level = err instanceof Unconfirmed ? "warn" : "error";
    if (!failure) this.#log[level]({ ...this.#source(id), waiting: steps.length, err }, `events wait: ${why}`);
    for (const step of steps) tell(step, err);
    if (!this.#closed) {
      await delay(retryMs);
      return;
    }
    this.#log.error({ ...this.#source(id), lost: steps.length }, "events lost: the store cannot be asked");
    this.#meter.givenUp("closed", steps.length);
    steps.length = 0;
  }
}

function tell<E extends AnyEvent, W>(step: Step<E, W>, applied: Applied | Error): void {
  step.tried?.(applied);
  step.tried = null;
}

function append<E extends AnyEvent, W>(line: Line<E, W>, step: Step<E, W>): void {
  line.steps.push(step);
  if (step.event.type !== "command.overdue") return;
  line.overdue ??= new Set();
  line.overdue.add(step.event.operation_id);
}

/**
 * Makes room for one more. Where a playback is goes first, then digits, and nothing else: all else is bounded by the
 * commands that cause it. The head stays, for it may be on its way into the store.
 */
function takes<E extends AnyEvent, W>(line: Line<E, W>, { event }: Step<E, W>): boolean {
  const { steps } = line;
  // The sweep names an operation again as long as it is pending.
  if (event.type === "command.overdue" && line.overdue?.has(event.operation_id)) return false;
  // A loop moves without end. Only the last place counts, and only in its own turn: the new one goes behind what came
  // since, a stop and another start under the same uid included, and of the older one nothing is missed.
  if (isMoved(event) && give(steps, (waiting) => isMoved(waiting) && waiting.command_uid === event.command_uid))
    return true;
  if (steps.length < maxWaiting) return true;
  const moved = give(steps, isMoved);
  if (moved || isMoved(event)) {
    line.positions += 1;
    return moved;
  }
  const digit = give(steps, (waiting) => waiting.type === "dtmf");
  if (digit || event.type === "dtmf") {
    line.digits += 1;
    return digit;
  }
  return true;
}

/** Gives up the oldest of these behind the head; false: there is none. */
function give<E extends AnyEvent, W>(steps: Step<E, W>[], which: (event: AnyEvent) => boolean): boolean {
  const place = steps.findIndex(({ event }, i) => i > 0 && which(event));
  if (place > 0) steps.splice(place, 1);
  return place > 0;
}

function isMoved(event: AnyEvent): event is Extract<AnyEvent, { type: "playback.moved" | "play.moved" }> {
  return event.type === "playback.moved" || event.type === "play.moved";
}
