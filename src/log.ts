/**
 * The log: JSON lines, or coloured lines on a terminal. Knows the two settings and nothing of what is logged.
 */
import pino, { type Logger } from "pino";

export type Log = Logger;
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = "json" | "pretty";

/** A logger that writes to standard output at once, so that no line is lost when the process is killed. */
export function createLog(level: LogLevel, format: LogFormat): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === "pretty") {
    // Loaded on a terminal only: elsewhere it would be six megabytes for nothing.
    const pretty: typeof import("pino-pretty") = require("pino-pretty");
    return pino(options, pretty({ ignore: "pid,hostname", sync: true }));
  }
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
