/** The compiled binary, or another command, run to its end, with what it printed. */
import { BINARY } from "./app.ts";

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  env?: Record<string, string>;
  folder?: string;
}

/** Runs the binary in `folder`, for a command that ends by itself. */
export function run(args: readonly string[], { env = {}, folder }: RunOptions = {}): Promise<Run> {
  return toItsEnd([BINARY, ...args], {
    env: { PATH: process.env.PATH ?? "", ...env },
    ...(folder ? { folder } : {}),
  });
}

/** Runs any command; without `env` in the environment of the tests. */
export async function toItsEnd(command: readonly string[], { env, folder }: RunOptions = {}): Promise<Run> {
  const child = Bun.spawn([...command], {
    ...(folder ? { cwd: folder } : {}),
    ...(env ? { env } : {}),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { status: child.exitCode, stdout, stderr };
}
