/**
 * The process: arguments, environment, signals, exit status. The only file of the server that touches `process`.
 */
import { done, type Outcome } from "./cli/outcome.ts";
import { newPlugin } from "./cli/plugin-new.ts";
import { createProgram } from "./cli/program.ts";
import { readSettings } from "./cli/settings.ts";
import { tokenFor } from "./cli/token.ts";
import { describeFault, readConfig } from "./config.ts";
import { BobbinError } from "./errors.ts";
import { usesProxy } from "./http.ts";
import { createLog, type Log } from "./log.ts";
import { BUNDLE_COMMAND, CHILD_COMMAND } from "./plugins/runner/protocol.ts";

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

/** Prints what came of a command, or why it refused, and ends the process: a plugin's thread may be left. */
async function finish(command: () => Promise<Outcome>): Promise<void> {
  try {
    const { status, out, err } = await command();
    await Promise.all([write(process.stdout, out), write(process.stderr, err)]);
    process.exit(status);
  } catch (error) {
    if (error instanceof BobbinError) fail([error.message]);
    throw error;
  }
}

/** Resolves when all of it is on its way: what a pipe has not taken yet ends with the process. */
function write(stream: NodeJS.WriteStream, lines: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    if (lines.length === 0) resolve();
    else stream.write(`${lines.join("\n")}\n`, () => resolve());
  });
}

const program = createProgram({
  async serve(flags) {
    const read = readConfig({ flags, env: process.env, terminal: process.stdout.isTTY === true });
    if ("faults" in read) fail(read.faults.map(describeFault));
    const log = createLog(read.config.logLevel, read.config.logFormat);
    superviseStrays(log);
    // Only a server needs all of it; a plugin's process is to start quickly.
    const { serve } = await import("./cli/serve.ts");
    process.exit(await serve(read.config, log, usesProxy(process.env), firstSignal()));
  },
  async createToken({ ttl, service }) {
    const secret = process.env.BOBBIN_JWT_SECRET || process.env.JWT_SECRET;
    await finish(async () => done(await tokenFor(secret, ttl, service)));
  },
  async newPlugin(name, flags) {
    await finish(async () => {
      const { plugins } = readSettings(["plugins"], flags, process.env);
      return done(await newPlugin(name, plugins));
    });
  },
  async checkPlugins(paths, options) {
    const { checkPlugins } = await import("./cli/plugin-check.ts");
    await finish(() => checkPlugins(paths, options, process.env));
  },
  async listPlugins(options) {
    const { listPlugins } = await import("./cli/plugin-list.ts");
    await finish(() => listPlugins(options, process.env));
  },
  async switchPlugin(action, name, options) {
    const { switchPlugin } = await import("./cli/plugin-switch.ts");
    await finish(() => switchPlugin(action, name, options, process.env));
  },
  exit: (status) => process.exit(status === 0 ? 0 : EXIT_USAGE),
});
const [, , command, argument = ""] = process.argv;
if (command === CHILD_COMMAND && process.send) await (await import("./plugins/runner/child.ts")).runChild();
else if (command === BUNDLE_COMMAND) {
  const { bundleForParent } = await import("./plugins/source/bundle-afresh.ts");
  await finish(async () => done(await bundleForParent(argument)));
} else await program.parseAsync();
