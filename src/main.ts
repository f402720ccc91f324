/**
 * The process: arguments, environment, signals, exit status. The only file of the server that touches `process`.
 */
import { createProgram } from "./cli/program.ts";
import { serve } from "./cli/serve.ts";
import { tokenFor } from "./cli/token.ts";
import { describeFault, readConfig } from "./config.ts";
import { BobbinError } from "./errors.ts";

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

function fail(lines: readonly string[]): never {
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exit(EXIT_USAGE);
}

const program = createProgram({
  async serve(flags) {
    const read = readConfig({ flags, env: process.env, terminal: process.stdout.isTTY === true });
    if ("faults" in read) fail(read.faults.map(describeFault));
    process.exit(await serve(read.config, firstSignal()));
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
