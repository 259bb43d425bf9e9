/** Structured log lines on stdout, one per outcome, with every field. Never a key, a secret or a body. */
import pino from "pino";

/** What the parts of the gateway are given to write with. */
export type Log = Pick<pino.Logger, "debug" | "info" | "warn" | "error" | "isLevelEnabled">;
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** JSON lines with ISO times. `stream` is for those who show them in another form. */
export function createLog(level: LogLevel, stream?: { write(line: string): void }): Log {
  const options: pino.LoggerOptions = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  return stream ? pino(options, stream) : pino(options);
}
