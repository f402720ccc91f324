/**
 * bobbin for a test: in this process or as the compiled binary, on free ports, in a folder of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createApp } from "../../src/app.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Config } from "../../src/config.ts";
import type { DoorName } from "../../src/http.ts";
import { createLog } from "../../src/log.ts";
import { readConfig } from "../../src/read-config.ts";

export const BINARY = resolve(import.meta.dir, "../../dist/bobbin");

/** Which road questions take: every test of the gateway holds on each. */
const { COMPILE_AFTER } = process.env;
const ROAD = COMPILE_AFTER === undefined ? {} : { COMPILE_AFTER };

export interface TestApp extends AsyncDisposable {
  readonly urls: Record<DoorName, string>;
  /** The folder with its database and plugins; gone with the app unless it was given. */
  readonly folder: string;
}

/** An empty folder that is removed at the end. */
export async function tempFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "bobbin-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface StartOptions {
  /** Overrides of the configuration. */
  config?: Partial<Config>;
  clock?: Clock;
  /** A folder that outlives the app, to start again in. */
  folder?: string;
  /** Log level; silent unless a test is being looked into. */
  log?: "silent" | "debug" | "info";
}

/** bobbin in this process. */
export async function startApp({
  config = {},
  clock = systemClock,
  folder,
  log = "silent",
}: StartOptions = {}): Promise<TestApp> {
  const own = folder === undefined ? await tempFolder() : undefined;
  const path = folder ?? own?.path ?? "";
  const read = readConfig({ flags: {}, env: ROAD, terminal: false });
  if ("faults" in read) throw new Error("the defaults are faulty");
  const app = await createApp(
    {
      ...read.config,
      gatewayPort: 0,
      corePort: 0,
      registryPort: 0,
      databaseUrl: `file:${path}/data/bobbin.db`,
      plugins: `${path}/plugins`,
      ...config,
    },
    { log: createLog(log, "json"), clock },
  );
  return {
    urls: app.urls,
    folder: path,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await own?.[Symbol.asyncDispose]();
    },
  };
}

export interface BinaryOptions {
  /** Another than the one that was built last. */
  binary?: string;
  folder?: string;
  env?: Record<string, string>;
  args?: readonly string[];
  /** Runs it as this user, which only root can. */
  user?: number | undefined;
}

export interface RunningBinary extends TestApp {
  readonly process: ReturnType<typeof Bun.spawn>;
  /** Every line that it logged so far, parsed. */
  readonly lines: readonly Record<string, unknown>[];
  /** Ends it with the signal and returns its exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The compiled binary, in a folder of its own; returns once it says that it is ready. */
export async function startBinary({
  binary = BINARY,
  folder,
  env = {},
  args = [],
  user,
}: BinaryOptions = {}): Promise<RunningBinary> {
  const own = folder === undefined ? await tempFolder() : undefined;
  const path = folder ?? own?.path ?? "";
  const child = Bun.spawn(
    [binary, "--gateway-port", "0", "--core-port", "0", "--registry-port", "0", ...args],
    {
      cwd: path,
      env: { PATH: process.env.PATH ?? "", LOG_FORMAT: "json", ...ROAD, ...env },
      stdout: "pipe",
      stderr: "inherit",
      ...(user === undefined ? {} : { uid: user, gid: user }),
    },
  );
  const lines: Record<string, unknown>[] = [];
  const ready = Promise.withResolvers<Record<DoorName, string>>();
  void (async () => {
    let rest = "";
    for await (const chunk of child.stdout) {
      rest += new TextDecoder().decode(chunk);
      const parts = rest.split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const line = JSON.parse(part) as Record<string, unknown>;
        lines.push(line);
        if (line.msg === "ready") ready.resolve(line as Record<DoorName, string>);
      }
    }
    ready.reject(new Error(`the binary ended before it was ready: ${JSON.stringify(lines)}`));
  })();
  const { gateway, core, registry } = await ready.promise;
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    await child.exited;
    return child.exitCode;
  };
  return {
    urls: { gateway, core, registry },
    folder: path,
    process: child,
    lines,
    stop,
    async [Symbol.asyncDispose]() {
      await stop("SIGKILL");
      await own?.[Symbol.asyncDispose]();
    },
  };
}
