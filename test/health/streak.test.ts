/** The counter that turns a row of probes into an instance's health. */
import { expect, test } from "bun:test";
import { nextHealth, nextStreak } from "../../src/health/streak.ts";
import type { Health } from "../../src/registry/service.ts";

/** The health after each probe of a row: `+` a success, `-` a failure. */
function row(start: Health, probes: string, failures = 3, successes = 1): Health[] {
  let health = start;
  let streak = 0;
  return [...probes].map((probe) => {
    const outcome = probe === "+" ? ({ ok: true } as const) : ({ ok: false, reason: "down" } as const);
    streak = nextStreak(streak, outcome);
    health = nextHealth(health, outcome, streak, { failures, successes });
    return health;
  });
}

test("the first success is enough, whatever the threshold of successes", () => {
  expect(row("UNKNOWN", "+", 3, 5)).toEqual(["HEALTHY"]);
  expect(row("UNKNOWN", "--+", 3, 5)).toEqual(["UNKNOWN", "UNKNOWN", "HEALTHY"]);
});

test("what was never healthy stays so, however often it fails", () => {
  expect(row("UNKNOWN", "-----", 1)).toEqual(Array(5).fill("UNKNOWN"));
});

test("failures below the limit are FAILING, at the limit UNHEALTHY", () => {
  expect(row("HEALTHY", "----")).toEqual(["FAILING", "FAILING", "UNHEALTHY", "UNHEALTHY"]);
  expect(row("HEALTHY", "-", 1)).toEqual(["UNHEALTHY"]);
});

test("only consecutive failures count", () => {
  expect(row("HEALTHY", "--+--+--")).toEqual([
    "FAILING",
    "FAILING",
    "HEALTHY",
    "FAILING",
    "FAILING",
    "HEALTHY",
    "FAILING",
    "FAILING",
  ]);
});

test("what is unhealthy needs as many consecutive successes as its threshold says", () => {
  expect(row("UNHEALTHY", "++-+++", 3, 3)).toEqual([
    "UNHEALTHY",
    "UNHEALTHY",
    "UNHEALTHY",
    "UNHEALTHY",
    "UNHEALTHY",
    "HEALTHY",
  ]);
});
