/**
 * Does what goes out keep the promises of the document? Answers and webhooks are held against its schemas: by sampling
 * in production, where a breach is a number and a line of the log; all of them in tests, where it is a failure.
 */
import type { Log } from "./log";
import type { Meter } from "./metrics";
import { promised } from "./promised";

/** Told of what goes out; decides by itself what it looks at, and never throws. */
export interface ContractCheck {
  /**
   * @param operation or pseudo-operation
   * @param headers name, value, name, value, …
   * @param body null: not looked at
   */
  response(operation: string, status: number, headers: readonly string[], body: string | null): void;
  /** Once per event, at its first attempt. */
  webhook(event: string, body: string): void;
}

/** Of each kind of answer and event the first is looked at, then one in so many. */
const sampleEvery = 100;
/** A kind of answer that is always wrong must not fill the log. */
const logEveryMs = 1000;
/** As much of what is wrong as a line of the log holds. */
const shownErrors = 5;

export interface DriftMeterOptions {
  readonly mode: "sample" | "all";
  readonly meter: Pick<Meter, "violation">;
  readonly log: Log;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

export class DriftMeter implements ContractCheck {
  readonly #options: DriftMeterOptions;
  readonly #promised = promised();
  /** How many have gone by, of each operation's statuses and of each event. */
  readonly #responses = new Map<string, Map<number, number>>();
  readonly #events = new Map<string, number>();
  readonly #now: () => number;
  /** When a line was written last. */
  readonly #logged = new Map<string, number>();

  constructor(options: DriftMeterOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  response(operation: string, status: number, headers: readonly string[], body: string | null): void {
    if (!this.#looksAt(operation, status)) return;
    this.#check("response", operation, () => {
      const named: Record<string, string> = {};
      for (let i = 0; i + 1 < headers.length; i += 2) named[String(headers[i]).toLowerCase()] = String(headers[i + 1]);
      return this.#promised.responseErrors(operation, status, named, body);
    });
  }

  webhook(event: string, body: string): void {
    if (this.#options.mode === "sample") {
      const before = this.#events.get(event) ?? 0;
      this.#events.set(event, before + 1);
      if (before % sampleEvery !== 0) return;
    }
    this.#check("webhook", event, () => this.#promised.webhookErrors(event, body));
  }

  #looksAt(operation: string, status: number): boolean {
    if (this.#options.mode === "all") return true;
    let statuses = this.#responses.get(operation);
    if (statuses === undefined) {
      statuses = new Map();
      this.#responses.set(operation, statuses);
    }
    const before = statuses.get(status) ?? 0;
    statuses.set(status, before + 1);
    return before % sampleEvery === 0;
  }

  #check(what: "response" | "webhook", name: string, errorsOf: () => string[]): void {
    let errors: string[];
    try {
      errors = errorsOf();
    } catch (err) {
      // The answer is right or wrong whatever becomes of its check.
      this.#say(`${what} ${name}`, () => this.#options.log.error({ what, name, err }, "contract check failed"));
      return;
    }
    if (errors.length === 0) return;
    this.#options.meter.violation(what, name);
    const shown = errors.slice(0, shownErrors);
    this.#say(`${what} ${name}`, () => this.#options.log.error({ what, name, errors: shown }, "contract violation"));
  }

  #say(key: string, write: () => void): void {
    const now = this.#now();
    if (now - (this.#logged.get(key) ?? Number.NEGATIVE_INFINITY) < logEveryMs) return;
    this.#logged.set(key, now);
    write();
  }
}

/** Where nothing is to be checked. */
export const unchecked: ContractCheck = { response: () => undefined, webhook: () => undefined };
