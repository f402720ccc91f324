/**
 * The process: arguments, environment, signals, exit status. The only file of the server that touches `process`.
 */
import { createProgram } from "./cli/program.ts";
import { serve } from "./cli/serve.ts";
import { tokenFor } from "./cli/token.ts";
import { describeFault, readConfig } from "./config.ts";
import { BobbinError } from "./errors.ts";
import { createLog, type Log } from "./log.ts";

/** The status for a command line or configuration that is wrong. */
const EXIT_USAGE = 2;

/** Resolves with the first SIGTERM or SIGINT; a second SIGINT ends the process at once. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let interrupted = false;
    process.on("SIGTERM", () => resolve("SIGTERM"));
    process.on("SIGINT", () => {
      if (interrupted) process.exit(130);
      interrupted = true;
      resolve("SIGINT");
    });
  });
}

/** What nobody caught: a promise that a plugin left alone costs a line in the log, a broken state the process. */
function superviseStrays(log: Log): void {
  process.on("unhandledRejection", (reason) =>
    log.error({ err: reason }, "a rejected promise was left alone"),
  );
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "an exception was not caught");
    process.exit(1);
  });
}

function fail(lines: readonly string[]): never {
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exit(EXIT_USAGE);
}

const program = createProgram({
  async serve(flags) {
    const read = readConfig({ flags, env: process.env, terminal: process.stdout.isTTY === true });
    if ("faults" in read) fail(read.faults.map(describeFault));
    const log = createLog(read.config.logLevel, read.config.logFormat);
    superviseStrays(log);
    process.exit(await serve(read.config, log, firstSignal()));
  },
  async createToken({ ttl, service }) {
    const secret = process.env.BOBBIN_JWT_SECRET || process.env.JWT_SECRET;
    try {
      process.stdout.write(`${await tokenFor(secret, ttl, service)}\n`);
    } catch (error) {
      if (error instanceof BobbinError) fail([error.message]);
      throw error;
    }
  },
  exit: (status) => process.exit(status === 0 ? 0 : EXIT_USAGE),
});
await program.parseAsync();
