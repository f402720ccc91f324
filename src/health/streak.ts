/**
 * The counter of consecutive outcomes that turns probes into an instance's health. Pure.
 * Knows thresholds; neither probes nor services.
 */
import type { Thresholds } from "../registry/metadata.ts";
import type { Health } from "../registry/service.ts";
import type { Outcome } from "./probe.ts";

/** Consecutive outcomes of one kind: positive for successes, negative for failures. */
export type Streak = number;

export function nextStreak(streak: Streak, outcome: Outcome): Streak {
  if (outcome.ok) return streak > 0 ? streak + 1 : 1;
  return streak < 0 ? streak - 1 : -1;
}

/** The health after `outcome`, which `streak` counts already. The very first success is enough. */
export function nextHealth(
  current: Health,
  outcome: Outcome,
  streak: Streak,
  thresholds: Thresholds,
): Health {
  if (outcome.ok) {
    if (current === "UNHEALTHY" && streak < thresholds.successes) return "UNHEALTHY";
    return "HEALTHY";
  }
  if (current === "UNKNOWN") return "UNKNOWN";
  if (current === "UNHEALTHY" || -streak >= thresholds.failures) return "UNHEALTHY";
  return "FAILING";
}
