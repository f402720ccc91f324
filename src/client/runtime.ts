/**
 * What the machine that the program runs on offers: its environment, its standard error, timers that keep nothing
 * alive. The only file of the client that knows of a process; in a browser there is none.
 */

/** As much of Node's process as the client needs; Bun and Deno have the same. */
export interface HostProcess {
  readonly pid: number;
  readonly env: Record<string, string | undefined>;
  readonly stderr: { write(text: string): unknown };
  on(event: string, listener: () => void): unknown;
  prependListener(event: string, listener: () => void): unknown;
  removeListener(event: string, listener: () => void): unknown;
  listenerCount(event: string): number;
  kill(pid: number, signal: string): unknown;
  getBuiltinModule?(name: string): unknown;
}

declare const require: ((name: string) => unknown) | undefined;

const candidate = (globalThis as { process?: Partial<HostProcess> }).process;

/** The process, where there is one; what some bundlers put in its place in a browser does not count. */
export const host: HostProcess | undefined =
  typeof candidate?.on === "function" && candidate.stderr ? (candidate as HostProcess) : undefined;

/** One of Node's own modules; undefined where there is none of that name. */
export function builtin<T>(name: string): T | undefined {
  try {
    if (!host) return undefined;
    // Node has the first from 20.16 on; the second is there in CommonJS.
    return (host.getBuiltinModule?.(name) ??
      (typeof require === "function" ? require(name) : undefined)) as T;
  } catch {
    return undefined;
  }
}

/** The variable's value; undefined where it is empty, not set, or not to be read. */
export function environment(name: string): string | undefined {
  try {
    return host?.env[name] || undefined;
  } catch {
    // Deno asks for a permission first.
    return undefined;
  }
}

/** One line to standard error, never to standard output: that is the program's own. */
export function warn(line: string): void {
  const text = `bobbin: ${line}`;
  if (host) host.stderr.write(`${text}\n`);
  // biome-ignore lint/suspicious/noConsole: what a browser has instead
  else console.warn(text);
}

/** Calls `action` once, unless the returned function is called first. Keeps no process alive by waiting. */
export function after(delayMs: number, action: () => void): () => void {
  const timer: unknown = setTimeout(action, delayMs);
  (timer as { unref?(): void }).unref?.();
  return () => clearTimeout(timer as number);
}

/** The same for what somebody waits for: while it runs, the process stays. */
export function within(delayMs: number, action: () => void): () => void {
  const timer = setTimeout(action, delayMs);
  return () => clearTimeout(timer);
}
