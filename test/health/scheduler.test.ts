/** When the scheduler asks whom, and what it makes of the answers. Time is moved by hand. */
import { expect, test } from "bun:test";
import type { Outcome } from "../../src/health/probe.ts";
import { until } from "../support/client.ts";
import { DOWN, fleet, healthCheck, WELL } from "./fleet.ts";

test("a service is probed at once, then after a part of its interval, then every interval", async () => {
  await using watched = fleet(() => WELL);
  watched.add("a");
  await watched.clock.advance(40_000);
  expect(watched.asked[0]?.at).toBe(0);
  expect(watched.pauses()).toEqual([5_000, 10_000, 10_000, 10_000]);
});

test("probes keep off one another: the interval is its length give or take a tenth", async () => {
  for (const [random, pause] of [
    [0, 9_000],
    [1, 11_000],
  ] as const) {
    await using watched = fleet(() => WELL, random);
    watched.add("a");
    await watched.clock.advance(60_000);
    expect(watched.pauses().slice(1)).toContain(pause);
    expect(new Set(watched.pauses().slice(1))).toEqual(new Set([pause]));
  }
});

test("each service has an interval of its own", async () => {
  await using watched = fleet(() => WELL);
  watched.add("often", healthCheck({ interval: 1 }));
  watched.add("seldom", healthCheck({ interval: 60 }));
  await watched.clock.advance(140_000);
  expect(new Set(watched.pauses("http://often:1").slice(1))).toEqual(new Set([1_000]));
  expect(watched.pauses("http://seldom:1")).toEqual([30_000, 60_000]);
});

test("every instance is watched by itself", async () => {
  await using watched = fleet(({ url }) => (url === "http://one:1" ? WELL : DOWN));
  watched.add("a", { url: "http://one:1" });
  watched.add("a", { url: "http://two:1" });
  await watched.clock.advance(1);
  expect(new Set(watched.asked.map(({ url }) => url))).toEqual(new Set(["http://one:1", "http://two:1"]));
  expect(new Set(watched.reports)).toEqual(new Set(["HEALTHY", "UNKNOWN"]));
});

test("the thresholds of the service's metadata decide, and the first success counts at once", async () => {
  let outcome: Outcome = WELL;
  await using watched = fleet(() => outcome);
  watched.add("a", healthCheck({ interval: 10, failureThreshold: 2, successThreshold: 3 }));
  await watched.clock.advance(0);
  expect(watched.health("a")).toBe("HEALTHY");
  outcome = DOWN;
  await watched.clock.advance(15_000);
  expect(watched.reports).toEqual(["HEALTHY", "FAILING", "UNHEALTHY"]);
  outcome = WELL;
  await watched.clock.advance(30_000);
  expect(watched.reports.slice(3)).toEqual(["UNHEALTHY", "UNHEALTHY", "HEALTHY"]);
});

test("what was never healthy is asked again quickly, with pauses that grow up to its interval", async () => {
  await using watched = fleet(() => DOWN);
  watched.add("a", healthCheck({ interval: 1 }));
  await watched.clock.advance(4_000);
  expect(watched.pauses()).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test("what is down when bobbin starts is found down at once, and then asked with pauses that grow", async () => {
  let outcome: Outcome = DOWN;
  await using watched = fleet(() => outcome);
  watched.add("a", { health: "HEALTHY", ...healthCheck({ interval: 10, failureThreshold: 3 }) });
  watched.scheduler.start();
  await watched.clock.advance(300);
  expect(watched.reports).toEqual(["FAILING", "FAILING", "UNHEALTHY"]);
  expect(watched.pauses()).toEqual([100, 200]);
  outcome = WELL;
  await watched.clock.advance(400);
  expect(watched.health("a")).toBe("HEALTHY");
  outcome = DOWN;
  // From then on its thresholds count by its interval.
  await watched.clock.advance(5_000);
  expect(watched.health("a")).toBe("FAILING");
  await watched.clock.advance(9_999);
  expect(watched.health("a")).toBe("FAILING");
});

test("failures count from the first success on, also when that was not a probe's", async () => {
  await using watched = fleet(() => DOWN);
  watched.add("a", healthCheck({ interval: 10, failureThreshold: 2 }));
  await watched.clock.advance(20_000);
  watched.add("a", { health: "HEALTHY" });
  await watched.clock.advance(0);
  expect(watched.health("a")).toBe("FAILING");
  await watched.clock.advance(10_000);
  expect(watched.health("a")).toBe("UNHEALTHY");
});

test("a service that registers again is probed at once", async () => {
  await using watched = fleet(() => WELL);
  watched.add("a", healthCheck({ interval: 3600 }));
  await watched.clock.advance(1_000);
  watched.add("a");
  await watched.clock.advance(0);
  expect(watched.asked.map(({ at }) => at)).toEqual([0, 1_000]);
});

test("a service that is removed is not probed any more", async () => {
  await using watched = fleet(() => WELL);
  watched.add("a");
  await watched.clock.advance(30_000);
  watched.remove("a");
  const before = watched.asked.length;
  await watched.clock.advance(60_000);
  expect(watched.asked.length).toBe(before);
});

test("a failed request asks for a probe at once, but not within a second of the last", async () => {
  await using watched = fleet(() => WELL);
  watched.add("a", healthCheck({ interval: 3600 }));
  await watched.clock.advance(500);
  watched.scheduler.hint("a", "http://a:1");
  await watched.clock.advance(0);
  expect(watched.asked).toHaveLength(1);
  await watched.clock.advance(500);
  watched.scheduler.hint("a", "http://a:1");
  watched.scheduler.hint("a", "http://elsewhere:1");
  await watched.clock.advance(0);
  expect(watched.asked.map(({ at }) => at)).toEqual([0, 1_000]);
});

test("no more than 64 probes are in flight, and the others follow", async () => {
  const release = Promise.withResolvers<Outcome>();
  await using watched = fleet(() => release.promise);
  for (let i = 0; i < 100; i += 1) watched.add(`s${i}`);
  await watched.clock.advance(0);
  expect(watched.asked).toHaveLength(64);
  release.resolve(WELL);
  await until(
    () => watched.asked.length,
    (count) => count === 100,
  );
});

test("instances that failed and now hang hold up neither new ones nor those that are well", async () => {
  const hang = new Promise<Outcome>(() => {});
  const failed = new Set<string>();
  const watched = fleet(({ url }) => {
    if (!url.includes("hung")) return WELL;
    if (failed.has(url)) return hang;
    failed.add(url);
    return DOWN;
  });
  for (let i = 0; i < 100; i += 1) watched.add(`hung${i}`);
  await until(
    () => watched.clock.advance(0).then(() => watched.reports.length),
    (count) => count === 100,
  );
  await watched.clock.advance(10_000);
  expect(watched.asked).toHaveLength(116);
  watched.add("new");
  await watched.clock.advance(0);
  expect(watched.health("new")).toBe("HEALTHY");
  // Registered anew, one that failed need not wait for its like.
  watched.add("hung99");
  await watched.clock.advance(0);
  expect(watched.asked.filter(({ url }) => url === "http://hung99:1")).toHaveLength(2);
});

test("a report says which health it follows from", async () => {
  let outcome: Outcome = WELL;
  await using watched = fleet(() => outcome);
  watched.add("a");
  await watched.clock.advance(0);
  outcome = DOWN;
  await watched.clock.advance(5_000);
  expect(watched.followed).toEqual(["UNKNOWN", "HEALTHY"]);
});

test("callers that check all services share one pass, and there is one a second", async () => {
  await using watched = fleet(() => WELL);
  watched.add("a", healthCheck({ interval: 3600 }));
  watched.add("b", healthCheck({ interval: 3600 }));
  await watched.clock.advance(5_000);
  const { scheduler, asked, clock } = watched;
  await Promise.all([scheduler.checkAll(), scheduler.checkAll()]);
  await clock.advance(999);
  await scheduler.checkAll();
  expect(asked).toHaveLength(4);
  await clock.advance(1);
  await scheduler.checkAll();
  expect(asked).toHaveLength(6);
});

test("a service in maintenance is not probed, also not when all are checked, until it ends", async () => {
  await using watched = fleet(() => WELL);
  watched.add("a");
  await watched.clock.advance(1_000);
  watched.change("a", { maintenance: true });
  watched.scheduler.hint("a", "http://a:1");
  await watched.clock.advance(60_000);
  await watched.scheduler.checkAll();
  expect(watched.asked).toHaveLength(1);
  watched.change("a", { maintenance: false });
  await watched.clock.advance(0);
  expect(watched.asked).toHaveLength(2);
});

test("an answer of a service that was taken into maintenance meanwhile says nothing", async () => {
  const first = Promise.withResolvers<Outcome>();
  let outcome: Outcome | Promise<Outcome> = WELL;
  await using watched = fleet(() => outcome);
  watched.add("a");
  await watched.clock.advance(0);
  outcome = first.promise;
  await watched.clock.advance(10_000);
  watched.change("a", { maintenance: true });
  outcome = WELL;
  first.resolve(DOWN);
  await watched.clock.advance(0);
  watched.change("a", { maintenance: false });
  await watched.clock.advance(0);
  expect(watched.asked).toHaveLength(3);
  expect(watched.reports).toEqual(["HEALTHY", "HEALTHY"]);
});

test("an answer of an instance that was given other paths meanwhile says nothing, and the new ones are asked", async () => {
  const first = Promise.withResolvers<Outcome>();
  await using watched = fleet(({ url }) => (url.endsWith("/new") ? WELL : first.promise));
  watched.add("a", { url: "http://a:1/old" });
  await watched.clock.advance(0);
  watched.add("a", { url: "http://a:1/new" });
  await watched.clock.advance(0);
  first.resolve(DOWN);
  await until(
    () => watched.clock.advance(0).then(() => watched.reports),
    (reports) => reports.length > 0,
  );
  expect(watched.reports).toEqual(["HEALTHY"]);
  expect(watched.asked.map(({ url }) => url)).toEqual(["http://a:1/old", "http://a:1/new"]);
});

test("an answer for a service that was removed meanwhile says nothing", async () => {
  const answer = Promise.withResolvers<Outcome>();
  await using watched = fleet(() => answer.promise);
  watched.add("a");
  await watched.clock.advance(0);
  watched.remove("a");
  answer.resolve(WELL);
  await watched.clock.advance(60_000);
  expect(watched.reports).toEqual([]);
});

test("a probe has a deadline, and is ended when the scheduler is", async () => {
  const watched = fleet(
    ({ signal }) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve({ ok: false, reason: "late" })),
      ),
  );
  watched.add("short", healthCheck({ timeout: 0.05 }));
  watched.add("long", healthCheck({ timeout: 60, interval: 3600 }));
  await watched.clock.advance(0);
  await until(
    () => watched.reports,
    (reports) => reports.length === 1,
  );
  const long = watched.asked.find(({ url }) => url === "http://long:1");
  expect(long?.signal.aborted).toBe(false);
  await watched[Symbol.asyncDispose]();
  expect(long?.signal.aborted).toBe(true);
  expect(watched.reports).toHaveLength(1);
});
