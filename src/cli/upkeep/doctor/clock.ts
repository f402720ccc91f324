/** Whether the clock goes, and as the running bobbin's does: tokens and leases end by it. Knows clocks only. */
import type { Environment } from "../../settings.ts";
import type { Finding } from "./finding.ts";
import { registryHealth } from "./registry-health.ts";

const WATCHED_MS = 100;
/** Slow machines sleep longer, but both clocks do. */
const ALLOWED_DRIFT_MS = 50;
/** Answers tell whole seconds, and come a moment later. */
const ALLOWED_OFFSET_MS = 3_000;
const BEFORE_BOBBIN = Date.UTC(2025, 0, 1);

export async function checkClock(env: Environment): Promise<Finding> {
  const check = "clock";
  const advice = "Set the machine's clock, and keep it by NTP: tokens and leases end by it.";
  const now = new Date();
  if (now.getTime() < BEFORE_BOBBIN)
    return { check, status: "fail", message: `it says ${now.toISOString()}`, advice };
  const [wall, steady] = [Date.now(), performance.now()];
  await Bun.sleep(WATCHED_MS);
  const drift = Date.now() - wall - (performance.now() - steady);
  if (Math.abs(drift) > ALLOWED_DRIFT_MS)
    return { check, status: "warn", message: `it leapt by ${Math.round(drift)} ms in a moment`, advice };
  const offset = await offsetToRegistry(env);
  const said = now.toISOString().replace(/\.\d+/, "");
  if (offset === undefined) return { check, status: "ok", message: `${said}; no registry to compare with` };
  const seconds = Math.round(Math.abs(offset) / 1000);
  if (Math.abs(offset) <= ALLOWED_OFFSET_MS)
    return { check, status: "ok", message: `${said}, as the registry's` };
  const message = `${said}, ${seconds} s ${offset > 0 ? "ahead of" : "behind"} the registry's`;
  return { check, status: "warn", message, advice };
}

/** Milliseconds by which this clock is ahead; undefined where no registry answers. */
async function offsetToRegistry(env: Environment): Promise<number | undefined> {
  const health = await registryHealth(
    env.SERVICE_REGISTRY_PORT === "0" ? { ...env, SERVICE_REGISTRY_PORT: "" } : env,
  );
  const theirs = Date.parse(health?.date ?? "");
  return Number.isNaN(theirs) ? undefined : Date.now() - theirs;
}
