/** Structured log lines on stdout, one per outcome, with every field. Never a key, a secret or a body. */
import { writeSync } from "node:fs";
import pino from "pino";
import { isoTime } from "./time";

/** What the parts of the gateway are given to write with. */
export type Log = Pick<pino.Logger, "debug" | "info" | "warn" | "error" | "isLevelEnabled">;
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** How long a reader that does not keep up is waited for at a time. */
const waitMs = 5;

/**
 * Standard output. Lines of one turn of the event loop go out together at its end: a system call for each costs more
 * than the line. What is left when the process ends, by whatever exception, is written then.
 */
class Output {
  #lines = "";
  #opened = false;

  write(line: string): void {
    if (!this.#opened) process.on("exit", this.#flush);
    this.#opened = true;
    if (this.#lines === "") setImmediate(this.#flush);
    this.#lines += line;
  }

  readonly #flush = (): void => {
    let bytes = Buffer.from(this.#lines);
    this.#lines = "";
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(1, bytes));
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : "";
        // Whoever read the lines is gone: calls go on without him.
        if (code === "EPIPE") return;
        if (code !== "EAGAIN") throw error;
        // A pipe that another process has made non-blocking: waited for as for any other, so that no line is lost.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
      }
    }
  };
}

const output = new Output();

const time = (): string => `,"time":"${isoTime(Date.now())}"`;

/** JSON lines with ISO times. `stream` is for those who show them in another form. */
export function createLog(level: LogLevel, stream: { write(line: string): void } = output): Log {
  return pino({ level, base: undefined, timestamp: time }, stream);
}
