/** The commands of one call or one room, one after the other: each finds what the one before it has left. */
import { type Refusal, Refused } from "../engine";

export class Turns {
  /** Commands that have not begun, by operation: taken out, they never do. */
  readonly #waiting = new Set<string>();
  #line: Promise<unknown> = Promise.resolve();
  /** Why nothing is taken any more; null as long as it is. */
  #over: Refusal | null = null;

  /** @throws Refused when it is over before its turn comes */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(() => {
      this.check();
      return work();
    });
    const next = () => undefined;
    // Whoever gave the command hears of its failure; the next one in line only waits for its end.
    this.#line = done.then(next, next);
    return done;
  }

  /**
   * A command that can be withdrawn as long as it has not begun.
   * @param work is told whether it is still `wanted`: to be asked again after each wait
   * @throws Refused when it is over before its turn comes
   */
  defer<T>(operation_id: string, work: (wanted: () => boolean) => Promise<T>): Promise<T> {
    this.#waiting.add(operation_id);
    const done = this.take(() => work(() => this.#waiting.has(operation_id)));
    const begun = () => this.#waiting.delete(operation_id);
    done.then(begun, begun);
    return done;
  }

  /** What this operation would begin never does. */
  withdraw(operation_id: string): void {
    this.#waiting.delete(operation_id);
  }

  /** @throws Refused once it is over */
  check(): void {
    if (this.#over) throw new Refused(this.#over);
  }

  /** What waits in line is refused when its turn comes. */
  end(why: Refusal = "gone"): void {
    this.#over ??= why;
  }

  /** Resolves when nothing that was in line is under way any more. */
  async idle(): Promise<void> {
    await this.#line;
  }
}
