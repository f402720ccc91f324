/**
 * The process: arguments, environment, signals, exit status. The only file of the server that touches `process`.
 */

import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createProgram, runProgram } from "./cli/program.ts";
import { done, type Outcome } from "./cli/terminal/outcome.ts";
import type { Terminal } from "./cli/terminal/terminal.ts";
import { BobbinError } from "./errors.ts";
import { usesProxy } from "./http.ts";
import { createLog, type Log } from "./log.ts";
import { BUNDLE_COMMAND, CHILD_COMMAND } from "./plugins/runner/protocol.ts";
import { describeFault, readConfig } from "./read-config.ts";
import { compileSoon } from "./tier-up.ts";
import { WORKER_COMMAND } from "./workers/protocol.ts";

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
async function finish(command: (terminal: Terminal) => Promise<Outcome>): Promise<void> {
  process.stdout.once("error", endWithoutReader);
  try {
    const { status, out, err } = await command(terminal);
    await Promise.all([print(process.stdout, out), print(process.stderr, err)]);
    process.exit(status);
  } catch (error) {
    if (error instanceof BobbinError) fail([error.message]);
    throw error;
  }
}

function endWithoutReader({ code, message }: NodeJS.ErrnoException): never {
  // Who reads it has had enough.
  if (code === "EPIPE") process.exit(0);
  process.stderr.write(`Standard output cannot be written: ${message}\n`);
  process.exit(1);
}

/** Half a file is no file: whether all of it was taken is for who prints it. */
async function printFile(path: string): Promise<void> {
  process.stdout.off("error", endWithoutReader);
  await pipeline(createReadStream(path), process.stdout, { end: false });
}

const print = (stream: NodeJS.WriteStream, lines: readonly string[]): Promise<void> =>
  write(stream, lines.map((line) => `${line}\n`).join(""));

/**
 * Resolves when all of it is on its way: what a pipe has not taken yet ends with the process. Where standard output
 * fails, its "error" ends the process.
 */
function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (text === "") resolve();
    else stream.write(text, (error) => (error && stream === process.stdout ? undefined : resolve()));
  });
}

const { NO_COLOR, TERM } = process.env;
const isPlain = Boolean(NO_COLOR) || TERM === "dumb";

const terminal: Terminal = {
  env: process.env,
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  hasColours: process.stdout.isTTY === true && !isPlain,
  showsProgress: process.stderr.isTTY === true && !isPlain,
  print: (line) => write(process.stdout, `${line}\n`),
  printFile,
  say: (text) => write(process.stderr, text),
  readInput: () => Bun.stdin.text(),
  interrupted() {
    const interrupted = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
    return interrupted.signal;
  },
};

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
  run: finish,
  exit: (status) => process.exit(status === 0 ? 0 : EXIT_USAGE),
});
const [, , command, argument = ""] = process.argv;
if (command === CHILD_COMMAND && process.send) {
  const { runChild } = await import("./plugins/runner/child.ts");
  compileSoon();
  await runChild();
} else if (command === WORKER_COMMAND && process.send) {
  const { runWorker } = await import("./workers/worker.ts");
  compileSoon();
  runWorker();
} else if (command === BUNDLE_COMMAND) {
  const { bundleForParent } = await import("./plugins/source/bundle-afresh.ts");
  await finish(async () => done(await bundleForParent(argument)));
} else await runProgram(program, process.argv.slice(2));
