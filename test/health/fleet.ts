/** Services under a real scheduler, with a clock moved by hand and probes answered by the test. */
import type { Outcome } from "../../src/health/probe.ts";
import { HealthScheduler } from "../../src/health/scheduler.ts";
import { type Registration, register } from "../../src/registry/registration.ts";
import type { Instance, Service } from "../../src/registry/service.ts";
import { FakeClock } from "../support/clock.ts";

export const WELL: Outcome = { ok: true };
export const DOWN: Outcome = { ok: false, reason: "down" };

/** What was asked of the probe: by its name and URL, when in milliseconds since the start. */
export interface Asked {
  readonly url: string;
  readonly at: number;
  readonly signal: AbortSignal;
}

export interface Fleet extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly scheduler: HealthScheduler;
  readonly asked: Asked[];
  /** Health after each report. */
  readonly reports: string[];
  /** The health that each report says it follows from. */
  readonly followed: string[];
  /** Registers, or registers again, and tells the scheduler. */
  add(name: string, more?: Partial<Registration>): void;
  change(name: string, change: Partial<Service>): void;
  remove(name: string): void;
  health(name: string): Instance["health"] | undefined;
  /** How many milliseconds lie between the probes of a URL. */
  pauses(url?: string): number[];
}

export function fleet(answer: (asked: Asked) => Outcome | Promise<Outcome>, random = 0.5): Fleet {
  const clock = new FakeClock();
  const start = clock.now();
  const services = new Map<string, Service>();
  const asked: Asked[] = [];
  const reports: string[] = [];
  const followed: string[] = [];
  const scheduler = new HealthScheduler({
    services: () => [...services.values()],
    service: (name) => services.get(name),
    async probe(_service, { url }, signal) {
      const question = { url, at: clock.now() - start, signal };
      asked.push(question);
      return answer(question);
    },
    async report({ service: name, origin, health, from, reason, at }) {
      reports.push(health);
      followed.push(from);
      const service = services.get(name);
      if (!service) return;
      const instances = service.instances.map((instance) =>
        instance.origin === origin
          ? { ...instance, health, healthReason: reason, lastHealthCheck: at }
          : instance,
      );
      services.set(name, { ...service, instances });
    },
    clock,
    random: () => random,
  });
  return {
    clock,
    scheduler,
    asked,
    reports,
    followed,
    add(name, more = {}) {
      const input = { name, url: `http://${name}:1`, door: "REST", source: "REMOTE", ...more } as const;
      services.set(name, register(services.get(name), input, clock.now()));
      scheduler.follow(name);
    },
    change(name, change) {
      const service = services.get(name);
      if (service) services.set(name, { ...service, ...change });
      scheduler.follow(name);
    },
    remove(name) {
      services.delete(name);
      scheduler.follow(name);
    },
    health: (name) => services.get(name)?.instances[0]?.health,
    pauses(url) {
      const times = asked.filter((each) => url === undefined || each.url === url).map(({ at }) => at);
      return times.slice(1).map((at, i) => at - (times[i] ?? 0));
    },
    [Symbol.asyncDispose]: () => scheduler[Symbol.asyncDispose](),
  };
}

/** `metadata.healthCheck` of a registration, times in seconds. */
export const healthCheck = (settings: object) => ({ metadata: { healthCheck: settings } });
