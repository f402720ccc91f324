/** The compiled binary as a command: run to its end, with what it printed. */
import { BINARY } from "./app.ts";

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs it in `folder`, for a command that ends by itself. */
export async function run(
  args: readonly string[],
  { env = {}, folder }: { env?: Record<string, string>; folder?: string } = {},
): Promise<Run> {
  const child = Bun.spawn([BINARY, ...args], {
    ...(folder ? { cwd: folder } : {}),
    env: { PATH: process.env.PATH ?? "", ...env },
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
