/** Structured log lines on stdout, one per outcome, with every field. Never a key, a secret or a body. */
import pino from "pino";

/** What the parts of the gateway are given to write with. */
export type Log = Pick<pino.Logger, "debug" | "info" | "warn" | "error" | "isLevelEnabled">;
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Lines that were written in one turn of the event loop go out together at its end: a system call for each costs more
 * than the line. What is left when the process ends, by whatever exception, is written then.
 */
class Output {
  #lines = "";
  #opened = false;

  write(line: string): void {
    if (!this.#opened) this.#open();
    if (this.#lines === "") setImmediate(this.#flush);
    this.#lines += line;
  }

  readonly #flush = (): void => {
    const lines = this.#lines;
    this.#lines = "";
    if (lines !== "") process.stdout.write(lines);
  };

  #open(): void {
    this.#opened = true;
    process.on("exit", this.#flush);
    // Whoever read the lines is gone: calls go on without him.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

const output = new Output();

/** JSON lines with ISO times. `stream` is for those who show them in another form. */
export function createLog(level: LogLevel, stream: { write(line: string): void } = output): Log {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}
