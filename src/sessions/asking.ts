/** Commands that an engine is being asked to take. All have the same time for it, so one timer watches the oldest. */
import { Refused } from "../engines/engine";

interface Asked {
  /** By the monotonic clock; infinite once it was told. */
  until: number;
  readonly late: (refused: Refused) => void;
  settled: boolean;
}

export class Asking {
  /** In the order of their beginning, which is that of their ends. */
  readonly #asked = new Map<string, Asked>();
  readonly #ms: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Is it being asked, or what came of it not yet written down? Then nobody else may end it. */
  has(operation_id: string): boolean {
    return this.#asked.has(operation_id);
  }

  /**
   * From here until `end` the command is being asked for.
   * @throws Refused("late") when its time is over; what still comes then is of no account
   */
  inTime<T>(operation_id: string, answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(operation_id, { until: performance.now() + this.#ms, late: reject, settled: false });
      this.#timer ??= setTimeout(() => this.#look(), this.#ms);
      answer.then(resolve, reject);
    });
  }

  /** Its result is committed: whatever the engine still answers, nothing is left to be written down. */
  settle(operation_id: string): void {
    const asked = this.#asked.get(operation_id);
    if (asked) asked.settled = true;
  }

  settled(operation_id: string): boolean {
    return this.#asked.get(operation_id)?.settled === true;
  }

  end(operation_id: string): void {
    this.#asked.delete(operation_id);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    this.#timer = null;
    const now = performance.now();
    for (const asked of this.#asked.values()) {
      if (asked.until === Number.POSITIVE_INFINITY) continue;
      if (asked.until > now) {
        this.#timer = setTimeout(() => this.#look(), Math.ceil(asked.until - now));
        return;
      }
      asked.until = Number.POSITIVE_INFINITY;
      asked.late(new Refused("late"));
    }
  }
}
