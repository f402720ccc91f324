/**
 * What a gateway worker has to know of the configuration, and of where bobbin is. Knows both; nothing of processes.
 */
import type { Config } from "../config.ts";
import type { Settings } from "./protocol.ts";

type Place = Pick<Settings, "port" | "doorHeader" | "isProxied">;

export function settingsOf(config: Config, place: Place): Omit<Settings, "number"> {
  const { host, jwtSecret, corsOrigins, bodyLimitBytes, compileAfter, isProduction, logLevel, logFormat } =
    config;
  return {
    ...place,
    host,
    jwtSecret,
    corsOrigins,
    bodyLimitBytes,
    // JSON has no infinity.
    compileAfter: Number.isFinite(compileAfter) ? compileAfter : null,
    isProduction,
    logLevel,
    logFormat,
  };
}
