/** Progress of a run: one living line on a terminal, a line now and then where there is none. */
import type { Outcome } from "./check";
import { visible } from "./report/plain";
import type { Progress } from "./run";

/** Between two lines without a terminal, and between two pictures on one. */
const pauseMs = { lines: 5000, living: 100 };

/** Told as they happen. */
const shownFailures = 50;

/** Where it is written: standard error. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export class Terminal implements Progress {
  readonly #screen: Screen;
  readonly #colours: boolean;
  /** Titles of what is under way, by id. */
  readonly #underway = new Map<string, string>();
  readonly #begun = performance.now();
  #told = performance.now();
  #counts = { done: 0, all: 0, failed: 0, skipped: 0 };
  #drawn = false;
  readonly #timer: NodeJS.Timeout | null;

  /** @param all how many checks there are */
  constructor(screen: Screen, colours: boolean, all: number) {
    this.#screen = screen;
    this.#colours = colours;
    this.#counts.all = all;
    // Seconds go on while nothing ends.
    this.#timer = screen.isTTY ? setInterval(() => this.draw(), 1000).unref() : null;
  }

  begun({ id, title }: { readonly id: string; readonly title: string }): void {
    this.#underway.set(id, title);
    this.#tell();
  }

  done(outcome: Outcome, done: number, all: number): void {
    this.#underway.delete(outcome.id);
    const { failed, skipped } = this.#counts;
    const of = (verdict: Outcome["verdict"]) => (outcome.verdict === verdict ? 1 : 0);
    this.#counts = { done, all, failed: failed + of("failed"), skipped: skipped + of("skipped") };
    if (outcome.verdict === "failed" && failed < shownFailures)
      this.#line(`${this.#paint(31, "✗")} ${outcome.id}: ${visible(outcome.reason)}`);
    if (outcome.verdict === "failed" && failed === shownFailures) this.#line("More failures are told in the end.");
    this.#tell();
  }

  /** Ends the living line. Idempotent. */
  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#erase();
  }

  #tell(): void {
    const wait = this.#screen.isTTY ? pauseMs.living : pauseMs.lines;
    if (performance.now() - this.#told >= wait) this.draw();
  }

  /** Says where it is, now. */
  draw(): void {
    if (!this.#screen.isTTY) {
      this.#line(this.#status());
      return;
    }
    this.#told = performance.now();
    // A terminal that does not know its width says 0.
    const width = Math.max(20, (this.#screen.columns || 80) - 1);
    const status = this.#status();
    this.#screen.write(`\r\x1b[2K${status.length > width ? `${status.slice(0, width - 1)}…` : status}`);
    this.#drawn = true;
  }

  #status(): string {
    const { done, all, failed, skipped } = this.#counts;
    const seconds = Math.round((performance.now() - this.#begun) / 1000);
    const last = [...this.#underway.values()].at(-1);
    const underway = last === undefined ? "" : ` · ${this.#underway.size} under way: ${last}`;
    return `${done}/${all} · ${failed} failed · ${skipped} skipped · ${seconds} s${underway}`;
  }

  #line(text: string): void {
    this.#erase();
    this.#told = performance.now();
    this.#screen.write(`${text.length > 500 ? `${text.slice(0, 500)}…` : text}\n`);
  }

  #erase(): void {
    if (this.#drawn) this.#screen.write("\r\x1b[2K");
    this.#drawn = false;
  }

  #paint(code: number, text: string): string {
    return this.#colours ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}
