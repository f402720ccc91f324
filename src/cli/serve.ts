/**
 * `bobbin serve`: starts the app, says where it is, and waits for the signal to end. Knows the app and its config.
 */
import { createApp } from "../app.ts";
import { systemClock } from "../clock.ts";
import { type Config, isLoopbackHost } from "../config.ts";
import { messageOf } from "../errors.ts";
import { createLog, type Log } from "../log.ts";
import { version } from "../version.ts";

/** Runs until `stop` resolves, then ends in order. Returns the exit status. */
export async function serve(config: Config, stop: Promise<string>): Promise<number> {
  const log = createLog(config.logLevel, config.logFormat);
  warnOf(config, log);
  try {
    const app = await createApp(config, { log, clock: systemClock });
    log.info({ ...app.urls, version, ...reach(config) }, "ready");
    log.info({ signal: await stop }, "stopping");
    await app[Symbol.asyncDispose]();
    log.info("stopped");
    return 0;
  } catch (error) {
    log.fatal({ err: error }, messageOf(error));
    return 1;
  }
}

function reach({ host }: Config): { note?: string } {
  if (!isLoopbackHost(host)) return {};
  return {
    note: "nothing outside this machine reaches it; set --host 0.0.0.0 and JWT_SECRET to change that",
  };
}

function warnOf({ jwtSecret, host }: Config, log: Log): void {
  if (!jwtSecret && !isLoopbackHost(host))
    log.warn("anyone who reaches this machine can register services: JWT_SECRET is not set");
  if (jwtSecret && jwtSecret.length < 32)
    log.warn("JWT_SECRET is shorter than 32 characters and may be guessed");
}
