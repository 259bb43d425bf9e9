/** What is logged, for tests that ask for it. */
import { createLog, type Log } from "../../src/log";

export class Lines {
  readonly #lines: string[] = [];
  readonly log: Log = createLog("debug", { write: (line) => void this.#lines.push(line) });

  /** How often something was said. */
  count(text: string): number {
    return this.#lines.filter((line) => line.includes(text)).length;
  }

  get text(): string {
    return this.#lines.join("");
  }
}
