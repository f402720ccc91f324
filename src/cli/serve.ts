/**
 * `bobbin serve`: starts the app, says where it is, and waits for the signal to end. Knows the app and its config.
 */
import { platform } from "node:os";
import { createApp } from "../app.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { BobbinError, messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { isLoopbackHost } from "../loopback.ts";
import { compileSoon } from "../tier-up.ts";
import { version } from "../version.ts";

/** Runs until `stop` resolves, then ends in order. Returns the exit status. */
export async function serve(
  config: Config,
  log: Log,
  isProxied: boolean,
  stop: Promise<string>,
): Promise<number> {
  warnOf(config, log);
  try {
    const app = await createApp(withWorkers(config, log), { log, clock: systemClock, isProxied });
    log.info({ ...app.urls, version, ...reach(config) }, "ready");
    compileSoon();
    log.info({ signal: await stop }, "stopping");
    await app[Symbol.asyncDispose]();
    log.info("stopped");
    return 0;
  } catch (error) {
    // What bobbin itself refuses says all there is to say; anything else needs its stack.
    log.fatal(error instanceof BobbinError ? { code: error.code } : { err: error }, messageOf(error));
    return 1;
  }
}

/** Other systems give all connections of a port that is shared to one process. */
function withWorkers(config: Config, log: Log): Config {
  if (config.workers === 1 || platform() === "linux") return config;
  const problem =
    "only Linux shares a port out among processes: this bobbin has one, whatever --workers says";
  log.warn({ workers: config.workers }, problem);
  return { ...config, workers: 1 };
}

function reach({ host, jwtSecret }: Config): { note?: string } {
  if (!isLoopbackHost(host)) return {};
  const change = jwtSecret
    ? "--host 0.0.0.0 changes that"
    : "set --host 0.0.0.0 and JWT_SECRET to change that";
  return { note: `nothing outside this machine reaches it; ${change}` };
}

function warnOf({ jwtSecret, host }: Config, log: Log): void {
  if (!jwtSecret && !isLoopbackHost(host))
    log.warn("anyone who reaches this machine can register services: JWT_SECRET is not set");
  if (jwtSecret && jwtSecret.length < 32)
    log.warn("JWT_SECRET is shorter than 32 characters and may be guessed");
}
