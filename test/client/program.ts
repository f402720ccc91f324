/**
 * Programs of their own that use the built client, in Node or in Bun, as a user's project has them: in a folder with
 * node_modules/bobbin.
 */
import { mkdir, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import pLimit from "p-limit";
import { tempFolder } from "../support/app.ts";
import { writeFiles } from "../support/files.ts";

const ROOT = resolve(import.meta.dir, "../..");
const NODE_MODULES = join(ROOT, "node_modules");

export type Runtime = "node" | "bun";

export const RUNTIMES: Record<Runtime, string> = { node: Bun.which("node") ?? "node", bun: process.execPath };

/** So many at once: what a test waits for is not to be how busy the others keep the machine. */
const AT_ONCE = 3;
const limit = pLimit(AT_ONCE);

export interface Program extends AsyncDisposable {
  /** What it printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Its exit status, or the name of the signal that ended it, once it has ended. */
  readonly ended: Promise<number | string>;
}

interface ProgramOptions {
  runtime?: Runtime;
  env?: Record<string, string>;
  /** Arguments for Node or Bun, before the file. */
  flags?: readonly string[];
  /** Further files of the project. */
  files?: Record<string, string>;
  /** Packages of this project's that it has as well. */
  packages?: readonly string[];
}

/** Runs `source` as the file `name`: .mjs or .cjs. */
export async function start(
  name: string,
  source: string,
  { runtime = "node", env = {}, flags = [], files = {}, packages = [] }: ProgramOptions = {},
): Promise<Program> {
  const ending = Promise.withResolvers<void>();
  await new Promise<void>((begin) => {
    void limit(() => {
      begin();
      return ending.promise;
    });
  });
  const folder = await tempFolder();
  await writeFiles(folder.path, { [name]: source, ...files });
  await mkdir(join(folder.path, "node_modules"));
  await symlink(join(ROOT, "dist/client"), join(folder.path, "node_modules/bobbin"));
  for (const each of packages)
    await symlink(join(NODE_MODULES, each), join(folder.path, "node_modules", each));
  const child = Bun.spawn([RUNTIMES[runtime], ...flags, name], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? "", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = { stdout: "", stderr: "" };
  const listen = async (which: "stdout" | "stderr") => {
    for await (const text of child[which].pipeThrough(new TextDecoderStream())) said[which] += text;
  };
  const heard = Promise.all([listen("stdout"), listen("stderr")]);
  const ended = heard.then(() => child.exited).then(() => child.signalCode ?? child.exitCode ?? -1);
  return {
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await folder[Symbol.asyncDispose]();
      ending.resolve();
    },
  };
}
